//! `stsctl cache`: what is cached, and how to be rid of it.

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use snapbox::{IntoData, str};

use crate::world::{OTHER_ROLE, ROLE, World};

#[test]
fn an_empty_cache_is_no_error() {
    let world = World::new();
    world.stsctl(["cache", "list"]).assert(str![[r#"
exit 0
2> no session is cached
"#]]);
    world
        .stsctl(["cache", "list", "-o", "json"])
        .assert(str![[r#"
exit 0
1> []
2> no session is cached
"#]]);
    world.stsctl(["cache", "clear"]).assert(str![[r#"
exit 0
2> deleted 0 sessions
"#]]);
    world.stsctl(["cache", "prune"]).assert(str![[r#"
exit 0
2> deleted 0 sessions
"#]]);
    world.stsctl(["cache", "path"]).assert(str![[r#"
exit 0
1> [HOME]/config/sessions
"#]]);
    assert!(!world.config_dir().exists());
}

#[test]
fn the_list_tells_everything_but_the_secrets() {
    let world = World::new();
    world.assume(&[]);
    world.stsctl(["cache", "list"]).assert(str![[r#"
exit 0
1> ROLE                                     SESSION NAME  ACCESS KEY ID                  EXPIRATION
1> acs:ram::1234567890123456:role/testrole  test          [STS_ID]  [TIME] (in [LIFETIME])
"#]]);
    let json = world
        .stsctl(["cache", "list", "-o", "json"])
        .assert(str![[r#"
exit 0
1> [
1>   {
1>     "AccessKeyId": "[STS_ID]",
1>     "AssumedRoleArn": "acs:ram::1234567890123456:role/testrole/test",
1>     "ClockSkewSeconds": [SKEW],
1>     "DurationSeconds": 3600,
1>     "Endpoint": "[CLOUD]",
1>     "Expiration": "[TIME]",
1>     "Key": "[KEY]",
1>     "Policy": null,
1>     "RoleArn": "acs:ram::1234567890123456:role/testrole",
1>     "RoleSessionName": "test",
1>     "State": "valid"
1>   }
1> ]
"#]]);
    let text = world.stsctl(["cache", "list"]).stdout();
    let shown = text + &String::from_utf8(json.stdout).unwrap();
    let session = world.entries().remove(0).session;
    assert!(shown.contains(session.access_key_id.as_str()));
    assert!(!shown.contains(session.access_key_secret.expose_secret()));
    assert!(!shown.contains(session.security_token.expose_secret()));
}

#[test]
fn clear_takes_all_a_role_or_a_key() {
    let world = World::new();
    let assume = |role, name| {
        world.assume(&["--role-arn", role, "--role-session-name", name]);
    };
    assume(ROLE, "one");
    assume(ROLE, "two");
    assume(OTHER_ROLE, "one");
    assume(OTHER_ROLE, "two");
    world
        .stsctl(["cache", "clear", "--role-arn", OTHER_ROLE])
        .assert(str![[r#"
exit 0
2> deleted 2 sessions
2> hint: a deleted session is not revoked: whoever has a copy can use it until its Expiration. To revoke it, detach the role's policies or delete the role (see "Revoking a session" in README.md)
"#]]);
    let left = world.stsctl(["cache", "list", "-o", "json"]).json();
    assert_eq!(left.as_array().unwrap().len(), 2);
    let key = left[0]["Key"].as_str().unwrap();
    world.stsctl(["cache", "clear", "--key", key]).assert(str![[r#"
exit 0
2> deleted 1 session
2> hint: a deleted session is not revoked: whoever has a copy can use it until its Expiration. To revoke it, detach the role's policies or delete the role (see "Revoking a session" in README.md)
"#]]);
    world
        .stsctl(["cache", "clear", "--key", key])
        .assert(str![[r#"
exit 0
2> deleted 0 sessions
"#]]);
    world.stsctl(["cache", "clear"]).assert(str![[r#"
exit 0
2> deleted 1 session
2> hint: a deleted session is not revoked: whoever has a copy can use it until its Expiration. To revoke it, detach the role's policies or delete the role (see "Revoking a session" in README.md)
"#]]);
    assert!(world.entries().is_empty());
    world
        .stsctl(["cache", "clear", "--key", "../config.toml"])
        .assert(str![[r#"
exit 2
2> error: the value of --key <KEY> cannot be used
2>   caused by: the key of a cached session is 64 digits of 0-9 and a-f
2>
2> hint: for more information, try --help
"#]]);
}

#[test]
fn prune_takes_what_has_expired_and_nothing_else() {
    let world = World::new();
    world.assume(&["--duration", "15m"]);
    world.assume(&["--duration", "1h"]);
    world.pass(TimeDelta::minutes(16));
    world.stsctl(["cache", "list"]).assert(
        str![[r#"
exit 0
1> ROLE                                     SESSION NAME  ACCESS KEY ID                  EXPIRATION
1> acs:ram::1234567890123456:role/testrole  test          [STS_ID]  [TIME] (expired)
1> acs:ram::1234567890123456:role/testrole  test          [STS_ID]  [TIME] (in [LIFETIME])
"#]]
        .unordered(),
    );
    world.stsctl(["cache", "prune"]).assert(str![[r#"
exit 0
2> deleted 1 session
"#]]);
    assert_eq!(world.entries().len(), 1);
    world.stsctl(["cache", "prune"]).assert(str![[r#"
exit 0
2> deleted 0 sessions
"#]]);
}
