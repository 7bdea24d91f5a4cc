//! Ctrl-C during work on files: it is heard between two steps, so that nothing stays half done.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// Does `work`, which Ctrl-C ends at any moment; its files are written whole or not at all.
///
/// # Errors
/// What `work` says, or [`Interrupted`].
pub fn until_pressed<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        tokio::select! {
            done = tokio::task::spawn_blocking(work) => done?,
            _ = tokio::signal::ctrl_c() => Err(Interrupted.into()),
        }
    });
    // it ends with the program
    runtime.shutdown_background();
    done
}

/// A person has stopped the command.
#[derive(Debug, thiserror::Error)]
#[error("interrupted: nothing was changed")]
pub struct Interrupted;

/// Remembers Ctrl-C, which does not end the program any more.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the signal cannot be had.
    pub fn listen() -> io::Result<Self> {
        let pressed = Arc::new(AtomicBool::new(false));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut signals = {
            let _inside = runtime.enter();
            signal(SignalKind::interrupt())?
        };
        let heard = pressed.clone();
        std::thread::Builder::new().name("interrupt".into()).spawn(move || {
            runtime.block_on(async {
                while signals.recv().await.is_some() {
                    heard.store(true, Ordering::Relaxed);
                }
            });
        })?;
        Ok(Self(pressed))
    }

    /// Whether somebody has pressed it.
    #[must_use]
    pub fn pressed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Goes on, or not.
    ///
    /// # Errors
    /// [`Interrupted`] when somebody has pressed it.
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.pressed() { Err(Interrupted) } else { Ok(()) }
    }
}
