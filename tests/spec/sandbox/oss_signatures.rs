//! OSS's four ways of signing, and how each refuses.

use super::*;

fn authorization(request: &Request<Body>) -> String {
    request.headers()["authorization"]
        .to_str()
        .unwrap()
        .to_owned()
}

fn with_authorization(mut request: Request<Body>, value: &str) -> Request<Body> {
    let value = value.parse().unwrap();
    request.headers_mut().insert("authorization", value);
    request
}

const NASTY: &str = "a b+c%/ü中'\"*!~?#&=";

#[tokio::test]
async fn all_four_ways_are_understood_with_and_without_a_token() {
    let cloud = Cloud::new();
    let session = cloud.assume(&cloud.alice()).await;
    let headers = [("content-type", "text/plain"), ("x-oss-meta-a", "b")];
    for who in [cloud.alice(), session] {
        let put = Oss {
            headers: &headers,
            body: b"x",
            ..Oss::object("PUT", NASTY)
        };
        let (parts, scope) = (put.parts(), cloud.scope());
        let hour = cloud.now() + TimeDelta::hours(1);
        let v1_header = sign::oss_v1::sign_header(&parts, &who, cloud.now());
        let v1_url = sign::oss_v1::sign_url(&parts, &who, hour);
        let v4_header = sign::oss_v4::sign_header(&parts, &["content-type"], &who, &scope);
        let v4_url = sign::oss_v4::sign_url(&parts, &[], &who, &scope, Duration::from_secs(60));
        for signed in [&v1_header, &v4_header] {
            let answer = cloud.send(put.build(&[], &headers_of(signed))).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        for signed in [&v1_url, &v4_url] {
            let answer = cloud.send(put.build(&headers_of(signed), &[])).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }
    assert_eq!(cloud.get(NASTY, &[]).await.body, "x");
    assert_eq!(cloud.sandbox.calls("PutObject"), 8);
}

#[tokio::test]
async fn a_wrong_secret_shows_what_the_server_signed() {
    let cloud = Cloud::new();
    let imposter = Credentials {
        access_key_secret: "wrong".into(),
        ..cloud.alice()
    };
    let get = Oss::object("GET", "k");
    let scope = cloud.scope();
    let v1 = sign::oss_v1::sign_header(&get.parts(), &imposter, cloud.now());
    let v4 = sign::oss_v4::sign_header(&get.parts(), &[], &imposter, &scope);
    let url = sign::oss_v4::sign_url(&get.parts(), &[], &imposter, &scope, Duration::from_secs(9));
    for (signed, request, ec) in [
        (&v1, get.build(&[], &headers_of(&v1)), "0002-00000201"),
        (&v4, get.build(&[], &headers_of(&v4)), "0002-00000201"),
        (&url, get.build(&headers_of(&url), &[]), "0002-00000040"),
    ] {
        let answer = cloud.send(request).await;
        assert_eq!(
            answer.refusal(),
            (403, "SignatureDoesNotMatch".to_owned(), ec.to_owned())
        );
        assert_eq!(
            answer.element("StringToSign").as_deref(),
            Some(signed.string_to_sign.as_str())
        );
        assert_eq!(
            answer.element("OSSAccessKeyId").as_deref(),
            Some("LTAIalice")
        );
        assert!(answer.element("SignatureProvided").is_some());
        assert_eq!(answer.element("HostId").as_deref(), Some("127.0.0.1:9000"));
        assert_eq!(
            answer.element("RequestId").as_deref(),
            answer.header("x-oss-request-id")
        );
        let v4 = signed.string_to_sign.starts_with("OSS4");
        assert_eq!(answer.element("CanonicalRequest").is_some(), v4);
    }
}

#[tokio::test]
async fn the_authorization_of_version_4_is_read_leniently_and_checked_strictly() {
    let cloud = Cloud::new();
    let get = Oss {
        headers: &[("host", "127.0.0.1:9000")],
        ..Oss::bucket("GET", "logs")
    };
    let signed = sign::oss_v4::sign_header(&get.parts(), &["host"], &cloud.alice(), &cloud.scope());
    let request = || get.build(&[], &headers_of(&signed));
    let plain = authorization(&request());
    assert!(plain.contains(",AdditionalHeaders=host,"), "{plain}");
    assert_eq!(cloud.send(request()).await.status, 200);

    let fields: Vec<&str> = plain
        .strip_prefix("OSS4-HMAC-SHA256 ")
        .unwrap()
        .split(',')
        .collect();
    let [credential, additional, signature] = fields[..] else {
        panic!("{plain}");
    };
    for order in [
        format!("OSS4-HMAC-SHA256 {credential}, {signature}, {additional}"),
        format!("OSS4-HMAC-SHA256 {signature},{credential} , {additional}"),
    ] {
        assert_eq!(
            cloud
                .send(with_authorization(request(), &order))
                .await
                .status,
            200,
            "{order}"
        );
    }
    for (from, to, ec, message) in [
        (
            "cn-hangzhou",
            "oss-cn-hangzhou",
            "0002-00000226",
            "Invalid signing region in Authorization header.",
        ),
        ("=host,", "=,", "0002-00000209", ""),
        ("=host,", "=host;,", "0002-00000210", ""),
        (
            "/20260102/",
            "/20260101/",
            "",
            "Invalid signing date in Authorization header.",
        ),
        (
            "/oss/",
            "/sts/",
            "",
            "Invalid signing product in Authorization header.",
        ),
        ("aliyun_v4_request", "aws4_request", "", ""),
        ("Signature=", "Sig=", "", "Authorization header is invalid."),
        (
            "OSS4-HMAC-SHA256",
            "Bearer",
            "",
            "Authorization header is invalid.",
        ),
    ] {
        let answer = cloud
            .send(with_authorization(request(), &plain.replace(from, to)))
            .await;
        let expected = (400, "InvalidArgument".to_owned(), ec.to_owned());
        assert_eq!(answer.refusal(), expected, "{from}");
        let text = answer.element("Message").unwrap();
        assert!(message.is_empty() || text == message, "{text}");
    }
    let mut unsigned = request();
    unsigned.headers_mut().remove("x-oss-content-sha256");
    assert_eq!(cloud.send(unsigned).await.refusal().1, "InvalidArgument");
    let mut elsewhere = request();
    elsewhere
        .headers_mut()
        .insert("host", "localhost:9000".parse().unwrap());
    assert_eq!(
        cloud.send(elsewhere).await.refusal().1,
        "SignatureDoesNotMatch"
    );
}

#[tokio::test]
async fn tokens_are_judged_as_oss_does() {
    let cloud = Cloud::new();
    let (one, other) = (
        cloud.assume(&cloud.alice()).await,
        cloud.assume(&cloud.alice()).await,
    );
    let refused = async |who: &Credentials| cloud.oss(who, Oss::object("GET", "k")).await.refusal();
    let case = |code: &str, ec: &str| (403, code.to_owned(), ec.to_owned());
    let alone = Credentials {
        security_token: None,
        ..one.clone()
    };
    assert_eq!(
        refused(&alone).await,
        case("InvalidAccessKeyId", "0002-00000902")
    );
    assert_eq!(
        refused(&key("LTAInobody")).await,
        case("InvalidAccessKeyId", "0002-00000902")
    );
    let mixed = Credentials {
        security_token: other.security_token.clone(),
        ..one.clone()
    };
    assert_eq!(
        refused(&mixed).await,
        case("AccessKeyIdAndSecurityTokenNotMatch", "0002-00000004")
    );
    let garbage = Credentials {
        security_token: Some("x".into()),
        ..one.clone()
    };
    assert_eq!(
        refused(&garbage).await,
        case("InvalidSecurityToken", "0002-00000006")
    );
    let needless = Credentials {
        security_token: other.security_token,
        ..cloud.alice()
    };
    assert_eq!(
        refused(&needless).await,
        case("InvalidAccessKeyId", "0002-00000002")
    );
    cloud.advance(3600);
    assert_eq!(
        refused(&one).await,
        case("SecurityTokenExpired", "0002-00000007")
    );
}

#[tokio::test]
async fn a_token_counts_only_where_it_is_signed_and_only_once() {
    let cloud = Cloud::new();
    let session = cloud.assume(&cloud.alice()).await;
    let get = Oss::object("GET", "k");
    let signed = sign::oss_v1::sign_header(&get.parts(), &session, cloud.now());
    let mut request = get.build(&[], &headers_of(&signed));
    let token = request
        .headers_mut()
        .remove("x-oss-security-token")
        .unwrap();
    request
        .headers_mut()
        .insert("security-token", token.clone());
    assert_eq!(cloud.send(request).await.refusal().1, "InvalidAccessKeyId");

    for name in ["security-token", "x-oss-security-token"] {
        let query = [(name.to_owned(), token.to_str().unwrap().to_owned())];
        let twice = get.build(&query, &headers_of(&signed));
        assert_eq!(
            cloud.send(twice).await.refusal().1,
            "InvalidArgument",
            "{name}"
        );
    }
}

#[tokio::test]
async fn clocks_may_differ_by_15_minutes() {
    let cloud = Cloud::new();
    let get = Oss::bucket("GET", "logs");
    let signed_at = |at| {
        let scope = sign::oss_v4::Scope {
            at,
            ..cloud.scope()
        };
        let v1 = sign::oss_v1::sign_header(&get.parts(), &cloud.alice(), at);
        let v4 = sign::oss_v4::sign_header(&get.parts(), &[], &cloud.alice(), &scope);
        [v1, v4].map(|signed| get.build(&[], &headers_of(&signed)))
    };
    for seconds in [-900, 900] {
        for request in signed_at(cloud.now() + TimeDelta::seconds(seconds)) {
            assert_eq!(cloud.send(request).await.status, 200, "{seconds}");
        }
    }
    for seconds in [-901, 901] {
        for request in signed_at(cloud.now() + TimeDelta::seconds(seconds)) {
            let answer = cloud.send(request).await;
            let skewed = (
                403,
                "RequestTimeTooSkewed".to_owned(),
                "0002-00000504".to_owned(),
            );
            assert_eq!(answer.refusal(), skewed);
            assert_eq!(
                answer.element("MaxAllowedSkewMilliseconds").as_deref(),
                Some("900000")
            );
            assert_eq!(
                answer.element("ServerTime").as_deref(),
                Some("2026-01-02T03:04:05.000Z")
            );
            assert!(answer.element("RequestTime").is_some());
        }
    }
    let [mut dateless, _] = signed_at(cloud.now());
    dateless.headers_mut().remove("date");
    assert_eq!(cloud.send(dateless).await.refusal().1, "AccessDenied");
}

#[tokio::test]
async fn signed_urls_end() {
    let cloud = Cloud::new();
    let session = cloud.assume(&cloud.alice()).await;
    let get = Oss::bucket("GET", "logs");
    let v4 = |who: &Credentials, seconds| {
        let life = Duration::from_secs(seconds);
        let signed = sign::oss_v4::sign_url(&get.parts(), &[], who, &cloud.scope(), life);
        get.build(&headers_of(&signed), &[])
    };
    let v1 = || {
        let until = cloud.now() + TimeDelta::seconds(60);
        let signed = sign::oss_v1::sign_url(&get.parts(), &cloud.alice(), until);
        get.build(&headers_of(&signed), &[])
    };
    for (who, seconds, status) in [
        (cloud.alice(), 604_800, 200),
        (cloud.alice(), 604_801, 400),
        (session.clone(), 43_200, 200),
        (session, 43_201, 400),
    ] {
        assert_eq!(
            cloud.send(v4(&who, seconds)).await.status,
            status,
            "{seconds}"
        );
    }
    let (early, later) = (
        [v1(), v4(&cloud.alice(), 60)],
        [v1(), v4(&cloud.alice(), 60)],
    );
    cloud.advance(60);
    for request in early {
        assert_eq!(cloud.send(request).await.status, 200);
    }
    cloud.advance(1);
    for request in later {
        let answer = cloud.send(request).await;
        assert_eq!(answer.refusal().1, "AccessDenied");
        assert_eq!(
            answer.element("Message").as_deref(),
            Some("Request has expired.")
        );
    }
    for date in [
        "99999999T000000Z",
        "+262142-1231T235959Z",
        "-2621430101T000000Z",
        "",
    ] {
        let query: Vec<_> = owned(&[
            ("x-oss-signature-version", "OSS4-HMAC-SHA256"),
            (
                "x-oss-credential",
                "LTAIalice/x/cn-hangzhou/oss/aliyun_v4_request",
            ),
            ("x-oss-date", date),
            ("x-oss-expires", "60"),
            ("x-oss-signature", "x"),
        ])
        .collect();
        let answer = cloud.send(get.build(&query, &[])).await;
        assert_eq!(answer.refusal().1, "InvalidArgument", "{date}");
    }
    let ahead = v4(&cloud.alice(), 60);
    cloud.advance(-901);
    assert_eq!(cloud.send(ahead).await.refusal().1, "AccessDenied");
}

#[tokio::test]
async fn one_way_of_signing_at_a_time_and_never_none() {
    let cloud = Cloud::new();
    let get = Oss::bucket("GET", "logs");
    let url = sign::oss_v1::sign_url(&get.parts(), &cloud.alice(), cloud.now());
    let header = sign::oss_v1::sign_header(&get.parts(), &cloud.alice(), cloud.now());
    let both = get.build(&headers_of(&url), &headers_of(&header));
    assert_eq!(cloud.send(both).await.refusal().1, "InvalidArgument");
    let anonymous = cloud.send(get.build(&[], &[])).await;
    assert_eq!(
        anonymous.refusal(),
        (403, "AccessDenied".to_owned(), "0003-00000905".to_owned())
    );
    let half = get.build(&headers_of(&url)[..1], &[]);
    assert_eq!(cloud.send(half).await.refusal().1, "AccessDenied");
}

#[tokio::test]
async fn the_bucket_is_in_the_host_or_in_the_path() {
    let cloud = Cloud::new();
    cloud.put("a/b", b"x").await;
    let get = Oss::object("GET", "a/b");
    let signed = sign::oss_v4::sign_header(&get.parts(), &[], &cloud.alice(), &cloud.scope());
    for (url, host) in [
        ("http://demo-bucket.localhost:9000/a/b", None),
        ("http://demo-bucket.localhost/a%2Fb", None),
        ("http://demo-bucket.oss-cn-hangzhou.aliyuncs.com/a/b", None),
        ("http://demo-bucket.cn-hangzhou.oss.aliyuncs.com/a/b", None),
        ("http://localhost:9000/demo-bucket/a/b", None),
        ("http://[::1]:9000/demo-bucket/a%2fb", None),
        ("/a/b", Some("demo-bucket.localhost:9000")),
        ("/demo-bucket/a/b", Some("127.0.0.1")),
    ] {
        let mut request = Request::get(url);
        for (name, value) in headers_of(&signed) {
            request = request.header(name, value);
        }
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let answer = cloud.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.body, "x", "{url} {host:?}: {answer:?}");
    }
}
