//! Holds the table of layers and fails, with file and line, when a folder of `src` uses one that
//! it may not.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What each folder may use besides itself. `cli` may use everything.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("sign", &["model"]),
    ("http", &[]),
    ("config", &["model"]),
    ("cache", &["model"]),
    ("sts", &["model", "sign", "http"]),
    ("oss", &["model", "sign", "http"]),
    ("broker", &["model", "config", "cache", "sts", "http"]),
    ("transfer", &["model", "http", "oss", "broker"]),
    ("sandbox", &["model", "sign", "http"]),
];

/// Returns `line number: folder` for each folder that `source` names by a `crate::` path, comments
/// left out, and a complaint for each path that could hide one.
fn uses(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in source.lines().enumerate() {
        let code = line.split("//").next().unwrap_or(line);
        for after in code.split("crate::").skip(1) {
            let names = match after.strip_prefix('{') {
                Some(group) => group.split(',').map(first_name).collect(),
                None => vec![first_name(after)],
            };
            found.extend(names.into_iter().map(|name| (index + 1, name)));
        }
    }
    found
}

fn first_name(path: &str) -> String {
    path.trim()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

fn violations(folder: &str, file: &str, source: &str) -> Vec<String> {
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == folder) else {
        return vec![format!(
            "{file}: folder `{folder}` is not in the table of layers"
        )];
    };
    uses(source)
        .into_iter()
        .filter(|(_, used)| used != folder && !allowed.contains(&used.as_str()))
        .map(|(line, used)| format!("{file}:{line}: {folder} uses {used}"))
        .collect()
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn layers_point_one_way() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for file in &files {
        let relative = file.strip_prefix(&src).unwrap();
        let mut parts = relative.components();
        let folder = parts.next().unwrap().as_os_str().to_str().unwrap();
        if parts.next().is_none() || folder == "cli" {
            continue;
        }
        seen.insert(folder.to_owned());
        let source = fs_err::read_to_string(file).unwrap();
        wrong.extend(violations(folder, &relative.display().to_string(), &source));
        if source.contains("super::super") {
            wrong.push(format!(
                "{}: super::super hides a layer",
                relative.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let table: BTreeSet<String> = LAYERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(
        seen, table,
        "the table of layers and the folders of src differ"
    );
}

#[test]
fn a_violation_is_caught() {
    let source = "use crate::model::RoleArn;\nuse crate::{http::Body, model};\n// crate::oss\n";
    assert_eq!(
        violations("sign", "sign/x.rs", source),
        ["sign/x.rs:2: sign uses http"]
    );
}
