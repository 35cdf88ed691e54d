//! What each kind of answer becomes: errors of the service, answers of something else, and
//! sessions that are none.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use chrono::TimeDelta;
use http::StatusCode;
use serde_json::{Value, json};
use stsctl::model::ClockSkew;
use stsctl::sts::{Error, SignatureScheme, SignatureVerdict};

use super::scripted::*;

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
    for (scheme, quotes) in [
        (SignatureScheme::Rpc, quotes_rpc as fn(&Seen) -> Reply),
        (SignatureScheme::Acs3, quotes_acs3),
    ] {
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
