//! When a cached session is handed out, refreshed or refused, with a cloud whose clock moves.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use snapbox::str;

use crate::world::{OTHER_ROLE, ROLE, World};

#[test]
fn an_hours_session_is_refreshed_in_its_last_twenty_minutes() {
    let world = World::new();
    let first = world.assume(&[]);
    world.pass(TimeDelta::minutes(39));
    assert_eq!(world.assume(&[]), first);
    assert_eq!(world.cloud.calls("AssumeRole"), 1);
    world.pass(TimeDelta::minutes(2));
    let second = world.assume(&[]);
    assert_ne!(second, first);
    assert_eq!(world.assume(&[]), second);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
}

#[test]
fn a_short_session_is_refreshed_in_its_last_third() {
    let world = World::with_lifetime(Duration::from_secs(900));
    let first = world.assume(&[]);
    world.pass(TimeDelta::seconds(590));
    assert_eq!(world.assume(&[]), first);
    world.pass(TimeDelta::seconds(20));
    assert_ne!(world.assume(&[]), first);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
}

#[test]
fn a_session_is_never_handed_out_past_its_expiration() {
    let world = World::new();
    let first = world.assume(&[]);
    world.pass(TimeDelta::seconds(3601));
    world.cloud.restart(&["sts:503"]);
    world.stsctl(["env"]).assert(str![[r#"
exit 5
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS answered ServiceUnavailable: The request has failed due to a temporary failure of the server. (RequestId [REQUEST_ID])
2>
2> hint: the service itself fails: try again in a while
"#]]);
    world.cloud.restart(&[]);
    assert_ne!(world.assume(&[]), first);
}

#[test]
fn expired_and_nobody_there_is_exit_5() {
    let mut world = World::new();
    world.assume(&[]);
    world.pass(TimeDelta::seconds(3601));
    world.cloud.stop();
    world.stsctl(["env"]).assert(str![[r#"
exit 5
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS gave no answer to AssumeRole
2>   caused by: cannot connect to `[AUTHORITY]`
2>   caused by: Connection refused (os error [..])
2>
2> hint: check the endpoint and its port, and HTTPS_PROXY if a proxy is needed
"#]]);
}

#[test]
fn a_failed_refresh_serves_the_session_and_is_not_tried_again_at_once() {
    let world = World::new();
    let first = world.assume(&[]);
    world.pass(TimeDelta::minutes(45));
    world.cloud.restart(&["sts:503"]);
    world.stsctl(["assume"]).assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/test
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             cache
2> warning: the session could not be refreshed and is used for the [LIFETIME] it still lasts: cannot assume `acs:ram::1234567890123456:role/testrole`: STS answered ServiceUnavailable: The request has failed due to a temporary failure of the server. (RequestId [REQUEST_ID])
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 2, "one attempt only");
    for _ in 0..3 {
        assert_eq!(world.assume(&[]), first, "served without a word");
    }
    assert_eq!(world.cloud.calls("AssumeRole"), 2, "nobody tries again");
    world.pass(TimeDelta::seconds(61));
    world.stsctl(["assume"]).assert(str![[r#"
exit 0
...
2> warning: the session could not be refreshed and is used for the [LIFETIME] it still lasts: [..]
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 3);
    world.pass(TimeDelta::seconds(61));
    world.cloud.restart(&[]);
    assert_ne!(world.assume(&[]), first);
}

#[test]
fn near_its_end_a_session_is_still_served_when_the_refresh_fails() {
    let mut world = World::new();
    let first = world.assume(&[]);
    world.pass(TimeDelta::minutes(56));
    world.cloud.restart(&["sts:throttle"]);
    world.stsctl(["whoami", "--offline"]).assert(str![[r#"
exit 0
1> Source             ALIBABA_CLOUD_ACCESS_KEY_ID of the environment
1> SourceAccessKeyId  LTAIalice
1> Roles              acs:ram::1234567890123456:role/testrole
1> AccessKeyId        [STS_ID]
1> Expiration         [TIME]
1> Lifetime           [LIFETIME]
1> Cached             true
1> ClockSkewSeconds   33[..]
"#]]);
    let output = world.stsctl(["assume", "-o", "json"]).assert(str![[r#"
exit 0
...
2> warning: the session could not be refreshed and is used for the [LIFETIME] it still lasts: cannot assume `acs:ram::1234567890123456:role/testrole`: STS answered Throttling.User: Request was denied due to user flow control. (RequestId [REQUEST_ID])
"#]]);
    assert!(String::from_utf8(output.stdout).unwrap().contains(&first));
    world.pass(TimeDelta::seconds(61));
    world.cloud.stop();
    let output = world.stsctl(["assume", "-o", "json"]).assert(str![[r#"
exit 0
...
2> warning: the session could not be refreshed and is used for the [LIFETIME] it still lasts: cannot assume `acs:ram::1234567890123456:role/testrole`: STS gave no answer to AssumeRole: cannot connect to `[AUTHORITY]`: Connection refused (os error [..])
"#]]);
    assert!(String::from_utf8(output.stdout).unwrap().contains(&first));
}

#[test]
fn a_refresh_that_hangs_is_given_up_soon() {
    let world = World::new();
    let first = world.assume(&[]);
    world.pass(TimeDelta::minutes(45));
    world.cloud.restart(&["sts:hang"]);
    // Two limits of 3 s, the call's and the refresh's, are over at once: either may be told.
    let output = world.stsctl(["assume", "-o", "json"]).assert(str![[r#"
exit 0
...
2> warning: the session could not be refreshed and is used for the [LIFETIME] it still lasts: [..]
"#]]);
    assert!(String::from_utf8(output.stdout).unwrap().contains(&first));
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
}

#[test]
fn a_refresh_that_was_asked_for_must_succeed() {
    let world = World::new();
    world.assume(&[]);
    world.cloud.restart(&["sts:503"]);
    world.stsctl(["env", "--refresh"]).assert(str![[r#"
exit 5
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS answered ServiceUnavailable: The request has failed due to a temporary failure of the server. (RequestId [REQUEST_ID])
2>
2> hint: the service itself fails: try again in a while
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 5);
}

#[test]
fn a_role_that_gives_less_than_was_asked_for_is_told() {
    let world = World::with_lifetime(Duration::from_secs(900));
    world.assume(&[]);
    world
        .stsctl(["env", "--min-lifetime", "30m"])
        .assert(str![[r#"
exit 4
2> error: the new session lasts [..] s, less than the 1800 s asked for
2>
2> hint: the role's MaxSessionDuration limits it: ask for less with --min-lifetime
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
}

#[test]
fn a_wrong_clock_costs_one_more_call_and_nothing_else() {
    for (skew, refused) in [
        (TimeDelta::minutes(10), 0),
        (TimeDelta::minutes(-10), 0),
        (TimeDelta::hours(2), 1),
        (TimeDelta::hours(-2), 1),
        (TimeDelta::days(1), 1),
        (TimeDelta::days(-1), 1),
    ] {
        let world = World::new();
        world.cloud.move_clock(skew);
        let (first, expiration) = world.session(&[]);
        assert_eq!(world.cloud.calls("AssumeRole"), 1 + refused, "{skew}");
        // The Expiration is the service's, by its own clock.
        let off = expiration - (world.cloud.now() + TimeDelta::hours(1));
        assert!((-5..=0).contains(&off.num_seconds()), "{skew}: {off}");
        let env = world.stsctl(["env", "--shell", "json"]).json();
        let text = expiration.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        assert_eq!(env["STSCTL_EXPIRATION"], text);
        assert_eq!(env["ALIBABA_CLOUD_ACCESS_KEY_ID"], *first);
        // Signed by the service's clock at once.
        let put = ["oss", "put", "-q", "demo-bucket", "k", "-"];
        world.stsctl(put).stdin("x").stdout();
        assert_eq!(world.cloud.calls("PutObject"), 1, "{skew}");
        // Judged by the service's clock: fresh for 40 minutes, then refreshed without a detour.
        world.pass(TimeDelta::minutes(39));
        assert_eq!(world.assume(&[]), first, "{skew}");
        world.pass(TimeDelta::minutes(2));
        assert_ne!(world.assume(&[]), first, "{skew}");
        assert_eq!(world.cloud.calls("AssumeRole"), 2 + refused, "{skew}");
    }
}

#[test]
fn a_clock_that_oss_alone_has_seen_is_corrected_once() {
    let world = World::new();
    world.cloud.move_clock(TimeDelta::hours(2));
    world.file("hello.txt", "hello");
    let put = |file: &str, version: &str| {
        world
            .stsctl(["oss", "put", "demo-bucket", "k", file, "--no-role", "-q"])
            .args(["--sign-version", version])
            .stdin("x")
    };
    for version in ["v4", "v1"] {
        put("hello.txt", version).stdout();
    }
    assert_eq!(world.cloud.calls("PutObject"), 4);
    // A pipe can't be read twice.
    put("-", "v4").assert(str![[r#"
exit 4
2> error: cannot put `demo-bucket/k`
2>   caused by: OSS answered PutObject with RequestTimeTooSkewed: The difference between the request time and the current time is too large (RequestId [OSS_REQUEST_ID], EC 0002-00000504)
2>
"#]]);
}

#[test]
fn a_session_from_a_clock_that_was_set_back_is_not_trusted() {
    let world = World::new();
    let first = world.assume(&[]);
    world.edit_sessions(|entry| entry.obtained_at += TimeDelta::minutes(1));
    assert_ne!(world.assume(&[]), first);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
}

#[test]
fn a_cached_hop_that_was_revoked_is_replaced() {
    let world = World::new();
    let chain = ["--role-arn", OTHER_ROLE, "--role-arn", ROLE];
    let first = world.assume(&chain);
    world
        .stsctl(["cache", "clear", "-q", "--role-arn", ROLE])
        .stdout();
    world.cloud.restart(&["sts:expire-token:1"]);
    assert_ne!(world.assume(&chain), first);
    assert_eq!(world.cloud.calls("AssumeRole"), 2 + 3);
}

#[test]
fn an_exported_session_is_used_until_it_is_close_to_its_end() {
    let world = World::new();
    let at = |left: i64| -> DateTime<Utc> { world.cloud.now() + TimeDelta::seconds(left) };
    let exported = |left| {
        world
            .stsctl(["env", "--shell", "json"])
            .env("ALIBABA_CLOUD_ACCESS_KEY_ID", "STS.exported")
            .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "canary")
            .env("ALIBABA_CLOUD_SECURITY_TOKEN", "canary")
            .env("STSCTL_ROLE_ARN", ROLE)
            .env(
                "STSCTL_EXPIRATION",
                at(left).format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            )
            .without(["ALIBABA_CLOUD_ROLE_SESSION_NAME"])
    };
    assert_eq!(
        exported(1000).json()["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        "STS.exported"
    );
    // There is something else to make a new one from.
    world.config(&format!(
        "default_profile = \"dev\"\n[profile.dev]\naccess_key_id = \"LTAIalice\"\naccess_key_secret = \"secret-of-alice\"\nrole_arn = \"{ROLE}\"\n"
    ));
    assert_eq!(
        exported(1000).json()["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        "STS.exported"
    );
    assert_eq!(world.cloud.calls("AssumeRole"), 0);
    assert_ne!(
        exported(100).json()["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        "STS.exported"
    );
    assert_eq!(world.cloud.calls("AssumeRole"), 1);
}
