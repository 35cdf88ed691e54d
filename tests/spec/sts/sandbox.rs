//! The STS client against the sandbox, which verifies every signature by its own reading of the
//! request: in process for most, over real sockets once.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use stsctl::http::{Client, HttpErrorKind, Listener, RetryPolicy, Transport};
use stsctl::model::{
    Clock, ClockSkew, Credentials, DurationSeconds, Endpoint, ExternalId, SessionPolicy,
    SourceIdentity,
};
use stsctl::sandbox::{Options, Sandbox, World};
use stsctl::sts::{AssumeRole, Error, SignatureScheme, SignatureVerdict, StsClient};
use tokio::time::Instant;

use super::scripted::{BOTH, TestClock, name, role, start_time};

/// A sandbox, and a client of it whose clock moves with tokio's.
struct Cloud {
    sandbox: Sandbox,
    client: StsClient,
}

impl Cloud {
    fn new(scheme: SignatureScheme, options: Options) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(TestClock(Instant::now()));
        let sandbox = Sandbox::new(World::generate(), options, Arc::clone(&clock)).unwrap();
        let transport = Arc::new(sandbox.clone());
        let retry = RetryPolicy::default();
        let client = StsClient::new(transport, clock, endpoint(), scheme, retry);
        Self { sandbox, client }
    }

    fn faulty(fault: &str) -> Self {
        let options = Options {
            faults: vec![fault.parse().unwrap()],
            ..Options::default()
        };
        Self::new(SignatureScheme::Rpc, options)
    }

    fn alice(&self) -> Credentials {
        self.sandbox.world().user("alice").unwrap().clone()
    }

    async fn assume(&self, caller: &Credentials) -> Result<Credentials, Error> {
        let (role, name) = (role(), name());
        let request = plain(&role, &name);
        let answer = self.client.assume_role(caller, ClockSkew::ZERO, &request);
        Ok(answer.await?.value.credentials())
    }

    async fn fault(&self) -> Error {
        self.assume(&self.alice()).await.unwrap_err()
    }
}

fn endpoint() -> Endpoint {
    "http://sts.sandbox.localhost".parse().unwrap()
}

fn plain<'a>(
    role_arn: &'a stsctl::model::RoleArn,
    role_session_name: &'a stsctl::model::RoleSessionName,
) -> AssumeRole<'a> {
    AssumeRole {
        role_arn,
        role_session_name,
        duration: DurationSeconds::default(),
        policy: None,
        external_id: None,
        source_identity: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_assumed_used_and_chained() {
    let policy: SessionPolicy = r#"{"Version": "1", "Statement": [{"Effect": "Allow",
        "Action": "oss:*", "Resource": "acs:oss:*:*:b/中文 ~*'()!&=+%"}]}"#
        .parse()
        .unwrap();
    let external_id: ExternalId = "a_+=,.@:/-".parse().unwrap();
    let source_identity: SourceIdentity = "ci+=,.@-".parse().unwrap();
    for scheme in BOTH {
        let cloud = Cloud::new(scheme, Options::default());
        let (role, name) = (role(), name());
        let request = AssumeRole {
            duration: "12h".parse().unwrap(),
            policy: Some(&policy),
            external_id: Some(&external_id),
            source_identity: Some(&source_identity),
            ..plain(&role, &name)
        };
        let answer = cloud
            .client
            .assume_role(&cloud.alice(), ClockSkew::ZERO, &request)
            .await
            .unwrap();
        let session = answer.value;
        let lifetime = session.expiration.instant() - start_time();
        assert_eq!(lifetime, TimeDelta::hours(12));
        assert_eq!(session.assumed_role_arn, format!("{role}/{name}"));

        let credentials = session.credentials();
        let identity = cloud
            .client
            .get_caller_identity(&credentials, answer.skew)
            .await
            .unwrap()
            .value;
        assert_eq!(identity.identity_type, "AssumedRoleUser");
        assert_eq!(identity.principal_id, session.assumed_role_id);
        assert_eq!(identity.account_id, role.account());
        assert_eq!(identity.user_id, None);

        cloud.assume(&credentials).await.unwrap();
        assert_eq!(cloud.sandbox.calls("AssumeRole"), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_no_good() {
    for scheme in BOTH {
        let cloud = Cloud::new(scheme, Options::default());
        let session = cloud.assume(&cloud.alice()).await.unwrap();
        let wrong_secret = Credentials {
            access_key_secret: "not-it".into(),
            ..session.clone()
        };
        let error = cloud.assume(&wrong_secret).await.unwrap_err();
        assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
        assert_eq!(
            error.signature_verdict(),
            Some(SignatureVerdict::WrongSecret)
        );
        assert!(error.is_bad_credentials(), "{error}");
        assert!(error.to_string().len() < 200, "{error}");

        let unknown = Credentials {
            access_key_id: "LTAInobody".parse().unwrap(),
            ..cloud.alice()
        };
        let tokenless = Credentials {
            security_token: None,
            ..session.clone()
        };
        let mangled = Credentials {
            security_token: Some("CAISmangled".into()),
            ..session
        };
        for (caller, code) in [
            (unknown, "InvalidAccessKeyId.NotFound"),
            (tokenless, "MissingSecurityToken"),
            (mangled, "InvalidSecurityToken.Malformed"),
        ] {
            let error = cloud.assume(&caller).await.unwrap_err();
            assert_eq!(error.code(), Some(code), "{scheme:?}");
            assert!(error.is_bad_credentials() && !error.is_denied(), "{error}");
            assert!(error.request_id().is_some(), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_past_its_end() {
    let options = Options {
        session_lifetime: Some(Duration::from_secs(60)),
        ..Options::default()
    };
    let cloud = Cloud::new(SignatureScheme::Acs3, options);
    let session = cloud.assume(&cloud.alice()).await.unwrap();
    tokio::time::advance(Duration::from_secs(61)).await;
    let error = cloud.assume(&session).await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidSecurityToken.Expired"));
    assert!(error.is_bad_credentials(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_the_service_refuses() {
    let cloud = Cloud::new(SignatureScheme::Rpc, Options::default());
    let root = cloud.sandbox.world().root().clone();
    let error = cloud.assume(&root).await.unwrap_err();
    assert_eq!(error.code(), Some("NoPermission"));
    assert!(error.is_denied(), "{error}");

    let alice = cloud.alice();
    let nobody = "acs:ram::1234567890123456:role/nobody".parse().unwrap();
    let short = "acs:ram::1234567890123456:role/iotstsrole".parse().unwrap();
    let (name, grammar) = (name(), r#"{"Version":"2"}"#.parse().unwrap());
    let too_long = AssumeRole {
        duration: "2h".parse().unwrap(),
        ..plain(&short, &name)
    };
    let no_policy = AssumeRole {
        policy: Some(&grammar),
        ..plain(&short, &name)
    };
    for (request, code) in [
        (plain(&nobody, &name), "EntityNotExist.Role"),
        (too_long, "InvalidParameter.DurationSeconds"),
        (no_policy, "InvalidParameter.PolicyGrammar"),
    ] {
        let answer = cloud.client.assume_role(&alice, ClockSkew::ZERO, &request);
        let error = answer.await.unwrap_err();
        assert_eq!(error.code(), Some(code));
        assert!(error.is_denied() && !error.is_unavailable(), "{error}");
    }
    assert_eq!(cloud.sandbox.calls("AssumeRole"), 4, "none is repeated");
}

#[tokio::test(start_paused = true)]
async fn a_cloud_whose_clock_is_hours_away() {
    for (scheme, seconds) in [(SignatureScheme::Rpc, 7200), (SignatureScheme::Acs3, -7200)] {
        let options = Options {
            skew: ClockSkew::from_seconds(seconds),
            ..Options::default()
        };
        let cloud = Cloud::new(scheme, options);
        let (role, name) = (role(), name());
        let request = plain(&role, &name);
        let answer = cloud
            .client
            .assume_role(&cloud.alice(), ClockSkew::ZERO, &request)
            .await
            .unwrap();
        assert!((answer.skew.seconds() - seconds).abs() <= 1, "{answer:?}");
        assert_eq!(cloud.sandbox.calls("AssumeRole"), 2);
        // What was learned is enough for the next call.
        cloud
            .client
            .get_caller_identity(&cloud.alice(), answer.skew)
            .await
            .unwrap();
        assert_eq!(cloud.sandbox.calls("GetCallerIdentity"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn faults_that_pass_are_outlived() {
    for fault in [
        "503",
        "500",
        "throttle",
        "nonce-used",
        "reset",
        "drop-reply",
    ] {
        let cloud = Cloud::faulty(&format!("sts:{fault}:3"));
        let assumed = cloud.assume(&cloud.alice()).await;
        assert!(assumed.is_ok(), "{fault}: {assumed:?}");
        let cloud = Cloud::faulty(&format!("sts:{fault}"));
        let error = cloud.fault().await;
        let passing = error.is_unavailable()
            || error.is_throttled()
            || error.code() == Some("SignatureNonceUsed");
        assert!(passing, "{fault}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn faults_that_make_no_sense_are_named() {
    let error = Cloud::faulty("sts:garbage").fault().await;
    assert!(matches!(error, Error::NotTheApi { .. }), "{error:?}");
    let error = Cloud::faulty("sts:truncate").fault().await;
    assert!(matches!(error, Error::Truncated { .. }), "{error:?}");
    let error = Cloud::faulty("sts:missing-field").fault().await;
    let field = "Credentials.SecurityToken";
    assert!(
        matches!(error, Error::MissingField { field: f, .. } if f == field),
        "{error:?}"
    );
    let error = Cloud::faulty("sts:expired").fault().await;
    assert!(matches!(error, Error::AlreadyExpired { .. }), "{error:?}");
    // The clocks agree, whatever the service says: there is nothing to correct.
    let error = Cloud::faulty("sts:skewed").fault().await;
    assert_eq!(error.code(), Some("InvalidTimeStamp.Expired"));
    let error = Cloud::faulty("sts:hang").fault().await;
    assert!(error.is_unavailable(), "{error:?}");
}

#[tokio::test]
async fn over_real_sockets() {
    let clock: Arc<dyn Clock> = Arc::new(TestClock(Instant::now()));
    let options = Options {
        faults: vec!["sts:reset:1".parse().unwrap(), "sts:503:1".parse().unwrap()],
        ..Options::default()
    };
    let sandbox = Sandbox::new(World::generate(), options, Arc::clone(&clock)).unwrap();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = listener.local_addr();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let cloud = sandbox.clone();
    let handler = move |request| {
        let cloud = cloud.clone();
        async move { cloud.handle(request).await }
    };
    let server = tokio::spawn(listener.serve(handler, async {
        stopped.await.unwrap();
    }));

    let transport: Arc<dyn Transport> = Arc::new(Client::default());
    let endpoint: Endpoint = format!("http://{address}").parse().unwrap();
    let alice = sandbox.world().user("alice").unwrap();
    let client = |scheme| {
        let (transport, clock) = (Arc::clone(&transport), Arc::clone(&clock));
        StsClient::new(
            transport,
            clock,
            endpoint.clone(),
            scheme,
            RetryPolicy::default(),
        )
    };
    for scheme in BOTH {
        let (role, name) = (role(), name());
        let request = plain(&role, &name);
        let client = client(scheme);
        let answer = client.assume_role(alice, ClockSkew::ZERO, &request).await;
        let session = answer.unwrap().value.credentials();
        let identity = client.get_caller_identity(&session, ClockSkew::ZERO).await;
        assert_eq!(identity.unwrap().value.identity_type, "AssumedRoleUser");
    }
    stop.send(()).unwrap();
    server.await.unwrap();

    let once = RetryPolicy::once(Duration::from_secs(30));
    let client = StsClient::new(transport, clock, endpoint, SignatureScheme::Rpc, once);
    let error = client.get_caller_identity(alice, ClockSkew::ZERO).await;
    let Error::Transport { source, .. } = error.unwrap_err() else {
        panic!("nobody listens any more")
    };
    assert_eq!(source.kind(), HttpErrorKind::Connect);
}
