//! The sandbox as a Unix shell meets it: the script it prints, its life in the background, commands
//! inside it.

use std::io::{BufRead, BufReader};

use snapbox::{IntoData, str};

use crate::run::wait_for;
use crate::world::World;

#[test]
fn exec_ends_with_the_commands_own_code() {
    let world = World::new();
    let exec = |script: &str| world.stsctl(["sandbox", "exec", "--", "sh", "-c", script]);
    exec("true").assert(str!["exit 0"]);
    exec("exit 7").assert(str!["exit 7"]);
    exec("kill -9 $$").assert(str!["exit 137"]);
}

#[test]
fn a_command_inside_has_all_it_needs_and_nothing_else() {
    let world = World::new();
    world
        .stsctl(["sandbox", "exec", "--", "sh", "-c"])
        .args(["env | grep -v -e ^PATH= -e ^PWD= -e ^OLDPWD= -e ^SHLVL= -e ^_="])
        .env("ALICLOUD_ACCESS_KEY", "LTAIold")
        .env("STSCTL_PROFILE", "old")
        .env("ALIBABA_CLOUD_SECURITY_TOKEN", "old")
        .env("UNRELATED", "kept")
        .assert(
            str![[r#"
exit 0
1> ALIBABA_CLOUD_ACCESS_KEY_ID=[ACCESS_KEY_ID]
1> ALIBABA_CLOUD_REGION_ID=cn-hangzhou
1> ALIBABA_CLOUD_ROLE_ARN=acs:ram::1234567890123456:role/testrole
1> HOME=[HOME]
1> OSS_ENDPOINT=http://127.0.0.1:[PORT]
1> OSS_REGION=cn-hangzhou
1> STSCTL_CONFIG_DIR=[HOME]/tmp/stsctl-sandbox-[RANDOM]
1> STSCTL_IMS_ENDPOINT=http://127.0.0.1:[PORT]
1> STSCTL_LOCATION_ENDPOINT=http://127.0.0.1:[PORT]
1> STSCTL_OSS_ENDPOINT=http://127.0.0.1:[PORT]
1> STSCTL_RAM_ENDPOINT=http://127.0.0.1:[PORT]
1> STSCTL_SIGNIN_ENDPOINT=http://127.0.0.1:[PORT]
1> STSCTL_STS_ENDPOINT=http://127.0.0.1:[PORT]
1> TMPDIR=[HOME]/tmp
1> UNRELATED=kept
1> USER=alice
1> ALIBABA_CLOUD_ACCESS_KEY_SECRET=[SECRET]
"#]]
            .unordered(),
        );
}

#[test]
fn the_main_job_runs_inside() {
    let world = World::new();
    world.file("hello.txt", "hello");
    let program = crate::run::program().to_str().unwrap();
    let script = format!(
        r#"set -eu
        PATH="$(dirname '{program}'):$PATH"
        stsctl whoami --profile alice --no-role
        stsctl whoami --profile admin --no-role
        eval "$(stsctl env)"
        stsctl oss put demo-bucket hello.txt hello.txt
        "#
    );
    world
        .stsctl(["sandbox", "exec", "--", "sh", "-c", &script])
        .assert(str![[r#"
exit 0
1> Arn                acs:ram::1234567890123456:user/alice
1> IdentityType       RAMUser
1> AccountId          1234567890123456
1> PrincipalId        216959339000654321
1> UserId             216959339000654321
1> RequestId          [REQUEST_ID]
1> Source             profile `alice` of [HOME]/tmp/stsctl-sandbox-[RANDOM]/config.toml
1> SourceAccessKeyId  [ACCESS_KEY_ID]
1> Arn                acs:ram::1234567890123456:user/admin
1> IdentityType       RAMUser
1> AccountId          1234567890123456
1> PrincipalId        261234567890123400
1> UserId             261234567890123400
1> RequestId          [REQUEST_ID]
1> Source             profile `admin` of [HOME]/tmp/stsctl-sandbox-[RANDOM]/config.toml
1> SourceAccessKeyId  [ACCESS_KEY_ID]
1> put demo-bucket/hello.txt (5 bytes, CRC-64 11177612005948864433, RequestId [OSS_REQUEST_ID])
"#]]);
}

#[test]
fn it_serves_until_it_is_told_to_stop() {
    let world = World::new();
    let mut serving = world.stsctl(["sandbox", "serve"]).start();
    let lines = read_script(serving.take_stdout());
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with("export ") || line.starts_with("unset "))
    );
    let dir = std::path::PathBuf::from(value(&lines, "STSCTL_CONFIG_DIR"));
    assert!(dir.join("config.toml").is_file());
    serving.signal(rustix::process::Signal::TERM);
    serving.assert(str!["exit 0"]);
    assert!(!dir.exists(), "its directory ends with it");
}

#[test]
fn in_the_background_it_outlives_its_shell_and_stops_when_told() {
    let world = World::new();
    let program = crate::run::program().to_str().unwrap();
    let script = format!(
        r#"set -eu
        PATH="$(dirname '{program}'):$PATH"
        eval "$(stsctl sandbox serve --background --session-lifetime 100s)"
        trap 'stsctl sandbox stop -q' EXIT
        stsctl assume -q
        stsctl sandbox stop
        trap - EXIT
        ! stsctl sandbox stop
        test ! -e "$STSCTL_CONFIG_DIR"
        "#
    );
    world.command("sh", ["-c", &script]).assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/alice@[HOST]
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
2> stopped the sandbox (pid [PID])
2> hint: this shell's variables still point at it: close the shell before you go on
2> error: the sandbox (pid [PID]) is not running any more
"#]]);
}

#[test]
fn what_is_kept_in_a_directory_survives() {
    let world = World::new();
    let exec = |script: &str| {
        world
            .stsctl([
                "sandbox", "exec", "--data", "cloud", "--", "sh", "-c", script,
            ])
            .stdout()
    };
    let key = || exec("echo $ALIBABA_CLOUD_ACCESS_KEY_ID");
    assert_eq!(key(), key());
    assert!(key().starts_with("LTAI"));
}

/// Reads the script that `serve` prints, up to its last line.
fn read_script(stdout: std::process::ChildStdout) -> Vec<String> {
    let mut reader = BufReader::new(stdout);
    let mut lines: Vec<String> = Vec::new();
    wait_for("end of the script", || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        lines.push(line.trim_end().to_owned());
        line.starts_with("unset ALIBABA_CLOUD_CONFIG_FILE")
            .then_some(())
    });
    lines
}

/// The value of an `export NAME='value'` line.
fn value(lines: &[String], name: &str) -> String {
    let prefix = format!("export {name}='");
    let line = lines.iter().find_map(|line| line.strip_prefix(&prefix));
    line.unwrap().trim_end_matches('\'').to_owned()
}
