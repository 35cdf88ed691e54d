//! A cache that cannot be used, as a user sees it: the command succeeds, and a warning says how
//! to mend it.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use snapbox::str;

use crate::world::World;

#[test]
fn sessions_that_others_can_read_are_not_used() {
    let world = World::new();
    let first = world.assume(&[]);
    chmod(&world.sessions_dir(), 0o755);
    world.stsctl(["assume"]).assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/test
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
2> warning: the session cache is not used: `[HOME]/config/sessions` is open to others (mode 0755); run `chmod 700 [HOME]/config/sessions`
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
    world.stsctl(["cache", "list"]).assert(str![[r#"
exit 1
2> error: the session cache is not used: `[HOME]/config/sessions` is open to others (mode 0755)
2>
2> hint: run `chmod 700 [HOME]/config/sessions`
"#]]);
    // As the warning says.
    chmod(&world.sessions_dir(), 0o700);
    assert_eq!(world.assume(&[]), first);
}

#[test]
fn one_session_that_others_can_read_is_not_used() {
    let world = World::new();
    world.assume(&[]);
    chmod(&world.sessions(".json")[0], 0o640);
    world.stsctl(["env"]).assert(str![[r#"
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
2> warning: the session cache is not used: `[HOME]/config/sessions/[KEY].v1.json` is open to others (mode 0640); run `chmod 600 [HOME]/config/sessions/[KEY].v1.json`
"#]]);
}

#[test]
fn a_config_directory_that_others_can_write_is_not_trusted() {
    let world = World::new();
    world.assume(&[]);
    chmod(&world.config_dir(), 0o777);
    world.stsctl(["assume"]).assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/test
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
2> warning: the session cache is not used: `[HOME]/config` can be written by others (mode 0777); run `chmod go-w [HOME]/config`
"#]]);
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let world = World::new();
    world.assume(&[]);
    let elsewhere = world.path("elsewhere");
    fs_err::rename(world.sessions_dir(), &elsewhere).unwrap();
    symlink(&elsewhere, world.sessions_dir()).unwrap();
    world.stsctl(["assume"]).assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/test
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
2> warning: the session cache is not used: `[HOME]/config/sessions` is not a directory; run `rm [HOME]/config/sessions`
"#]]);
}

#[test]
fn a_file_in_the_way_costs_a_warning() {
    let world = World::new();
    world.config("");
    write(&world.sessions_dir(), "in the way");
    world.stsctl(["assume"]).assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/test
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
2> warning: the session cache is not used: `[HOME]/config/sessions` is not a directory; run `rm [HOME]/config/sessions`
"#]]);
}

#[test]
fn a_config_directory_that_cannot_be_made_costs_a_warning() {
    let world = World::new();
    write(&world.path("file"), "");
    let below = world.path("file").join("config");
    world
        .stsctl(["assume"])
        .env("STSCTL_CONFIG_DIR", below)
        .assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/test
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
2> warning: cannot look at `[HOME]/file/config`: Not a directory (os error [..]); the session cache is not used; --config-dir names another place for it
"#]]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_place_where_nothing_can_be_made_costs_a_warning() {
    let world = World::new();
    // Not even root makes a directory there.
    world
        .stsctl(["assume"])
        .env("STSCTL_CONFIG_DIR", "/proc/stsctl")
        .assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/test
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
2> warning: cannot create `/proc/stsctl/sessions`: No such file or directory (os error 2); the session cache is not used; --config-dir names another place for it
"#]]);
}

#[test]
fn a_read_only_config_directory_costs_a_warning() {
    let world = World::new();
    world.config("");
    chmod(&world.config_dir(), 0o500);
    // Root writes anyway, and needs no warning.
    let is_root = fs_err::create_dir(world.config_dir().join("probe")).is_ok();
    if is_root {
        world.assume(&[]);
    } else {
        world.stsctl(["assume"]).assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/test
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
2> warning: cannot create `[HOME]/config/sessions`: Permission denied (os error 13); the session cache is not used; --config-dir names another place for it
"#]]);
    }
    chmod(&world.config_dir(), 0o700);
}

#[test]
fn a_damaged_session_is_replaced_and_set_aside() {
    let world = World::new();
    let first = world.assume(&[]);
    let path = world.sessions(".json").remove(0);
    let text = fs_err::read_to_string(&path).unwrap();
    for damaged in [
        "",
        "{",
        &text[..text.len() / 2],
        &text.replace(&first, "STS.other"),
    ] {
        write(&path, damaged);
        let id = world.assume(&[]);
        assert_ne!(id, first);
        assert_eq!(world.assume(&[]), id, "it is replaced");
        let bad = world.sessions(".bad");
        assert_eq!(bad.len(), 1, "one for each session");
        assert_eq!(fs_err::read_to_string(&bad[0]).unwrap(), damaged);
        assert_eq!(mode(&bad[0]), 0o600);
    }
    assert_eq!(world.cloud.calls("AssumeRole"), 5);
    world.stsctl(["cache", "prune"]).assert(str![[r#"
exit 0
2> deleted 1 session
"#]]);
    assert!(world.sessions(".bad").is_empty());
}

#[test]
fn everything_is_private_from_the_start() {
    let world = World::new();
    world.assume(&[]);
    assert_eq!(mode(&world.config_dir()), 0o700);
    assert_eq!(mode(&world.sessions_dir()), 0o700);
    for path in world.sessions("") {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_loose_config_with_a_secret_costs_a_warning() {
    let world = World::new();
    world.config(&format!(
        "[profile.dev]\naccess_key_id = \"LTAIalice\"\naccess_key_secret = \"secret-of-alice\"\nrole_arn = \"{}\"\n",
        crate::world::ROLE
    ));
    chmod(&world.config_dir().join("config.toml"), 0o644);
    world.stsctl(["assume", "-p", "dev"]).assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/test
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
2> warning: `[HOME]/config/config.toml` holds a secret and can be read or written by others (mode 0644): chmod 600 '[HOME]/config/config.toml'
"#]]);
}

fn chmod(path: &Path, mode: u32) {
    fs_err::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs_err::metadata(path).unwrap().permissions().mode() & 0o777
}

fn write(path: &Path, content: &str) {
    use std::io::Write;
    let mut file = fs_err::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .unwrap();
    file.write_all(content.as_bytes()).unwrap();
}
