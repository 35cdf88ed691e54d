//! A transport that answers from a script, and the STS client on top of it.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "calls read better without `&`"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response};
use serde_json::{Value, json};
use stsctl::http::{Body, HttpError, HttpErrorKind, RetryPolicy, Transport};
use stsctl::model::{
    Clock, ClockSkew, Credentials, DurationSeconds, RoleArn, RoleSessionName, Session,
};
use stsctl::sts::{Answer, AssumeRole, Error, SignatureScheme, StsClient};
use tokio::time::Instant;

pub(crate) const BOTH: [SignatureScheme; 2] = [SignatureScheme::Rpc, SignatureScheme::Acs3];

/// What one request is answered with.
pub(crate) enum Reply {
    Answer(u16, Vec<(&'static str, String)>, String),
    /// As `Answer`, made from the request.
    Made(fn(&Seen) -> Self),
    Fail(HttpErrorKind),
    Hang,
}

pub(crate) fn reply(status: u16, body: impl ToString) -> Reply {
    Reply::Answer(
        status,
        vec![("content-type", "application/json;charset=utf-8".to_owned())],
        body.to_string(),
    )
}

impl Reply {
    pub(crate) fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Self::Answer(_, headers, _) = &mut self {
            headers.retain(|(known, _)| *known != name);
            headers.push((name, value.to_string()));
        }
        self
    }
}

/// A request as the transport saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Duration,
    pub(crate) method: Method,
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    /// Returns a parameter of the form body, decoded.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
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

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn nonce(&self) -> String {
        let header = self.header("x-acs-signature-nonce").map(str::to_owned);
        header.or_else(|| self.param("SignatureNonce")).unwrap()
    }

    pub(crate) fn signature(&self) -> String {
        let header = self.header("authorization").map(str::to_owned);
        header.or_else(|| self.param("Signature")).unwrap()
    }

    pub(crate) fn timestamp(&self) -> DateTime<Utc> {
        let header = self.header("x-acs-date").map(str::to_owned);
        let text = header.or_else(|| self.param("Timestamp")).unwrap();
        text.parse().unwrap()
    }
}

/// Answers each request with the next reply; a request beyond the script fails the test.
pub(crate) struct Scripted {
    pub(crate) start: Instant,
    pub(crate) replies: Mutex<VecDeque<Reply>>,
    pub(crate) seen: Mutex<Vec<Seen>>,
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
pub(crate) struct TestClock(pub(crate) Instant);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        start_time() + self.0.elapsed()
    }
}

pub(crate) fn start_time() -> DateTime<Utc> {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

pub(crate) fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub(crate) struct Scene {
    pub(crate) transport: Arc<Scripted>,
    pub(crate) client: StsClient,
}

impl Scene {
    pub(crate) fn new(scheme: SignatureScheme, replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::with_retry(scheme, RetryPolicy::default(), replies)
    }

    pub(crate) fn with_retry(
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

    pub(crate) async fn assume(&self) -> Result<Answer<Session>, Error> {
        self.assume_as(&caller(), ClockSkew::ZERO).await
    }

    pub(crate) async fn assume_as(
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

    pub(crate) fn seen(&self) -> Vec<Seen> {
        assert!(self.transport.replies.lock().unwrap().is_empty(), "unused");
        self.transport.seen.lock().unwrap().clone()
    }
}

/// One call, one reply, and the error it becomes.
pub(crate) async fn failure(reply: Reply) -> Error {
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

pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

pub(crate) fn caller() -> Credentials {
    Credentials {
        access_key_id: "LTAIexample".parse().unwrap(),
        access_key_secret: "canary-secret".into(),
        security_token: None,
    }
}

pub(crate) fn session_caller() -> Credentials {
    Credentials {
        access_key_id: "STS.example".parse().unwrap(),
        access_key_secret: "canary-secret".into(),
        security_token: Some("CAIS+/canary-token==".into()),
    }
}

pub(crate) fn role() -> RoleArn {
    "acs:ram::1234567890123456:role/testrole".parse().unwrap()
}

pub(crate) fn name() -> RoleSessionName {
    "alice@example.com".parse().unwrap()
}

pub(crate) fn session() -> Value {
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

pub(crate) fn refusal(code: &str, message: &str) -> Value {
    json!({
        "RequestId": "3D57EAD2-8723-1F26-B69C-F8707D8B565D",
        "HostId": "sts.cn-hangzhou.aliyuncs.com",
        "Code": code,
        "Message": message,
        "Recommend": format!("https://api.aliyun.com/troubleshoot?q={code}"),
    })
}
