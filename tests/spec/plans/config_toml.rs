//! `config.toml` as it is found: mistakes, files, tangles.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;
use stsctl::config::{BaseKind, ConfigFile, Env, ErrorKind, resolve};

use super::{PROFILES, check, full, now, outcome, plan, render, wanted};

#[test]
fn mistakes_in_config_toml_are_shown_by_place_and_never_by_line() {
    for (toml, message) in [
        (
            "[profile.a\n",
            "config.toml:1:11: unclosed table, expected `]`",
        ),
        (
            "[profile.a]\naccess_key_id = \"LTAIx\"\naccess_key_secret = \"canary\n",
            "config.toml:3:28: invalid basic string, expected `\"`",
        ),
        (
            "default_profil = \"a\"",
            "config.toml:1:1: unknown key `default_profil`",
        ),
        ("[profiles.a]", "config.toml:1:2: unknown key `profiles`"),
        (
            "profile = 5",
            "config.toml:1:11: `profile` must be a table, not a value of type integer",
        ),
        (
            "default_profile = 5",
            "config.toml:1:19: `default_profile` must be a string, not a value of type integer",
        ),
        (
            "seal_cache = true",
            "`seal_cache = true` is not available in this version",
        ),
        (
            "seal_cache = \"no\"",
            "config.toml:1:14: `seal_cache` must be true or false, not a value of type string",
        ),
    ] {
        let error = plan(toml, "", "").unwrap_err();
        assert_eq!(error.to_string(), message, "{toml}");
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
    let error = plan("[profiles.a]", "", "").unwrap_err();
    assert_eq!(error.hints(), ["did you mean `profile`?"]);
}

#[test]
fn mistakes_in_a_profile_are_shown_when_it_is_used() {
    for (line, message) in [
        (
            "rol_arn = \"canary\"",
            "config.toml:2:1: unknown key `rol_arn` of profile `p`",
        ),
        (
            "role_arn = 5",
            "config.toml:2:12: `role_arn` of profile `p` must be a string, not a value of type integer",
        ),
        (
            "role_arn = \"x\"",
            "`role_arn` of profile `p` (config.toml:2:12) cannot be used: `x` is not a valid RoleArn: \
             expected acs:ram::<account id>:role/<role name>",
        ),
        (
            "duration = 60",
            "`duration` of profile `p` (config.toml:2:12) cannot be used: `60` is not a valid DurationSeconds: \
             a session lasts 900 s (15m) to 43200 s (12h)",
        ),
        (
            "access_key_id = \"canary x\"",
            "`access_key_id` of profile `p` (config.toml:2:17) is not an AccessKeyId: it has spaces or other characters that no id has",
        ),
        (
            "access_key_secret = \"canary x\"",
            "`access_key_secret` of profile `p` (config.toml:2:21) is no secret of an AccessKey: it has spaces, line ends or characters outside ASCII",
        ),
        (
            "access_key_secret = 5",
            "config.toml:2:21: `access_key_secret` of profile `p` must be a string, or one of { command = […] }, { file = \"…\" }, { keychain = true }",
        ),
        (
            "access_key_secret = {}",
            "config.toml:2:21: `access_key_secret` of profile `p` must be a string, or one of { command = […] }, { file = \"…\" }, { keychain = true }",
        ),
        (
            "access_key_secret = { keychain = false }",
            "config.toml:2:21: `access_key_secret` of profile `p` must be a string, or one of { command = […] }, { file = \"…\" }, { keychain = true }",
        ),
        (
            "access_key_secret = { fiel = \"canary\" }",
            "config.toml:2:23: unknown key `fiel` of `access_key_secret` of profile `p`",
        ),
        (
            "access_key_secret = { command = \"canary\" }",
            "config.toml:2:33: `command` of `access_key_secret` of profile `p` must be a list of strings: the program and its arguments",
        ),
        (
            "policy = \"nope\"",
            "`policy` of profile `p` (config.toml:2:10) cannot be used: `nope` is not a valid Policy: it is not JSON: expected ident at line 1 column 2",
        ),
        (
            "region = \"\"",
            "`region` of profile `p` (config.toml:2:10) cannot be used: `` is not a valid RegionId: expected a form like cn-hangzhou",
        ),
    ] {
        let toml = format!(
            "[profile.p]\n{line}\n[profile.good]\naccess_key_id = \"LTAIg\"\naccess_key_secret = \"s\""
        );
        assert_eq!(outcome(&toml, "", "--profile=p"), format!("2: {message}"));
        assert_eq!(outcome(&toml, "", "--profile=good"), "good");
    }
}

#[test]
fn paths_in_config_toml_count_from_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    let policy = dir.path().join("p.json");
    let mut file = fs_err::File::create(&policy).unwrap();
    std::io::Write::write_all(&mut file, b"{ \"Version\": \"1\" }\n").unwrap();
    let toml = full(
        "[profile.p]\naccess_key_id = \"LTAIp\"\naccess_key_secret = { file = \"key\" }\n\
         role_arn = \"role:p\"\npolicy = \"@p.json\"\n\
         [profile.q]\naccess_key_id = \"LTAIq\"\naccess_key_secret = { command = [\"bin/get\", \"x\"] }\n\
         role_arn = \"role:q\"\npolicy = \"@missing.json\"\n",
    );
    let config = ConfigFile::parse(&path, &toml).unwrap();
    let now = now();
    let p = resolve(&wanted("--profile=p"), &Env::default(), &config, now).unwrap();
    assert_eq!(render(&p), "p -> p {\"Version\":\"1\"}");
    let BaseKind::AccessKey { secret } = &p.base.kind else {
        panic!("{p:?}");
    };
    assert_eq!(
        format!("{secret:?}"),
        format!("File({:?})", dir.path().join("key"))
    );
    let q = resolve(&wanted("--profile=q"), &Env::default(), &config, now).unwrap_err();
    assert_eq!(q.to_string(), "cannot read the session policy");
    // Whoever brings a policy of their own needs no other.
    let q = resolve(
        &wanted("--profile=q --policy={}"),
        &Env::default(),
        &config,
        now,
    )
    .unwrap();
    assert!(format!("{:?}", q.base.kind).contains(&format!("{:?}", dir.path().join("bin/get"))));
}

#[test]
fn an_absent_file_is_an_empty_one_and_a_directory_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let config = ConfigFile::load(&dir.path().join("config.toml")).unwrap();
    assert_eq!(config.profile_names().count(), 0);
    let error = ConfigFile::load(dir.path()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the configuration");
}

#[test]
fn text_that_is_not_utf8_is_a_mistake_with_a_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    let mut file = fs_err::File::create(&path).unwrap();
    std::io::Write::write_all(&mut file, b"# one\n# \xff\n").unwrap();
    let error = ConfigFile::load(&path).unwrap_err().to_string();
    assert!(error.ends_with("config.toml:2:3: not UTF-8"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    for (secret, mode, warned) in [
        ("\"s\"", 0o644, true),
        ("\"s\"", 0o600, false),
        ("{ file = \"key\" }", 0o644, false),
    ] {
        let text =
            format!("[profile.p]\naccess_key_id = \"LTAIp\"\naccess_key_secret = {secret}\n");
        let mut file = fs_err::File::create(&path).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        let mode = std::fs::Permissions::from_mode(mode);
        fs_err::set_permissions(&path, mode).unwrap();
        let config = ConfigFile::load(&path).unwrap();
        assert_eq!(!config.warnings().is_empty(), warned, "{text}");
        if warned {
            assert!(config.warnings()[0].to_string().contains("(mode 0644)"));
        }
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_mistake() {
    let toml = format!("\u{feff}{}", PROFILES.replace('\n', "\r\n"));
    check(&toml, "| --profile=ops | base -> dev -> ops");
}

/// Names that collide often enough to chain, to cycle, to be missing.
fn name() -> impl Strategy<Value = String> {
    "[abc]"
}

proptest! {
    #[test]
    fn any_text_as_config_toml_is_a_plan_or_an_error(text in ".{0,200}", flags in "(--profile=a)?") {
        let _ = plan(&text, "KEY", &flags);
    }

    /// A valid file with a piece cut out or changed: an error never shows the secret.
    #[test]
    fn a_damaged_file_never_shows_its_secret(at in 0_usize..200, cut in 0_usize..8, put in ".{0,3}") {
        let text = "default_profile = \"p\"\n[profile.p]\naccess_key_id = \"LTAIp\"\n\
                    access_key_secret = \"canary0canary\"\nrole_arn = \"acs:ram::1:role/x\"\n";
        let damaged: String = text.chars().take(at).chain(put.chars())
            .chain(text.chars().skip(at + cut)).collect();
        if let Err(error) = plan(&damaged, "", "") {
            // A key or another value that the damage made of the secret is no longer it.
            let shown = format!("{error} {error:?} {:?}", error.hints());
            prop_assert!(!shown.contains("canary0canary"), "{}\n{}", damaged, shown);
        }
    }

    /// Whatever profiles refer to whatever: there is a plan or an error, and the search ends.
    #[test]
    fn profiles_in_any_tangle_end(
        profiles in proptest::collection::btree_map(
            name(), (proptest::option::of(name()), any::<bool>(), any::<bool>()), 0..4),
        default in proptest::option::of(name()),
        named in proptest::option::of(name()),
    ) {
        let mut toml = default.map(|d| format!("default_profile = \"{d}\"\n")).unwrap_or_default();
        for (name, (source, key, role)) in &profiles {
            let _ = writeln!(toml, "[profile.{name}]");
            if let Some(source) = source {
                let _ = writeln!(toml, "source_profile = \"{source}\"");
            }
            if *key {
                toml += "access_key_id = \"LTAIx\"\naccess_key_secret = \"s\"\n";
            }
            if *role {
                let _ = writeln!(toml, "role_arn = \"role:{name}\"");
            }
        }
        let flags = named.map(|n| format!("--profile={n}")).unwrap_or_default();
        if let Ok(plan) = plan(&toml, "", &flags) {
            prop_assert!(plan.base.is_long_lived());
            prop_assert!(plan.hops.len() <= profiles.len() + 1);
        }
    }

    #[test]
    fn any_environment_is_a_plan_or_an_error(
        values in proptest::collection::vec((0_usize..14, ".{0,20}"), 0..14),
    ) {
        let names = [
            "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            "ALIBABA_CLOUD_SECURITY_TOKEN", "ALIBABACLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_ROLE_SESSION_NAME",
            "ALIBABA_CLOUD_EXTERNAL_ID", "STSCTL_PROFILE", "STSCTL_EXPIRATION",
            "STSCTL_ROLE_ARN", "ALIBABA_CLOUD_REGION_ID", "STSCTL_STS_ENDPOINT",
            "ALIBABA_CLOUD_STS_ENDPOINT", "ALIBABA_CLOUD_STS_REGION",
        ];
        let env = Env::from_vars(values.into_iter().map(|(at, value)| (names[at], value)));
        let config = ConfigFile::parse(Path::new("config.toml"), &full(PROFILES)).unwrap();
        let _ = resolve(&wanted(""), &env, &config, now());
    }
}
