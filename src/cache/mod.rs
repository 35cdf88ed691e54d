//! Sessions on disk: `<config dir>/sessions/<key>.v1.json`, one file a session, found by a digest
//! of everything that the session depends on. Must not know how a session is obtained, when it is
//! fresh enough, or what time it is; nothing here is asynchronous, so that a cached session costs
//! no runtime.
//!
//! The cache helps or it steps aside. Every [`Error`] is for a warning: what cannot be trusted is
//! not read, what is damaged is set aside, what cannot be written is not kept, and the command
//! goes on.
//!
//! Readers take no lock: a session appears whole, by renaming. Writers hold the key's lock, which
//! [`Cache::put`] takes as proof.

mod entry;
mod error;
mod files;
mod key;
mod lock;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(not(unix), path = "other.rs")]
mod platform;
mod sweep;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::cache::entry::Stored;
use crate::cache::files::Content;
use crate::cache::lock::Held;

pub use entry::Entry;
pub use error::Error;
pub use key::{BaseInputs, Inputs, Key, NotAKey};
pub use lock::{CacheLock, Holder};
pub use sweep::{Filter, Listed, State, Summary};

/// The directory of cached sessions.
#[derive(Clone, Debug)]
pub struct Cache {
    config_dir: PathBuf,
    dir: PathBuf,
}

/// What the cache has for a request.
#[derive(Debug)]
pub enum Lookup {
    /// A session. It may have expired: freshness is the caller's question.
    Hit(Box<Entry>),
    /// Nothing.
    Miss,
    /// Nothing, for a reason that a person should hear about.
    Unusable(Error),
}

impl Cache {
    /// Opens the cache in `config_dir`, after checking that nobody else can write there. Creates
    /// nothing: a directory that is missing is an empty cache.
    pub fn open(config_dir: &Path) -> Result<Self, Error> {
        let cache = Self {
            config_dir: config_dir.to_owned(),
            dir: config_dir.join("sessions"),
        };
        cache.check()?;
        Ok(cache)
    }

    /// Returns the directory that holds the sessions, whether or not it exists.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Looks for the session with these inputs. What is there but damaged, or belongs to other
    /// inputs, is set aside and is a miss.
    pub fn get(&self, inputs: &Inputs) -> Lookup {
        let key = inputs.key();
        self.look(inputs, &key)
            .and_then(|found| match found {
                Content::Damaged => self.set_aside(inputs, &key),
                found => Ok(found),
            })
            .map_or_else(Lookup::Unusable, |found| match found {
                Content::Good(good) => Lookup::Hit(Box::new(good.1)),
                Content::Absent | Content::Damaged => Lookup::Miss,
            })
    }

    /// Takes the lock of the session with these inputs, without waiting: `None` if somebody else
    /// has it. Creates the cache's directory. `now` is what others are told about its age.
    ///
    /// A momentary `None` while nobody holds it is possible, when another process looks who does.
    pub fn try_lock(
        &self,
        inputs: &Inputs,
        now: DateTime<Utc>,
    ) -> Result<Option<CacheLock>, Error> {
        platform::create_dir(&self.dir).map_err(Error::io("create", &self.dir))?;
        self.check()?;
        let key = inputs.key();
        let Some(mut held) = Held::take(&files::lock(&self.dir, &key))? else {
            return Ok(None);
        };
        held.sign(now);
        Ok(Some(CacheLock::new(inputs.clone(), key, held)))
    }

    /// Returns who holds the lock of the session with these inputs, as far as that can be known.
    /// To be asked once when a wait begins, not at each attempt.
    pub fn holder(&self, inputs: &Inputs) -> Option<Holder> {
        Holder::of(&files::lock(&self.dir, &inputs.key()))
    }

    /// Stores the session for the inputs of the lock: whole or not at all, and readable by its
    /// owner alone from the first byte on.
    pub fn put(&self, lock: &CacheLock, entry: &Entry) -> Result<(), Error> {
        let path = files::session(&self.dir, &lock.key);
        let failed = |error| Error::io("write", &path)(error);
        let json = Stored::new(&lock.inputs, entry).encode();
        let mut temp = files::temp(&self.dir, &lock.key)?;
        temp.write_all(&json).map_err(failed)?;
        temp.as_file().sync_all().map_err(failed)?;
        temp.persist(&path).map_err(|error| failed(error.error))?;
        // The session is in place; should the machine crash before the directory reaches the
        // disk, it is asked for again.
        let _ = platform::sync_dir(&self.dir);
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        platform::check_config_dir(&self.config_dir)?;
        platform::check_sessions_dir(&self.dir)
    }

    fn look(&self, inputs: &Inputs, key: &Key) -> Result<Content, Error> {
        match files::read(&files::session(&self.dir, key))? {
            Content::Good(good) if good.0 != *inputs => Ok(Content::Damaged),
            content => Ok(content),
        }
    }

    /// Moves a damaged session out of the way, unless it has been replaced in the meantime: the
    /// lock keeps a good one from being moved. Whoever holds it now is about to replace it.
    fn set_aside(&self, inputs: &Inputs, key: &Key) -> Result<Content, Error> {
        let Some(_held) = Held::take(&files::lock(&self.dir, key))? else {
            return Ok(Content::Damaged);
        };
        let found = self.look(inputs, key)?;
        if matches!(found, Content::Damaged) {
            let path = files::session(&self.dir, key);
            fs::rename(&path, files::bad(&self.dir, key))
                .map_err(Error::io("set aside the damaged", &path))?;
        }
        Ok(found)
    }
}
