//! Who may touch the cache, by Unix's owners and modes. Must not know what the files hold.
//!
//! The paths checked here stay what they were: only we, and root, may rename inside a directory
//! that is ours and closed to others.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::cache::error::Error;

/// Checks that nobody else can put a directory of their own in the place of ours. `Ok` if there
/// is nothing yet.
pub(super) fn check_config_dir(path: &Path) -> Result<(), Error> {
    let Some(metadata) = present(path, fs::metadata(path))? else {
        return Ok(());
    };
    if metadata.uid() != 0 {
        check_owner(path, &metadata)?;
    }
    // In a sticky directory, such as /tmp, others cannot rename or remove what is ours.
    let sticky = metadata.mode() & 0o1000 != 0;
    if metadata.mode() & 0o022 != 0 && !sticky {
        let what = format!("can be written by others (mode {})", mode(&metadata));
        return Err(not_safe(path, what, "chmod go-w"));
    }
    Ok(())
}

/// Checks that `path` is a directory that is ours alone. `Ok` if there is nothing yet.
pub(super) fn check_sessions_dir(path: &Path) -> Result<(), Error> {
    let Some(metadata) = present(path, fs::symlink_metadata(path))? else {
        return Ok(());
    };
    if !metadata.is_dir() {
        return Err(not_safe(path, "is not a directory".to_owned(), "rm"));
    }
    check_owner(path, &metadata)?;
    check_mode(path, &metadata, "chmod 700")
}

/// Creates the directory and those above it, for the owner alone. `Ok` if it is there already,
/// however many processes create it at once. The process's umask can only take rights away.
pub(super) fn create_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file to read it, after checking that it is a regular one, ours alone.
pub(super) fn open_private(path: &Path) -> Result<File, Error> {
    // Without NONBLOCK, opening a pipe that somebody put there would never return.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let file = opened.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::LOOP) => not_safe(path, "is a symbolic link".to_owned(), "rm"),
        _ => Error::io("read", path)(error),
    })?;
    let metadata = file.metadata().map_err(Error::io("read", path))?;
    if !metadata.is_file() {
        return Err(not_safe(path, "is not a regular file".to_owned(), "rm -r"));
    }
    check_owner(path, &metadata)?;
    check_mode(path, &metadata, "chmod 600")?;
    Ok(file)
}

/// Opens the file that a lock is on, and creates it if need be, for the owner alone.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path)
}

/// Tells whether `path` still names the open file, which another process may have removed.
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes the file that a lock is on. The caller holds that lock.
pub(super) fn remove_lock(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// Tells whether the file system has no locks, as some network ones.
pub(super) fn is_unsupported(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || Errno::from_io_error(error)
            .is_some_and(|errno| [Errno::NOLCK, Errno::NOTSUP, Errno::OPNOTSUPP].contains(&errno))
}

/// Makes a rename in the directory outlast a crash of the machine.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    OpenOptions::new().read(true).open(path)?.sync_all()
}

fn present(path: &Path, metadata: io::Result<Metadata>) -> Result<Option<Metadata>, Error> {
    match metadata {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("look at", path)(error)),
    }
}

fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), Error> {
    let (owner, we) = (metadata.uid(), geteuid().as_raw());
    if owner == we {
        return Ok(());
    }
    let what = format!("belongs to user {owner}, and this process is user {we}");
    Err(not_safe(path, what, &format!("sudo chown -R {we}")))
}

fn check_mode(path: &Path, metadata: &Metadata, mend: &str) -> Result<(), Error> {
    let others = metadata.mode() & 0o077;
    if others == 0 {
        return Ok(());
    }
    let what = format!("is open to others (mode {})", mode(metadata));
    Err(not_safe(path, what, mend))
}

fn mode(metadata: &Metadata) -> String {
    format!("{:04o}", metadata.mode() & 0o7777)
}

/// Builds the error; `mend` is a command that wants the path after it.
fn not_safe(path: &Path, what: String, mend: &str) -> Error {
    let text = path.to_string_lossy();
    let quoted = shlex::try_quote(&text).unwrap_or(text.as_ref().into());
    Error::Unsafe {
        path: path.to_owned(),
        what,
        mend: format!("run `{mend} {quoted}`"),
    }
}
