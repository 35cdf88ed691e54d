//! The names of the cache's files, and the reading of one. Must not know what a session is worth:
//! expiry is for the callers.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::cache::entry::{Entry, Stored, VERSION};
use crate::cache::error::Error;
use crate::cache::key::{Inputs, Key};
use crate::cache::platform;

/// What a file of the cache is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// `<key>.v<N>.json`: a session, in some version of the format.
    Session(u32),
    /// `<key>.bad`: a session that could not be used.
    Bad,
    /// `.<key>.<random>.tmp`: a session that is being written, or never was to the end.
    Temp,
    /// `<key>.lock`: what the kernel's lock is on.
    Lock,
}

/// What a session's file holds.
pub(super) enum Content {
    /// There is no file.
    Absent,
    /// Something that is no session of this version.
    Damaged,
    /// A session.
    Good(Box<(Inputs, Entry)>),
}

impl Kind {
    /// Tells what the file called `name` is; `None` for files that are not the cache's.
    pub(super) fn of(name: &str) -> Option<(Key, Self)> {
        if let Some(rest) = name.strip_prefix('.') {
            let (key, random) = rest.strip_suffix(TEMP_SUFFIX)?.split_once('.')?;
            return (!random.is_empty()).then_some((key.parse().ok()?, Self::Temp));
        }
        let (key, rest) = name.split_once('.')?;
        let kind = match rest {
            "bad" => Self::Bad,
            "lock" => Self::Lock,
            _ => {
                let version = rest.strip_prefix('v')?.strip_suffix(".json")?;
                let digits = version.bytes().all(|b| b.is_ascii_digit());
                Self::Session(digits.then_some(version)?.parse().ok()?)
            }
        };
        Some((key.parse().ok()?, kind))
    }
}

/// Returns the path of `key`'s session in this version of the format.
pub(super) fn session(dir: &Path, key: &Key) -> PathBuf {
    dir.join(format!("{key}.v{VERSION}.json"))
}

/// Returns the path at which a session that cannot be used is set aside.
pub(super) fn bad(dir: &Path, key: &Key) -> PathBuf {
    dir.join(format!("{key}.bad"))
}

/// Returns the path of `key`'s lock.
pub(super) fn lock(dir: &Path, key: &Key) -> PathBuf {
    dir.join(format!("{key}.lock"))
}

/// Creates a file that only its owner can read, from birth, to be renamed once it is whole.
pub(super) fn temp(dir: &Path, key: &Key) -> Result<tempfile::NamedTempFile, Error> {
    tempfile::Builder::new()
        .prefix(&format!(".{key}."))
        .suffix(TEMP_SUFFIX)
        .tempfile_in(dir)
        .map_err(Error::io("create a file in", dir))
}

/// Reads the session of this version at `path`. A file that others could have read or written is
/// an error, and so is one that cannot be read.
pub(super) fn read(path: &Path) -> Result<Content, Error> {
    let mut file = match platform::open_private(path) {
        Ok(file) => file,
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(Content::Absent);
        }
        Err(error) => return Err(error),
    };
    let failed = |error| Error::io("read", path)(error);
    let length = file.metadata().map_err(failed)?.len();
    let Ok(length @ ..=MAX_LENGTH) = usize::try_from(length) else {
        return Ok(Content::Damaged);
    };
    let mut json = Zeroizing::new(vec![0; length]);
    file.read_exact(&mut json).map_err(failed)?;
    Ok(Stored::decode(&json).map_or(Content::Damaged, |good| Content::Good(Box::new(good))))
}

/// Removes a file and tells whether it was there.
pub(super) fn remove(path: &Path) -> Result<bool, Error> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("remove", path)(error)),
    }
}

const TEMP_SUFFIX: &str = ".tmp";

/// A session is a few KiB; more than this is not one, and is not read.
const MAX_LENGTH: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_file_is() {
        let key = "0123456789abcdef".repeat(4);
        for (name, kind) in [
            (format!("{key}.v1.json"), Some(Kind::Session(1))),
            (format!("{key}.v27.json"), Some(Kind::Session(27))),
            (format!("{key}.bad"), Some(Kind::Bad)),
            (format!("{key}.lock"), Some(Kind::Lock)),
            (format!(".{key}.x7Ya.tmp"), Some(Kind::Temp)),
            (format!("{key}.v+1.json"), None),
            (format!("{key}.v.json"), None),
            (format!("{key}.v1.json.orig"), None),
            (key.clone(), None),
            (format!(".{key}..tmp"), None),
            ("notes.txt".to_owned(), None),
            (".".to_owned(), None),
            ("é.bad".to_owned(), None),
        ] {
            assert_eq!(Kind::of(&name).map(|(_, kind)| kind), kind, "{name}");
        }
    }

    #[test]
    fn every_path_made_here_is_recognised() {
        let dir = tempfile::tempdir().unwrap();
        let key: Key = "0123456789abcdef".repeat(4).parse().unwrap();
        let temp = temp(dir.path(), &key).unwrap();
        for (path, kind) in [
            (session(dir.path(), &key), Kind::Session(VERSION)),
            (bad(dir.path(), &key), Kind::Bad),
            (lock(dir.path(), &key), Kind::Lock),
            (temp.path().to_owned(), Kind::Temp),
        ] {
            let name = path.file_name().unwrap().to_str().unwrap();
            assert_eq!(Kind::of(name), Some((key.clone(), kind)));
        }
    }
}
