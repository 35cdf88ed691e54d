//! Whatever comes over the wire, the sandbox answers it and does not panic.

use proptest::prelude::*;

use super::*;

fn header() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        Just("authorization"),
        Just("content-length"),
        Just("content-md5"),
        Just("content-type"),
        Just("date"),
        Just("host"),
        Just("if-match"),
        Just("if-modified-since"),
        Just("range"),
        Just("x-acs-action"),
        Just("x-acs-date"),
        Just("x-acs-security-token"),
        Just("x-acs-signature-nonce"),
        Just("x-acs-version"),
        Just("x-oss-content-sha256"),
        Just("x-oss-date"),
        Just("x-oss-meta-a"),
        Just("x-oss-security-token"),
        Just("x-oss-tagging"),
    ];
    (name.prop_map(str::to_owned), value())
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~é中]{0,40}",
        "ACS3-HMAC-SHA256 ?Credential=[a-zA-Z/]{0,9},SignedHeaders=[a-z;-]{0,20},Signature=[0-9a-f]{0,8}",
        "OSS4-HMAC-SHA256 Credential=LTAIalice/2026010[12]/cn-hangzhou/oss/aliyun_v4_request(,AdditionalHeaders=[a-z;]{0,9})?,Signature=[ -~é]{0,5}",
        "OSS LTAIalice:[ -~]{0,9}",
        "2026010[0-9]T03040[0-9]Z",
        "bytes=[0-9]{0,20}-[0-9]{0,20}",
        Just("AssumeRole".to_owned()),
        Just("2015-04-01".to_owned()),
        Just("UNSIGNED-PAYLOAD".to_owned()),
        Just("application/x-www-form-urlencoded".to_owned()),
        Just("Fri, 02 Jan 2026 03:04:05 GMT".to_owned()),
        Just("demo-bucket.localhost:1".to_owned()),
    ]
}

fn parameter() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("AccessKeyId"),
        Just("Action"),
        Just("DurationSeconds"),
        Just("Expires"),
        Just("Format"),
        Just("OSSAccessKeyId"),
        Just("Policy"),
        Just("Signature"),
        Just("Timestamp"),
        Just("Version"),
        Just("acl"),
        Just("bucketInfo"),
        Just("continuation-token"),
        Just("delete"),
        Just("delimiter"),
        Just("list-type"),
        Just("marker"),
        Just("max-keys"),
        Just("objectMeta"),
        Just("prefix"),
        Just("response-expires"),
        Just("security-token"),
        Just("x-oss-additional-headers"),
        Just("x-oss-credential"),
        Just("x-oss-date"),
        Just("x-oss-expires"),
        Just("x-oss-signature"),
        Just("x-oss-signature-version"),
    ];
    (name, value()).prop_map(|(name, value)| format!("{name}={}", encode::component(&value)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_requests_are_answered(
        method in "(GET|PUT|POST|HEAD|DELETE|OPTIONS|X)",
        path in "(/|/demo-bucket|/demo-bucket/|/demo-bucket/k|(/[a-zA-Z0-9%+.~-]{0,8}){1,3})",
        query in proptest::collection::vec(parameter(), 0..6),
        headers in proptest::collection::vec(header(), 0..8),
        body in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut request = Request::builder().method(&*method);
        request = request.uri(format!("http://127.0.0.1{path}?{}", query.join("&")));
        for (name, value) in &headers {
            request = request.header(name, value.as_bytes());
        }
        let request = request.body(Body::from(Bytes::from(body))).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(Cloud::new().send(request));
        // Nothing that is not signed gets in.
        prop_assert!((400..=599).contains(&answer.status), "{answer:?}");
        prop_assert!(answer.headers.contains_key("date"));
    }

    #[test]
    fn signed_requests_with_arbitrary_parameters_are_answered(
        method in "(GET|PUT|POST|HEAD|DELETE)",
        key in proptest::option::of("[ -~é中]{1,12}"),
        query in proptest::collection::vec(("[a-z-]{1,9}|prefix|marker|max-keys|delimiter|list-type|response-expires", value()), 0..4),
        range in value(),
        body in ".{0,30}",
    ) {
        let query: Vec<_> = query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let request = Oss {
            key: key.as_deref(),
            query: &query,
            body: body.as_bytes(),
            ..Oss::bucket(&method, "demo-bucket")
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let cloud = Cloud::new();
        let mut request = cloud.v4(&cloud.alice(), request);
        request.headers_mut().insert("range", http::HeaderValue::from_bytes(range.as_bytes()).unwrap());
        let answer = runtime.block_on(cloud.send(request));
        prop_assert!(answer.status < 500 || answer.status == 501, "{answer:?}");
        prop_assert!(answer.element("Code").as_deref() != Some("SignatureDoesNotMatch"), "{answer:?}");
    }

    #[test]
    fn assume_role_takes_or_refuses_any_text(
        name in "(DurationSeconds|ExternalId|Policy|RoleArn|RoleSessionName|SourceIdentity)",
        value in ".{0,40}|\\PC{0,20}|\\{\"Version\":\"1\",\"Statement\":.{0,20}\\}",
    ) {
        let mut params: Vec<(&str, &str)> = ROLE.to_vec();
        params.retain(|(other, _)| *other != name);
        params.push((&name, &value));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let cloud = Cloud::new();
        let answer = runtime.block_on(cloud.call(&cloud.alice(), "AssumeRole", &params));
        prop_assert!([200, 400, 404].contains(&answer.status), "{answer:?}");
        prop_assert_ne!(answer.fault().1, "SignatureDoesNotMatch");
    }
}
