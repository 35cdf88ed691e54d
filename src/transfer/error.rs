//! Why a transfer failed. Must not know exit codes.

use std::io;
use std::path::PathBuf;

use crate::oss;

/// A failed transfer. `E` is the error of whoever hands out credentials.
#[derive(Debug, thiserror::Error)]
pub enum Error<E> {
    /// What OSS stored is not what was read. The object is there, with other contents.
    #[error(
        "OSS stored something else than was sent: its CRC-64 is {theirs}, that of the data {ours}"
    )]
    Checksum {
        /// The CRC-64 of what was read.
        ours: u64,
        /// The CRC-64 of what OSS stored.
        theirs: u64,
    },

    /// There are no credentials to sign with.
    #[error("no credentials for the transfer")]
    Credentials(#[source] E),

    /// OSS refused, or did not answer.
    #[error("the transfer failed after {attempts} attempt{}", if *attempts == 1 { "" } else { "s" })]
    Oss {
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        #[source]
        source: oss::Error,
    },

    /// The data cannot be sent.
    #[error(transparent)]
    Source(#[from] SourceError),

    /// There was an answer of success before all data was sent.
    #[error("the transfer was answered before all data was sent")]
    Unread,

    /// An answer was lost, the object is there now, and it cannot be told whether it is this one.
    #[error("an answer was lost and an object is there now; whether it is this one cannot be told")]
    Unsettled {
        /// Why not.
        #[source]
        source: oss::Error,
    },
}

/// Why data cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It is not what it was when the transfer began.
    #[error("`{}` changed while it was read", .0.display())]
    Changed(PathBuf),

    /// It is a directory.
    #[error("`{}` is a directory", .0.display())]
    Directory(PathBuf),

    /// It cannot be opened or read.
    #[error("cannot read `{}`", .path.display())]
    Io {
        /// What was to be read; `-` for standard input.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },

    /// It does not exist.
    #[error("`{}` does not exist", .0.display())]
    Missing(PathBuf),

    /// It was read before and cannot be read again.
    #[error("the data can be read only once")]
    Spent,

    /// It is more than one PutObject takes.
    #[error("`{}` is larger than 5 GiB, the most that one PutObject takes", .0.display())]
    TooLarge(PathBuf),
}
