//! The STS client against a scripted transport: what is sent, what is repeated and when, and what
//! each kind of answer becomes.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use stsctl::http::{Body, HttpError, HttpErrorKind, RetryPolicy, Transport};
use stsctl::model::{
    Clock, ClockSkew, Credentials, DurationSeconds, ExternalId, RoleArn, RoleSessionName, Session,
    SessionPolicy, SourceIdentity,
};
use stsctl::sts::{
    Answer, AssumeRole, CallerIdentity, Error, SignatureScheme, SignatureVerdict, StsClient,
};
use tokio::time::Instant;

const BOTH: [SignatureScheme; 2] = [SignatureScheme::Rpc, SignatureScheme::Acs3];

/// What one request is answered with.
enum Reply {
    Answer(u16, Vec<(&'static str, String)>, String),
    /// As `Answer`, made from the request.
    Made(fn(&Seen) -> Reply),
    Fail(HttpErrorKind),
    Hang,
}

fn reply(status: u16, body: impl ToString) -> Reply {
    Reply::Answer(
        status,
        vec![("content-type", "application/json;charset=utf-8".to_owned())],
        body.to_string(),
    )
}

impl Reply {
    fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Self::Answer(_, headers, _) = &mut self {
            headers.retain(|(known, _)| *known != name);
            headers.push((name, value.to_string()));
        }
        self
    }
}

/// A request as the transport saw it.
#[derive(Clone, Debug)]
struct Seen {
    at: Duration,
    method: Method,
    uri: String,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    /// Returns a parameter of the form body, decoded.
    fn param(&self, name: &str) -> Option<String> {
        let pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        let decode = |text: &str| {
            let text = percent_encoding::percent_decode_str(text).decode_utf8();
            text.unwrap().into_owned()
        };
        let mut values = pairs.filter(|(known, _)| *known == name);
        let value = values.next().map(|(_, value)| decode(value));
        assert!(values.next().is_none(), "{name} twice");
        value
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn nonce(&self) -> String {
        let header = self.header("x-acs-signature-nonce").map(str::to_owned);
        header.or_else(|| self.param("SignatureNonce")).unwrap()
    }

    fn signature(&self) -> String {
        let header = self.header("authorization").map(str::to_owned);
        header.or_else(|| self.param("Signature")).unwrap()
    }

    fn timestamp(&self) -> DateTime<Utc> {
        let header = self.header("x-acs-date").map(str::to_owned);
        let text = header.or_else(|| self.param("Timestamp")).unwrap();
        text.parse().unwrap()
    }
}

/// Answers each request with the next reply; a request beyond the script fails the test.
struct Scripted {
    start: Instant,
    replies: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<Seen>>,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripted")
    }
}

impl Transport for Scripted {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect(1 << 20, "fake").await.unwrap();
            let seen = Seen {
                at: self.start.elapsed(),
                method: head.method,
                uri: head.uri.to_string(),
                headers: head.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            };
            self.seen.lock().unwrap().push(seen.clone());
            let mut reply = self.replies.lock().unwrap().pop_front();
            if let Some(Reply::Made(make)) = reply {
                reply = Some(make(&seen));
            }
            match reply.expect("no request beyond the script") {
                Reply::Answer(status, headers, body) => {
                    let mut response = Response::builder().status(status);
                    for (name, value) in headers {
                        response = response.header(name, value);
                    }
                    Ok(response.body(Bytes::from(body).into()).unwrap())
                }
                Reply::Made(_) => unreachable!("made once"),
                Reply::Fail(kind) => Err(HttpError::new(kind, "sts.example")),
                Reply::Hang => std::future::pending().await,
            }
        }
        .boxed()
    }
}

/// A wall clock that moves with tokio's.
#[derive(Debug)]
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        start_time() + self.0.elapsed()
    }
}

fn start_time() -> DateTime<Utc> {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

struct Scene {
    transport: Arc<Scripted>,
    client: StsClient,
}

impl Scene {
    fn new(scheme: SignatureScheme, replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::with_retry(scheme, RetryPolicy::default(), replies)
    }

    fn with_retry(
        scheme: SignatureScheme,
        retry: RetryPolicy,
        replies: impl IntoIterator<Item = Reply>,
    ) -> Self {
        let start = Instant::now();
        let transport = Arc::new(Scripted {
            start,
            replies: Mutex::new(replies.into_iter().collect()),
            seen: Mutex::default(),
        });
        let endpoint = "sts.cn-hangzhou.aliyuncs.com".parse().unwrap();
        let dyn_transport: Arc<dyn Transport> = transport.clone();
        let clock = Arc::new(TestClock(start));
        Self {
            transport,
            client: StsClient::new(dyn_transport, clock, endpoint, scheme, retry),
        }
    }

    async fn assume(&self) -> Result<Answer<Session>, Error> {
        self.assume_as(&caller(), ClockSkew::ZERO).await
    }

    async fn assume_as(
        &self,
        caller: &Credentials,
        skew: ClockSkew,
    ) -> Result<Answer<Session>, Error> {
        let request = AssumeRole {
            role_arn: &role(),
            role_session_name: &name(),
            duration: DurationSeconds::default(),
            policy: None,
            external_id: None,
            source_identity: None,
        };
        self.client.assume_role(caller, skew, &request).await
    }

    fn seen(&self) -> Vec<Seen> {
        assert!(self.transport.replies.lock().unwrap().is_empty(), "unused");
        self.transport.seen.lock().unwrap().clone()
    }
}

/// One call, one reply, and the error it becomes.
async fn failure(reply: Reply) -> Error {
    let scene = Scene::with_retry(
        SignatureScheme::Rpc,
        RetryPolicy::once(Duration::from_secs(3)),
        [reply],
    );
    let error = scene.assume_as(&session_caller(), ClockSkew::ZERO).await;
    let error = error.expect_err("the reply is no session");
    assert_eq!(scene.seen().len(), 1);
    for shown in [format!("{error}"), format!("{error:?}"), chain(&error)] {
        assert!(!shown.contains("canary"), "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }
    error
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

fn caller() -> Credentials {
    Credentials {
        access_key_id: "LTAIexample".parse().unwrap(),
        access_key_secret: "canary-secret".into(),
        security_token: None,
    }
}

fn session_caller() -> Credentials {
    Credentials {
        access_key_id: "STS.example".parse().unwrap(),
        access_key_secret: "canary-secret".into(),
        security_token: Some("CAIS+/canary-token==".into()),
    }
}

fn role() -> RoleArn {
    "acs:ram::1234567890123456:role/testrole".parse().unwrap()
}

fn name() -> RoleSessionName {
    "alice@example.com".parse().unwrap()
}

fn session() -> Value {
    json!({
        "RequestId": "6894B13B-6D71-4EF5-88FA-F32781734A7F",
        "AssumedRoleUser": {
            "Arn": "acs:ram::1234567890123456:role/testrole/alice@example.com",
            "AssumedRoleId": "344584339364951186:alice@example.com",
        },
        "Credentials": {
            "AccessKeyId": "STS.NUgYrLnoC37mZZCNnAbez",
            "AccessKeySecret": "canary-new-secret",
            "SecurityToken": "CAIS\"canary-new-token",
            "Expiration": "2026-01-02T04:04:05Z",
        },
    })
}

fn refusal(code: &str, message: &str) -> Value {
    json!({
        "RequestId": "3D57EAD2-8723-1F26-B69C-F8707D8B565D",
        "HostId": "sts.cn-hangzhou.aliyuncs.com",
        "Code": code,
        "Message": message,
        "Recommend": format!("https://api.aliyun.com/troubleshoot?q={code}"),
    })
}

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
async fn an_error_is_shown_with_code_message_and_request_id() {
    let message = "You are not authorized to do this action.";
    let error = failure(reply(403, refusal("NoPermission", message))).await;
    assert_eq!(
        error.to_string(),
        "STS answered NoPermission: You are not authorized to do this action. \
         (RequestId 3D57EAD2-8723-1F26-B69C-F8707D8B565D)"
    );
    assert_eq!(
        error.request_id(),
        Some("3D57EAD2-8723-1F26-B69C-F8707D8B565D")
    );
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    assert!(error.is_denied() && !error.is_bad_credentials());
    let Error::Service(service) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        service.host_id.as_deref(),
        Some("sts.cn-hangzhou.aliyuncs.com")
    );
    let recommend = Some("https://api.aliyun.com/troubleshoot?q=NoPermission");
    assert_eq!(service.recommend.as_deref(), recommend);

    let bare = failure(reply(500, json!({"code": "InternalError"}))).await;
    assert_eq!(bare.to_string(), "STS answered InternalError");
    assert!(bare.is_unavailable() && !bare.is_denied());
}

#[tokio::test(start_paused = true)]
async fn a_gateway_may_answer_in_xml() {
    let xml = "<?xml version='1.0' encoding='UTF-8'?>\n<Error>\n  <RequestId>R-1</RequestId>\
        <HostId>sts.example</HostId><Code>MissingSecurityToken</Code>\
        <Message>a &lt;token&gt; &#38; <![CDATA[more]]></Message></Error>";
    let error = failure(reply(400, xml).header("content-type", "text/xml")).await;
    let shown = "STS answered MissingSecurityToken: a <token> & more (RequestId R-1)";
    assert_eq!(error.to_string(), shown);
    assert!(error.is_bad_credentials());
}

#[tokio::test(start_paused = true)]
async fn which_codes_mean_bad_credentials() {
    for code in [
        "InvalidAccessKeyId.NotFound",
        "InvalidAccessKeyId.Inactive",
        "InvalidSecurityToken.Expired",
        "InvalidSecurityToken.MismatchWithAccessKey",
        "MissingSecurityToken",
    ] {
        let error = failure(reply(400, refusal(code, "no"))).await;
        assert!(error.is_bad_credentials() && !error.is_denied(), "{code}");
    }
    for code in [
        "EntityNotExist.Role",
        "InvalidParameter.Policy",
        "SignatureDoesNotMatch",
    ] {
        let error = failure(reply(400, refusal(code, "no"))).await;
        assert!(!error.is_bad_credentials() && error.is_denied(), "{code}");
    }
}

/// Answers as the service does when the secret is wrong: quotes the string to sign.
fn quotes_rpc(seen: &Seen) -> Reply {
    let params: Vec<_> = seen
        .body
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| *name != "Signature")
        .map(|(name, _)| (name, seen.param(name).unwrap()))
        .collect();
    let params: Vec<_> = params.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let string_to_sign = stsctl::sign::rpc::string_to_sign("POST", &params);
    let message = format!(
        "Specified signature is not matched with our calculation. server string to sign is:{}",
        string_to_sign.as_str()
    );
    reply(400, refusal("SignatureDoesNotMatch", &message))
}

fn quotes_acs3(seen: &Seen) -> Reply {
    let authorization = seen.header("authorization").unwrap();
    let (_, rest) = authorization.split_once("SignedHeaders=").unwrap();
    let (names, _) = rest.split_once(',').unwrap();
    let headers: Vec<_> = names
        .split(';')
        .map(|n| (n, seen.header(n).unwrap()))
        .collect();
    let hash = seen.header("x-acs-content-sha256").unwrap();
    let canonical = stsctl::sign::acs3::canonical_request("POST", "/", &[], &headers, hash);
    let string_to_sign = stsctl::sign::acs3::string_to_sign(&canonical);
    let message = format!(
        "Specified signature does not match our calculation. \
         server StringToSign is [{string_to_sign}] server CanonicalRequest is [{}]",
        canonical.as_str()
    );
    reply(400, refusal("SignatureDoesNotMatch", &message))
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_told_from_a_wrong_signature() {
    let quotes: [(_, fn(&Seen) -> Reply); 2] = [
        (SignatureScheme::Rpc, quotes_rpc),
        (SignatureScheme::Acs3, quotes_acs3),
    ];
    for (scheme, quotes) in quotes {
        let scene = Scene::new(scheme, [Reply::Made(quotes)]);
        let error = scene
            .assume_as(&session_caller(), ClockSkew::ZERO)
            .await
            .unwrap_err();
        assert_eq!(
            error.signature_verdict(),
            Some(SignatureVerdict::WrongSecret),
            "{scheme:?}"
        );
        assert!(error.is_bad_credentials() && !error.is_denied());
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("AssumeRole%") && !shown.contains("canary"),
            "{shown}"
        );
        assert!(!shown.contains("x-acs"), "{shown}");
        assert!(
            error.to_string().contains("calculation. (RequestId"),
            "{error}"
        );
    }
    for message in [
        "No match. server string to sign is:POST&%2F&canary-token",
        "No match. server StringToSign is [ACS3-HMAC-SHA256\ncanary] and more",
    ] {
        let error = failure(reply(400, refusal("SignatureDoesNotMatch", message))).await;
        assert_eq!(
            error.signature_verdict(),
            Some(SignatureVerdict::SigningMismatch)
        );
        assert!(!error.is_bad_credentials() && error.is_denied());
    }
}

#[tokio::test(start_paused = true)]
async fn no_part_of_an_answer_brings_a_secret_or_a_control_character_along() {
    let echo = "token CAIS+/canary-token== secret canary-secret \u{1b}[31m\u{202e}";
    let body = json!({
        "Code": echo, "Message": echo, "RequestId": echo, "HostId": echo, "Recommend": echo,
    });
    let error = failure(reply(400, &body)).await;
    assert!(
        error
            .to_string()
            .contains("token [REDACTED] secret [REDACTED]"),
        "{error}"
    );
    let mut session = session();
    session["RequestId"] = echo.into();
    session["Credentials"]["SecurityToken"] = "".into();
    failure(reply(200, &session)).await;
    let page = reply(200, "<html>canary</html>");
    failure(page.header("content-type", "text/canary-secret")).await;
    let long = failure(reply(400, refusal("Long", &"é".repeat(5000)))).await;
    assert!(long.to_string().len() < 700, "{long}");
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_not_the_apis() {
    let html = "<html><body>Please log in, canary</body></html>";
    let portal = reply(200, html).header("content-type", "text/html; charset=utf-8");
    let error = failure(portal).await;
    assert_eq!(
        error.to_string(),
        "`sts.cn-hangzhou.aliyuncs.com` answered 200 OK with text/html, which STS never does: \
         a proxy or a captive portal may be answering in its place"
    );
    assert!(!error.is_unavailable() && !error.is_denied());

    let redirect = reply(302, "").header("location", "https://portal.example/?canary");
    let error = failure(redirect).await;
    assert_eq!(error.status(), Some(StatusCode::FOUND));
    for body in [
        "",
        "[]",
        "null",
        "\"canary\"",
        "<Error><Code>",
        "<Fault/>",
        "{\"x\":1}",
        "\u{0}",
    ] {
        let error = failure(reply(407, body)).await;
        assert!(
            matches!(error, Error::NotTheApi { .. }),
            "{body}: {error:?}"
        );
    }
    let mut wrong = session();
    wrong["Credentials"] = "canary".into();
    for body in [
        "",
        "[]",
        "canary",
        "<AssumeRoleResponse/>",
        &wrong.to_string(),
    ] {
        let error = failure(reply(200, body)).await;
        assert!(
            matches!(error, Error::NotTheApi { .. }),
            "{body}: {error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_off() {
    let whole = session().to_string();
    for cut in 1..whole.len() {
        let error = failure(reply(200, &whole[..cut])).await;
        let Error::Truncated { bytes, .. } = error else {
            panic!("{cut}: {error:?}")
        };
        assert_eq!(bytes, cut);
    }
    let error = failure(reply(400, "{\"Code\":\"canary")).await;
    assert_eq!(
        error.to_string(),
        "the answer to AssumeRole breaks off after 15 bytes"
    );
    assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
}

#[tokio::test(start_paused = true)]
async fn a_missing_field_is_named() {
    for path in [
        "RequestId",
        "AssumedRoleUser",
        "AssumedRoleUser.Arn",
        "AssumedRoleUser.AssumedRoleId",
        "Credentials",
        "Credentials.AccessKeyId",
        "Credentials.AccessKeySecret",
        "Credentials.SecurityToken",
        "Credentials.Expiration",
    ] {
        let pointer = format!("/{}", path.replace('.', "/"));
        let mut without = session();
        match path.split_once('.') {
            Some((parent, field)) => without[parent].as_object_mut().unwrap().remove(field),
            None => without.as_object_mut().unwrap().remove(path),
        };
        let mut null = session();
        *null.pointer_mut(&pointer).unwrap() = Value::Null;
        let mut bodies = vec![without, null];
        if session().pointer(&pointer).unwrap().is_string() {
            let mut empty = session();
            *empty.pointer_mut(&pointer).unwrap() = "".into();
            bodies.push(empty);
        }
        for body in bodies {
            let error = failure(reply(200, &body)).await;
            let Error::MissingField { field, .. } = error else {
                panic!("{path}: {error:?}")
            };
            assert_eq!(field, path);
        }
    }
    let mut session = session();
    session["Credentials"]["SecurityToken"] = Value::Null;
    let error = failure(reply(200, &session)).await;
    assert_eq!(
        error.to_string(),
        "the answer to AssumeRole has no Credentials.SecurityToken \
         (RequestId 6894B13B-6D71-4EF5-88FA-F32781734A7F)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_value_that_makes_no_sense_is_named() {
    let mut session = session();
    session["Credentials"]["Expiration"] = "tomorrow".into();
    let error = failure(reply(200, &session)).await;
    assert!(chain(&error).starts_with("Credentials.Expiration in the answer to AssumeRole"));
    assert!(
        chain(&error).contains("`tomorrow` is not a valid Expiration"),
        "{}",
        chain(&error)
    );
    session["Credentials"]["AccessKeyId"] = "two words".into();
    let error = failure(reply(200, &session)).await;
    let field = "Credentials.AccessKeyId";
    assert!(
        matches!(error, Error::Malformed { field: f, .. } if f == field),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_over_by_the_servers_own_clock() {
    let end = start_time() + TimeDelta::hours(1);
    for (ahead, over) in [(-1, false), (0, true), (1, true)] {
        let date = http_date(end + TimeDelta::seconds(ahead));
        let answer = reply(200, session()).header("date", date);
        if over {
            let error = failure(answer).await;
            assert!(matches!(error, Error::AlreadyExpired { .. }), "{error:?}");
            assert!(
                error
                    .to_string()
                    .contains("had ended at 2026-01-02T04:04:05Z"),
                "{error}"
            );
        } else {
            let scene = Scene::new(SignatureScheme::Rpc, [answer]);
            scene.assume().await.unwrap();
        }
    }
    // Without a Date, the last known skew tells the server's time.
    let scene = Scene::new(SignatureScheme::Rpc, [reply(200, session())]);
    let skew = ClockSkew::from_seconds(3600);
    let error = scene.assume_as(&caller(), skew).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyExpired { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_end_is_not_read() {
    let error = failure(reply(200, " ".repeat((1 << 20) + 1))).await;
    assert!(chain(&error).ends_with("is too large"), "{}", chain(&error));
    assert!(!error.is_unavailable());
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
