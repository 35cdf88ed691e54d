//! One writer at a time, among threads and processes, and whatever becomes of them.

use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use stsctl::cache::{Cache, Filter, Lookup};

use super::{
    Running, entry, hit, inputs, lock, names, now, number, poll, put, session_file, write_private,
};

const INCREMENTS: u32 = 15;

/// Adds to the number in one entry, looking at it anew under the lock each time.
pub(super) fn increment(dir: &Path) {
    let cache = Cache::open(dir).unwrap();
    let dev = inputs("dev");
    for _ in 0..INCREMENTS {
        let lock = lock(&cache, &dev);
        let last = match cache.get(&dev) {
            Lookup::Hit(entry) => number(&entry),
            Lookup::Miss => 0,
            Lookup::Unusable(error) => panic!("{error}"),
        };
        cache.put(&lock, &entry(&dev, last + 1)).unwrap();
    }
}

/// Takes the lock and keeps it until it is killed, or its parent is gone.
pub(super) fn hold(dir: &Path) {
    let cache = Cache::open(dir).unwrap();
    let _lock = lock(&cache, &inputs("dev"));
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
}

/// Is killed by the kernel in the middle of writing an entry.
#[cfg(unix)]
pub(super) fn die_writing(dir: &Path) {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let cache = Cache::open(dir).unwrap();
    let dev = inputs("dev");
    let lock = lock(&cache, &dev);
    let at_most = |resource, bytes| {
        let limit = Rlimit {
            current: Some(bytes),
            maximum: Some(bytes),
        };
        setrlimit(resource, limit).unwrap();
    };
    at_most(Resource::Core, 0);
    at_most(Resource::Fsize, 100);
    cache.put(&lock, &entry(&dev, 1)).unwrap();
}

#[test]
fn threads_and_processes_increment_under_the_lock() {
    const THREADS: u32 = 4;
    const PROCESSES: u32 = 3;
    let home = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| Running::start("increment", home.path()))
        .collect();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| increment(home.path()));
        }
    });
    for child in children {
        child.succeeds();
    }
    let cache = Cache::open(home.path()).unwrap();
    let last = hit(&cache, &inputs("dev"));
    assert_eq!(number(&last), (THREADS + PROCESSES) * INCREMENTS);
    assert_eq!(names(&cache).len(), 2, "the entry and its lock");
}

#[test]
fn the_first_use_by_many_at_once_makes_one_private_directory() {
    const MANY: usize = 32;
    let home = tempfile::tempdir().unwrap();
    let config_dir = home.path().join("config").join("stsctl");
    let start = Barrier::new(MANY);
    thread::scope(|scope| {
        for role in 0..MANY {
            let (start, config_dir) = (&start, &config_dir);
            scope.spawn(move || {
                start.wait();
                let cache = Cache::open(config_dir).unwrap();
                put(&cache, &inputs(&format!("role{role}")), 0);
            });
        }
    });
    let cache = Cache::open(&config_dir).unwrap();
    assert_eq!(cache.list().unwrap().len(), MANY);
}

#[test]
fn a_lock_keeps_others_out_until_it_is_dropped() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    let dev = inputs("dev");
    let held = lock(&cache, &dev);
    assert!(held.is_exclusive());
    assert!(cache.try_lock(&dev, now()).unwrap().is_none());
    assert!(cache.try_lock(&inputs("prod"), now()).unwrap().is_some());
    drop(held);
    assert_eq!(cache.holder(&dev), None, "its note is not believed");
    assert!(cache.try_lock(&dev, now()).unwrap().is_some());
}

#[test]
fn killing_the_holder_frees_the_lock() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    let dev = inputs("dev");
    let child = Running::start("hold", home.path());
    poll(|| cache.try_lock(&dev, now()).unwrap().is_none().then_some(()));
    // Windows lets nobody read a file that is locked.
    #[cfg(unix)]
    {
        let of_child = |holder: &stsctl::cache::Holder| holder.pid == child.0.id();
        let holder = poll(|| cache.holder(&dev).filter(of_child));
        assert_eq!(holder.since, now());
    }
    child.kill();
    assert_eq!(cache.holder(&dev), None);
    drop(lock(&cache, &dev));
}

#[test]
#[cfg(unix)]
fn dying_between_writing_and_renaming_costs_one_file_that_prune_removes() {
    use std::os::unix::process::ExitStatusExt;

    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    let dev = inputs("dev");
    let mut child = Running::start("die writing", home.path());
    let status = child.0.wait().unwrap();
    let signal = rustix::process::Signal::XFSZ.as_raw();
    assert_eq!(status.signal(), Some(signal), "{status}");

    let left: Vec<_> = names(&cache)
        .into_iter()
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(left.len(), 1);
    assert!(matches!(cache.get(&dev), Lookup::Miss));

    let held = lock(&cache, &dev);
    assert_eq!(cache.prune(now()).unwrap(), 0, "the lock is held");
    assert!(names(&cache).contains(&left[0]));
    cache.put(&held, &entry(&dev, 2)).unwrap();
    drop(held);
    assert_eq!(number(&hit(&cache, &dev)), 2);
    assert_eq!(cache.prune(now()).unwrap(), 1);
    assert!(!names(&cache).contains(&left[0]));
    assert_eq!(number(&hit(&cache, &dev)), 2);
}

#[test]
fn sweeping_lock_files_away_never_lets_two_in() {
    const ROUNDS: u32 = 300;
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    let dev = inputs("dev");
    let (inside, rounds, done) = (
        AtomicBool::new(false),
        AtomicU32::new(0),
        AtomicBool::new(false),
    );
    thread::scope(|scope| {
        let sweeper = scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                cache.prune(now()).unwrap();
                cache.clear(&Filter::All).unwrap();
            }
        });
        let workers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let _lock = lock(&cache, &dev);
                        let another = inside.swap(true, Ordering::AcqRel);
                        assert!(!another, "two hold the lock");
                        thread::yield_now();
                        inside.store(false, Ordering::Release);
                        rounds.fetch_add(1, Ordering::AcqRel);
                    }
                })
            })
            .collect();
        let results: Vec<_> = workers
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        done.store(true, Ordering::Release);
        sweeper.join().unwrap();
        assert!(results.iter().all(Result::is_ok));
    });
    assert_eq!(rounds.into_inner(), 3 * ROUNDS);
}

/// Readers that find damage wait for nobody; what they saw may be replaced before they act on it.
#[test]
fn a_good_entry_is_never_set_aside_in_place_of_a_damaged_one() {
    const ROUNDS: u32 = 400;
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    let dev = inputs("dev");
    put(&cache, &dev, 1);
    let file = session_file(&cache, &dev);
    let good = fs_err::read(&file).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    drop(cache.get(&dev));
                }
            });
        }
        let writer = scope.spawn(|| {
            for _ in 0..ROUNDS {
                let held = lock(&cache, &dev);
                write_private(&file, b"{");
                // As `put` does, but for the syncing, which would make the race rare.
                write_private(&home.path().join("new"), &good);
                std::fs::rename(home.path().join("new"), &file).unwrap();
                drop(held);
                thread::yield_now();
                hit(&cache, &dev);
            }
        });
        let result = writer.join();
        done.store(true, Ordering::Release);
        assert!(result.is_ok());
    });
}
