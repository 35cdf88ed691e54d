//! Who may touch the cache where there are no Unix modes. On Windows the user's profile, and with
//! it the configuration directory, is closed to other users by its access control list; what is
//! left to check is that no link leads out of it. Must not know what the files hold.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use crate::cache::error::Error;

/// Does nothing: access is inherited from the user's profile.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature it has where there are modes"
)]
pub(super) fn check_config_dir(_path: &Path) -> Result<(), Error> {
    Ok(())
}

/// Checks that `path` is a directory and no link. `Ok` if there is nothing yet.
pub(super) fn check_sessions_dir(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(not_safe(path, "is not a directory")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("look at", path)(error)),
    }
}

/// Creates the directory and those above it. `Ok` if it is there already.
pub(super) fn create_dir(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Opens a file to read it, after checking that it is a regular one and no link.
pub(super) fn open_private(path: &Path) -> Result<File, Error> {
    let metadata: Metadata = fs::symlink_metadata(path).map_err(Error::io("read", path))?;
    if !metadata.is_file() {
        return Err(not_safe(path, "is not a regular file"));
    }
    OpenOptions::new()
        .read(true)
        .open(path)
        .map_err(Error::io("read", path))
}

/// Opens the file that a lock is on, and creates it if need be.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// Returns true: lock files are never removed here.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature it has where lock files are removed"
)]
pub(super) fn is_at(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Does nothing: a file that is open cannot be removed for certain, so none ever is.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature it has where lock files are removed"
)]
pub(super) fn remove_lock(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Tells whether the file system has no locks.
pub(super) fn is_unsupported(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

/// Does nothing: a directory cannot be synced here.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature it has where directories are synced"
)]
pub(super) fn sync_dir(_path: &Path) -> io::Result<()> {
    Ok(())
}

fn not_safe(path: &Path, what: &str) -> Error {
    Error::Unsafe {
        path: path.to_owned(),
        what: what.to_owned(),
        mend: format!("remove `{}`", path.display()),
    }
}
