//! The session cache on a real file system, with real locks, modes and processes.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod damage;
mod lock;
#[cfg(unix)]
mod privacy;
mod sweep;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;

use stsctl::cache::{BaseInputs, Cache, CacheLock, Entry, Inputs, Lookup};
use stsctl::model::{ClockSkew, Session};

const SECRET: &str = "canary-secret";
const TOKEN: &str = "canary-token";

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn now() -> DateTime<Utc> {
    at("2026-01-02T03:04:05Z")
}

fn inputs(role: &str) -> Inputs {
    Inputs {
        endpoint: "https://sts.cn-hangzhou.aliyuncs.com".to_owned(),
        role_arn: format!("acs:ram::1234567890123456:role/{role}"),
        role_session_name: "alice".to_owned(),
        duration_seconds: 3600,
        policy: Some("{\"Version\":\"1\"}".to_owned()),
        external_id: Some("canary-external".to_owned()),
        source_identity: None,
        base: BaseInputs::AccessKeyId("LTAIexample".to_owned()),
    }
}

/// An entry for `inputs` that carries a number as its RequestId and expires an hour from now.
fn entry(inputs: &Inputs, number: u32) -> Entry {
    Entry {
        session: Session {
            access_key_id: "STS.example".parse().unwrap(),
            access_key_secret: SECRET.into(),
            security_token: TOKEN.into(),
            expiration: "2026-01-02T04:04:05Z".parse().unwrap(),
            role_arn: inputs.role_arn.parse().unwrap(),
            assumed_role_arn: "acs:ram::1234567890123456:role/dev/alice".to_owned(),
            assumed_role_id: "344584339364951186:alice".to_owned(),
            request_id: number.to_string(),
        },
        skew: ClockSkew::ZERO,
        obtained_at: now(),
        retry_after: None,
    }
}

fn number(entry: &Entry) -> u32 {
    entry.session.request_id.parse().unwrap()
}

/// Asks again until there is an answer; a minute without one is a failure.
fn poll<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "it never came");
        thread::yield_now();
    }
}

/// Polls for the lock until it is free.
fn lock(cache: &Cache, inputs: &Inputs) -> CacheLock {
    poll(|| cache.try_lock(inputs, now()).unwrap())
}

fn put(cache: &Cache, inputs: &Inputs, number: u32) {
    let lock = lock(cache, inputs);
    cache.put(&lock, &entry(inputs, number)).unwrap();
}

fn hit(cache: &Cache, inputs: &Inputs) -> Entry {
    match cache.get(inputs) {
        Lookup::Hit(entry) => *entry,
        other => panic!("expected a session, got {other:?}"),
    }
}

fn assert_same(a: &Entry, b: &Entry) {
    let secrets = |entry: &Entry| {
        let session = &entry.session;
        let secret = session.access_key_secret.expose_secret().to_owned();
        (secret, session.security_token.expose_secret().to_owned())
    };
    assert_eq!(secrets(a), secrets(b));
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}

fn session_file(cache: &Cache, inputs: &Inputs) -> PathBuf {
    cache.path().join(format!("{}.v1.json", inputs.key()))
}

fn bad_file(cache: &Cache, inputs: &Inputs) -> PathBuf {
    cache.path().join(format!("{}.bad", inputs.key()))
}

/// The names in the cache's directory, sorted.
fn names(cache: &Cache) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(cache.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Writes a file in place, for its owner alone.
fn write_private(path: &Path, content: &[u8]) {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).unwrap().write_all(content).unwrap();
}

/// What a child process does with the cache; see [`child`].
const JOB: &str = "STSCTL_TEST_CACHE_JOB";
const DIR: &str = "STSCTL_TEST_CACHE_DIR";

/// A command that runs this test binary again to do `job` on the cache in `dir`.
fn child_command(job: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "cache::child", "--ignored"])
        .env(JOB, job)
        .env(DIR, dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// A child that does not outlive the test, whatever happens to the test.
struct Running(Child);

impl Running {
    fn start(job: &str, dir: &Path) -> Self {
        Self(child_command(job, dir).spawn().unwrap())
    }

    /// Ends it with SIGKILL, or what comes closest.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn succeeds(mut self) {
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The child's side of the tests that need other processes. It proves nothing by itself.
#[test]
#[ignore = "runs in child processes of the other tests"]
#[expect(
    clippy::disallowed_methods,
    reason = "a child learns its job from its environment"
)]
fn child() {
    let (Ok(job), Some(dir)) = (std::env::var(JOB), std::env::var_os(DIR)) else {
        panic!("this test runs only as a child of others");
    };
    let dir = Path::new(&dir);
    match job.as_str() {
        "hold" => lock::hold(dir),
        "increment" => lock::increment(dir),
        #[cfg(unix)]
        "die writing" => lock::die_writing(dir),
        #[cfg(unix)]
        "write without umask" => privacy::write_without_umask(dir),
        #[cfg(unix)]
        "use read-only" => privacy::use_read_only(dir),
        _ => panic!("unknown job {job}"),
    }
}

#[test]
fn what_is_put_is_got_and_nothing_else_is() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    let dev = inputs("dev");
    assert!(matches!(cache.get(&dev), Lookup::Miss));

    let mut failed = entry(&dev, 7);
    failed.retry_after = Some(at("2026-01-02T03:05:00.250Z"));
    failed.skew = ClockSkew::from_seconds(-3600);
    let lock = lock(&cache, &dev);
    cache.put(&lock, &failed).unwrap();
    assert_same(&hit(&cache, &dev), &failed);
    assert_same(&hit(&Cache::open(home.path()).unwrap(), &dev), &failed);

    let mut longer = dev.clone();
    longer.duration_seconds = 7200;
    assert!(matches!(cache.get(&longer), Lookup::Miss));
    assert!(matches!(cache.get(&inputs("prod")), Lookup::Miss));
}

#[test]
fn opening_and_looking_create_nothing() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(&home.path().join("config")).unwrap();
    assert!(matches!(cache.get(&inputs("dev")), Lookup::Miss));
    assert_eq!(cache.holder(&inputs("dev")), None);
    assert!(cache.list().unwrap().is_empty());
    assert_eq!(cache.prune(now()).unwrap(), 0);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn no_secret_is_shown() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path()).unwrap();
    let dev = inputs("dev");
    put(&cache, &dev, 1);
    let lock = lock(&cache, &dev);
    let shown = format!(
        "{cache:?} {lock:?} {:?} {:?} {:?}",
        entry(&dev, 1),
        cache.get(&dev),
        cache.list().unwrap(),
    );
    assert!(shown.contains("STS.example"));
    assert!(!shown.contains(SECRET) && !shown.contains(TOKEN), "{shown}");
    let listed = format!("{:?}", cache.list().unwrap());
    assert!(!listed.contains("canary"), "{listed}");
}

/// A file where the directory should be, or a file above it.
#[test]
fn a_cache_that_cannot_be_is_an_error_and_no_panic() {
    let home = tempfile::tempdir().unwrap();
    write_private(&home.path().join("sessions"), b"");
    let error = Cache::open(home.path()).unwrap_err();
    assert!(error.to_string().contains("is not a directory"), "{error}");

    let file = home.path().join("file");
    write_private(&file, b"");
    match Cache::open(&file) {
        Ok(cache) => drop(cache.try_lock(&inputs("dev"), now()).unwrap_err()),
        Err(error) => assert!(error.to_string().starts_with("cannot "), "{error}"),
    }
}
