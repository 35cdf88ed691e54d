//! The real shells: each evaluates what `env` prints, and a child of it reports what it then sees.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write as _};
use std::process::{Command, Stdio};

use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

/// A program, its arguments, and a script that evaluates the text in `./text` and goes on to
/// what `./then` holds.
struct Evaluation {
    program: &'static str,
    args: &'static [&'static str],
    script: &'static str,
}

const POSIX: &str = r#"set -eu; eval "$(cat text)"; . ./then"#;
const LOCALES: &[&str] = &[UTF_8, "C"];
const UTF_8: &str = if cfg!(target_os = "macos") {
    "en_US.UTF-8"
} else {
    "C.UTF-8"
};

fn evaluations(shell: Shell) -> Vec<Evaluation> {
    let with = |program, args, script| Evaluation {
        program,
        args,
        script,
    };
    match shell {
        Shell::Sh => vec![with("sh", &["-c"], POSIX)],
        Shell::Bash => vec![
            with("bash", &["-c"], POSIX),
            with("bash", &["-o", "posix", "-c"], POSIX),
            with("bash", &["-o", "histexpand", "-c"], POSIX),
        ],
        Shell::Zsh => vec![
            with("zsh", &["-f", "-c"], POSIX),
            with(
                "zsh",
                &["-f", "-o", "rcquotes", "-o", "extendedglob", "-c"],
                POSIX,
            ),
            with("zsh", &["--emulate", "sh", "-f", "-c"], POSIX),
        ],
        Shell::Fish => vec![
            with("fish", &["-c"], "cat text | source; and source then"),
            with("fish", &["-c"], "eval (cat text); and source then"),
        ],
        _ => panic!("no evaluation is known for {shell}"),
    }
}

/// Runs the evaluation on `text` among the variables `before`; returns what variables a child
/// then sees. Panics when anything was said, left behind, or failed.
fn environment(
    evaluation: &Evaluation,
    locale: &str,
    text: &str,
    before: &[(&str, &str)],
) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let home = tempfile::tempdir().unwrap();
    let here = tempfile::tempdir().unwrap();
    for (name, content) in [("text", text), ("then", "env -0\n")] {
        let mut file = fs_err::File::create_new(here.path().join(name)).unwrap();
        file.write_all(content.as_bytes()).unwrap();
    }
    let output = Command::new(evaluation.program)
        .args(evaluation.args)
        .arg(evaluation.script)
        .env_clear()
        .envs(before.iter().copied())
        .envs([
            ("HOME", home.path().as_os_str()),
            ("LC_ALL", locale.as_ref()),
        ])
        .env("PATH", path())
        .current_dir(here.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let shown = format!("{} {:?} {locale}", evaluation.program, evaluation.args);
    assert_eq!(
        (output.status.code(), stderr.trim()),
        (Some(0), ""),
        "{shown}"
    );
    let mut left: Vec<_> = fs_err::read_dir(here.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["text", "then"], "{shown} ran something");
    output
        .stdout
        .split(|b| *b == 0)
        .filter_map(|line| {
            let at = line.iter().position(|b| *b == b'=')?;
            Some((line[..at].to_vec(), line[at + 1..].to_vec()))
        })
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "the tests' own environment")]
fn path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "the tests' own environment")]
fn required(shell: Shell) -> bool {
    let list = std::env::var("STSCTL_REQUIRE_SHELLS").unwrap_or_default();
    list.split(',').any(|name| name == shell.name())
}

/// Tells whether the shell can be run; names it when not.
fn installed(shell: Shell) -> bool {
    let probe = Command::new(shell.name())
        .args(["-c", "exit 0"])
        .stdin(Stdio::null())
        .status();
    match probe {
        Ok(status) => {
            assert!(status.success(), "{shell} does not run");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{shell}: {error}");
            let always = matches!(shell, Shell::Sh | Shell::Bash);
            assert!(
                !always && !required(shell),
                "{shell} is required and not installed"
            );
            // Not by eprintln: the test runner keeps that from the terminal.
            let message = format!("NOT RUN: {shell} is not installed\n");
            io::stderr().write_all(message.as_bytes()).unwrap();
            false
        }
    }
}

/// Has every evaluation of `shell` give `values` back, all of them in one process.
fn gives_back(shell: Shell, values: &[String]) {
    if !installed(shell) {
        return;
    }
    let names: Vec<String> = (0..values.len()).map(|i| format!("V{i}")).collect();
    let assignments: Vec<_> = names
        .iter()
        .zip(values)
        .map(|(name, value)| Assignment::Set(name, value))
        .collect();
    let text = rendered(shell, &assignments).unwrap();
    for evaluation in evaluations(shell) {
        for locale in LOCALES {
            let seen = environment(&evaluation, locale, &text, &[("V0", "old")]);
            for (name, value) in names.iter().zip(values) {
                let got = seen.get(name.as_bytes()).map(Vec::as_slice);
                assert!(
                    got == Some(value.as_bytes()),
                    "{} {:?} {locale}: {value:?} came back as {:?}",
                    evaluation.program,
                    evaluation.args,
                    got.map(String::from_utf8_lossy),
                );
            }
            let ours = seen.keys().filter(|name| name.starts_with(b"V")).count();
            assert_eq!(ours, names.len());
        }
    }
}

/// Every hostile text alone, and as many random ones as a process takes in good time.
fn values() -> Vec<String> {
    let mut runner = TestRunner::default();
    let random = std::iter::repeat_with(|| value().new_tree(&mut runner).unwrap().current());
    let fixed = HOSTILE.iter().map(|text| (*text).to_owned());
    let ends = HOSTILE.iter().map(|text| format!("a{text}"));
    let empty = std::iter::once(String::new());
    fixed
        .chain(ends)
        .chain(empty)
        .chain(random.take(600))
        .collect()
}

/// Every character that there is, in as few values as the system takes, those beyond the
/// basic plane thinned out.
fn characters() -> Vec<String> {
    let basic: Vec<char> = ('\u{1}'..='\u{ffff}').collect();
    let beyond: Vec<char> = ('\u{10000}'..='\u{10ffff}').step_by(61).collect();
    let all = basic.chunks(8192).chain(beyond.chunks(8192));
    all.map(|chars| chars.iter().collect()).collect()
}

#[test]
fn sh_gives_every_value_back() {
    gives_back(Shell::Sh, &values());
}

#[test]
fn bash_gives_every_value_back() {
    gives_back(Shell::Bash, &values());
}

#[test]
fn zsh_gives_every_value_back() {
    gives_back(Shell::Zsh, &values());
}

#[test]
fn fish_gives_every_value_back() {
    gives_back(Shell::Fish, &values());
}

#[test]
fn every_character_comes_back() {
    for shell in [Shell::Sh, Shell::Bash, Shell::Zsh, Shell::Fish] {
        gives_back(shell, &characters());
    }
}

#[test]
fn what_is_removed_is_gone_and_the_rest_stays() {
    for shell in [Shell::Sh, Shell::Bash, Shell::Zsh, Shell::Fish] {
        if !installed(shell) {
            continue;
        }
        let assignments = [
            Assignment::Set("VSET", "new"),
            Assignment::Unset("VGONE"),
            Assignment::Unset("VNEVER"),
        ];
        let text = rendered(shell, &assignments).unwrap();
        for evaluation in evaluations(shell) {
            let before = [("VGONE", "old"), ("VKEPT", "old")];
            let seen = environment(&evaluation, "C", &text, &before);
            let ours: Vec<_> = seen
                .iter()
                .filter(|(name, _)| name.starts_with(b"V"))
                .map(|(name, value)| (name.as_slice(), value.as_slice()))
                .collect();
            assert_eq!(
                ours,
                [(&b"VKEPT"[..], &b"old"[..]), (b"VSET", b"new")],
                "{shell}"
            );
        }
    }
}

#[test]
fn fish_hides_a_universal_variable_and_leaves_it_to_other_sessions() {
    if !installed(Shell::Fish) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let fish = |script: &str| {
        let output = Command::new("fish")
            .args(["-c", script])
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        String::from_utf8(output.stdout).unwrap()
    };
    let unset = unset(Shell::Fish);
    let set = set(Shell::Fish, "session").unwrap();
    fish("set -Ux NAME universal");
    assert_eq!(fish("env | string match 'NAME=*'"), "NAME=universal\n");
    assert_eq!(
        fish(&format!("{unset} env | string match 'NAME=*'")),
        "NAME=\n"
    );
    assert_eq!(
        fish(&format!("{set} env | string match 'NAME=*'")),
        "NAME=session\n"
    );
    assert_eq!(fish("env | string match 'NAME=*'"), "NAME=universal\n");
}
