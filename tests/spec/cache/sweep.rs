//! Listing, clearing and pruning.

use std::fs;

use stsctl::cache::{Cache, Filter, State};
use stsctl::model::{ClockSkew, RoleArn};

use super::{
    at, bad_file, entry, hit, inputs, lock, names, now, number, put, session_file, write_private,
};

fn role_arn(role: &str) -> RoleArn {
    inputs(role).role_arn.parse().unwrap()
}

/// Sessions of two roles, a damaged one, one set aside, one of another version, an unfinished
/// one, and files that are not the cache's.
fn with_everything() -> (tempfile::TempDir, Cache) {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    put(&cache, &inputs("zeta"), 1);
    put(&cache, &inputs("alpha"), 1);
    let later = {
        let mut inputs = inputs("alpha");
        inputs.duration_seconds = 7200;
        inputs
    };
    let mut entry = entry(&later, 1);
    entry.session.expiration = "2026-01-02T05:04:05Z".parse().unwrap();
    cache.put(&lock(&cache, &later), &entry).unwrap();

    write_private(&session_file(&cache, &inputs("damaged")), b"{");
    write_private(&bad_file(&cache, &inputs("zeta")), b"{");
    let key = inputs("foreign").key();
    write_private(&cache.path().join(format!("{key}.v2.json")), b"{}");
    write_private(&cache.path().join(format!(".{key}.abcdef.tmp")), b"{\"");
    write_private(&cache.path().join("notes.txt"), b"not the cache's");
    write_private(&cache.path().join(format!("{key}.v1.json.swp")), b"");
    (home, cache)
}

/// How many files there are of each kind: sessions, set aside, foreign, unfinished, locks, others.
fn census(cache: &Cache) -> [usize; 6] {
    let names = names(cache);
    let ending = |end: &str| names.iter().filter(|name| name.ends_with(end)).count();
    let known = [".v1.json", ".bad", ".v2.json", ".tmp", ".lock"].map(ending);
    let [sessions, bad, foreign, temp, locks] = known;
    let others = names.len() - known.iter().sum::<usize>();
    [sessions, bad, foreign, temp, locks, others]
}

#[test]
fn a_list_is_by_role_then_by_expiration_and_rubbish_comes_last() {
    let (_home, cache) = with_everything();
    let before = names(&cache);
    let listed: Vec<_> = cache
        .list()
        .unwrap()
        .into_iter()
        .map(|listed| match listed.state {
            State::Good(summary) => {
                assert_eq!(summary.access_key_id.as_str(), "STS.example");
                assert_eq!(summary.role_session_name, "alice");
                assert_eq!(summary.obtained_at, now());
                format!("{} {}", summary.role_arn.name(), summary.expiration)
            }
            State::Damaged => "damaged".to_owned(),
            State::Foreign => format!("foreign {}", listed.key == inputs("foreign").key()),
        })
        .collect();
    assert_eq!(
        listed,
        [
            "alpha 2026-01-02T04:04:05Z",
            "alpha 2026-01-02T05:04:05Z",
            "zeta 2026-01-02T04:04:05Z",
            "damaged",
            "damaged",
            "foreign true",
        ]
    );
    assert_eq!(names(&cache), before, "listing changes nothing");
}

#[test]
fn a_session_under_the_wrong_name_is_listed_as_damaged() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    put(&cache, &inputs("dev"), 1);
    let wrong = session_file(&cache, &inputs("other"));
    fs::rename(session_file(&cache, &inputs("dev")), wrong).unwrap();
    let listed = cache.list().unwrap();
    assert!(matches!(&listed[..], [one] if matches!(one.state, State::Damaged)));
}

#[test]
fn clearing_all_leaves_only_what_is_not_the_caches() {
    let (_home, cache) = with_everything();
    assert_eq!(census(&cache), [4, 1, 1, 1, 3, 2]);
    // Three good sessions, the damaged, the one set aside, the foreign and the unfinished one.
    assert_eq!(cache.clear(&Filter::All).unwrap(), 7);
    let locks = if cfg!(unix) { 0 } else { 5 };
    assert_eq!(census(&cache), [0, 0, 0, 0, locks, 2]);
    assert_eq!(cache.clear(&Filter::All).unwrap(), 0);
}

#[test]
fn clearing_a_role_or_a_key_leaves_the_others() {
    let (_home, cache) = with_everything();
    assert_eq!(cache.clear(&Filter::RoleArn(role_arn("alpha"))).unwrap(), 2);
    assert_eq!(census(&cache)[..4], [2, 1, 1, 1]);
    assert_eq!(cache.clear(&Filter::RoleArn(role_arn("alpha"))).unwrap(), 0);
    // The session, and the one set aside before it.
    assert_eq!(cache.clear(&Filter::Key(inputs("zeta").key())).unwrap(), 2);
    assert_eq!(census(&cache)[..4], [1, 0, 1, 1]);
}

#[test]
fn clearing_during_a_refresh_removes_the_session_and_leaves_the_lock() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    let dev = inputs("dev");
    put(&cache, &dev, 1);
    let held = lock(&cache, &dev);
    assert_eq!(cache.clear(&Filter::All).unwrap(), 1);
    assert!(cache.try_lock(&dev, now()).unwrap().is_none());
    cache.put(&held, &entry(&dev, 2)).unwrap();
    assert_eq!(number(&hit(&cache, &dev)), 2);
}

#[test]
fn pruning_goes_by_the_servers_clock_and_spares_other_versions() {
    let (_home, cache) = with_everything();
    // Damaged, set aside, unfinished.
    assert_eq!(cache.prune(now()).unwrap(), 3);
    assert_eq!(census(&cache)[..4], [3, 0, 1, 0]);
    assert_eq!(cache.prune(at("2026-01-02T04:04:04Z")).unwrap(), 0);
    assert_eq!(cache.prune(at("2026-01-02T04:04:05Z")).unwrap(), 2);
    assert_eq!(census(&cache)[..4], [1, 0, 1, 0]);
    drop(lock(&cache, &inputs("never obtained")));
    assert_eq!(cache.prune(now()).unwrap(), 0, "locks do not count");
    // The lock of the one session that is left, and of the session of another version.
    assert_eq!(census(&cache)[4], if cfg!(unix) { 2 } else { 6 });

    let ahead = inputs("ahead");
    let mut entry = entry(&ahead, 1);
    entry.skew = ClockSkew::from_seconds(600);
    cache.put(&lock(&cache, &ahead), &entry).unwrap();
    assert_eq!(cache.prune(at("2026-01-02T03:54:04Z")).unwrap(), 0);
    assert_eq!(cache.prune(at("2026-01-02T03:54:05Z")).unwrap(), 1);
}

#[test]
fn one_file_that_cannot_be_removed_does_not_stop_the_sweep() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    for role in ["a", "b", "c", "d"] {
        put(&cache, &inputs(role), 1);
    }
    let stuck = bad_file(&cache, &inputs("b"));
    fs::create_dir(&stuck).unwrap();
    let error = cache.clear(&Filter::All).unwrap_err();
    assert!(error.to_string().contains(".bad"), "{error}");
    assert_eq!(census(&cache)[..2], [0, 1]);
}
