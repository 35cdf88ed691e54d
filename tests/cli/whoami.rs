//! `stsctl whoami`: whose identity it is, where it comes from and when it ends.

use snapbox::str;

use crate::world::World;

#[test]
fn the_session_is_told_with_its_source() {
    let world = World::new();
    world.stsctl(["whoami"]).assert(str![[r#"
exit 0
1> Arn                acs:ram::1234567890123456:assumed-role/testrole/test
1> IdentityType       AssumedRoleUser
1> AccountId          1234567890123456
1> PrincipalId        344584339364951186:test
1> RoleId             344584339364951186
1> RequestId          [REQUEST_ID]
1> Source             ALIBABA_CLOUD_ACCESS_KEY_ID of the environment
1> SourceAccessKeyId  LTAIalice
1> Roles              acs:ram::1234567890123456:role/testrole
1> AccessKeyId        [STS_ID]
1> Expiration         [TIME]
1> Lifetime           [LIFETIME]
1> Cached             false
1> ClockSkewSeconds   [SKEW]
"#]]);
    world.stsctl(["whoami", "-o", "json"]).assert(str![[r#"
exit 0
1> {
1>   "AccessKeyId": "[STS_ID]",
1>   "AccountId": "1234567890123456",
1>   "Arn": "acs:ram::1234567890123456:assumed-role/testrole/test",
1>   "Cached": true,
1>   "ClockSkewSeconds": [SKEW],
1>   "Expiration": "[TIME]",
1>   "IdentityType": "AssumedRoleUser",
1>   "Lifetime": "[LIFETIME]",
1>   "PrincipalId": "344584339364951186:test",
1>   "RequestId": "[REQUEST_ID]",
1>   "RoleId": "344584339364951186",
1>   "Roles": [
1>     "acs:ram::1234567890123456:role/testrole"
1>   ],
1>   "Source": "ALIBABA_CLOUD_ACCESS_KEY_ID of the environment",
1>   "SourceAccessKeyId": "LTAIalice"
1> }
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 1);
    assert_eq!(world.cloud.calls("GetCallerIdentity"), 2);
}

#[test]
fn without_a_role_it_is_the_user_itself() {
    let world = World::new();
    world.stsctl(["whoami", "--no-role"]).assert(str![[r#"
exit 0
1> Arn                acs:ram::1234567890123456:user/alice
1> IdentityType       RAMUser
1> AccountId          1234567890123456
1> PrincipalId        216959339000654321
1> UserId             216959339000654321
1> RequestId          [REQUEST_ID]
1> Source             ALIBABA_CLOUD_ACCESS_KEY_ID of the environment
1> SourceAccessKeyId  LTAIalice
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 0);
}

#[test]
fn offline_nobody_is_asked() {
    let mut world = World::new();
    world.stsctl(["whoami", "--offline"]).assert(str![[r#"
exit 0
1> Source             ALIBABA_CLOUD_ACCESS_KEY_ID of the environment
1> SourceAccessKeyId  LTAIalice
1> Roles              acs:ram::1234567890123456:role/testrole
"#]]);
    world.assume(&[]);
    world.cloud.stop();
    world.stsctl(["whoami", "--offline"]).assert(str![[r#"
exit 0
1> Source             ALIBABA_CLOUD_ACCESS_KEY_ID of the environment
1> SourceAccessKeyId  LTAIalice
1> Roles              acs:ram::1234567890123456:role/testrole
1> AccessKeyId        [STS_ID]
1> Expiration         [TIME]
1> Lifetime           [LIFETIME]
1> Cached             true
1> ClockSkewSeconds   [SKEW]
"#]]);
    world
        .stsctl(["whoami", "--offline", "-o", "json"])
        .assert(str![[r#"
exit 0
1> {
1>   "AccessKeyId": "[STS_ID]",
1>   "Cached": true,
1>   "ClockSkewSeconds": [SKEW],
1>   "Expiration": "[TIME]",
1>   "Lifetime": "[LIFETIME]",
1>   "Roles": [
1>     "acs:ram::1234567890123456:role/testrole"
1>   ],
1>   "Source": "ALIBABA_CLOUD_ACCESS_KEY_ID of the environment",
1>   "SourceAccessKeyId": "LTAIalice"
1> }
"#]]);
}

#[test]
fn a_wrong_secret_is_an_error_of_the_question() {
    let world = World::new();
    world
        .stsctl(["whoami", "--no-role"])
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "not-hers")
        .assert(str![[r#"
exit 3
2> error: cannot ask who this is
2>   caused by: STS answered SignatureDoesNotMatch: Specified signature is not matched with our calculation. (RequestId [REQUEST_ID])
2>
2> hint: the AccessKeySecret is wrong: the service signed the same string with the secret it has. Check ALIBABA_CLOUD_ACCESS_KEY_SECRET or the profile's access_key_secret
"#]]);
}
