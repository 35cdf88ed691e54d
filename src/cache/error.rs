//! What keeps the cache from helping. Never a reason to fail a command: the caller shows it as a
//! warning and goes on without. Must not know how it is shown.

use std::io;
use std::path::{Path, PathBuf};

/// Why the cache, or one entry of it, could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb phrase that the path completes.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Somebody else could read or replace what is there, so nothing in it is trusted.
    #[error("the session cache is not used: `{}` {what}", path.display())]
    Unsafe {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it, as a phrase that follows the path.
        what: String,
        /// How a person mends it, as an imperative phrase, such as ``run `chmod 700 …` ``.
        mend: String,
    },
}

impl Error {
    /// Returns how a person mends it, if there is a known way.
    pub fn mend(&self) -> Option<&str> {
        match self {
            Self::Io { .. } => None,
            Self::Unsafe { mend, .. } => Some(mend),
        }
    }

    /// Returns a function that turns an I/O error about `path` into this error.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
