//! One run of a program: what it is given, how it ends, and how that is compared. Must not know
//! where it runs.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use regex::Regex;
use snapbox::{Assert, IntoData, Redactions};

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

impl Run {
    /// A command with an empty stdin; `redactions` make its output comparable.
    pub(crate) fn new(command: Command, redactions: Redactions) -> Self {
        Self {
            command,
            stdin: None,
            redactions,
        }
    }

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
    pub(crate) fn ended(&mut self) -> Option<std::process::ExitStatus> {
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

/// What every snapshot leaves out, in a world with this home and this cloud.
pub(crate) fn redactions(home: &Path, cloud: &str) -> Redactions {
    let mut redactions = Redactions::new();
    let home = home.display().to_string();
    redactions.insert("[HOME]", home).unwrap();
    redactions.insert("[CLOUD]", cloud.to_owned()).unwrap();
    let authority = cloud.replace("http://", "");
    redactions.insert("[AUTHORITY]", authority).unwrap();
    for (placeholder, regex) in &*REGEXES {
        redactions.insert(placeholder, regex.clone()).unwrap();
    }
    redactions
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
