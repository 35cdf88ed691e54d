//! `stsctl sandbox` as a process: what it refuses, how its cloud behaves, the story it tells.

use snapbox::str;

use crate::world::World;

#[test]
fn exec_of_what_cannot_run_answers_as_a_shell_does() {
    let world = World::new();
    world
        .stsctl(["sandbox", "exec", "--", "no-such-program"])
        .assert(str![[r#"
exit 127
2> error: cannot run `no-such-program`: No such file or directory (os error 2)
"#]]);
    let file = world.file("not-executable", "");
    if cfg!(unix) {
        world
            .stsctl(["sandbox", "exec", "--"])
            .args([file])
            .assert(str![[r#"
exit 126
2> error: cannot run `[HOME]/work/not-executable`: Permission denied (os error 13)
"#]]);
    }
    world.stsctl(["sandbox", "exec"]).assert(str![[r#"
exit 2
2> error: the following required arguments were not provided:
2>   <CMD>...
2>
2> Usage: stsctl sandbox exec <CMD>...
2>
2> For more information, try '--help'.
"#]]);
}

#[test]
fn stop_without_a_sandbox_says_so() {
    let world = World::new();
    world.stsctl(["sandbox", "stop"]).assert(str![[r#"
exit 2
2> error: no sandbox was started in this shell: STSCTL_SANDBOX_PID is not set
2>
2> hint: start one with eval "$(stsctl sandbox serve --background)"
"#]]);
    world
        .stsctl(["sandbox", "stop"])
        .env("STSCTL_SANDBOX_PID", std::process::id().to_string())
        .assert(str![[r#"
exit 1
2> error: the sandbox (pid [PID]) is not running any more
"#]]);
}

#[test]
fn what_the_cloud_cannot_do_is_refused() {
    let world = World::new();
    world
        .stsctl(["sandbox", "serve", "--listen", "0.0.0.0:0"])
        .assert(str![[r#"
exit 2
2> error: `0.0.0.0:0` is not a loopback address: the sandbox speaks plain HTTP
2>
2> hint: listen on 127.0.0.1 or [::1]
"#]]);
    world
        .stsctl(["sandbox", "serve", "--fault", "sts:nothing"])
        .assert(str![[r#"
exit 2
2> error: the value of --fault <SPEC> cannot be used
2>   caused by: `sts:nothing` is not a valid fault: no such fault
2>
2> hint: for more information, try --help
"#]]);
    world
        .stsctl([
            "sandbox",
            "serve",
            "--background",
            "--fault",
            "oss:truncate",
        ])
        .assert(str![[r#"
exit 2
2> error: the value of --fault <SPEC> cannot be used
2>   caused by: `oss:truncate` is not a valid fault: this service has no such fault
2>
2> hint: for more information, try --help
"#]]);
    let port = world.cloud.url().replace("http://", "");
    world
        .stsctl(["sandbox", "serve", "--background", "--listen", &port])
        .assert(str![[r#"
exit 1
2> error: the sandbox did not start
2>   caused by: cannot listen on [AUTHORITY]
2>   caused by: [..](os error [..])
"#]]);
}

#[test]
fn the_clouds_clock_and_its_sessions_are_as_asked() {
    let world = World::new();
    let program = crate::run::program().to_str().unwrap();
    for skew in ["2h", "-2h", "1d"] {
        let output = world
            .stsctl(["sandbox", "exec", "--trace", "--skew", skew])
            .args(["--session-lifetime", "100s", "--", program, "assume"])
            .assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/alice@[HOST]
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
2> POST AssumeRole 400 InvalidTimeStamp.Expired
2> POST AssumeRole 200
"#]]);
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains("Z (in 1m "), "{skew}: {stdout}");
    }
}

#[test]
fn the_trace_tells_each_request() {
    let world = World::new();
    let program = crate::run::program().to_str().unwrap();
    world
        .stsctl(["sandbox", "exec", "--trace", "--fault", "sts:503:1", "--"])
        .args([program, "whoami", "-q", "--offline"])
        .assert(str![[r#"
exit 0
1> Source             ALIBABA_CLOUD_ACCESS_KEY_ID of the environment
1> SourceAccessKeyId  [ACCESS_KEY_ID]
1> Roles              acs:ram::1234567890123456:role/testrole
"#]]);
    world
        .stsctl(["sandbox", "exec", "--trace", "--fault", "sts:503:1", "--"])
        .args([program, "assume", "--error-format", "json", "--role-arn"])
        .args(["acs:ram::1234567890123456:role/nobody"])
        .assert(str![[r#"
exit 4
2> POST AssumeRole 503 ServiceUnavailable
2> POST AssumeRole 404 EntityNotExist.Role
2> {"error":{"code":"EntityNotExist.Role","hints":["check the account id and the role's name in the RoleArn; the role must exist in that account"],"kind":"denied","message":"cannot assume `acs:ram::1234567890123456:role/nobody`: STS answered EntityNotExist.Role: The specified Role not exists . (RequestId [REQUEST_ID])","request_id":"[REQUEST_ID]"}}
"#]]);
}

#[test]
fn the_story_ends_well() {
    let world = World::new();
    let output = world.stsctl(["sandbox", "demo"]).output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*stderr), (Some(0), ""));
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("\nDone: "), "{stdout}");
}
