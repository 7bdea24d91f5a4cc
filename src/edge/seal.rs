//! Texts kept with the operator's consent, encrypted at rest: ChaCha20-Poly1305 (RFC 8439) by ring,
//! each text with a nonce of its own and bound to what it is about.

use std::path::{Path, PathBuf};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};

use super::ledger::keys::hex;

/// Fewest bytes of a key file.
const LEAST_KEY: usize = 32;

/// Why texts cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key file cannot be read.
    #[error("{file}: {source}; name a readable file in [learning] text-key-file")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The key is too short.
    #[error("{0}: the key has fewer than 32 bytes; make one with `head -c 64 /dev/urandom`")]
    Short(PathBuf),
    /// The system gives no random numbers, or the text cannot be encrypted.
    #[error("a text cannot be encrypted")]
    Failed,
    /// It was encrypted with another key, is of another mail, or was changed.
    #[error("a kept text cannot be decrypted: is [learning] text-key-file another one now?")]
    Foreign,
}

/// A key in use.
pub struct Seal(LessSafeKey);

impl Seal {
    /// With the key in a file.
    ///
    /// # Errors
    /// When it cannot be read or is too short.
    pub fn open(file: &Path) -> Result<Self, SealError> {
        let bytes =
            std::fs::read(file).map_err(|source| SealError::Unreadable { file: file.to_owned(), source })?;
        if bytes.len() < LEAST_KEY {
            return Err(SealError::Short(file.to_owned()));
        }
        let key = Sha256::new().chain_update(b"evenkeel text").chain_update(&bytes).finalize();
        let key = UnboundKey::new(&CHACHA20_POLY1305, &key).map_err(|_| SealError::Failed)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// `text`, which belongs to `about`, as hexadecimal.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn seal(&self, about: &str, text: &str) -> Result<String, SealError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| SealError::Failed)?;
        let mut bytes = text.as_bytes().to_vec();
        let about = Aad::from(about.as_bytes());
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), about, &mut bytes)
            .map_err(|_| SealError::Failed)?;
        Ok(hex(nonce.iter().chain(&bytes)))
    }

    /// The text that was sealed for `about`.
    ///
    /// # Errors
    /// When the key, the mail or the bytes are others.
    pub fn unseal(&self, about: &str, sealed: &str) -> Result<String, SealError> {
        let bytes = unhex(sealed).ok_or(SealError::Foreign)?;
        let (nonce, rest) = bytes.split_at_checked(NONCE_LEN).ok_or(SealError::Foreign)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Foreign)?;
        let mut rest = rest.to_vec();
        let about = Aad::from(about.as_bytes());
        let text = self.0.open_in_place(nonce, about, &mut rest).map_err(|_| SealError::Foreign)?;
        String::from_utf8(text.to_vec()).map_err(|_| SealError::Foreign)
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    digits.chunks(2).map(|pair| Some(pair.first()? << 4 | pair.get(1)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_for_its_own_mail_and_key_only() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        assert!(matches!(Seal::open(&file), Err(SealError::Unreadable { .. })));
        std::fs::write(&file, "short").unwrap();
        assert!(matches!(Seal::open(&file), Err(SealError::Short(_))));
        std::fs::write(&file, [7; 64]).unwrap();
        let seal = Seal::open(&file).unwrap();
        let sealed = seal.seal("mail 1", "Привет, Ivo").unwrap();
        assert!(!sealed.contains("Ivo") && sealed != seal.seal("mail 1", "Привет, Ivo").unwrap());
        assert_eq!(seal.unseal("mail 1", &sealed).unwrap(), "Привет, Ivo");
        assert!(seal.unseal("mail 2", &sealed).is_err());
        std::fs::write(&file, [8; 64]).unwrap();
        assert!(Seal::open(&file).unwrap().unseal("mail 1", &sealed).is_err());
    }
}
