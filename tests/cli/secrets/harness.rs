//! A sandbox, a place to run the program in, and the search for what must not be found.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use fs_err as fs;
use serde_json::Value;
use tempfile::TempDir;

use super::relay::{Mode, Relay};

pub(super) const PROGRAM: &str = env!("CARGO_BIN_EXE_stsctl");

/// A sandbox of its own, reached through a relay, and a home with a directory for temporary
/// files: all that a run can leave anything in.
pub(super) struct Place {
    pub(super) home: TempDir,
    pub(super) environment: BTreeMap<String, String>,
    sandbox: Child,
    relay: Option<Relay>,
    secrets: BTreeSet<String>,
}

/// What stdout may hold after a success; after a failure it is empty.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stdout {
    /// Anything: help.
    Any,
    /// One JSON document.
    Json,
    /// Lines that each begin with one of these; secrets masked.
    Lines(&'static [&'static str]),
    /// Nothing.
    Nothing,
    /// As `Json`, and it is what hands the secrets out.
    SecretJson,
    /// As `Lines`, and it is what hands the secrets out.
    SecretLines(&'static [&'static str]),
}

/// One way to run the program.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) args: Vec<String>,
    pub(super) vars: Vec<(String, Option<String>)>,
    pub(super) stdin: String,
    pub(super) stdout: Stdout,
    pub(super) code: i32,
}

impl Run {
    /// A run that succeeds.
    pub(super) fn of(line: &str, stdout: Stdout) -> Self {
        Self {
            args: line.split_whitespace().map(str::to_owned).collect(),
            vars: Vec::new(),
            stdin: String::new(),
            stdout,
            code: 0,
        }
    }

    /// A run that fails.
    pub(super) fn failing(line: &str, code: i32) -> Self {
        Self {
            code,
            ..Self::of(line, Stdout::Nothing)
        }
    }

    pub(super) fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    pub(super) fn set(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    pub(super) fn unset(mut self, name: &str) -> Self {
        self.vars.push((name.to_owned(), None));
        self
    }

    pub(super) fn stdin(mut self, text: &str) -> Self {
        text.clone_into(&mut self.stdin);
        self
    }
}

impl Place {
    pub(super) fn new() -> Self {
        Self::with(&[], Mode::Pass)
    }

    /// A sandbox that is started with these options, and a relay before it.
    pub(super) fn with(options: &[&str], mode: Mode) -> Self {
        let home = tempfile::tempdir().unwrap();
        for name in ["tmp", "data"] {
            fs::create_dir(home.path().join(name)).unwrap();
        }
        let mut command = bare(home.path());
        command.args(["sandbox", "serve", "--data"]);
        command.arg(home.path().join("data")).args(options);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut sandbox = command.spawn().unwrap();
        let mut environment = BTreeMap::new();
        let lines = BufReader::new(sandbox.stdout.take().unwrap()).lines();
        for line in lines {
            let line = line.unwrap();
            let Some(assignment) = line.strip_prefix("export ") else {
                break;
            };
            let (name, value) = assignment.split_once('=').unwrap();
            let value = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\''));
            environment.insert(name.to_owned(), value.unwrap().to_owned());
        }
        let mut place = Self {
            home,
            environment,
            sandbox,
            relay: None,
            secrets: BTreeSet::new(),
        };
        let url = place.var("STSCTL_STS_ENDPOINT").to_owned();
        let relay = Relay::start(url.strip_prefix("http://").unwrap(), mode);
        for name in ["STSCTL_STS_ENDPOINT", "STSCTL_OSS_ENDPOINT", "OSS_ENDPOINT"] {
            place.environment.insert(name.to_owned(), relay.url());
        }
        place.relay = Some(relay);
        let secret = place.var("ALIBABA_CLOUD_ACCESS_KEY_SECRET").to_owned();
        place.mark(&secret);
        let config = fs::read_to_string(place.config_dir().join("config.toml")).unwrap();
        for line in config.lines() {
            if let Some(secret) = line.strip_prefix("access_key_secret = ") {
                place.mark(secret.trim_matches('"'));
            }
        }
        place
    }

    pub(super) fn var(&self, name: &str) -> &str {
        &self.environment[name]
    }

    pub(super) fn config_dir(&self) -> PathBuf {
        self.var("STSCTL_CONFIG_DIR").into()
    }

    /// Replaces `config.toml`.
    pub(super) fn configure(&self, toml: &str) {
        private_file(&self.config_dir().join("config.toml"), toml);
    }

    /// Adds a secret to those that are searched for.
    pub(super) fn mark(&mut self, secret: &str) {
        assert!(secret.len() >= 12, "too short to be told from chance");
        self.secrets.insert(secret.to_owned());
    }

    /// Returns the command of a run, with nothing inherited that could matter.
    pub(super) fn command(&self, run: &Run) -> Command {
        let mut command = bare(self.home.path());
        command.args(&run.args).envs(&self.environment);
        for (name, value) in &run.vars {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Runs it twice, as loud as it goes: once for a person and once for a machine.
    pub(super) fn check(&mut self, run: &Run) {
        self.check_once(run, &["-vv"], &[]);
        let json = ["--error-format", "json"];
        self.check_once(run, &json, &[("STSCTL_LOG", "trace")]);
    }

    pub(super) fn check_once(&mut self, run: &Run, more: &[&str], vars: &[(&str, &str)]) {
        let mut loud = run.clone();
        loud.args.splice(..0, more.iter().map(ToString::to_string));
        let mut command = self.command(&loud);
        command.envs(vars.iter().copied());
        let output = finish(command, &run.stdin);
        let what = format!("{:?}", loud.args);
        self.learn();
        let stderr = text(&output.stderr);
        self.search(&stderr, &format!("stderr of {what}"));
        let stdout = text(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(run.code),
            "{what}\n{stderr}\n{stdout}"
        );
        check_stdout(run.stdout, &stdout, &what);
        if !matches!(run.stdout, Stdout::SecretJson | Stdout::SecretLines(_)) {
            self.search(&stdout, &format!("stdout of {what}"));
        }
        if run.code != 0 && more.contains(&"json") {
            let last = stderr.lines().last().unwrap_or_default();
            let error: Value = serde_json::from_str(last).unwrap_or_default();
            assert!(error["error"]["kind"].is_string(), "{what}: {last}");
        }
    }

    /// Takes note of every session that the sandbox has issued, and every signature it was sent.
    pub(super) fn learn(&mut self) {
        let issued = self.home.path().join("data/sessions.json");
        if let Ok(issued) = fs::read_to_string(issued) {
            let issued: Value = serde_json::from_str(&issued).unwrap();
            for session in issued.as_object().unwrap().values() {
                for name in ["access_key_secret", "security_token"] {
                    let secret = session[name].as_str().unwrap().to_owned();
                    self.mark(&secret);
                }
            }
        }
        let signatures: Vec<String> = self.relay.iter().flat_map(Relay::signatures).collect();
        for signature in signatures {
            self.mark(&signature);
        }
    }

    /// Tells whether anything that is signed has come by.
    #[cfg(target_os = "linux")]
    pub(super) fn has_signatures(&self) -> bool {
        self.relay
            .iter()
            .any(|relay| !relay.signatures().is_empty())
    }

    /// Fails if a secret, a form of it or a good part of it is in the text.
    pub(super) fn search(&self, text: &str, place: &str) {
        for secret in &self.secrets {
            let found = traces(secret).find(|trace| text.contains(trace));
            assert!(
                found.is_none(),
                "{found:?} of a secret is in the {place}:\n{text}"
            );
        }
    }

    /// Ends the sandbox and searches all that is left: everything under the home, the sandbox's
    /// own data aside.
    pub(super) fn close(mut self) {
        self.learn();
        let sessions = self.config_dir().join("sessions");
        let config = self.config_dir().join("config.toml");
        let data = self.home.path().join("data");
        for path in files(&[self.home.path().to_owned()]) {
            if path.starts_with(&data) || path == config {
                continue;
            }
            if path.starts_with(&sessions) {
                assert_private(&path);
                let name = path.file_name().unwrap().to_str().unwrap();
                let ending = name.split_once('.').map(|(_, ending)| ending);
                match ending {
                    Some("v1.json" | "bad") => continue,
                    ending => assert_eq!(ending, Some("lock"), "left behind: {name}"),
                }
            }
            let content = fs::read(&path).unwrap();
            self.search(&text(&content), &format!("file {}", path.display()));
        }
        self.stop();
        let left = files(&[self.home.path().join("tmp")]);
        assert!(left.is_empty(), "left behind: {left:?}");
    }

    #[cfg(unix)]
    fn stop(&mut self) {
        let mut stop = bare(self.home.path());
        stop.args(["sandbox", "stop"]).envs(&self.environment);
        stop.env("STSCTL_SANDBOX_PID", self.sandbox.id().to_string());
        let output = stop.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        self.sandbox.wait().unwrap();
    }

    /// Nothing can end it gently here, so that it leaves its directory.
    #[cfg(not(unix))]
    fn stop(&mut self) {
        self.sandbox.kill().unwrap();
        self.sandbox.wait().unwrap();
        fs::remove_dir_all(self.config_dir()).unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.sandbox.kill();
        let _ = self.sandbox.wait();
    }
}

/// The program with an empty environment but for what the platform needs.
fn bare(home: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear();
    #[expect(clippy::disallowed_methods, reason = "Windows needs its own variables")]
    for name in ["PATH", "SystemRoot"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    for name in ["TMPDIR", "TEMP", "TMP"] {
        command.env(name, home.join("tmp"));
    }
    command.env("HOME", home).env("USER", "alice");
    command.current_dir(home).stdin(Stdio::null());
    command
}

pub(super) fn finish(mut command: Command, stdin: &str) -> Output {
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that does not read it is no failure of the test.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn check_stdout(expected: Stdout, stdout: &str, what: &str) {
    match expected {
        Stdout::Any => assert!(!stdout.is_empty(), "{what}"),
        Stdout::Nothing => assert_eq!(stdout, "", "{what}"),
        Stdout::Json | Stdout::SecretJson => {
            let parsed: Result<Value, _> = serde_json::from_str(stdout);
            assert!(parsed.is_ok(), "{what}\n{stdout}");
        }
        Stdout::Lines(starts) | Stdout::SecretLines(starts) => {
            assert!(!stdout.is_empty(), "{what}");
            for line in stdout.lines() {
                let known = starts.iter().any(|start| line.starts_with(start));
                assert!(known, "{what}: {line}");
            }
        }
    }
}

/// What of a secret gives it away: any twelve characters of it, as they are or as they stand in
/// a URL or a form.
fn traces(secret: &str) -> impl Iterator<Item = String> {
    let encoded = stsctl::sign::encode::component(secret);
    let pieces = |text: &str| -> Vec<String> {
        let bytes = text.as_bytes();
        let windows = bytes.windows(12).step_by(4);
        windows
            .filter_map(|piece| String::from_utf8(piece.to_vec()).ok())
            .collect()
    };
    let mut all = pieces(secret);
    all.extend(pieces(&encoded));
    all.into_iter()
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(super) fn private_file(path: &Path, content: &str) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).unwrap();
    file.write_all(content.as_bytes()).unwrap();
}

/// Returns every file below these directories.
fn files(dirs: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = dirs.to_vec();
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

#[cfg(unix)]
fn assert_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "{}", path.display());
}

#[cfg(not(unix))]
fn assert_private(_path: &Path) {}
