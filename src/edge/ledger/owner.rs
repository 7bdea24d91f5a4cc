//! Who owns a state directory: a lock that dies with its process, with the process's number in it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::LedgerError;

/// Takes the lock; it is held as long as the file is open.
pub(super) fn take(dir: &Path) -> Result<File, LedgerError> {
    let failed = |source| LedgerError::directory(dir, source);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(dir.join("lock"))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            file.read_to_string(&mut owner).map_err(failed)?;
            return Err(LedgerError::locked(dir, owner.trim().parse().ok()));
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        // a full disk is no reason to keep commands from reading
        file.write_all(std::process::id().to_string().as_bytes())
    };
    match write(&mut file) {
        Err(error) if error.kind() != std::io::ErrorKind::StorageFull => Err(failed(error)),
        _ => Ok(file),
    }
}
