//! What is made of a refusal, and what is never kept of it.

use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::Response;
use stsctl::http::{Body, HttpErrorKind};
use stsctl::model::ClockSkew;
use stsctl::oss::{Error, PutObject, PutOptions, Verdict};
use stsctl::sign::{OssRequest, oss_v4};

use super::fake::{Act, Fake, SECRET, TOKEN, act, broken, client, refusal, session};

/// What comes of one PutObject that is answered so.
async fn put(act: Act) -> Error {
    let (bucket, key) = ("demo-bucket".parse().unwrap(), "k".parse().unwrap());
    let options = PutOptions::default();
    let request = PutObject {
        bucket: &bucket,
        key: &key,
        options: &options,
    };
    let fake = Fake::new([act]);
    client(&fake)
        .put_object(
            &session(),
            ClockSkew::ZERO,
            &request,
            Body::empty(),
            Some(0),
        )
        .await
        .unwrap_err()
}

async fn head(act: Act) -> Error {
    let (bucket, key) = ("demo-bucket".parse().unwrap(), "k".parse().unwrap());
    let fake = Fake::new([act]);
    client(&fake)
        .head_object(&session(), ClockSkew::ZERO, &bucket, &key)
        .await
        .unwrap_err()
}

fn code(status: u16, code: &'static str) -> Act {
    act(move |_| Ok(refusal(status, &format!("<Code>{code}</Code>"))))
}

#[tokio::test]
async fn a_refusal_is_told_in_osss_words() {
    let error = put(act(|_| {
        Ok(refusal(
            404,
            "<Code>NoSuchBucket</Code><Message>The specified bucket does not exist.</Message>",
        ))
    }))
    .await;
    assert_eq!(
        error.to_string(),
        "OSS answered PutObject with NoSuchBucket: The specified bucket does not exist \
         (RequestId 5CAC155CB7AEADE01700ABCD, EC 0000-00000001)"
    );
    assert_eq!(
        (error.code(), error.status()),
        (Some("NoSuchBucket"), Some(404))
    );
    assert!(!error.is_transient() && !error.is_bad_credentials());
}

#[tokio::test]
async fn another_regions_endpoint_is_told() {
    let endpoint = "<Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>";
    let error = put(act(move |_| {
        Ok(refusal(
            403,
            &format!("<Code>AccessDenied</Code>{endpoint}"),
        ))
    }))
    .await;
    let found = error.refusal().unwrap().endpoint.clone().unwrap();
    assert_eq!(found.host(), "oss-cn-beijing.aliyuncs.com");
}

#[tokio::test]
async fn classes_of_refusals() {
    for name in [
        "SecurityTokenExpired",
        "InvalidSecurityToken",
        "AccessKeyIdAndSecurityTokenNotMatch",
        "InvalidAccessKeyId",
    ] {
        let error = put(code(403, name)).await;
        assert!(
            error.is_token_rejected() && error.is_bad_credentials(),
            "{name}"
        );
        assert!(!error.is_transient() && !error.is_skewed(), "{name}");
    }
    let error = put(code(403, "RequestTimeTooSkewed")).await;
    assert!(error.is_skewed() && !error.is_token_rejected() && !error.is_transient());
    assert!((3600..=3601).contains(&error.skew().unwrap().seconds()));
    for (status, name) in [
        (500, "InternalError"),
        (503, "ServiceUnavailable"),
        (400, "RequestTimeout"),
    ] {
        let error = put(code(status, name)).await;
        assert!(error.is_transient() && !error.is_throttled(), "{name}");
        assert_eq!(error.is_unavailable(), status >= 500, "{name}");
    }
    let error = put(code(503, "UploadTrafficRateLimitExceeded")).await;
    assert!(error.is_throttled() && error.is_transient());
    let error = put(act(|_| {
        let mut answer = refusal(503, "<Code>Slow</Code>");
        answer
            .headers_mut()
            .insert("x-oss-qos-delay-time", "1500".parse().unwrap());
        Ok(answer)
    }))
    .await;
    assert!(error.is_throttled());
    assert_eq!(error.delay(), Some(Duration::from_millis(1500)));
    let error = put(broken(HttpErrorKind::Connect)).await;
    assert!(error.is_transient() && error.status().is_none() && error.source().is_some());
    assert!(!put(broken(HttpErrorKind::Tls)).await.is_transient());
}

#[tokio::test]
async fn a_callback_that_failed_is_an_error() {
    let error = put(code(203, "CallbackFailed")).await;
    assert_eq!(
        (error.code(), error.status()),
        (Some("CallbackFailed"), Some(203))
    );
}

#[tokio::test]
async fn an_answer_that_is_not_osss() {
    let html = |status: u16| {
        act(move |_| {
            Ok(Response::builder()
                .status(status)
                .header("content-type", "text/html; charset=utf-8")
                .body(Body::from(format!("<html><Code>{TOKEN}</Code></html>")))
                .unwrap())
        })
    };
    for status in [200, 302, 403, 502] {
        let error = put(html(status)).await;
        assert!(matches!(error, Error::NotOss { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "`127.0.0.1:8080` answered PutObject with HTTP {status} and text/html; \
                 charset=utf-8, not as OSS does"
            )
        );
        assert_eq!(error.is_transient(), status == 502);
    }
    let huge = put(act(|_| {
        Ok(Response::builder()
            .status(403)
            .body(Body::from("x".repeat(2 << 20)))
            .unwrap())
    }))
    .await;
    assert!(matches!(huge, Error::NotOss { .. }), "{huge:?}");
    let cut = put(act(|_| {
        let body = Body::from("<Error><Code>NoSuchBucket</Code><Mess".to_owned());
        Ok(Response::builder().status(404).body(body).unwrap())
    }))
    .await;
    assert!(matches!(cut, Error::NotOss { .. }), "{cut:?}");
}

#[tokio::test]
async fn the_error_of_a_head_is_in_a_header() {
    let xml = "<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>";
    let error = head(act(move |_| {
        Ok(Response::builder()
            .status(404)
            .header("x-oss-request-id", "R1")
            .header("x-oss-ec", "0026-00000001")
            .header("x-oss-err", BASE64_STANDARD.encode(xml))
            .body(Body::empty())
            .unwrap())
    }))
    .await;
    assert_eq!(
        error.to_string(),
        "OSS answered HeadObject with NoSuchKey: gone (RequestId R1, EC 0026-00000001)"
    );
    let error = head(act(|_| {
        let answer = Response::builder()
            .status(404)
            .header("x-oss-request-id", "R1");
        Ok(answer.body(Body::empty()).unwrap())
    }))
    .await;
    assert_eq!(
        error.to_string(),
        "OSS answered HeadObject with HTTP 404 (RequestId R1)"
    );
}

/// The server's side: rebuilds the StringToSign from what came.
fn string_to_sign(seen: &super::fake::Seen) -> String {
    let headers: Vec<_> = seen
        .headers
        .iter()
        .filter(|(name, _)| *name != "authorization")
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    let request = OssRequest {
        method: "PUT",
        bucket: Some("demo-bucket"),
        key: Some("k"),
        query: &[],
        headers: &headers,
    };
    let canonical = oss_v4::canonical_request(&request, &[]);
    let scope = oss_v4::Scope {
        at: super::fake::now(),
        region: "cn-hangzhou",
        product: "oss",
    };
    oss_v4::string_to_sign(&canonical, &scope).to_string()
}

#[tokio::test]
async fn a_wrong_secret_is_told_from_a_wrong_signature() {
    let mismatch = |theirs: String| {
        let fields =
            format!("<Code>SignatureDoesNotMatch</Code><StringToSign>{theirs}</StringToSign>");
        Ok(refusal(403, &fields))
    };
    let error = put(act(move |seen| mismatch(string_to_sign(seen)))).await;
    assert_eq!(error.refusal().unwrap().verdict, Some(Verdict::WrongSecret));
    assert!(error.is_bad_credentials());
    let error = put(act(move |seen| mismatch(string_to_sign(seen) + "0"))).await;
    assert_eq!(
        error.refusal().unwrap().verdict,
        Some(Verdict::SigningMismatch)
    );
    assert!(!error.is_bad_credentials());
    let error = put(code(403, "SignatureDoesNotMatch")).await;
    assert_eq!(error.refusal().unwrap().verdict, None);
}

#[tokio::test]
async fn an_echo_of_the_request_is_not_kept() {
    let authorization = Arc::new(Mutex::new(String::new()));
    let seen_authorization = authorization.clone();
    let error = put(act(move |seen| {
        let header = seen.header("authorization").unwrap().to_owned();
        seen_authorization.lock().unwrap().clone_from(&header);
        let encoded =
            percent_encoding::utf8_percent_encode(TOKEN, percent_encoding::NON_ALPHANUMERIC);
        let fields = format!(
            "<Code>{TOKEN}</Code>\
             <Message>bad: {header}; {SECRET}\n{TOKEN} \u{1b}[31m{}</Message>\
             <EC>{SECRET}</EC><RequestId>{TOKEN}</RequestId>\
             <SecurityToken>{TOKEN}</SecurityToken><Endpoint>{TOKEN}</Endpoint>\
             <StringToSign>{TOKEN}</StringToSign><CanonicalRequest>{TOKEN}</CanonicalRequest>\
             <Authorization>{header}</Authorization>",
            encoded.to_string().replace("%2D", "-")
        );
        let mut answer = refusal(403, &fields.replace('\u{1b}', "&#27;"));
        let headers = answer.headers_mut();
        headers.insert("x-oss-request-id", TOKEN.parse().unwrap());
        headers.insert("x-oss-ec", SECRET.parse().unwrap());
        headers.insert("content-type", TOKEN.parse().unwrap());
        Ok(answer)
    }))
    .await;
    let shown = format!("{error} {error:?} {error:#?}");
    assert!(
        shown.contains("bad: [redacted]; [redacted] [redacted]  [31m[redacted]"),
        "{shown}"
    );
    let signature = authorization
        .lock()
        .unwrap()
        .rsplit('=')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(signature.len(), 64);
    for canary in ["canary", &signature, "\u{1b}"] {
        assert!(!shown.contains(canary), "{shown}");
    }
}
