//! One lock a session, kept by the kernel: it is freed when its holder ends, however it ends.
//! Must not wait: callers poll, and say whom they wait for.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::cache::error::Error;
use crate::cache::key::{Inputs, Key};
use crate::cache::platform;

/// The right to write one session, until it is dropped.
#[derive(Debug)]
pub struct CacheLock {
    pub(super) inputs: Inputs,
    pub(super) key: Key,
    held: Held,
}

impl CacheLock {
    pub(super) fn new(inputs: Inputs, key: Key, held: Held) -> Self {
        Self { inputs, key, held }
    }

    /// Tells whether it keeps others out. It does not where the file system has no locks; then
    /// two processes may refresh at once, and the later one's session stays.
    pub fn is_exclusive(&self) -> bool {
        matches!(self.held, Held::Kernel(_))
    }
}

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// When it took the lock, by its clock; whole seconds.
    pub since: DateTime<Utc>,
}

impl Holder {
    /// Finds out who holds the lock at `path`; `None` if nobody does, or it cannot be known (as
    /// on Windows, where a locked file cannot be read).
    pub(super) fn of(path: &Path) -> Option<Self> {
        let file = platform::open_private(path).ok()?;
        // What the file says counts only while somebody holds it. Looking takes the lock for a
        // moment if it is free, shared, so that those who look do not mislead each other.
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {}
            Ok(()) | Err(TryLockError::Error(_)) => return None,
        }
        let mut text = String::new();
        file.take(128).read_to_string(&mut text).ok()?;
        let (pid, since) = text.trim_end().split_once(' ')?;
        Some(Self {
            pid: pid.parse().ok()?,
            since: DateTime::parse_from_rfc3339(since).ok()?.to_utc(),
        })
    }
}

/// A lock that was taken.
#[derive(Debug)]
pub(super) enum Held {
    /// The kernel keeps it as long as this file is open.
    Kernel(File),
    /// The file system knows no locks.
    Unsupported,
}

impl Held {
    /// Takes the lock at `path`; `None` if another process or thread has it.
    pub(super) fn take(path: &Path) -> Result<Option<Self>, Error> {
        let failed = |error| Error::io("lock", path)(error);
        for _ in 0..ATTEMPTS {
            let file = platform::open_lock(path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) if platform::is_unsupported(&error) => {
                    return Ok(Some(Self::Unsupported));
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // Whoever held it before may have removed the file after we opened it; then our lock
            // is on a file that nobody else will ever find.
            if platform::is_at(&file, path).map_err(failed)? {
                return Ok(Some(Self::Kernel(file)));
            }
        }
        Ok(None)
    }

    /// Notes in the file who holds it, for those who wait. Nothing depends on it, so a full disk
    /// does not matter.
    pub(super) fn sign(&mut self, now: DateTime<Utc>) {
        if let Self::Kernel(file) = self {
            let since = now.to_rfc3339_opts(SecondsFormat::Secs, true);
            let line = format!("{} {since}\n", std::process::id());
            let _ = file
                .set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| file.write_all(line.as_bytes()));
        }
    }

    /// Removes the file that the lock is on, then frees it. Without a lock the file stays.
    pub(super) fn remove(self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Kernel(_file) => platform::remove_lock(path).map_err(Error::io("remove", path)),
            Self::Unsupported => Ok(()),
        }
    }
}

/// How often a lock file may vanish between opening and locking it. Each time means that somebody
/// swept it away just then.
const ATTEMPTS: usize = 16;
