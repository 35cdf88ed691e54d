//! No identity, or a broken one: exit code 3 where there is none, 2 where what is configured must
//! be changed. No error shows a secret.

use snapbox::str;

use crate::cloud::ALICE;
use crate::run::Run;
use crate::world::{ROLE, World};

#[test]
fn no_credentials_at_all() {
    let world = World::new();
    bare(&world, &["env"]).assert(str![[r#"
exit 3
2> error: no credentials are configured
2>
2> hint: named profile: neither --profile nor STSCTL_PROFILE is given
2> hint: environment: ALIBABA_CLOUD_ACCESS_KEY_ID is not set
2> hint: default profile: [HOME]/config/config.toml has no default_profile
2> hint: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or add a profile with `stsctl profile add`
"#]]);
    bare(&world, &["assume", "--role-arn", ROLE]).assert(str![[r#"
exit 3
2> error: no credentials are configured
2>
2> hint: named profile: neither --profile nor STSCTL_PROFILE is given
2> hint: environment: ALIBABA_CLOUD_ACCESS_KEY_ID is not set
2> hint: default profile: [HOME]/config/config.toml has no default_profile
2> hint: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or add a profile with `stsctl profile add`
"#]]);
    bare(&world, &["env", "--error-format", "json"]).assert(str![[r#"
exit 3
2> {"error":{"code":null,"hints":["named profile: neither --profile nor STSCTL_PROFILE is given","environment: ALIBABA_CLOUD_ACCESS_KEY_ID is not set","default profile: [HOME]/config/config.toml has no default_profile","set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or add a profile with `stsctl profile add`"],"kind":"credentials","message":"no credentials are configured","request_id":null}}
"#]]);
}

#[test]
fn half_of_a_pair() {
    let world = World::new();
    bare(&world, &["assume", "--role-arn", ROLE])
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", ALICE.0)
        .assert(str![[r#"
exit 2
2> error: `ALIBABA_CLOUD_ACCESS_KEY_ID` is set without `ALIBABA_CLOUD_ACCESS_KEY_SECRET`
2>
2> hint: set `ALIBABA_CLOUD_ACCESS_KEY_SECRET` too; other spellings of these variables are not looked at
"#]]);
    bare(&world, &["assume", "--role-arn", ROLE])
        .env("ALICLOUD_ACCESS_KEY_SECRET", "canary")
        .assert(str![[r#"
exit 2
2> error: `ALICLOUD_ACCESS_KEY_SECRET` is set without `ALICLOUD_ACCESS_KEY_ID`
2>
2> hint: set `ALICLOUD_ACCESS_KEY_ID` too; other spellings of these variables are not looked at
"#]]);
    // Another spelling is no substitute.
    bare(&world, &["assume", "--role-arn", ROLE])
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", ALICE.0)
        .env("ALIBABACLOUD_ACCESS_KEY_SECRET", ALICE.1)
        .assert(str![[r#"
exit 2
2> error: `ALIBABA_CLOUD_ACCESS_KEY_ID` is set without `ALIBABA_CLOUD_ACCESS_KEY_SECRET`
2>
2> hint: set `ALIBABA_CLOUD_ACCESS_KEY_SECRET` too; other spellings of these variables are not looked at
"#]]);
    bare(&world, &["assume", "--role-arn", ROLE])
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", "STS.temporary")
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "canary")
        .assert(str![[r#"
exit 2
2> error: `ALIBABA_CLOUD_ACCESS_KEY_ID` is set without `ALIBABA_CLOUD_SECURITY_TOKEN`
2>
2> hint: set `ALIBABA_CLOUD_SECURITY_TOKEN` too; other spellings of these variables are not looked at
"#]]);
}

#[test]
fn a_long_lived_key_is_never_handed_out() {
    let world = World::new();
    world
        .stsctl(["env"])
        .without(["ALIBABA_CLOUD_ROLE_ARN"])
        .assert(str![[r#"
exit 2
2> error: no role to assume: `LTAIalice` is a long-lived AccessKey, which is never handed out
2>
2> hint: pass --role-arn acs:ram::<account id>:role/<role name>, set ALIBABA_CLOUD_ROLE_ARN, or name a --profile with a role_arn
"#]]);
    world.stsctl(["env", "--no-role"]).assert(str![[r#"
exit 2
2> error: no role to assume: `LTAIalice` is a long-lived AccessKey, which is never handed out
2>
2> hint: pass --role-arn acs:ram::<account id>:role/<role name>, set ALIBABA_CLOUD_ROLE_ARN, or name a --profile with a role_arn
"#]]);
    world
        .stsctl(["assume", "--no-role", "--role-arn", ROLE])
        .assert(str![[r#"
exit 2
2> error: the argument '--no-role' cannot be used with '--role-arn <ARN>'
2>
2> Usage: stsctl assume --no-role
2>
2> For more information, try '--help'.
"#]]);
}

#[test]
fn a_secret_on_the_command_line_is_not_echoed() {
    let world = World::new();
    world
        .stsctl(["assume", "--access-key-secret", "canary"])
        .assert(str![[r#"
exit 2
2> error: there is no option `--access-key-secret`: a secret never goes on the command line, where every process can read it
2>
2> hint: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET (and ALIBABA_CLOUD_SECURITY_TOKEN) in the environment
2> hint: or store it: `stsctl profile add NAME --access-key-id LTAI… --secret-stdin` reads the AccessKeySecret from stdin
"#]]);
    for args in [
        ["env", "--secret=canary", "--error-format=json"],
        ["env", "--Access-Key-Secret=canary", "-vv"],
        ["whoami", "--security-token", "canary"],
        ["oss", "--sts-token=canary", "put"],
    ] {
        let stderr = world.stsctl(args).stderr(2);
        assert!(!stderr.contains("canary"), "{stderr}");
        assert!(
            stderr.contains("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
            "{stderr}"
        );
    }
}

#[test]
fn an_unknown_profile_is_told_its_nearest_name() {
    let world = World::new();
    world.stsctl(["assume", "-p", "dev"]).assert(str![[r#"
exit 2
2> error: there is no profile `dev`
2>
2> hint: no profiles are configured; add one with `stsctl profile add`
"#]]);
    world.config("[profile.develop]\naccess_key_id = \"LTAIx\"\naccess_key_secret = \"x\"\n[profile.prod]\nsource_profile = \"develo\"\nrole_arn = \"acs:ram::1234567890123456:role/x\"\n");
    world.stsctl(["assume", "-p", "devlop"]).assert(str![[r#"
exit 2
2> error: there is no profile `devlop`
2>
2> hint: did you mean `develop`?
2> hint: known profiles: develop, prod
"#]]);
    world
        .stsctl(["assume"])
        .env("STSCTL_PROFILE", "nothing-like-it")
        .assert(str![[r#"
exit 2
2> error: there is no profile `nothing-like-it`, which STSCTL_PROFILE names
2>
2> hint: known profiles: develop, prod
"#]]);
    world.stsctl(["assume", "-p", "prod"]).assert(str![[r#"
exit 2
2> error: there is no profile `develo`, which `source_profile` of profile `prod` names
2>
2> hint: did you mean `develop`?
2> hint: known profiles: develop, prod
"#]]);
}

#[test]
fn a_cycle_of_profiles_is_shown() {
    let world = World::new();
    world.config(
        r#"
        [profile.a]
        source_profile = "b"
        role_arn = "acs:ram::1234567890123456:role/a"
        [profile.b]
        source_profile = "c"
        role_arn = "acs:ram::1234567890123456:role/b"
        [profile.c]
        source_profile = "b"
        role_arn = "acs:ram::1234567890123456:role/c"
        "#,
    );
    world.stsctl(["assume", "-p", "a"]).assert(str![[r#"
exit 2
2> error: the profiles form a cycle: b → c → b
2>
2> hint: one of these profiles needs an access_key_id in place of its source_profile
"#]]);
}

#[test]
fn a_broken_config_is_located_and_its_text_not_shown() {
    let world = World::new();
    for toml in [
        "[profile.a]\naccess_key_secret = \"canary\n",
        "[profile.a]\naccess_key_secret = canary\n",
        "[profile.a]\n  role_arm = \"canary\"\n",
        "[profile.a]\nduration = 5\nrole_arn = [1]\n",
        "default_profile = \"b\"\n[profile.a]\n",
        "[profile.a]\naccess_key_id = \"a\"\naccess_key_id = \"b\"\n",
    ] {
        world.config(toml);
        let stderr = world.stsctl(["assume", "-p", "a"]).stderr(2);
        assert!(!stderr.contains("canary"), "{stderr}");
        assert!(
            stderr.contains("config.toml:") || toml.starts_with("default"),
            "{stderr}"
        );
    }
    world.config("[profile.a]\naccess_key_secret = \"canary\n");
    world.stsctl(["assume"]).assert(str![[r#"
exit 2
2> error: [HOME]/config/config.toml:2:28: invalid basic string, expected `"`
2>
2> hint: mend the file at that line and column; nothing in it was used
"#]]);
    world.config("[profile.a]\n  role_arm = \"canary\"\n");
    world.stsctl(["assume", "-p", "a"]).assert(str![[r#"
exit 2
2> error: [HOME]/config/config.toml:2:3: unknown key `role_arm` of profile `a`
2>
2> hint: did you mean `role_arn`?
"#]]);
    world.config("[profile.a]\nrole_arn = \"acs:ram::1234567890123456:role/x\"\nduration = true\n");
    world
        .stsctl(["assume", "-p", "a", "--error-format=json"])
        .assert(str![[r#"
exit 2
2> {"error":{"code":null,"hints":["mend the file at that line and column; nothing in it was used"],"kind":"usage","message":"[HOME]/config/config.toml:3:12: `duration` of profile `a` must be a string, not a value of type boolean","request_id":null}}
"#]]);
}

#[test]
fn a_secret_that_its_source_does_not_give_is_an_error() {
    let world = World::new();
    let with = |source: &str| {
        world.config(&format!("[profile.a]\naccess_key_id = \"LTAIalice\"\naccess_key_secret = {source}\nrole_arn = \"{ROLE}\"\n"));
        world.stsctl(["assume", "-p", "a"])
    };
    with("{ command = [\"no-such-program\", \"canary\"] }").assert(str![[r#"
exit 2
2> error: cannot run `no-such-program` for the AccessKeySecret
2>   caused by: No such file or directory (os error 2)
2>
2> hint: `command` is a list of the program and its arguments; no shell is involved
"#]]);
    with("{ file = \"missing\" }").assert(str![[r#"
exit 2
2> error: cannot read the AccessKeySecret
2>   caused by: failed to query resolved metadata `[HOME]/config/missing`: No such file or directory (os error 2)
"#]]);
    if cfg!(unix) {
        with("{ command = [\"sh\", \"-c\", \"echo canary; exit 3\"] }").assert(str![[r#"
exit 3
2> error: `sh`, run for the AccessKeySecret, failed (exit status: 3)
2>
2> hint: run the command by hand: the first line of its output must be the AccessKeySecret
"#]]);
        with("{ command = [\"true\"] }").assert(str![[r#"
exit 2
2> error: what `true` printed is empty
"#]]);
        world.file("loose", "canary");
        fs_err::rename(world.path("work/loose"), world.config_dir().join("loose")).unwrap();
        open_to_all(&world.config_dir().join("loose"));
        with("{ file = \"loose\" }").assert(str![[r#"
exit 2
2> error: the secret file `[HOME]/config/loose` can be read or written by others (mode 0644)
2>
2> hint: make it yours alone: chmod 600 '[HOME]/config/loose'
"#]]);
    }
}

/// The program without any identity in its environment.
fn bare(world: &World, args: &[&str]) -> Run {
    world.stsctl(args).without([
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "ALIBABA_CLOUD_ROLE_ARN",
    ])
}

#[cfg(unix)]
fn open_to_all(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    fs_err::set_permissions(path, PermissionsExt::from_mode(0o644)).unwrap();
}

#[cfg(not(unix))]
fn open_to_all(_path: &std::path::Path) {}
