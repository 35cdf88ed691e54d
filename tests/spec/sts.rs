//! The STS client: what is sent, what is repeated and when, and how the clock is corrected.

mod answers;
mod sandbox;
mod scripted;

use std::collections::HashSet;
use std::time::Duration;

use chrono::TimeDelta;
use http::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::json;
use stsctl::http::{HttpErrorKind, RetryPolicy};
use stsctl::model::{ClockSkew, DurationSeconds, ExternalId, SessionPolicy, SourceIdentity};
use stsctl::sts::{AssumeRole, CallerIdentity, SignatureScheme};
use tokio::time::Instant;

use scripted::*;

#[tokio::test(start_paused = true)]
async fn every_parameter_travels_in_the_form_body() {
    let policy: SessionPolicy = r#"{"Version": "1", "Statement": []}"#.parse().unwrap();
    let external_id: ExternalId = "ext:1=2".parse().unwrap();
    let source_identity: SourceIdentity = "ci+bot".parse().unwrap();
    for scheme in BOTH {
        let scene = Scene::new(scheme, [reply(200, session())]);
        let request = AssumeRole {
            role_arn: &role(),
            role_session_name: &name(),
            duration: "15m".parse().unwrap(),
            policy: Some(&policy),
            external_id: Some(&external_id),
            source_identity: Some(&source_identity),
        };
        let answer = scene
            .client
            .assume_role(&session_caller(), ClockSkew::ZERO, &request)
            .await;
        let session = answer.unwrap().value;
        let exposed = (
            session.access_key_secret.expose_secret(),
            session.security_token.expose_secret(),
        );
        assert_eq!(exposed, ("canary-new-secret", "CAIS\"canary-new-token"));
        assert_eq!(session.access_key_id.as_str(), "STS.NUgYrLnoC37mZZCNnAbez");
        assert_eq!(session.expiration.to_string(), "2026-01-02T04:04:05Z");
        assert_eq!(session.role_arn, role());
        assert_eq!(session.request_id, "6894B13B-6D71-4EF5-88FA-F32781734A7F");

        let [seen] = scene.seen().try_into().unwrap();
        assert_eq!(seen.method, Method::POST);
        assert_eq!(seen.uri, "https://sts.cn-hangzhou.aliyuncs.com/");
        assert_eq!(seen.header("host"), Some("sts.cn-hangzhou.aliyuncs.com"));
        let content_type = Some("application/x-www-form-urlencoded");
        assert_eq!(seen.header("content-type"), content_type);
        for (name, value) in [
            ("RoleArn", "acs:ram::1234567890123456:role/testrole"),
            ("RoleSessionName", "alice@example.com"),
            ("DurationSeconds", "900"),
            ("Policy", r#"{"Version":"1","Statement":[]}"#),
            ("ExternalId", "ext:1=2"),
            ("SourceIdentity", "ci+bot"),
        ] {
            assert_eq!(seen.param(name).as_deref(), Some(value), "{scheme:?}");
        }
        let (action, token) = match scheme {
            SignatureScheme::Rpc => (seen.param("Action"), seen.param("SecurityToken")),
            SignatureScheme::Acs3 => {
                assert_eq!(seen.param("SecurityToken"), None);
                let header = |name| seen.header(name).map(str::to_owned);
                (header("x-acs-action"), header("x-acs-security-token"))
            }
        };
        assert_eq!(action.as_deref(), Some("AssumeRole"));
        assert_eq!(token.as_deref(), Some("CAIS+/canary-token=="));
        assert_eq!(seen.timestamp(), start_time());
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_can_move_between_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let scene = Scene::new(SignatureScheme::Rpc, [reply(200, session())]);
    let caller = caller();
    let (role, name) = (role(), name());
    let request = AssumeRole {
        role_arn: &role,
        role_session_name: &name,
        duration: DurationSeconds::default(),
        policy: None,
        external_id: None,
        source_identity: None,
    };
    let call = scene.client.assume_role(&caller, ClockSkew::ZERO, &request);
    is_send(call).await.unwrap();
    drop(is_send(
        scene.client.get_caller_identity(&caller, ClockSkew::ZERO),
    ));
}

#[tokio::test(start_paused = true)]
async fn whose_credentials_these_are() {
    let scene = Scene::new(
        SignatureScheme::Acs3,
        [reply(
            200,
            json!({
                "IdentityType": "AssumedRoleUser",
                "AccountId": "1234567890123456",
                "PrincipalId": "344584339364951186:alice",
                "Arn": "acs:ram::1234567890123456:assumed-role/testrole/alice",
                "RoleId": "344584339364951186",
                "RequestId": "2C9BE469-4A35-44D5-9529-CAA280B11603",
            }),
        )],
    );
    let caller = session_caller();
    let answer = scene.client.get_caller_identity(&caller, ClockSkew::ZERO);
    let expected = CallerIdentity {
        account_id: "1234567890123456".to_owned(),
        arn: "acs:ram::1234567890123456:assumed-role/testrole/alice".to_owned(),
        identity_type: "AssumedRoleUser".to_owned(),
        principal_id: "344584339364951186:alice".to_owned(),
        user_id: None,
        role_id: Some("344584339364951186".to_owned()),
        request_id: "2C9BE469-4A35-44D5-9529-CAA280B11603".to_owned(),
    };
    assert_eq!(answer.await.unwrap().value, expected);
    let [seen] = scene.seen().try_into().unwrap();
    assert_eq!(seen.body, "");
    assert_eq!(seen.header("x-acs-action"), Some("GetCallerIdentity"));
}

#[tokio::test(start_paused = true)]
async fn temporary_failures_are_tried_four_times_and_each_is_signed_anew() {
    for scheme in BOTH {
        let scene = Scene::new(
            scheme,
            [
                Reply::Fail(HttpErrorKind::Connect),
                reply(503, refusal("ServiceUnavailable", "later")),
                reply(400, refusal("SignatureNonceUsed", "used already")),
                reply(200, session()),
            ],
        );
        scene.assume().await.unwrap();
        let seen = scene.seen();
        let nonces: HashSet<_> = seen.iter().map(Seen::nonce).collect();
        let signatures: HashSet<_> = seen.iter().map(Seen::signature).collect();
        assert_eq!((nonces.len(), signatures.len()), (4, 4));
        assert!(seen.iter().all(|s| s.at < Duration::from_secs(6)));
    }

    let failures = [
        Reply::Fail(HttpErrorKind::Interrupted),
        Reply::Fail(HttpErrorKind::Timeout),
        reply(400, refusal("Throttling.User", "Request was denied.")),
        reply(502, "<html>Bad Gateway</html>").header("content-type", "text/html"),
    ];
    let scene = Scene::new(SignatureScheme::Rpc, failures);
    let error = scene.assume().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::BAD_GATEWAY));
    assert!(error.is_unavailable() && !error.is_denied());
    assert_eq!(scene.seen().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn final_answers_are_not_repeated() {
    for (status, body) in [
        (403, refusal("NoPermission", "no").to_string()),
        (
            404,
            refusal("InvalidAccessKeyId.NotFound", "no").to_string(),
        ),
        (400, refusal("ThrottlingIsNotThis", "no").to_string()),
        (200, r#"{"RequestId":"#.to_owned()),
        (302, String::new()),
    ] {
        let scene = Scene::new(SignatureScheme::Rpc, [reply(status, &body)]);
        scene.assume().await.unwrap_err();
        assert_eq!(scene.seen().len(), 1, "{body}");
    }
    let tls = [Reply::Fail(HttpErrorKind::Tls)];
    let scene = Scene::new(SignatureScheme::Rpc, tls);
    let error = scene.assume().await.unwrap_err();
    assert!(!error.is_unavailable(), "{error:?}");
    assert_eq!(
        chain(&error),
        "STS gave no answer to AssumeRole\nno TLS connection to `sts.example`"
    );
    assert_eq!(scene.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_waits_as_long_as_it_is_told() {
    let throttled = |millis: u32| {
        reply(400, refusal("Throttling.Api", "api flow control"))
            .header("x-acs-retry-after", millis)
    };
    let scene = Scene::new(
        SignatureScheme::Rpc,
        [throttled(7000), throttled(9000), reply(200, session())],
    );
    scene.assume().await.unwrap();
    let starts: Vec<_> = scene.seen().iter().map(|seen| seen.at.as_secs()).collect();
    assert_eq!(starts, [0, 7, 16]);

    let scene = Scene::new(SignatureScheme::Rpc, [throttled(30_000)]);
    let before = Instant::now();
    let error = scene.assume().await.unwrap_err();
    assert!(error.is_throttled() && !error.is_denied() && !error.is_unavailable());
    assert_eq!(
        before.elapsed(),
        Duration::ZERO,
        "no pause that leads nowhere"
    );
}

#[tokio::test(start_paused = true)]
async fn the_budget_ends_a_call_that_hangs() {
    let policies = [
        (RetryPolicy::default(), 30),
        (RetryPolicy::once(Duration::from_secs(3)), 3),
    ];
    for (policy, seconds) in policies {
        let scene = Scene::with_retry(SignatureScheme::Rpc, policy, [Reply::Hang]);
        let before = Instant::now();
        let error = scene.assume().await.unwrap_err();
        assert_eq!(before.elapsed().as_secs(), seconds);
        assert!(error.is_unavailable(), "{error:?}");
        let host = "`sts.cn-hangzhou.aliyuncs.com` did not answer in time";
        assert!(chain(&error).ends_with(host), "{}", chain(&error));
        assert_eq!(scene.seen().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_skew_is_measured_from_every_answer() {
    let date = http_date(start_time() - TimeDelta::seconds(90));
    let scene = Scene::new(
        SignatureScheme::Rpc,
        [
            reply(200, session()).header("date", date),
            reply(200, session()).header("date", "yesterday"),
            reply(200, session()),
        ],
    );
    let given = ClockSkew::from_seconds(7);
    let measured = scene.assume_as(&caller(), given).await.unwrap().skew;
    // A Date is cut to the second: right to one.
    assert!((-90..=-89).contains(&measured.seconds()), "{measured:?}");
    for _ in 0..2 {
        let kept = scene.assume_as(&caller(), given).await.unwrap().skew;
        assert_eq!(kept, given);
    }
    let timestamps: Vec<_> = scene.seen().iter().map(Seen::timestamp).collect();
    assert_eq!(timestamps, [start_time() + TimeDelta::seconds(7); 3]);
}

/// A server two hours ahead, which refuses timestamps 15 minutes away from its own.
fn ahead(seen: &Seen) -> Reply {
    let now = start_time() + TimeDelta::hours(2);
    let late = (now - seen.timestamp()).abs() > TimeDelta::minutes(15);
    let answer = if late {
        reply(400, refusal("InvalidTimeStamp.Expired", "expired"))
    } else {
        let mut session = session();
        session["Credentials"]["Expiration"] = "2026-01-02T06:04:05Z".into();
        reply(200, session)
    };
    answer.header("date", http_date(now))
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_corrected_once_and_at_once() {
    for scheme in BOTH {
        let scene = Scene::new(scheme, [Reply::Made(ahead), Reply::Made(ahead)]);
        let skew = scene.assume().await.unwrap().skew;
        assert!((7200..=7201).contains(&skew.seconds()), "{skew:?}");
        let seen = scene.seen();
        assert_eq!(seen[1].at, Duration::ZERO, "no pause");
        assert_ne!(seen[0].nonce(), seen[1].nonce());
    }

    // It is not one of the four attempts.
    let busy = || reply(503, refusal("ServiceUnavailable", "later"));
    let scene = Scene::new(
        SignatureScheme::Rpc,
        [
            busy(),
            busy(),
            Reply::Made(ahead),
            busy(),
            Reply::Made(ahead),
        ],
    );
    scene.assume().await.unwrap();
    assert_eq!(scene.seen().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_stays_wrong_is_an_error() {
    let stale = |offset: i64| {
        let at = start_time() + TimeDelta::hours(offset);
        reply(400, refusal("InvalidTimeStamp.Expired", "expired")).header("date", http_date(at))
    };
    for replies in [
        // Still refused after the correction.
        vec![stale(2), stale(4)],
        // There is nothing to correct: no Date, or the clocks agree.
        vec![reply(400, refusal("InvalidTimeStamp.Expired", "expired"))],
    ] {
        let count = replies.len();
        let scene = Scene::new(SignatureScheme::Rpc, replies);
        let error = scene.assume().await.unwrap_err();
        assert_eq!(error.code(), Some("InvalidTimeStamp.Expired"));
        assert!(error.is_denied());
        assert_eq!(scene.seen().len(), count);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_no_header_can_hold_is_refused_before_it_is_sent() {
    let scene = Scene::new(SignatureScheme::Acs3, []);
    let mut caller = session_caller();
    caller.security_token = Some("canary\ntoken".into());
    let error = scene.assume_as(&caller, ClockSkew::ZERO).await.unwrap_err();
    let shown = format!("{} {error:?}", chain(&error));
    assert!(
        shown.contains("cannot be made") && !shown.contains("canary"),
        "{shown}"
    );
    assert!(scene.seen().is_empty());
}
