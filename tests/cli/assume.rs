//! `stsctl assume`: what it prints, what it asks STS for, and when it asks.

use chrono::TimeDelta;
use snapbox::str;

use crate::cloud::ALICE;
use crate::world::{OTHER_ROLE, ROLE, World};

#[test]
fn a_session_is_assumed_once_and_then_cached() {
    let world = World::new();
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
"#]]);
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
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 1);
}

#[test]
fn json_is_what_the_api_answers() {
    let world = World::new();
    let first = world.stsctl(["assume", "-o", "json"]).assert(str![[r#"
exit 0
1> {
1>   "RequestId": "[REQUEST_ID]",
1>   "AssumedRoleUser": {
1>     "Arn": "acs:ram::1234567890123456:role/testrole/test",
1>     "AssumedRoleId": "344584339364951186:test"
1>   },
1>   "Credentials": {
1>     "AccessKeyId": "[STS_ID]",
1>     "AccessKeySecret": "[SECRET]",
1>     "SecurityToken": "[SECRET]",
1>     "Expiration": "[TIME]"
1>   }
1> }
"#]]);
    // From the cache it is the same answer, byte for byte.
    let second = world.stsctl(["assume", "-o", "json"]).assert(str![[r#"
exit 0
1> {
1>   "RequestId": "[REQUEST_ID]",
1>   "AssumedRoleUser": {
1>     "Arn": "acs:ram::1234567890123456:role/testrole/test",
1>     "AssumedRoleId": "344584339364951186:test"
1>   },
1>   "Credentials": {
1>     "AccessKeyId": "[STS_ID]",
1>     "AccessKeySecret": "[SECRET]",
1>     "SecurityToken": "[SECRET]",
1>     "Expiration": "[TIME]"
1>   }
1> }
"#]]);
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(world.cloud.calls("AssumeRole"), 1);
}

#[test]
fn refresh_gets_a_new_session_and_caches_it() {
    let world = World::new();
    let first = world.assume(&[]);
    let second = world.assume(&["--refresh"]);
    assert_ne!(first, second);
    assert_eq!(world.assume(&[]), second);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
}

#[test]
fn without_the_cache_nothing_is_read_or_written() {
    let world = World::new();
    let first = world.assume(&["--no-cache"]);
    assert!(!world.config_dir().exists());
    let cached = world.assume(&[]);
    let third = world.assume(&["--no-cache"]);
    assert!(first != cached && third != cached && first != third);
    assert_eq!(world.assume(&[]), cached);
    assert_eq!(world.cloud.calls("AssumeRole"), 3);
}

#[test]
fn a_minimal_lifetime_asks_for_a_new_session_rather_than_hand_out_less() {
    let world = World::new();
    let first = world.assume(&[]);
    world.pass(TimeDelta::minutes(20));
    assert_eq!(world.assume(&[]), first);
    assert_eq!(world.assume(&["--min-lifetime", "35m"]), first);
    let second = world.assume(&["--min-lifetime", "45m"]);
    assert_ne!(second, first);
    assert_eq!(world.assume(&["--min-lifetime", "45m"]), second);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
}

#[test]
fn more_than_the_duration_cannot_be_had() {
    let world = World::new();
    world
        .stsctl(["assume", "--duration", "30m", "--min-lifetime", "31m"])
        .assert(str![[r#"
exit 2
2> error: --min-lifetime 1860 s is more than the session's duration of 1800 s
2>
2> hint: ask for a longer --duration, or a shorter --min-lifetime
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 0);
}

#[test]
fn the_duration_is_what_sts_is_asked_for() {
    let world = World::new();
    for (text, seconds) in [("15m", 900), ("43200", 43200), ("1h30m", 5400)] {
        for option in ["--duration", "--duration-seconds"] {
            let expiration = world.session(&[option, text]).1;
            let off = expiration - (world.cloud.now() + TimeDelta::seconds(seconds));
            assert!(off.num_seconds().abs() <= 5, "{text}: {off}");
        }
    }
    // Both spellings of one duration are one session.
    assert_eq!(world.cloud.calls("AssumeRole"), 3);
}

#[test]
fn a_policy_may_be_given_on_the_line_in_a_file_or_on_stdin() {
    let world = World::new();
    let policy = r#"{ "Version": "1",
        "Statement": [{"Effect": "Allow", "Action": "oss:PutObject", "Resource": "*"}] }"#;
    world.file("policy.json", policy);
    let on_the_line = world.assume(&["--policy", policy]);
    assert_eq!(world.assume(&["--policy", "@policy.json"]), on_the_line);
    let from_stdin = world
        .stsctl(["assume", "-o", "json", "--policy", "-"])
        .stdin(policy)
        .json();
    assert_eq!(from_stdin["Credentials"]["AccessKeyId"], *on_the_line);
    // Written with other blanks it is the same policy, and without one it is another session.
    let minified = policy.replace(char::is_whitespace, "");
    assert_eq!(world.assume(&["--policy", &minified]), on_the_line);
    assert_ne!(world.assume(&[]), on_the_line);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
    assert_eq!(
        world.entries().len(),
        2,
        "one entry for the policy and one without"
    );
}

#[test]
fn a_chain_of_roles_is_assumed_hop_by_hop() {
    let world = World::new();
    let chain = ["assume", "--role-arn", OTHER_ROLE, "--role-arn", ROLE];
    world.stsctl(chain).assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/test
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
    // The first hop is a session of its own.
    world
        .stsctl(["assume", "--role-arn", OTHER_ROLE])
        .assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/iotstsrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/iotstsrole/test
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             cache
"#]]);
    world.stsctl(["whoami", "--role-arn", OTHER_ROLE, "--role-arn", ROLE])
        .assert(str![[r#"
exit 0
1> Arn                acs:ram::1234567890123456:assumed-role/testrole/test
1> IdentityType       AssumedRoleUser
1> AccountId          1234567890123456
1> PrincipalId        344584339364951186:test
1> RoleId             344584339364951186
1> RequestId          [REQUEST_ID]
1> Source             ALIBABA_CLOUD_ACCESS_KEY_ID of the environment
1> SourceAccessKeyId  LTAIalice
1> Roles              acs:ram::1234567890123456:role/iotstsrole → acs:ram::1234567890123456:role/testrole
1> AccessKeyId        [STS_ID]
1> Expiration         [TIME]
1> Lifetime           [LIFETIME]
1> Cached             true
1> ClockSkewSeconds   [SKEW]
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
}

#[test]
fn either_signature_gets_the_session() {
    let world = World::new();
    for scheme in ["rpc", "acs3"] {
        world.assume(&["--signature", scheme, "--refresh"]);
        let named = world
            .stsctl(["assume", "-o", "json", "--refresh"])
            .env("STSCTL_SIGNATURE", scheme)
            .json();
        assert!(named["RequestId"].is_string());
    }
    assert_eq!(world.cloud.calls("AssumeRole"), 4);
}

#[test]
fn the_session_is_named_after_user_and_host() {
    let world = World::new();
    world
        .stsctl(["assume"])
        .without(["ALIBABA_CLOUD_ROLE_SESSION_NAME"])
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
"#]]);
    world
        .stsctl(["assume", "--role-session-name", "from-the-line"])
        .assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/from-the-line
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
"#]]);
}

#[test]
fn a_profile_is_assumed_through_its_sources() {
    let world = World::new();
    world.config(&format!(
        r#"
        [profile.base]
        access_key_id = "{}"
        access_key_secret = "{}"

        [profile.middle]
        source_profile = "base"
        role_arn = "{OTHER_ROLE}"
        role_session_name = "middle"

        [profile.dev]
        source_profile = "middle"
        role_arn = "{ROLE}"
        role_session_name = "dev"
        duration = "15m"
        "#,
        ALICE.0, ALICE.1
    ));
    assume_profile(&world, "dev").assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/dev
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
    let mut names: Vec<String> = world
        .entries()
        .into_iter()
        .map(|entry| entry.session.assumed_role_arn)
        .collect();
    names.sort();
    assert_eq!(
        names,
        [format!("{OTHER_ROLE}/middle"), format!("{ROLE}/dev")]
    );
}

#[test]
fn the_default_profile_is_used_without_being_named() {
    let world = World::new();
    world.config(&format!(
        r#"
        default_profile = "dev"
        [profile.dev]
        access_key_id = "{}"
        access_key_secret = "{}"
        role_arn = "{ROLE}"
        role_session_name = "dev"
        "#,
        ALICE.0, ALICE.1
    ));
    world.stsctl(["assume"]).without(IDENTITY).assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/dev
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             AssumeRole
"#]]);
}

#[test]
fn a_secret_may_come_from_a_file_or_a_command() {
    let world = World::new();
    world.file("secret", format!("{}\n", ALICE.1));
    fs_err::create_dir_all(world.config_dir()).unwrap();
    fs_err::rename(world.path("work/secret"), world.config_dir().join("secret")).unwrap();
    let mut sources = vec![r#"{ file = "secret" }"#.to_owned()];
    if cfg!(unix) {
        sources.push(format!(r#"{{ command = ["printf", "{}\\n"] }}"#, ALICE.1));
    }
    for source in sources {
        world.config(&format!(
            "[profile.dev]\naccess_key_id = \"{}\"\naccess_key_secret = {source}\nrole_arn = \"{ROLE}\"\n",
            ALICE.0
        ));
        let run = assume_profile(&world, "dev");
        run.assert(str![[r#"
exit 0
1> RoleArn          acs:ram::1234567890123456:role/testrole
1> AssumedRoleUser  acs:ram::1234567890123456:role/testrole/test
1> AccessKeyId      [STS_ID]
1> AccessKeySecret  ********
1> SecurityToken    ********
1> Expiration       [TIME] (in [LIFETIME])
1> RequestId        [REQUEST_ID]
1> From             [..]
"#]]);
        world.stsctl(["cache", "clear", "-q"]).stdout();
    }
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
}

#[test]
fn the_configuration_lies_where_the_platform_keeps_it() {
    let world = World::new();
    world
        .stsctl(["assume"])
        .without(["STSCTL_CONFIG_DIR"])
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
"#]]);
    if cfg!(target_os = "linux") {
        let sessions = world.path(".config/stsctl/sessions");
        assert!(sessions.is_dir());
    }
}

/// Variables that would be an identity, or name a role.
const IDENTITY: [&str; 4] = [
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_ROLE_ARN",
    "ALIBABA_CLOUD_ROLE_SESSION_NAME",
];

fn assume_profile(world: &World, name: &str) -> crate::run::Run {
    world
        .stsctl(["assume", "--profile", name, "--refresh"])
        .without([
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            "ALIBABA_CLOUD_ROLE_ARN",
        ])
}
