//! The world of one test: a home, a configuration directory, a cloud, and the program run in it.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use regex::Regex;
use snapbox::{Assert, IntoData, Redactions};
use stsctl::cache::{Cache, Entry, Inputs, Lookup};
use stsctl::model::{Clock, ClockSkew, SystemClock};
use tempfile::TempDir;

use crate::cloud::{ALICE, Cloud};

/// A home with a cloud to call. Everything ends with it.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) cloud: Cloud,
    home: TempDir,
}

/// The program, about to run.
#[derive(Debug)]
pub(crate) struct Run {
    command: Command,
    stdin: Option<Vec<u8>>,
    redactions: Redactions,
}

/// The program while it runs; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Option<Child>,
    redactions: Redactions,
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
        Run {
            command,
            stdin: None,
            redactions: self.redactions(),
        }
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

    fn redactions(&self) -> Redactions {
        let mut redactions = Redactions::new();
        let home = self.home.path().display().to_string();
        redactions.insert("[HOME]", home).unwrap();
        redactions.insert("[CLOUD]", self.cloud.url()).unwrap();
        let authority = self.cloud.url().replace("http://", "");
        redactions.insert("[AUTHORITY]", authority).unwrap();
        for (placeholder, regex) in &*REGEXES {
            redactions.insert(placeholder, regex.clone()).unwrap();
        }
        redactions
    }
}

static REGEXES: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    PATTERNS
        .map(|(placeholder, pattern)| (placeholder, Regex::new(pattern).unwrap()))
        .to_vec()
});

/// What differs from run to run. `redacted` is the part that does.
const PATTERNS: [(&str, &str); 14] = [
    ("[STS_ID]", r"STS\.[A-Za-z0-9]{25}"),
    ("[ACCESS_KEY_ID]", r"LTAI5t[A-Za-z0-9]{18}"),
    ("[PORT]", r"127\.0\.0\.1:(?<redacted>[0-9]+)"),
    ("[RANDOM]", r"stsctl-sandbox-(?<redacted>[A-Za-z0-9]{6})"),
    (
        "[REQUEST_ID]",
        r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}",
    ),
    ("[OSS_REQUEST_ID]", r"(?-u:\b)[0-9A-F]{24}(?-u:\b)"),
    (
        "[TIME]",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z",
    ),
    ("[LIFETIME]", r"(?-u:\b)[0-9]+[hm] [0-9]+[ms](?-u:\b)"),
    (
        "[SECRET]",
        r"(?i)(secret_key|secret|token|add-mask)[^A-Za-z0-9]{1,6}(?<redacted>[A-Za-z0-9+/=]{30,})",
    ),
    ("[KEY]", r"(?-u:\b)[0-9a-f]{64}(?-u:\b)"),
    ("[PID]", r"(?-u:\b)(process|pid) (?<redacted>[0-9]+)"),
    ("[SECONDS]", r#""seconds":(?<redacted>[0-9.e-]+)"#),
    // The clocks are the same, but a Date has no fractions.
    (
        "[SKEW]",
        r#"ClockSkewSeconds(":)? +(?<redacted>-1|0|1)(?-u:\b)"#,
    ),
    ("[HOST]", r"alice@(?<redacted>[A-Za-z0-9.@_-]+)"),
];

impl Run {
    /// Adds arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Removes variables.
    pub(crate) fn without<const N: usize>(mut self, names: [&str; N]) -> Self {
        for name in names {
            self.command.env_remove(name);
        }
        self
    }

    /// Gives it these bytes to read.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let stdin = match &self.stdin {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        };
        let mut child = self
            .command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if let Some(bytes) = self.stdin {
            let mut stdin = child.stdin.take().unwrap();
            // A program that fails before it reads closes the pipe, which is its right.
            std::thread::spawn(move || stdin.write_all(&bytes));
        }
        Running {
            child: Some(child),
            redactions: self.redactions,
        }
    }

    /// Starts it with its output in files, so that any number can run at once.
    pub(crate) fn start_into(mut self, stdout: &Path, stderr: &Path) -> Child {
        let create = |path| fs_err::File::create(path).unwrap().into_file();
        self.command
            .stdin(Stdio::null())
            .stdout(create(stdout))
            .stderr(create(stderr))
            .spawn()
            .unwrap()
    }

    /// Runs it to its end, whatever that is.
    pub(crate) fn output(self) -> Output {
        self.start().output()
    }

    /// Runs it and compares its exit code, stdout and stderr, all of them, with `expected`:
    /// `exit CODE`, then each line of stdout after `1>` and each line of stderr after `2>`.
    #[track_caller]
    pub(crate) fn assert(self, expected: impl IntoData) -> Output {
        self.start().assert(expected)
    }

    /// Runs it, lets nothing but success through, and returns what it wrote to stdout.
    #[track_caller]
    pub(crate) fn stdout(self) -> String {
        let output = self.output();
        let shown = shown(&output);
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{shown}"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs it, lets nothing but this failure through, and returns what it wrote to stderr.
    #[track_caller]
    pub(crate) fn stderr(self, code: i32) -> String {
        let output = self.output();
        let shown = shown(&output);
        assert_eq!(output.status.code(), Some(code), "{shown}");
        assert!(output.stdout.is_empty(), "{shown}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// As [`Run::stdout`], of a run that prints JSON.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.stdout()).unwrap()
    }
}

impl Running {
    /// Its process id.
    #[cfg(unix)]
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Sends it a signal.
    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(self.child.as_ref().unwrap());
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Tells how it ended, if it has.
    #[cfg(unix)]
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().unwrap().try_wait().unwrap()
    }

    /// Its stderr, to be read while it runs.
    #[cfg(unix)]
    pub(crate) fn take_stderr(&mut self) -> std::process::ChildStderr {
        self.child.as_mut().unwrap().stderr.take().unwrap()
    }

    /// Its stdout, to be read while it runs.
    #[cfg(unix)]
    pub(crate) fn take_stdout(&mut self) -> std::process::ChildStdout {
        self.child.as_mut().unwrap().stdout.take().unwrap()
    }

    /// Waits for its end.
    pub(crate) fn output(mut self) -> Output {
        self.child.take().unwrap().wait_with_output().unwrap()
    }

    /// Waits for its end and compares, as [`Run::assert`] does.
    #[track_caller]
    pub(crate) fn assert(self, expected: impl IntoData) -> Output {
        let redactions = self.redactions.clone();
        let output = self.output();
        Assert::new()
            .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
            .normalize_paths(false)
            .redact_with(redactions)
            .eq(shown(&output), expected);
        output
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The path of the program under test.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_stsctl"))
}

/// Asks until there is an answer, for at most ten seconds.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "no {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Exit code, stdout and stderr as one text.
fn shown(output: &Output) -> String {
    let code = output.status.code();
    let mut text = code.map_or_else(
        || format!("{}\n", output.status),
        |code| format!("exit {code}\n"),
    );
    for (label, stream) in [("1>", &output.stdout), ("2>", &output.stderr)] {
        for line in String::from_utf8_lossy(stream).lines() {
            text.push_str(format!("{label} {line}").trim_end());
            text.push('\n');
        }
    }
    // A snapshot ends with its last line.
    text.truncate(text.trim_end().len());
    text
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
