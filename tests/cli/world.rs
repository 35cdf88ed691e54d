//! The world of one test: a home, a configuration directory, a cloud, and the program run in it.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use stsctl::cache::{Cache, Entry, Inputs, Lookup};
use stsctl::model::{Clock, ClockSkew, SystemClock};
use tempfile::TempDir;

use crate::cloud::{ALICE, Cloud};
use crate::run::{Run, program, redactions, wait_for};

/// A home with a cloud to call. Everything ends with it.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) cloud: Cloud,
    home: TempDir,
}

/// The role that the environment names.
pub(crate) const ROLE: &str = "acs:ram::1234567890123456:role/testrole";
/// Another role.
pub(crate) const OTHER_ROLE: &str = "acs:ram::1234567890123456:role/iotstsrole";

impl World {
    /// A healthy cloud.
    pub(crate) fn new() -> Self {
        Self::with(&[], None)
    }

    /// A cloud with faults.
    pub(crate) fn with_faults(faults: &[&str]) -> Self {
        Self::with(faults, None)
    }

    /// A cloud whose sessions last so long, whatever is asked for.
    pub(crate) fn with_lifetime(lifetime: Duration) -> Self {
        Self::with(&[], Some(lifetime))
    }

    fn with(faults: &[&str], lifetime: Option<Duration>) -> Self {
        let home = tempfile::tempdir().unwrap();
        for dir in ["tmp", "work"] {
            fs_err::create_dir(home.path().join(dir)).unwrap();
        }
        Self {
            cloud: Cloud::start(home.path().join("cloud"), faults, lifetime),
            home,
        }
    }

    /// The program with these arguments, in this world's environment: alice's AccessKey, the role
    /// `testrole`, the cloud's endpoints, and nothing from outside but PATH.
    pub(crate) fn stsctl<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        self.command(program(), args)
    }

    /// Another program in the same environment.
    pub(crate) fn command<A: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        args: impl IntoIterator<Item = A>,
    ) -> Run {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .envs(outside())
            .envs([
                ("HOME", self.home.path()),
                ("TMPDIR", &self.path("tmp")),
                ("STSCTL_CONFIG_DIR", &self.config_dir()),
            ])
            .envs([
                ("USER", "alice"),
                ("STSCTL_STS_ENDPOINT", &self.cloud.url()),
                ("OSS_ENDPOINT", &self.cloud.url()),
                ("ALIBABA_CLOUD_REGION_ID", "cn-hangzhou"),
                ("ALIBABA_CLOUD_ACCESS_KEY_ID", ALICE.0),
                ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", ALICE.1),
                ("ALIBABA_CLOUD_ROLE_ARN", ROLE),
                ("ALIBABA_CLOUD_ROLE_SESSION_NAME", "test"),
            ])
            .current_dir(self.path("work"));
        Run::new(command, redactions(self.home.path(), &self.cloud.url()))
    }

    /// Runs `assume` with these options and returns the AccessKeyId.
    #[track_caller]
    pub(crate) fn assume(&self, options: &[&str]) -> String {
        self.session(options).0
    }

    /// Runs `assume` with these options and returns the AccessKeyId and the Expiration.
    #[track_caller]
    pub(crate) fn session(&self, options: &[&str]) -> (String, DateTime<Utc>) {
        let args = ["assume", "-o", "json"].iter().chain(options);
        let answer = self.stsctl(args).json();
        let text = |name: &str| answer["Credentials"][name].as_str().unwrap().to_owned();
        (text("AccessKeyId"), text("Expiration").parse().unwrap())
    }

    /// A path in the home.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The directory of `config.toml`; missing until the program or the test makes it.
    pub(crate) fn config_dir(&self) -> PathBuf {
        self.path("config")
    }

    /// The directory of the cached sessions.
    pub(crate) fn sessions_dir(&self) -> PathBuf {
        self.config_dir().join("sessions")
    }

    /// Writes a file into the working directory of the program.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("work").join(name);
        write(&path, content.as_ref());
        path
    }

    /// Writes `config.toml`.
    pub(crate) fn config(&self, toml: &str) {
        fs_err::create_dir_all(self.config_dir()).unwrap();
        write(&self.config_dir().join("config.toml"), toml.as_bytes());
    }

    /// The names of the cached sessions' files that end so.
    pub(crate) fn sessions(&self, ending: &str) -> Vec<PathBuf> {
        let Ok(files) = fs_err::read_dir(self.sessions_dir()) else {
            return Vec::new();
        };
        let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        paths.retain(|path| path.to_string_lossy().ends_with(ending));
        paths.sort();
        paths
    }

    /// Lets time pass for the cloud and for what is cached. Our own clock cannot be moved, so the
    /// cloud goes ahead of it, every entry knows of that, and is older by as much.
    pub(crate) fn pass(&self, time: TimeDelta) {
        self.cloud.move_clock(time);
        self.edit_sessions(|entry| {
            entry.skew = ClockSkew::from_seconds(entry.skew.seconds() + time.num_seconds());
            entry.obtained_at -= time;
            entry.retry_after = entry.retry_after.map(|until| until - time);
        });
    }

    /// The cached sessions.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.edit_sessions(|entry| entries.push(entry.clone()));
        entries
    }

    /// Changes every cached session.
    pub(crate) fn edit_sessions(&self, mut edit: impl FnMut(&mut Entry)) {
        let cache = Cache::open(&self.config_dir()).unwrap();
        for path in self.sessions(".json") {
            let file: serde_json::Value =
                serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap();
            let inputs: Inputs = serde_json::from_value(file["inputs"].clone()).unwrap();
            let Lookup::Hit(mut entry) = cache.get(&inputs) else {
                panic!("a session of {} is not there", inputs.role_arn);
            };
            edit(&mut entry);
            let lock = wait_for("the session's lock", || {
                cache.try_lock(&inputs, SystemClock.now()).unwrap()
            });
            cache.put(&lock, &entry).unwrap();
        }
    }
}

/// What a process needs from outside: where programs are, and on Windows where the system is.
#[expect(clippy::disallowed_methods, reason = "the tests' own environment")]
fn outside() -> impl Iterator<Item = (&'static str, OsString)> {
    ["PATH", "SYSTEMROOT"]
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)))
}

fn write(path: &Path, content: &[u8]) {
    let mut file = private(
        fs_err::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true),
    )
    .open(path)
    .unwrap();
    file.write_all(content).unwrap();
}

#[cfg(unix)]
fn private(options: &mut fs_err::OpenOptions) -> &mut fs_err::OpenOptions {
    fs_err::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut fs_err::OpenOptions) -> &mut fs_err::OpenOptions {
    options
}
