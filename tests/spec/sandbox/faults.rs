//! Every fault does what its help says, as often as it says, and nothing afterwards.

use super::*;

async fn assume(cloud: &Cloud) -> Result<Answer, HttpErrorKind> {
    let params = cloud.signed(&cloud.alice(), "AssumeRole", ROLE);
    cloud.try_send(form(&params)).await
}

#[tokio::test]
async fn sts_errors_on_demand() {
    for (fault, status, code) in [
        ("sts:500:1", 500, "InternalError"),
        ("sts:503:1", 503, "ServiceUnavailable"),
        ("sts:throttle:1", 400, "Throttling.User"),
        ("sts:nonce-used:1", 400, "SignatureNonceUsed"),
        ("sts:skewed:1", 400, "InvalidTimeStamp.Expired"),
    ] {
        let cloud = Cloud::with_faults(&[fault]);
        let answer = assume(&cloud).await.unwrap();
        assert_eq!(answer.fault(), (status, code.to_owned()));
        let delay = (code == "Throttling.User").then_some("500");
        assert_eq!(answer.header("x-acs-retry-after"), delay);
        assert_eq!(assume(&cloud).await.unwrap().status, 200, "{fault}");
        assert_eq!(cloud.sandbox.calls("AssumeRole"), 2);
    }
}

#[tokio::test]
async fn sts_answers_that_make_no_sense() {
    let cloud = Cloud::with_faults(&["sts:garbage:1", "sts:truncate:1"]);
    let page = assume(&cloud).await.unwrap();
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(page.text().starts_with("<!DOCTYPE html>"));
    let half = assume(&cloud).await.unwrap();
    assert_eq!(half.status, 200);
    let error = serde_json::from_slice::<Value>(&half.body).unwrap_err();
    assert!(error.is_eof(), "{error}");

    let cloud = Cloud::with_faults(&["sts:missing-field:1", "sts:expired:1"]);
    let json = assume(&cloud).await.unwrap().json();
    assert!(json["Credentials"].get("SecurityToken").is_none());
    let json = assume(&cloud).await.unwrap().json();
    assert_eq!(json["Credentials"]["Expiration"], "2026-01-02T02:04:05Z");
    assert!(assume(&cloud).await.unwrap().json()["Credentials"]["SecurityToken"].is_string());
}

#[tokio::test]
async fn sts_connections_that_break() {
    let cloud = Cloud::with_faults(&["sts:reset:1", "sts:drop-reply:1"]);
    assert_eq!(
        assume(&cloud).await.unwrap_err(),
        HttpErrorKind::Interrupted
    );
    let params = cloud.signed(&cloud.alice(), "AssumeRole", ROLE);
    let dropped = cloud.try_send(form(&params)).await;
    assert_eq!(dropped.unwrap_err(), HttpErrorKind::Interrupted);
    // It was carried out: its nonce is used up.
    assert_eq!(
        cloud.send(form(&params)).await.fault().1,
        "SignatureNonceUsed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_runs_into_the_clients_patience() {
    let cloud = Cloud::with_faults(&["sts:hang:1", "oss:hang:1"]);
    let params = cloud.signed(&cloud.alice(), "AssumeRole", ROLE);
    let get = cloud.v4(&cloud.alice(), Oss::bucket("GET", "logs"));
    for mut request in [form(&params), get] {
        let patience = stsctl::http::Patience::Total(Duration::from_secs(10));
        request.extensions_mut().insert(patience);
        assert_eq!(
            cloud.try_send(request).await.unwrap_err(),
            HttpErrorKind::Timeout
        );
    }
}

#[tokio::test]
async fn a_token_expires_early_for_either_service() {
    let cloud = Cloud::with_faults(&["sts:expire-token:1", "oss:expire-token:1"]);
    let session = cloud.assume(&cloud.alice()).await;
    let answer = cloud.call(&session, "GetCallerIdentity", &[]).await;
    assert_eq!(
        answer.fault(),
        (400, "InvalidSecurityToken.Expired".to_owned())
    );
    let get = Oss::bucket("GET", "logs");
    let answer = cloud.oss(&session, get).await;
    assert_eq!(
        (answer.status, &*answer.refusal().1),
        (403, "SecurityTokenExpired")
    );
    assert_eq!(cloud.oss(&session, get).await.status, 200);
}

#[tokio::test]
async fn oss_errors_on_demand() {
    for (fault, status, code) in [
        ("oss:500:1", 500, "InternalError"),
        ("oss:502:1", 502, "ServiceUnavailable"),
        ("oss:throttle:1", 503, "QpsLimitExceeded"),
        ("oss:skewed:1", 403, "RequestTimeTooSkewed"),
    ] {
        let cloud = Cloud::with_faults(&[fault]);
        let answer = cloud.put("k", b"x").await;
        assert_eq!(
            (answer.status, &*answer.refusal().1),
            (status, code),
            "{fault}"
        );
        let delay = (code == "QpsLimitExceeded").then_some("500");
        assert_eq!(answer.header("x-oss-qos-delay-time"), delay);
        assert_eq!(
            cloud.get("k", &[]).await.status,
            404,
            "it was not carried out"
        );
    }
    let cloud = Cloud::with_faults(&["oss:garbage"]);
    assert!(
        cloud
            .put("k", b"x")
            .await
            .text()
            .starts_with("<!DOCTYPE html>")
    );
}

#[tokio::test]
async fn oss_checksums_that_lie() {
    let cloud = Cloud::with_faults(&["oss:wrong-crc:2"]);
    let right = Some("11051210869376104954");
    assert_ne!(
        cloud
            .put("k", b"123456789")
            .await
            .header("x-oss-hash-crc64ecma"),
        right
    );
    let head = cloud.oss(&cloud.alice(), Oss::object("HEAD", "k")).await;
    assert_eq!(head.header("x-oss-hash-crc64ecma"), right);
    assert_ne!(
        cloud.get("k", &[]).await.header("x-oss-hash-crc64ecma"),
        right
    );
    assert_eq!(
        cloud.get("k", &[]).await.header("x-oss-hash-crc64ecma"),
        right
    );
}

#[tokio::test]
async fn oss_connections_that_break() {
    let cloud = Cloud::with_faults(&["oss:reset:1", "oss:reset-after=2:1", "oss:drop-reply:1"]);
    let put = || {
        let request = Oss {
            body: b"abcd",
            ..Oss::object("PUT", "k")
        };
        cloud.try_send(cloud.v4(&cloud.alice(), request))
    };
    assert_eq!(put().await.unwrap_err(), HttpErrorKind::Interrupted);
    assert_eq!(put().await.unwrap_err(), HttpErrorKind::Interrupted);
    let missing = cloud
        .send(cloud.v4(&cloud.alice(), Oss::object("GET", "k")))
        .await;
    assert_eq!(missing.status, 404, "neither was carried out");
    assert_eq!(put().await.unwrap_err(), HttpErrorKind::Interrupted);
    assert_eq!(cloud.get("k", &[]).await.body, "abcd", "this one was");
}

#[tokio::test]
async fn a_download_breaks_off_where_it_is_told() {
    let cloud = Cloud::with_faults(&["oss:reset-after=2:1"]);
    assert_eq!(
        cloud.put("k", b"ab").await.status,
        200,
        "it does not go past the limit"
    );
    assert_eq!(cloud.get("k", &[]).await.body, "ab");

    let cloud = Cloud::with_faults(&["oss:reset-after=3:1"]);
    for key in ["k", "l"] {
        cloud.put(key, b"abc").await;
    }
    let request = Oss {
        body: b"abcdef",
        ..Oss::object("PUT", "long")
    };
    let broken = cloud.try_send(cloud.v4(&cloud.alice(), request)).await;
    assert_eq!(broken.unwrap_err(), HttpErrorKind::Interrupted);
    assert_eq!(
        cloud.put("long", b"abcdef").await.status,
        200,
        "it happens once"
    );
}
