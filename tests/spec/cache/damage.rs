//! Whatever a session's file holds, it is a session or a miss, and the next one that is put heals it.

use std::fs;

use proptest::prelude::*;

use stsctl::cache::{Cache, Inputs, Lookup};

use super::{assert_same, bad_file, entry, hit, inputs, names, put, session_file, write_private};

/// Puts `content` in the place of a session and looks for it twice. A miss leaves the content
/// under another name, once, and is healed by putting a session; a hit is the original session.
fn damage(cache: &Cache, inputs: &Inputs, content: &[u8]) -> bool {
    let file = session_file(cache, inputs);
    let _ = fs::remove_file(bad_file(cache, inputs));
    write_private(&file, content);
    let missed = match cache.get(inputs) {
        Lookup::Hit(found) => {
            assert_same(&found, &entry(inputs, 1));
            false
        }
        Lookup::Miss => {
            assert!(!file.exists());
            assert!(bad_file(cache, inputs).exists());
            assert!(matches!(cache.get(inputs), Lookup::Miss));
            true
        }
        Lookup::Unusable(error) => panic!("{error}"),
    };
    put(cache, inputs, 1);
    assert_same(&hit(cache, inputs), &entry(inputs, 1));
    missed
}

fn content_of_an_entry() -> (tempfile::TempDir, Cache, Vec<u8>) {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    put(&cache, &inputs("dev"), 1);
    let content = fs_err::read(session_file(&cache, &inputs("dev"))).unwrap();
    (home, cache, content)
}

#[test]
fn damaged_entries_are_set_aside_once_and_healed() {
    let (_home, cache, good) = content_of_an_entry();
    let dev = inputs("dev");
    let text = String::from_utf8(good.clone()).unwrap();
    for content in [
        String::new(),
        "{}".to_owned(),
        "null".to_owned(),
        "\0".repeat(4096),
        text.replace("canary-secret", "canary-sacret"),
        text.replace("\"version\":1", "\"version\":2"),
        text.replace("{\"version\"", "{\"more\":1,\"version\""),
        text.replace("2026-01-02T04:04:05Z", "2027-01-02T04:04:05Z"),
        "[".repeat(100_000),
        format!("{text}{}", " ".repeat(1 << 20)),
    ] {
        assert_ne!(content.as_bytes(), good);
        let shown: String = content.chars().take(60).collect();
        assert!(damage(&cache, &dev, content.as_bytes()), "{shown}");
        let key = dev.key();
        let left = [".bad", ".lock", ".v1.json"].map(|end| format!("{key}{end}"));
        assert_eq!(names(&cache), left);
    }
}

#[test]
fn the_entry_of_other_inputs_is_damage() {
    let (_home, cache, content) = content_of_an_entry();
    let other = inputs("other");
    write_private(&session_file(&cache, &other), &content);
    assert!(matches!(cache.get(&other), Lookup::Miss));
    assert!(bad_file(&cache, &other).exists());
    assert_same(&hit(&cache, &inputs("dev")), &entry(&inputs("dev"), 1));
}

#[test]
#[cfg(unix)]
fn what_is_set_aside_stays_private() {
    use std::os::unix::fs::PermissionsExt;

    let (_home, cache, _) = content_of_an_entry();
    assert!(damage(&cache, &inputs("dev"), b"{"));
    let bad = fs::metadata(bad_file(&cache, &inputs("dev"))).unwrap();
    assert_eq!(bad.permissions().mode() & 0o7777, 0o600);
}

#[test]
fn a_session_of_another_version_is_left_alone() {
    let (_home, cache, _) = content_of_an_entry();
    let newer = cache
        .path()
        .join(format!("{}.v2.json", inputs("dev").key()));
    write_private(&newer, b"of a later release");
    assert_same(&hit(&cache, &inputs("dev")), &entry(&inputs("dev"), 1));
    assert_eq!(fs_err::read(&newer).unwrap(), b"of a later release");
}

#[test]
fn flipping_any_bit_never_yields_another_session() {
    let (_home, cache, good) = content_of_an_entry();
    let dev = inputs("dev");
    // One bit of each byte: all of them would take eight times as long and show no more.
    for at in 0..good.len() {
        let mut content = good.clone();
        content[at] ^= 1 << (at % 8);
        write_private(&session_file(&cache, &dev), &content);
        match cache.get(&dev) {
            Lookup::Hit(found) => assert_same(&found, &entry(&dev, 1)),
            Lookup::Miss => {}
            Lookup::Unusable(error) => panic!("{error}"),
        }
    }
}

#[test]
fn cutting_it_anywhere_is_a_miss() {
    let (_home, cache, good) = content_of_an_entry();
    let dev = inputs("dev");
    for length in 0..good.len() {
        write_private(&session_file(&cache, &dev), &good[..length]);
        assert!(matches!(cache.get(&dev), Lookup::Miss), "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_a_miss(content in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (_home, cache, _) = content_of_an_entry();
        prop_assert!(damage(&cache, &inputs("dev"), &content));
    }

    #[test]
    fn a_changed_entry_is_a_miss_or_the_original(
        at in any::<proptest::sample::Index>(),
        cut in 0_usize..40,
        insert in "[ -~]{0,8}",
    ) {
        let (_home, cache, mut content) = content_of_an_entry();
        let start = at.index(content.len());
        let end = (start + cut).min(content.len());
        content.splice(start..end, insert.into_bytes());
        damage(&cache, &inputs("dev"), &content);
    }
}
