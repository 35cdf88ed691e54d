//! Private files and directories below the data directory. Must not know what they hold.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::Error;

/// Makes a directory that only its owner may enter, if there is none.
pub(super) fn make_private_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs_err::create_dir_all(parent)?;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        // fs_err has no builder with a mode, so the path is added here.
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(path)
            .map_err(|error| {
                let path = path.display();
                io::Error::new(
                    error.kind(),
                    format!("cannot make directory `{path}`: {error}"),
                )
            })
    }
    // Elsewhere a new directory inherits the access rules of the user's own.
    #[cfg(not(unix))]
    fs_err::create_dir(path)
}

/// Writes a value as JSON, so that the file appears whole and is readable by its owner alone.
pub(super) fn save<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let json = Zeroizing::new(serde_json::to_vec_pretty(value)?);
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempfile_in(dir)?;
    file.write_all(&json)?;
    file.persist(path)?;
    Ok(())
}

/// Reads a value that [`save`] wrote; `None` if there is no such file.
pub(super) fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let json = match fs_err::read(path) {
        Ok(json) => Zeroizing::new(json),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // The parser's own message may quote a secret, so only the position is kept.
    let value = serde_json::from_slice(&json).map_err(|error| Error::Damaged {
        path: path.to_owned(),
        line: error.line(),
    })?;
    Ok(Some(value))
}

/// How the names of unfinished files begin.
pub(super) const TEMPORARY: &str = ".part-";
