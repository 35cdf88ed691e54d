//! `--help` of every command: what it says, and that it has an example to copy.

use std::path::Path;

use snapbox::{Data, assert_data_eq};

use crate::world::World;

/// Every command, by the words that are typed.
const COMMANDS: [&str; 22] = [
    "",
    "assume",
    "cache",
    "cache clear",
    "cache list",
    "cache path",
    "cache prune",
    "env",
    "oss",
    "oss put",
    "profile",
    "profile add",
    "profile import",
    "profile list",
    "profile remove",
    "profile show",
    "sandbox",
    "sandbox demo",
    "sandbox exec",
    "sandbox serve",
    "sandbox stop",
    "whoami",
];

#[test]
fn every_command_explains_itself() {
    let world = World::new();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/help");
    for command in COMMANDS {
        let words = command.split_whitespace();
        let help = world.stsctl(words.chain(["--help"])).stdout();
        assert!(help.contains("Example"), "`{command}` has no example");
        let name = if command.is_empty() {
            "stsctl"
        } else {
            command
        };
        let file = dir.join(format!("{}.txt", name.replace(' ', "-")));
        assert_data_eq!(help, Data::read_from(&file, None));
    }
}

#[test]
fn no_command_is_forgotten() {
    let world = World::new();
    for command in ["", "cache", "oss", "profile", "sandbox"] {
        let help = world
            .stsctl(command.split_whitespace().chain(["--help"]))
            .stdout();
        let listed = help
            .lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1)
            .take_while(|line| !line.is_empty())
            .filter_map(|line| {
                line.strip_prefix("  ")?
                    .split_whitespace()
                    .next()
                    .filter(|_| !line.starts_with("   "))
            });
        for word in listed {
            let full = format!("{command} {word}");
            assert!(
                COMMANDS.contains(&full.trim()),
                "the help of `{full}` is compared nowhere"
            );
        }
    }
}
