//! `stsctl env`: what a shell is given, and what it makes of it.

use std::collections::BTreeMap;
use std::ffi::OsString;

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use snapbox::str;
use stsctl::cache::Entry;

use crate::run::{Run, program};
use crate::world::{ROLE, World};

#[test]
fn each_unix_shell_gets_its_own_form() {
    let world = World::new();
    let env = |shell: &str| world.stsctl(["env", "--shell", shell]);
    let sh = env("sh").assert(str![[r#"
exit 0
1> export ALIBABA_CLOUD_ACCESS_KEY_ID='[STS_ID]'
1> export ALIBABA_CLOUD_ACCESS_KEY_SECRET='[SECRET]'
1> export ALIBABA_CLOUD_SECURITY_TOKEN='[SECRET]'
1> export OSS_ACCESS_KEY_ID='[STS_ID]'
1> export OSS_ACCESS_KEY_SECRET='[SECRET]'
1> export OSS_SESSION_TOKEN='[SECRET]'
1> export ALICLOUD_ACCESS_KEY='[STS_ID]'
1> export ALICLOUD_SECRET_KEY='[SECRET]'
1> export ALICLOUD_SECURITY_TOKEN='[SECRET]'
1> export ALIBABA_CLOUD_REGION_ID='cn-hangzhou'
1> export OSS_REGION='cn-hangzhou'
1> export ALICLOUD_REGION='cn-hangzhou'
1> export STSCTL_EXPIRATION='[TIME]'
1> export STSCTL_ROLE_ARN='acs:ram::1234567890123456:role/testrole'
1> unset ALIBABA_CLOUD_ROLE_ARN
"#]]);
    assert_eq!(env("bash").stdout().as_bytes(), sh.stdout);
    assert_eq!(env("zsh").stdout().as_bytes(), sh.stdout);
    env("fish").assert(str![[r#"
exit 0
1> set -gx ALIBABA_CLOUD_ACCESS_KEY_ID '[STS_ID]';
1> set -gx ALIBABA_CLOUD_ACCESS_KEY_SECRET '[SECRET]';
1> set -gx ALIBABA_CLOUD_SECURITY_TOKEN '[SECRET]';
1> set -gx OSS_ACCESS_KEY_ID '[STS_ID]';
1> set -gx OSS_ACCESS_KEY_SECRET '[SECRET]';
1> set -gx OSS_SESSION_TOKEN '[SECRET]';
1> set -gx ALICLOUD_ACCESS_KEY '[STS_ID]';
1> set -gx ALICLOUD_SECRET_KEY '[SECRET]';
1> set -gx ALICLOUD_SECURITY_TOKEN '[SECRET]';
1> set -gx ALIBABA_CLOUD_REGION_ID 'cn-hangzhou';
1> set -gx OSS_REGION 'cn-hangzhou';
1> set -gx ALICLOUD_REGION 'cn-hangzhou';
1> set -gx STSCTL_EXPIRATION '[TIME]';
1> set -gx STSCTL_ROLE_ARN 'acs:ram::1234567890123456:role/testrole';
1> set -eg ALIBABA_CLOUD_ROLE_ARN; if set -qx ALIBABA_CLOUD_ROLE_ARN; set -gx ALIBABA_CLOUD_ROLE_ARN ''; end;
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 1);
}

#[test]
fn every_other_reader_gets_its_own_form() {
    let world = World::new();
    let env = |shell: &str| world.stsctl(["env", "--shell", shell]);
    env("powershell").assert(str![[r#"
exit 0
1> $env:ALIBABA_CLOUD_ACCESS_KEY_ID = '[STS_ID]'
1> $env:ALIBABA_CLOUD_ACCESS_KEY_SECRET = '[SECRET]'
1> $env:ALIBABA_CLOUD_SECURITY_TOKEN = '[SECRET]'
1> $env:OSS_ACCESS_KEY_ID = '[STS_ID]'
1> $env:OSS_ACCESS_KEY_SECRET = '[SECRET]'
1> $env:OSS_SESSION_TOKEN = '[SECRET]'
1> $env:ALICLOUD_ACCESS_KEY = '[STS_ID]'
1> $env:ALICLOUD_SECRET_KEY = '[SECRET]'
1> $env:ALICLOUD_SECURITY_TOKEN = '[SECRET]'
1> $env:ALIBABA_CLOUD_REGION_ID = 'cn-hangzhou'
1> $env:OSS_REGION = 'cn-hangzhou'
1> $env:ALICLOUD_REGION = 'cn-hangzhou'
1> $env:STSCTL_EXPIRATION = '[TIME]'
1> $env:STSCTL_ROLE_ARN = 'acs:ram::1234567890123456:role/testrole'
1> Remove-Item Env:ALIBABA_CLOUD_ROLE_ARN -ErrorAction SilentlyContinue
"#]]);
    env("cmd").assert(str![[r#"
exit 0
1> set "ALIBABA_CLOUD_ACCESS_KEY_ID=[STS_ID]"
1> set "ALIBABA_CLOUD_ACCESS_KEY_SECRET=[SECRET]"
1> set "ALIBABA_CLOUD_SECURITY_TOKEN=[SECRET]"
1> set "OSS_ACCESS_KEY_ID=[STS_ID]"
1> set "OSS_ACCESS_KEY_SECRET=[SECRET]"
1> set "OSS_SESSION_TOKEN=[SECRET]"
1> set "ALICLOUD_ACCESS_KEY=[STS_ID]"
1> set "ALICLOUD_SECRET_KEY=[SECRET]"
1> set "ALICLOUD_SECURITY_TOKEN=[SECRET]"
1> set "ALIBABA_CLOUD_REGION_ID=cn-hangzhou"
1> set "OSS_REGION=cn-hangzhou"
1> set "ALICLOUD_REGION=cn-hangzhou"
1> set "STSCTL_EXPIRATION=[TIME]"
1> set "STSCTL_ROLE_ARN=acs:ram::1234567890123456:role/testrole"
1> set "ALIBABA_CLOUD_ROLE_ARN="
"#]]);
    env("nu").assert(str![[r#"
exit 0
1> $env.ALIBABA_CLOUD_ACCESS_KEY_ID = "[STS_ID]"
1> $env.ALIBABA_CLOUD_ACCESS_KEY_SECRET = "[SECRET]"
1> $env.ALIBABA_CLOUD_SECURITY_TOKEN = "[SECRET]"
1> $env.OSS_ACCESS_KEY_ID = "[STS_ID]"
1> $env.OSS_ACCESS_KEY_SECRET = "[SECRET]"
1> $env.OSS_SESSION_TOKEN = "[SECRET]"
1> $env.ALICLOUD_ACCESS_KEY = "[STS_ID]"
1> $env.ALICLOUD_SECRET_KEY = "[SECRET]"
1> $env.ALICLOUD_SECURITY_TOKEN = "[SECRET]"
1> $env.ALIBABA_CLOUD_REGION_ID = "cn-hangzhou"
1> $env.OSS_REGION = "cn-hangzhou"
1> $env.ALICLOUD_REGION = "cn-hangzhou"
1> $env.STSCTL_EXPIRATION = "[TIME]"
1> $env.STSCTL_ROLE_ARN = "acs:ram::1234567890123456:role/testrole"
1> hide-env -i ALIBABA_CLOUD_ROLE_ARN
"#]]);
    env("dotenv").assert(str![[r#"
exit 0
1> ALIBABA_CLOUD_ACCESS_KEY_ID=[STS_ID]
1> ALIBABA_CLOUD_ACCESS_KEY_SECRET=[SECRET]
1> ALIBABA_CLOUD_SECURITY_TOKEN=[SECRET]
1> OSS_ACCESS_KEY_ID=[STS_ID]
1> OSS_ACCESS_KEY_SECRET=[SECRET]
1> OSS_SESSION_TOKEN=[SECRET]
1> ALICLOUD_ACCESS_KEY=[STS_ID]
1> ALICLOUD_SECRET_KEY=[SECRET]
1> ALICLOUD_SECURITY_TOKEN=[SECRET]
1> ALIBABA_CLOUD_REGION_ID=cn-hangzhou
1> OSS_REGION=cn-hangzhou
1> ALICLOUD_REGION=cn-hangzhou
1> STSCTL_EXPIRATION=[TIME]
1> STSCTL_ROLE_ARN=acs:ram::1234567890123456:role/testrole
1> ALIBABA_CLOUD_ROLE_ARN=
"#]]);
    env("json").assert(str![[r#"
exit 0
1> {
1>   "ALIBABA_CLOUD_ACCESS_KEY_ID": "[STS_ID]",
1>   "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "[SECRET]",
1>   "ALIBABA_CLOUD_SECURITY_TOKEN": "[SECRET]",
1>   "OSS_ACCESS_KEY_ID": "[STS_ID]",
1>   "OSS_ACCESS_KEY_SECRET": "[SECRET]",
1>   "OSS_SESSION_TOKEN": "[SECRET]",
1>   "ALICLOUD_ACCESS_KEY": "[STS_ID]",
1>   "ALICLOUD_SECRET_KEY": "[SECRET]",
1>   "ALICLOUD_SECURITY_TOKEN": "[SECRET]",
1>   "ALIBABA_CLOUD_REGION_ID": "cn-hangzhou",
1>   "OSS_REGION": "cn-hangzhou",
1>   "ALICLOUD_REGION": "cn-hangzhou",
1>   "STSCTL_EXPIRATION": "[TIME]",
1>   "STSCTL_ROLE_ARN": "acs:ram::1234567890123456:role/testrole",
1>   "ALIBABA_CLOUD_ROLE_ARN": null
1> }
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 1);
}

#[test]
fn the_shell_is_taken_from_the_environment() {
    let world = World::new();
    let asked = |shell| world.stsctl(["env", "--shell", shell]).stdout();
    let found = |path| world.stsctl(["env"]).env("SHELL", path).stdout();
    assert_eq!(found("/usr/bin/fish"), asked("fish"));
    assert_eq!(found("/bin/zsh"), asked("zsh"));
    assert_eq!(found("/no/such/shell"), asked("sh"));
    assert_eq!(world.stsctl(["env"]).stdout(), asked("sh"));
    assert_ne!(asked("fish"), asked("sh"));
}

#[test]
fn what_contradicts_the_session_is_removed_and_nothing_else() {
    let world = World::new();
    world
        .stsctl(["env"])
        .env("ALICLOUD_ACCESS_KEY_ID", "LTAIold")
        .env("SECURITY_TOKEN", "old")
        .env("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:1")
        .env("STSCTL_PROFILE", "")
        .without(["ALIBABA_CLOUD_REGION_ID"])
        .assert(str![[r#"
exit 0
1> export ALIBABA_CLOUD_ACCESS_KEY_ID='[STS_ID]'
1> export ALIBABA_CLOUD_ACCESS_KEY_SECRET='[SECRET]'
1> export ALIBABA_CLOUD_SECURITY_TOKEN='[SECRET]'
1> export OSS_ACCESS_KEY_ID='[STS_ID]'
1> export OSS_ACCESS_KEY_SECRET='[SECRET]'
1> export OSS_SESSION_TOKEN='[SECRET]'
1> export ALICLOUD_ACCESS_KEY='[STS_ID]'
1> export ALICLOUD_SECRET_KEY='[SECRET]'
1> export ALICLOUD_SECURITY_TOKEN='[SECRET]'
1> export STSCTL_EXPIRATION='[TIME]'
1> export STSCTL_ROLE_ARN='acs:ram::1234567890123456:role/testrole'
1> unset ALICLOUD_ACCESS_KEY_ID
1> unset SECURITY_TOKEN
1> unset ALIBABA_CLOUD_ROLE_ARN
1> unset ALIBABA_CLOUD_CREDENTIALS_URI
"#]]);
}

#[test]
fn the_removal_names_all_that_is_ever_set() {
    let world = World::new();
    world.stsctl(["env", "--unset"]).assert(str![[r#"
exit 0
1> unset ALIBABA_CLOUD_ACCESS_KEY_ID
1> unset ALIBABA_CLOUD_ACCESS_KEY_SECRET
1> unset ALIBABA_CLOUD_SECURITY_TOKEN
1> unset OSS_ACCESS_KEY_ID
1> unset OSS_ACCESS_KEY_SECRET
1> unset OSS_SESSION_TOKEN
1> unset ALICLOUD_ACCESS_KEY
1> unset ALICLOUD_SECRET_KEY
1> unset ALICLOUD_SECURITY_TOKEN
1> unset ALIBABA_CLOUD_REGION_ID
1> unset OSS_REGION
1> unset ALICLOUD_REGION
1> unset STSCTL_EXPIRATION
1> unset STSCTL_ROLE_ARN
"#]]);
    world.stsctl(["env", "--unset", "--shell", "fish"]).assert(str![[r#"
exit 0
1> set -eg ALIBABA_CLOUD_ACCESS_KEY_ID; if set -qx ALIBABA_CLOUD_ACCESS_KEY_ID; set -gx ALIBABA_CLOUD_ACCESS_KEY_ID ''; end;
1> set -eg ALIBABA_CLOUD_ACCESS_KEY_SECRET; if set -qx ALIBABA_CLOUD_ACCESS_KEY_SECRET; set -gx ALIBABA_CLOUD_ACCESS_KEY_SECRET ''; end;
1> set -eg ALIBABA_CLOUD_SECURITY_TOKEN; if set -qx ALIBABA_CLOUD_SECURITY_TOKEN; set -gx ALIBABA_CLOUD_SECURITY_TOKEN ''; end;
1> set -eg OSS_ACCESS_KEY_ID; if set -qx OSS_ACCESS_KEY_ID; set -gx OSS_ACCESS_KEY_ID ''; end;
1> set -eg OSS_ACCESS_KEY_SECRET; if set -qx OSS_ACCESS_KEY_SECRET; set -gx OSS_ACCESS_KEY_SECRET ''; end;
1> set -eg OSS_SESSION_TOKEN; if set -qx OSS_SESSION_TOKEN; set -gx OSS_SESSION_TOKEN ''; end;
1> set -eg ALICLOUD_ACCESS_KEY; if set -qx ALICLOUD_ACCESS_KEY; set -gx ALICLOUD_ACCESS_KEY ''; end;
1> set -eg ALICLOUD_SECRET_KEY; if set -qx ALICLOUD_SECRET_KEY; set -gx ALICLOUD_SECRET_KEY ''; end;
1> set -eg ALICLOUD_SECURITY_TOKEN; if set -qx ALICLOUD_SECURITY_TOKEN; set -gx ALICLOUD_SECURITY_TOKEN ''; end;
1> set -eg ALIBABA_CLOUD_REGION_ID; if set -qx ALIBABA_CLOUD_REGION_ID; set -gx ALIBABA_CLOUD_REGION_ID ''; end;
1> set -eg OSS_REGION; if set -qx OSS_REGION; set -gx OSS_REGION ''; end;
1> set -eg ALICLOUD_REGION; if set -qx ALICLOUD_REGION; set -gx ALICLOUD_REGION ''; end;
1> set -eg STSCTL_EXPIRATION; if set -qx STSCTL_EXPIRATION; set -gx STSCTL_EXPIRATION ''; end;
1> set -eg STSCTL_ROLE_ARN; if set -qx STSCTL_ROLE_ARN; set -gx STSCTL_ROLE_ARN ''; end;
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 0);
}

#[test]
#[cfg(unix)]
fn a_shell_that_evaluates_it_has_the_session() {
    let world = World::new();
    world.file("hello.txt", "hello");
    let script = r#"
        set -eu
        eval "$(stsctl env)"
        stsctl oss put demo-bucket hello.txt hello.txt >&2
        stsctl env > again
        eval "$(cat again)"
        stsctl whoami > whoami
        env
    "#;
    let output = sh(&world, script).output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(
        stderr.starts_with("put demo-bucket/hello.txt (5 bytes, ") && stderr.lines().count() == 1
    );
    let session = world.entries().remove(0).session;
    let seen = variables(&output.stdout);
    let secret = session.access_key_secret.expose_secret();
    let token = session.security_token.expose_secret();
    for (name, value) in [
        (
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            session.access_key_id.as_str(),
        ),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", token),
        ("OSS_ACCESS_KEY_ID", session.access_key_id.as_str()),
        ("OSS_ACCESS_KEY_SECRET", secret),
        ("OSS_SESSION_TOKEN", token),
        ("ALICLOUD_ACCESS_KEY", session.access_key_id.as_str()),
        ("ALICLOUD_SECRET_KEY", secret),
        ("ALICLOUD_SECURITY_TOKEN", token),
        ("STSCTL_EXPIRATION", &session.expiration.to_string()),
        ("STSCTL_ROLE_ARN", ROLE),
        ("OSS_ENDPOINT", &world.cloud.url()),
    ] {
        assert_eq!(seen.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!seen.contains_key("ALIBABA_CLOUD_ROLE_ARN"));
    // The second `env` and the upload took the exported session for what it is.
    assert_eq!(world.cloud.calls("AssumeRole"), 1);
    assert_eq!(
        world.cloud.object("demo-bucket", "hello.txt").body,
        b"hello"
    );
    let again = fs_err::read_to_string(world.path("work/again")).unwrap();
    assert!(again.contains(session.access_key_id.as_str()));
    let whoami = fs_err::read_to_string(world.path("work/whoami")).unwrap();
    assert!(whoami.contains("assumed-role/testrole/test"), "{whoami}");
}

#[test]
#[cfg(unix)]
fn a_shell_that_evaluates_the_removal_has_nothing_left() {
    let world = World::new();
    let script = r#"set -eu; eval "$(stsctl env)"; eval "$(stsctl env --unset)"; env"#;
    let seen = variables(sh(&world, script).stdout().as_bytes());
    let left: Vec<_> = seen
        .keys()
        .filter(|name| name.contains("KEY") || name.contains("TOKEN") || name.contains("ROLE_ARN"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn github_gets_a_file_and_the_log_only_masks() {
    let world = World::new();
    let file = world.file("github_env", "BEFORE=1\n");
    let output = world
        .stsctl(["env", "--shell", "github"])
        .env("GITHUB_ENV", &file)
        .assert(str![[r#"
exit 0
1> ::add-mask::[SECRET]
1> ::add-mask::[SECRET]
2> $GITHUB_ENV is written for the steps that follow
"#]]);
    let Entry { session, .. } = world.entries().remove(0);
    let secret = session.access_key_secret.expose_secret();
    let token = session.security_token.expose_secret();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        stdout,
        format!("::add-mask::{secret}\n::add-mask::{token}\n")
    );
    let text = fs_err::read_to_string(&file).unwrap();
    assert!(text.starts_with("BEFORE=1\n"), "what was there is kept");
    let block = |name: &str, value: &str| {
        let (_, rest) = text.split_once(&format!("\n{name}<<")).unwrap();
        let (delimiter, rest) = rest.split_once('\n').unwrap();
        rest.starts_with(&format!("{value}\n{delimiter}\n"))
    };
    assert!(block(
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        session.access_key_id.as_str()
    ));
    assert!(block("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret));
    assert!(block("OSS_SESSION_TOKEN", token));
    // The next run ends its blocks with another word.
    let delimiter = |text: &str| {
        text.split_once("<<")
            .unwrap()
            .1
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    let first = delimiter(&text);
    let again = world.file("again", "");
    world
        .stsctl(["env", "-q", "--shell", "github"])
        .env("GITHUB_ENV", &again)
        .stdout();
    assert_ne!(delimiter(&fs_err::read_to_string(again).unwrap()), first);
}

#[test]
fn github_elsewhere_is_told_where_it_is_not() {
    let world = World::new();
    world.stsctl(["env", "--shell", "github"]).assert(str![[r#"
exit 2
2> error: --shell github needs $GITHUB_ENV, which GitHub Actions sets
2>
2> hint: outside GitHub Actions use --shell sh, or --shell dotenv for a file
"#]]);
}

#[test]
fn an_exported_session_is_handed_on_while_it_lasts() {
    let world = World::new();
    let exported = || {
        let all = world.stsctl(["env", "--shell", "json"]).json();
        let mut run = world
            .stsctl(["env"])
            .without(["ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_ROLE_SESSION_NAME"]);
        for (name, value) in all.as_object().unwrap() {
            if let Some(value) = value.as_str() {
                run = run.env(name, value);
            }
        }
        run
    };
    exported().assert(str![[r#"
exit 0
1> export ALIBABA_CLOUD_ACCESS_KEY_ID='[STS_ID]'
1> export ALIBABA_CLOUD_ACCESS_KEY_SECRET='[SECRET]'
1> export ALIBABA_CLOUD_SECURITY_TOKEN='[SECRET]'
1> export OSS_ACCESS_KEY_ID='[STS_ID]'
1> export OSS_ACCESS_KEY_SECRET='[SECRET]'
1> export OSS_SESSION_TOKEN='[SECRET]'
1> export ALICLOUD_ACCESS_KEY='[STS_ID]'
1> export ALICLOUD_SECRET_KEY='[SECRET]'
1> export ALICLOUD_SECURITY_TOKEN='[SECRET]'
1> export ALIBABA_CLOUD_REGION_ID='cn-hangzhou'
1> export OSS_REGION='cn-hangzhou'
1> export ALICLOUD_REGION='cn-hangzhou'
1> export STSCTL_EXPIRATION='[TIME]'
1> export STSCTL_ROLE_ARN='acs:ram::1234567890123456:role/testrole'
"#]]);
    let at = |seconds: i64| {
        let end = world.cloud.now() + TimeDelta::seconds(seconds);
        end.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    // Near its end, and nothing to make another from: to the last second, with a warning.
    exported()
        .env("STSCTL_EXPIRATION", at(100))
        .assert(str![[r#"
exit 0
1> export ALIBABA_CLOUD_ACCESS_KEY_ID='[STS_ID]'
1> export ALIBABA_CLOUD_ACCESS_KEY_SECRET='[SECRET]'
1> export ALIBABA_CLOUD_SECURITY_TOKEN='[SECRET]'
1> export OSS_ACCESS_KEY_ID='[STS_ID]'
1> export OSS_ACCESS_KEY_SECRET='[SECRET]'
1> export OSS_SESSION_TOKEN='[SECRET]'
1> export ALICLOUD_ACCESS_KEY='[STS_ID]'
1> export ALICLOUD_SECRET_KEY='[SECRET]'
1> export ALICLOUD_SECURITY_TOKEN='[SECRET]'
1> export ALIBABA_CLOUD_REGION_ID='cn-hangzhou'
1> export OSS_REGION='cn-hangzhou'
1> export ALICLOUD_REGION='cn-hangzhou'
1> export STSCTL_EXPIRATION='[TIME]'
1> export STSCTL_ROLE_ARN='acs:ram::1234567890123456:role/testrole'
2> warning: the exported session for `acs:ram::1234567890123456:role/testrole` ends at [TIME] and cannot be renewed here: the identity it was made from is not in this environment
"#]]);
    exported().env("STSCTL_EXPIRATION", at(-1)).assert(str![[r#"
exit 3
2> error: the exported session for `acs:ram::1234567890123456:role/testrole` ended at [TIME]
2>
2> hint: the identity it was made from is not in this environment: name its profile with --profile, or set up a default_profile
2> hint: or go back to the shell that exported it, and export it again there
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 1);
}

/// A shell in which `stsctl` is the program under test.
fn sh(world: &World, script: &str) -> Run {
    let mut path = OsString::from(program().parent().unwrap());
    path.push(":/usr/bin:/bin");
    world.command("sh", ["-c", script]).env("PATH", path)
}

/// What `env` printed. No value here holds a line break.
fn variables(text: &[u8]) -> BTreeMap<String, String> {
    String::from_utf8_lossy(text)
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn an_exported_session_is_judged_by_the_clouds_clock() {
    for hours in [2, -2] {
        let world = World::new();
        world.cloud.move_clock(TimeDelta::hours(hours));
        let answer = world.stsctl(["assume", "-o", "json"]).json();
        let part = |name: &str| answer["Credentials"][name].as_str().unwrap().to_owned();
        let with_session = |args: &[&str]| {
            world
                .stsctl(args)
                .env("ALIBABA_CLOUD_ACCESS_KEY_ID", part("AccessKeyId"))
                .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", part("AccessKeySecret"))
                .env("ALIBABA_CLOUD_SECURITY_TOKEN", part("SecurityToken"))
                .env("STSCTL_EXPIRATION", part("Expiration"))
                .env("STSCTL_ROLE_ARN", ROLE)
                .without(["ALIBABA_CLOUD_ROLE_ARN"])
        };
        let again = with_session(&["env", "--shell", "json"]).json();
        assert_eq!(again["STSCTL_EXPIRATION"], part("Expiration"));
        // A stream can be sent once only, so the first signature must have the right time.
        with_session(&["oss", "put", "demo-bucket", "late", "-"])
            .stdin("x")
            .stdout();
        assert_eq!(world.cloud.calls("PutObject"), 1);
    }
}
