//! AssumeRole and GetCallerIdentity: what they answer, what they refuse, and who may come with
//! what they issue.

use super::*;

#[tokio::test]
async fn assume_role_answers_as_documented() {
    let cloud = Cloud::new();
    let params = [ROLE, &[("SourceIdentity", "alice@corp")]].concat();
    let answer = cloud.call(&cloud.alice(), "AssumeRole", &params).await;
    assert_eq!(
        answer.header("content-type"),
        Some("application/json;charset=utf-8")
    );
    assert_eq!(answer.header("date"), Some("Fri, 02 Jan 2026 03:04:05 GMT"));
    let json = answer.json();
    assert_eq!(
        json["AssumedRoleUser"]["Arn"],
        "acs:ram::1234567890123456:role/testrole/alice"
    );
    assert_eq!(
        json["AssumedRoleUser"]["AssumedRoleId"],
        "344584339364951186:alice"
    );
    assert_eq!(json["Credentials"]["Expiration"], "2026-01-02T04:04:05Z");
    assert_eq!(json["SourceIdentity"], "alice@corp");
    let text = |name: &str| json["Credentials"][name].as_str().unwrap();
    assert_eq!(text("AccessKeyId").len(), "STS.".len() + 25);
    assert_eq!(text("AccessKeySecret").len(), 44);
    assert!(text("SecurityToken").starts_with("CAIS") && text("SecurityToken").len() == 500);
    let request_id = json["RequestId"].as_str().unwrap();
    assert_eq!(
        (request_id.len(), request_id),
        (36, &*request_id.to_uppercase())
    );
}

#[tokio::test]
async fn parameters_have_limits() {
    let cloud = Cloud::new();
    let policy = |length: usize| {
        let shell = r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"*","Resource":""}]}"#;
        shell.replace("\"\"", &format!("\"{}\"", "x".repeat(length - shell.len())))
    };
    let (fits, over) = (policy(2048), policy(2049));
    let long = "x".repeat(1225);
    for (name, value, status, code) in [
        (
            "RoleArn",
            "arn:aws:iam::1:role/x",
            400,
            "InvalidParameter.RoleArn",
        ),
        (
            "RoleArn",
            "acs:ram::1234567890123456:role/nobody",
            404,
            "EntityNotExist.Role",
        ),
        (
            "RoleArn",
            "acs:ram::9999999999999999:role/testrole",
            404,
            "EntityNotExist.Role",
        ),
        (
            "RoleSessionName",
            "a",
            400,
            "InvalidParameter.RoleSessionName",
        ),
        (
            "RoleSessionName",
            "a b",
            400,
            "InvalidParameter.RoleSessionName",
        ),
        (
            "DurationSeconds",
            "899",
            400,
            "InvalidParameter.DurationSeconds",
        ),
        (
            "DurationSeconds",
            "43201",
            400,
            "InvalidParameter.DurationSeconds",
        ),
        (
            "DurationSeconds",
            "1h",
            400,
            "InvalidParameter.DurationSeconds",
        ),
        ("DurationSeconds", "43200", 200, ""),
        ("Policy", &over, 400, "InvalidParameter.PolicySize"),
        ("Policy", &fits, 200, ""),
        ("Policy", "{}", 400, "InvalidParameter.PolicyGrammar"),
        ("Policy", "", 400, "InvalidParameter.PolicyGrammar"),
        (
            "Policy",
            r#"{"Version":"2","Statement":[{"Effect":"Allow","Action":"*"}]}"#,
            400,
            "InvalidParameter.PolicyGrammar",
        ),
        (
            "Policy",
            r#"{"Version":"1","Statement":{"Effect":"Allow","Action":"*"}}"#,
            200,
            "",
        ),
        ("ExternalId", "x", 400, "InvalidParameter.ExternalId"),
        ("ExternalId", &long, 400, "InvalidParameter.ExternalId"),
        (
            "SourceIdentity",
            "acs:x",
            400,
            "InvalidParameter.SourceIdentity",
        ),
    ] {
        let mut params: Vec<_> = ROLE.to_vec();
        params.retain(|(n, _)| *n != name);
        params.push((name, value));
        let answer = cloud.call(&cloud.alice(), "AssumeRole", &params).await;
        assert_eq!(answer.fault(), (status, code.to_owned()), "{name}={value}");
    }
}

#[tokio::test]
async fn a_role_bounds_its_sessions() {
    let cloud = Cloud::new();
    let assume = async |duration: &str| {
        let params = [
            ("RoleArn", "acs:ram::1234567890123456:role/iotstsrole"),
            ("RoleSessionName", "alice"),
            ("DurationSeconds", duration),
        ];
        cloud.call(&cloud.alice(), "AssumeRole", &params).await
    };
    assert_eq!(assume("3600").await.status, 200);
    let refused = assume("3601").await;
    assert_eq!(
        refused.fault(),
        (400, "InvalidParameter.DurationSeconds".to_owned())
    );
    assert_eq!(
        refused.message(),
        "The Min/Max value of DurationSeconds is 15min/1hr."
    );
}

#[tokio::test]
async fn root_may_not_assume_a_role() {
    let cloud = Cloud::new();
    let root = cloud.sandbox.world().root().clone();
    let answer = cloud.call(&root, "AssumeRole", ROLE).await;
    assert_eq!(answer.fault(), (403, "NoPermission".to_owned()));
    assert_eq!(
        answer.message(),
        "Roles may not be assumed by root accounts."
    );
}

#[tokio::test]
async fn everyone_learns_who_they_are() {
    let cloud = Cloud::new();
    let root = cloud.sandbox.world().root().clone();
    let session = cloud.assume(&cloud.alice()).await;
    let chained = cloud.assume(&session).await;
    for (who, kind, arn, principal) in [
        (
            &root,
            "Account",
            "acs:ram::1234567890123456:root",
            "1234567890123456",
        ),
        (
            &cloud.alice(),
            "RAMUser",
            "acs:ram::1234567890123456:user/alice",
            "216959339000654321",
        ),
        (
            &session,
            "AssumedRoleUser",
            "acs:ram::1234567890123456:assumed-role/testrole/alice",
            "344584339364951186:alice",
        ),
        (
            &chained,
            "AssumedRoleUser",
            "acs:ram::1234567890123456:assumed-role/testrole/alice",
            "344584339364951186:alice",
        ),
    ] {
        let json = cloud.call(who, "GetCallerIdentity", &[]).await.json();
        assert_eq!(json["IdentityType"], kind);
        assert_eq!(json["Arn"], arn);
        assert_eq!(json["PrincipalId"], principal);
        assert_eq!(json["AccountId"], "1234567890123456");
        assert_eq!(json.get("UserId").is_some(), json.get("RoleId").is_none());
    }
}

#[tokio::test]
async fn a_token_belongs_to_its_access_key_and_ends() {
    let cloud = Cloud::new();
    let (one, other) = (
        cloud.assume(&cloud.alice()).await,
        cloud.assume(&cloud.alice()).await,
    );
    let with = |who: &Credentials, token: Option<&str>| Credentials {
        security_token: token.map(Into::into),
        ..who.clone()
    };
    let token_of = |who: &Credentials| {
        secrecy::ExposeSecret::expose_secret(who.security_token.as_ref().unwrap()).to_owned()
    };
    let alice = cloud.alice();
    let cases = [
        (with(&one, None), "MissingSecurityToken"),
        (
            with(&one, Some("CAISgarbage")),
            "InvalidSecurityToken.Malformed",
        ),
        (
            with(&one, Some(&token_of(&other))),
            "InvalidSecurityToken.MismatchWithAccessKey",
        ),
        (
            with(&alice, Some(&token_of(&other))),
            "InvalidSecurityToken.MismatchWithAccessKey",
        ),
    ];
    for (who, code) in cases {
        let answer = cloud.call(&who, "GetCallerIdentity", &[]).await;
        assert_eq!(answer.fault(), (400, code.to_owned()));
    }
    cloud.advance(3599);
    assert_eq!(cloud.call(&one, "GetCallerIdentity", &[]).await.status, 200);
    cloud.advance(1);
    let answer = cloud.call(&one, "GetCallerIdentity", &[]).await;
    assert_eq!(
        answer.fault(),
        (400, "InvalidSecurityToken.Expired".to_owned())
    );
}

#[tokio::test]
async fn a_disabled_access_key_is_refused() {
    let mut world = world();
    world.deactivate("alice");
    let cloud = Cloud::of(world, Options::default());
    let answer = cloud.call(&cloud.alice(), "GetCallerIdentity", &[]).await;
    assert_eq!(
        answer.fault(),
        (400, "InvalidAccessKeyId.Inactive".to_owned())
    );
    assert_eq!(answer.message(), "Specified access key is disabled.");
}

#[tokio::test]
async fn lifetime_and_skew_are_the_operators_choice() {
    let cloud = Cloud::with(Options {
        session_lifetime: Some(Duration::from_secs(5)),
        skew: stsctl::model::ClockSkew::from_seconds(-600),
        ..Options::default()
    });
    let answer = cloud.call(&cloud.alice(), "AssumeRole", ROLE).await;
    assert_eq!(answer.header("date"), Some("Fri, 02 Jan 2026 02:54:05 GMT"));
    assert_eq!(
        answer.json()["Credentials"]["Expiration"],
        "2026-01-02T02:54:10Z"
    );
    cloud.advance(5);
    let late = cloud
        .call(&answer.credentials(), "GetCallerIdentity", &[])
        .await;
    assert_eq!(late.fault().1, "InvalidSecurityToken.Expired");

    let far = Cloud::with(Options {
        skew: stsctl::model::ClockSkew::from_seconds(901),
        ..Options::default()
    });
    let answer = far.call(&far.alice(), "AssumeRole", ROLE).await;
    assert_eq!(answer.fault().1, "InvalidTimeStamp.Expired");
}
