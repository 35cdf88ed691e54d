//! Nobody but the owner reads or plants a session: modes, links and owners.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use rustix::process::geteuid;

use stsctl::cache::{Cache, Error, Lookup};

use super::{
    child_command, entry, hit, inputs, lock, names, now, number, put, session_file, write_private,
};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Says that a test could not show what it is for on this machine.
#[expect(clippy::print_stderr, reason = "a test that shows nothing must say so")]
fn not_shown(why: &str) {
    eprintln!("not shown: {why}");
}

/// Expects that `error` names `path` and how to mend it.
fn assert_unsafe(error: &Error, path: &Path, what: &str, mend: &str) {
    let text = error.to_string();
    assert!(text.contains(&format!("`{}`", path.display())), "{text}");
    assert!(text.contains(what), "{text}");
    let mended = error.mend().unwrap();
    assert!(mended.starts_with(&format!("run `{mend} ")), "{mended}");
    assert!(mended.contains(path.to_str().unwrap()), "{mended}");
}

fn assert_unusable(cache: &Cache, what: &str, mend: &str) {
    let dev = inputs("dev");
    match cache.get(&dev) {
        Lookup::Unusable(error) => {
            assert_unsafe(&error, &session_file(cache, &dev), what, mend);
        }
        other => panic!("expected a warning, got {other:?}"),
    }
}

fn with_entry() -> (tempfile::TempDir, Cache) {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    put(&cache, &inputs("dev"), 1);
    (home, cache)
}

pub(super) fn write_without_umask(dir: &Path) {
    rustix::process::umask(rustix::fs::Mode::empty());
    let cache = Cache::open(&dir.join("new").join("config")).unwrap();
    let dev = inputs("dev");
    put(&cache, &dev, 1);
    // Left behind, as if it had been killed while writing.
    write_private(&session_file(&cache, &inputs("bad")), b"{");
    assert!(matches!(cache.get(&inputs("bad")), Lookup::Miss));
}

#[test]
fn everything_is_private_whatever_the_umask() {
    let home = tempfile::tempdir().unwrap();
    let mut child = child_command("write without umask", home.path());
    assert!(child.status().unwrap().success());

    let config_dir = home.path().join("new").join("config");
    let cache = Cache::open(&config_dir).unwrap();
    assert_eq!(number(&hit(&cache, &inputs("dev"))), 1);
    for dir in [config_dir.parent().unwrap(), &config_dir, cache.path()] {
        assert_eq!(mode(dir), 0o700, "{}", dir.display());
    }
    let names = names(&cache);
    assert_eq!(names.len(), 4, "{names:?}");
    for name in names {
        assert_eq!(mode(&cache.path().join(&name)), 0o600, "{name}");
    }
}

#[test]
fn a_loose_mode_is_not_used_and_can_be_mended() {
    let (home, cache) = with_entry();
    let file = session_file(&cache, &inputs("dev"));
    for loose in [0o640, 0o604, 0o620, 0o666] {
        set_mode(&file, loose);
        assert_unusable(&cache, &format!("(mode {loose:04o})"), "chmod 600");
    }
    set_mode(&file, 0o600);
    hit(&cache, &inputs("dev"));

    for loose in [0o750, 0o705, 0o777] {
        set_mode(cache.path(), loose);
        let error = Cache::open(home.path()).unwrap_err();
        assert_unsafe(&error, cache.path(), "is open to others", "chmod 700");
        let error = cache.try_lock(&inputs("dev"), now()).unwrap_err();
        assert_unsafe(&error, cache.path(), "is open to others", "chmod 700");
    }
    set_mode(cache.path(), 0o700);
    hit(&Cache::open(home.path()).unwrap(), &inputs("dev"));
}

#[test]
fn an_entry_that_was_open_to_others_is_replaced_by_the_next() {
    let (_home, cache) = with_entry();
    let file = session_file(&cache, &inputs("dev"));
    set_mode(&file, 0o644);
    put(&cache, &inputs("dev"), 2);
    assert_eq!(mode(&file), 0o600);
    assert_eq!(number(&hit(&cache, &inputs("dev"))), 2);
}

#[test]
fn a_configuration_directory_that_others_can_write_is_refused() {
    let (home, _cache) = with_entry();
    for loose in [0o770, 0o702] {
        set_mode(home.path(), loose);
        let error = Cache::open(home.path()).unwrap_err();
        assert_unsafe(
            &error,
            home.path(),
            "can be written by others",
            "chmod go-w",
        );
    }
    for fine in [0o755, 0o1777] {
        set_mode(home.path(), fine);
        Cache::open(home.path()).unwrap();
    }
}

#[test]
fn symbolic_links_are_not_followed() {
    let (home, cache) = with_entry();
    let file = session_file(&cache, &inputs("dev"));
    let elsewhere = home.path().join("elsewhere.json");
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    assert_unusable(&cache, "is a symbolic link", "rm");
    put(&cache, &inputs("dev"), 2);
    assert_eq!(number(&hit(&cache, &inputs("dev"))), 2);
    assert!(fs::symlink_metadata(&file).unwrap().is_file());

    let other_home = tempfile::tempdir().unwrap();
    symlink(cache.path(), other_home.path().join("sessions")).unwrap();
    let error = Cache::open(other_home.path()).unwrap_err();
    let link = other_home.path().join("sessions");
    assert_unsafe(&error, &link, "is not a directory", "rm");

    let lock_file = cache.path().join(format!("{}.lock", inputs("new").key()));
    symlink(home.path().join("made"), &lock_file).unwrap();
    cache.try_lock(&inputs("new"), now()).unwrap_err();
    assert!(!home.path().join("made").exists());
}

#[test]
fn pipes_and_directories_in_the_place_of_an_entry_do_not_hang() {
    let (_home, cache) = with_entry();
    let file = session_file(&cache, &inputs("dev"));
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_unusable(&cache, "is not a regular file", "rm -r");
    fs::remove_dir(&file).unwrap();

    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        mknodat(CWD, &file, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        assert_unusable(&cache, "is not a regular file", "rm -r");
    }
}

#[test]
fn what_belongs_to_somebody_else_is_not_used() {
    if !geteuid().is_root() {
        not_shown("only root can give files away");
        return;
    }
    let (home, cache) = with_entry();
    let file = session_file(&cache, &inputs("dev"));
    chown(&file, Some(1), None).unwrap();
    assert_unusable(&cache, "belongs to user 1", "sudo chown -R 0");

    for dir in [cache.path(), home.path()] {
        chown(dir, Some(1), None).unwrap();
        let error = Cache::open(home.path()).unwrap_err();
        assert_unsafe(&error, dir, "belongs to user 1", "sudo chown -R 0");
        chown(dir, Some(0), None).unwrap();
    }
    Cache::open(home.path()).unwrap();
}

/// The cache holds a good session and a damaged one; nothing in it can be changed.
pub(super) fn use_read_only(dir: &Path) {
    let cache = Cache::open(dir).unwrap();
    assert_eq!(number(&hit(&cache, &inputs("dev"))), 1);
    match cache.get(&inputs("bad")) {
        Lookup::Unusable(Error::Io { source, .. }) => {
            assert_eq!(source.kind(), ErrorKind::PermissionDenied);
        }
        other => panic!("expected a warning, got {other:?}"),
    }
    let error = cache.try_lock(&inputs("new"), now()).unwrap_err();
    assert!(error.to_string().starts_with("cannot lock "), "{error}");
    // The lock file is there already, so only the entry cannot be made.
    let held = lock(&cache, &inputs("dev"));
    let error = cache.put(&held, &entry(&inputs("dev"), 2)).unwrap_err();
    assert!(
        error.to_string().starts_with("cannot create a file in "),
        "{error}"
    );
    assert_eq!(number(&hit(&cache, &inputs("dev"))), 1);

    set_mode(&session_file(&cache, &inputs("dev")), 0o000);
    match cache.get(&inputs("dev")) {
        Lookup::Unusable(error @ Error::Io { .. }) => {
            assert!(error.to_string().starts_with("cannot read "), "{error}");
        }
        other => panic!("expected a warning, got {other:?}"),
    }
}

#[test]
fn a_read_only_cache_is_read_and_never_fails_the_reader() {
    use std::os::unix::process::CommandExt;

    let (home, cache) = with_entry();
    write_private(&session_file(&cache, &inputs("bad")), b"{");
    set_mode(cache.path(), 0o500);
    let mut child = child_command("use read-only", home.path());
    if geteuid().is_root() {
        // Modes do not bind root, so the child is somebody else.
        let mut paths: Vec<_> = names(&cache)
            .iter()
            .map(|name| cache.path().join(name))
            .collect();
        paths.extend([cache.path().to_owned(), home.path().to_owned()]);
        for path in paths {
            chown(path, Some(1), Some(1)).unwrap();
        }
        child.uid(1).gid(1);
    }
    match child.status() {
        Ok(status) => {
            assert!(status.success());
            let file = session_file(&cache, &inputs("dev"));
            assert_eq!(mode(&file), 0, "the child came to its end");
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            not_shown("user 1 may not run this test binary");
        }
        Err(error) => panic!("{error}"),
    }
    set_mode(cache.path(), 0o700);
}
