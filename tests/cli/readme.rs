//! README.md's blocks, run as a person would paste them, so that what it promises stays true.
//!
//! `console` and `sh` blocks run here, the former with their output compared (`…` is anything;
//! alone on a line, any lines); `toml` is the configuration that they run with. `sh interop` needs
//! an official SDK: `tests/interop/readme_walk.sh` runs it. `text` is what needs a real account, a
//! build, or another's program. Any other mark fails.

#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "the tests' own files and environment"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use snapbox::{IntoData, assert_data_eq};
use tempfile::TempDir;

const README: &str = include_str!("../../README.md");

/// The section that is a shell session of its own, from nothing.
const WALK: &str = "A first walk";

/// A fenced block.
struct Block {
    section: &'static str,
    mark: &'static str,
    text: String,
}

#[test]
fn every_block_is_run_or_says_why_not() {
    let count = |mark| blocks().iter().filter(|block| block.mark == mark).count();
    let counted = ["console", "sh", "sh interop", "toml", "text"].map(|mark| (mark, count(mark)));
    assert_eq!(
        counted,
        [
            ("console", 2),
            ("sh", 6),
            ("sh interop", 1),
            ("toml", 1),
            ("text", 3)
        ]
    );
    assert_eq!(
        counted.iter().map(|(_, n)| n).sum::<usize>(),
        blocks().len()
    );
    let in_walk = |block: &Block| block.section == WALK;
    let is_own = |block: &Block| matches!(block.mark, "console" | "sh interop");
    for block in blocks() {
        assert_eq!(in_walk(&block), is_own(&block), "{}", block.text);
    }
}

#[test]
fn the_first_walk_goes_as_it_says() {
    let mut script = String::from("trap 'stsctl sandbox stop 2>/dev/null' EXIT\n");
    let mut expected = String::new();
    for block in blocks().iter().filter(|block| block.mark == "console") {
        expected.push_str(&block.text);
        for command in block
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("$ "))
        {
            let shown = shlex::try_quote(command).unwrap();
            script.extend(["printf '$ %s\\n' ", &shown, "\n", command, "\n"]);
        }
    }
    let home = tempfile::tempdir().unwrap();
    let (transcript, _) = run(&script, &home);
    assert_data_eq!(transcript, pattern(&expected).into_data());
}

#[test]
fn the_other_blocks_run() {
    let home = tempfile::tempdir().unwrap();
    let toml = blocks()
        .into_iter()
        .find(|block| block.mark == "toml")
        .unwrap();
    fs::write(home.path().join("config.toml"), toml.text).unwrap();
    // The README's password store has the secret of the sandbox's user, whose id takes the
    // example's place.
    let mut script = String::from(
        r#"set -e
eval "$(stsctl sandbox serve --background)"
trap 'stsctl --quiet sandbox stop' EXIT
sed "s/LTAI5tExampleExample/$ALIBABA_CLOUD_ACCESS_KEY_ID/" config.toml >"$STSCTL_CONFIG_DIR/config.toml"
export ALICES_SECRET="$ALIBABA_CLOUD_ACCESS_KEY_SECRET"
unset ALIBABA_CLOUD_ACCESS_KEY_ID ALIBABA_CLOUD_ACCESS_KEY_SECRET ALIBABA_CLOUD_ROLE_ARN
"#,
    );
    let pass = home.path().join("pass");
    fs::write(&pass, "#!/bin/sh\nprintf '%s\\n' \"$ALICES_SECRET\"\n").unwrap();
    fs::set_permissions(&pass, fs::Permissions::from_mode(0o700)).unwrap();
    for block in blocks().iter().filter(|block| block.mark == "sh") {
        script.push_str(&block.text);
    }
    script.push_str("echo 'to the end'\n");
    let (transcript, success) = run(&script, &home);
    assert!(success, "{transcript}");
    assert!(transcript.contains("\nto the end\n"), "{transcript}");
}

/// Returns the blocks, in order.
fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut section, mut inside) = ("", false);
    for line in README.lines() {
        if let Some(mark) = line.strip_prefix("```") {
            inside = !inside;
            if inside {
                let text = String::new();
                blocks.push(Block {
                    section,
                    mark,
                    text,
                });
            }
        } else if inside {
            let block = blocks.last_mut().expect("the fence opened one");
            block.text.push_str(line);
            block.text.push('\n');
        } else if let Some(title) = line.strip_prefix("## ") {
            section = title;
        }
    }
    assert!(!inside, "the last block is not closed");
    blocks
}

/// Runs the script in a directory with a copy of README.md, as a user who has nothing but
/// `stsctl`; returns all it printed, and whether it succeeded.
fn run(script: &str, home: &TempDir) -> (String, bool) {
    let here = home.path();
    fs::write(here.join("README.md"), README).expect("the directory is new");
    let program = Path::new(env!("CARGO_BIN_EXE_stsctl"))
        .parent()
        .expect("it lies in a directory");
    let system = std::env::var("PATH").expect("cargo needs it, too");
    let path = format!("{}:{}:{system}", program.display(), here.display());
    let output = Command::new("sh")
        // One stream, as on a terminal.
        .args(["-c", &format!("exec 2>&1\n{script}")])
        .env_clear()
        .envs([("PATH", path.as_str()), ("USER", "reader")])
        .envs([("HOME", here), ("TMPDIR", here)])
        .current_dir(here)
        .output()
        .expect("there is an sh");
    let transcript = String::from_utf8(output.stdout).expect("what it prints is text");
    (transcript, output.status.success())
}

/// Writes the README's wildcards as snapbox's.
fn pattern(expected: &str) -> String {
    expected
        .lines()
        .map(|line| match line {
            "…" => "...\n".to_owned(),
            line => format!("{}\n", line.replace('…', "[..]")),
        })
        .collect()
}
