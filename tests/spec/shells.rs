//! What `env` prints gives every value back byte for byte and runs nothing: shown with the real
//! shells, and by table for those that no test machine has.
//!
//! A shell that is not installed is named on stderr; it is a failure when
//! `STSCTL_REQUIRE_SHELLS`, a comma-separated list, names it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[cfg(unix)]
mod real;

use proptest::prelude::*;
use stsctl::cli::shell::{Assignment, Shell, github_env, github_masks, render};
use zeroize::Zeroizing;

fn rendered(shell: Shell, assignments: &[Assignment<'_>]) -> Result<String, &'static str> {
    let mut out = Zeroizing::new(String::new());
    match render(shell, assignments, &mut out) {
        Ok(()) => Ok(out.to_string()),
        Err(error) => Err(error.why),
    }
}

fn set(shell: Shell, value: &str) -> Option<String> {
    rendered(shell, &[Assignment::Set("NAME", value)]).ok()
}

fn unset(shell: Shell) -> String {
    rendered(shell, &[Assignment::Unset("NAME")]).unwrap()
}

const ALL: [Shell; 10] = [
    Shell::Sh,
    Shell::Bash,
    Shell::Zsh,
    Shell::Fish,
    Shell::PowerShell,
    Shell::Cmd,
    Shell::Nu,
    Shell::Dotenv,
    Shell::GitHub,
    Shell::Json,
];

#[test]
fn no_reader_takes_a_nul_or_a_name_that_is_none() {
    for shell in ALL {
        assert_eq!(set(shell, "a\0b"), None, "{shell}");
        for name in ["", "1A", "A-B", "A B", "A=B", "A;B", "É", "A\n", "$A"] {
            for assignment in [Assignment::Set(name, "v"), Assignment::Unset(name)] {
                assert!(rendered(shell, &[assignment]).is_err(), "{shell} {name:?}");
                let mut out = Zeroizing::new(String::new());
                assert!(github_env(&[assignment], "delimiter", &mut out).is_err());
                assert!(out.is_empty());
            }
        }
    }
}

#[test]
fn powershell_by_table() {
    for (value, text) in [
        ("plain", "'plain'"),
        ("it's", "'it''s'"),
        ("$(calc) `n \"x\" #", "'$(calc) `n \"x\" #'"),
        // The typographic quotes, each of which ends a single-quoted string.
        (
            "\u{2018}\u{2019}\u{201a}\u{201b}",
            "'' + [char]0x2018 + '' + [char]0x2019 + '' + [char]0x201a + '' + [char]0x201b + ''",
        ),
        ("a\r\nb", "'a' + [char]0x000d + '' + [char]0x000a + 'b'"),
        ("中", "'' + [char]0x4e2d + ''"),
        ("😀", "'' + [char]0xd83d + [char]0xde00 + ''"),
    ] {
        assert_eq!(
            set(Shell::PowerShell, value),
            Some(format!("$env:NAME = {text}\n"))
        );
    }
    assert_eq!(set(Shell::PowerShell, ""), None);
    assert_eq!(
        unset(Shell::PowerShell),
        "Remove-Item Env:NAME -ErrorAction SilentlyContinue\n"
    );
}

#[test]
fn cmd_by_table() {
    for value in [
        "plain",
        "a&b|c<d>e(f)",
        "it's $x `y`",
        "CAIS+/=",
        "a\\",
        " ",
    ] {
        assert_eq!(
            set(Shell::Cmd, value),
            Some(format!("set \"NAME={value}\"\n"))
        );
    }
    let long = "x".repeat(8192);
    for value in [
        "", "%PATH%", "a!b", "a^b", "a\"b", "a\nb", "a\rb", "a\tb", "é", &long,
    ] {
        assert_eq!(set(Shell::Cmd, value), None, "{value:?}");
    }
    assert_eq!(unset(Shell::Cmd), "set \"NAME=\"\n");
}

#[test]
fn nu_by_table() {
    for (value, text) in [
        ("", r#""""#),
        ("it's $x (ls)", r#""it's $x (ls)""#),
        (r#"a"b\c"#, r#""a\"b\\c""#),
        ("a\n\tb\u{7f}", r#""a\u{a}\u{9}b\u{7f}""#),
        ("中😀", "\"中😀\""),
    ] {
        assert_eq!(set(Shell::Nu, value), Some(format!("$env.NAME = {text}\n")));
    }
    assert_eq!(unset(Shell::Nu), "hide-env -i NAME\n");
}

#[test]
fn dotenv_by_table() {
    for value in [
        "",
        "CAIS+/=",
        "acs:ram::1234567890123456:role/a.b@c_d-e",
        "2026-01-02T03:04:05Z",
        "a,b",
    ] {
        assert_eq!(set(Shell::Dotenv, value), Some(format!("NAME={value}\n")));
    }
    for value in [
        " ", "a b", "a#b", "$x", "'", "\"", "`", "\\", "a\nb", "é", "~", "!",
    ] {
        assert_eq!(set(Shell::Dotenv, value), None, "{value:?}");
    }
    assert_eq!(unset(Shell::Dotenv), "NAME=\n");
}

#[test]
fn github_by_table() {
    let file = |assignments: &[Assignment<'_>]| {
        let mut out = Zeroizing::new("before\n".to_owned());
        let refused = github_env(assignments, "EOF_1", &mut out).is_err();
        assert_eq!(refused, out.as_str() == "before\n");
        (!refused).then(|| out["before\n".len()..].to_owned())
    };
    assert_eq!(
        file(&[
            Assignment::Set("A", "1\n2"),
            Assignment::Set("B", ""),
            Assignment::Unset("C"),
        ])
        .unwrap(),
        "A<<EOF_1\n1\n2\nEOF_1\nB<<EOF_1\nEOF_1\nC<<EOF_1\nEOF_1\n"
    );
    assert_eq!(
        file(&[
            Assignment::Set("A", "x"),
            Assignment::Set("B", "y\nEOF_1\nPATH<<x")
        ]),
        None
    );
    assert!(set(Shell::GitHub, "x").is_none());

    let mut masks = Zeroizing::new(String::new());
    github_masks(&["100%\r\nx", "", "::stop"], &mut masks);
    assert_eq!(
        masks.as_str(),
        "::add-mask::100%25%0D%0Ax\n::add-mask::::stop\n"
    );
}

#[test]
fn json_with_nothing_in_it_is_an_object() {
    assert_eq!(rendered(Shell::Json, &[]).unwrap(), "{}\n");
}

proptest! {
    #[test]
    fn json_gives_every_value_back(a in value(), b in value()) {
        let assignments =
            [Assignment::Set("A", &a), Assignment::Unset("GONE"), Assignment::Set("B", &b)];
        let text = rendered(Shell::Json, &assignments).unwrap();
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(parsed, serde_json::json!({"A": a, "GONE": null, "B": b}));
    }

    #[test]
    fn line_by_line_readers_get_one_line(value in value()) {
        for shell in [Shell::Fish, Shell::PowerShell, Shell::Cmd, Shell::Nu, Shell::Dotenv] {
            if let Some(text) = set(shell, &value) {
                prop_assert_eq!(text.find('\n'), Some(text.len() - 1), "{}", shell);
            }
        }
    }

    #[test]
    fn powershell_gets_printable_ascii_alone(value in value()) {
        if let Some(text) = set(Shell::PowerShell, &value) {
            prop_assert!(text.trim_end_matches('\n').bytes().all(|b| (b' '..=b'~').contains(&b)));
        }
    }
}

/// Any text that a variable can hold, rich in what shells make something of.
fn value() -> impl Strategy<Value = String> {
    let hostile = prop::sample::select(HOSTILE.as_slice()).prop_map(str::to_owned);
    let other = any::<char>()
        .prop_filter("NUL", |c| *c != '\0')
        .prop_map(String::from);
    let ascii = "[\x01-\x7f]";
    prop::collection::vec(prop_oneof![3 => hostile, 1 => other, 1 => ascii], 0..16)
        .prop_map(|parts| parts.concat())
}

const HOSTILE: [&str; 60] = [
    "'",
    "''",
    "'\\''",
    "\"",
    "\\",
    "\\\\",
    "\\'",
    "`touch canary`",
    "$(touch canary)",
    "';touch canary;'",
    "\";touch canary;\"",
    "\ntouch canary\n",
    "\rtouch canary\r",
    "|touch canary",
    "&touch canary&",
    "(touch canary)",
    ";touch canary #",
    "$((1+1))",
    "$HOME",
    "${HOME}",
    "{$HOME}",
    "$'\\n'",
    "!",
    "!!",
    "!$",
    "^",
    "%",
    "%PATH%",
    "~",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "<(touch canary)",
    ">canary",
    "<<EOF\n",
    "=",
    "==",
    "#",
    " ",
    "  ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "-",
    "--",
    "-n",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "é",
    "中文",
    "😀",
    "\u{2019}",
    "\u{2028}",
    "\u{feff}",
    "\u{f600}",
    "\u{fdd0}",
    "\u{10ffff}",
];
