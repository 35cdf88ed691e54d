//! The laws of signing that hold for every input, not just for the vectors.
#![allow(clippy::unwrap_used, reason = "a failed assumption is a failed test")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use stsctl::model::Credentials;
use stsctl::sign::{
    OssRequest, Signed, acs3, encode, equal, imf_fixdate, oss_v1, oss_v4, parse_imf_fixdate, rpc,
};

type Pairs = Vec<(String, String)>;

proptest! {
    #[test]
    fn decoding_gives_back_what_was_encoded(text in any::<String>()) {
        let component = encode::component(&text);
        prop_assert_eq!(decoded(&component), text.as_str());
        prop_assert!(component.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~%".contains(&b)));
        prop_assert_eq!(encode::path(&text), component.replace("%2F", "/"));
    }

    #[test]
    fn rpc_ignores_the_order_of_parameters((params, shuffled) in shuffled(parameters())) {
        let signed = sign_rpc(&borrowed(&params), Some("token"));
        let other = sign_rpc(&borrowed(&shuffled), Some("token"));
        prop_assert_eq!(seen(&signed), seen(&other));
    }

    #[test]
    fn acs3_ignores_the_order_of_query_and_headers(
        (query, shuffled_query) in shuffled(parameters()),
        (headers, shuffled_headers) in shuffled(vec(("(?i)[ab-]{1,2}", value()), 0..6)),
    ) {
        let canonical = |query: &Pairs, headers: &Pairs| {
            acs3::canonical_request("GET", "/", &borrowed(query), &borrowed(headers), "hash")
        };
        prop_assert_eq!(
            canonical(&query, &headers),
            canonical(&shuffled_query, &shuffled_headers)
        );
    }

    #[test]
    fn oss_ignores_the_order_of_query_and_headers(
        (query, shuffled_query) in shuffled(oss_query()),
        (headers, shuffled_headers) in shuffled(oss_headers()),
    ) {
        let (query, shuffled_query) = (borrowed(&query), borrowed(&shuffled_query));
        let (headers, shuffled_headers) = (borrowed(&headers), borrowed(&shuffled_headers));
        let one = put(&query, &headers);
        let other = put(&shuffled_query, &shuffled_headers);
        for (one, other) in sign_oss(&one, AT).iter().zip(&sign_oss(&other, AT)) {
            prop_assert_eq!(seen(one), seen(other));
        }
    }

    #[test]
    fn oss_ignores_the_case_of_header_names_and_space_around_values(headers in oss_headers()) {
        let loud: Pairs = headers
            .iter()
            .map(|(name, value)| (name.to_ascii_uppercase(), format!(" {value}\t")))
            .collect();
        let (headers, loud) = (borrowed(&headers), borrowed(&loud));
        let (one, other) = (put(&[], &headers), put(&[], &loud));
        for (one, other) in sign_oss(&one, AT).iter().zip(&sign_oss(&other, AT)) {
            prop_assert_eq!(seen(one), seen(other));
        }
    }

    /// The server's way: rebuild the string from what came over the wire, additions included.
    #[test]
    fn a_server_rebuilds_what_the_client_signed(
        query in oss_query(),
        headers in oss_headers(),
        key in ".{1,20}",
    ) {
        let (query, headers) = (borrowed(&query), borrowed(&headers));
        let request = OssRequest { key: Some(&key), ..put(&query, &headers) };
        let [v1_header, v1_url, v4_header, v4_url] = sign_oss(&request, AT);

        let sent = with(&headers, &v1_header);
        let received = OssRequest { headers: &sent, ..request };
        let date = oss_v1::date_line(&received).unwrap();
        prop_assert_eq!(&oss_v1::string_to_sign(&received, date), &v1_header.string_to_sign);

        let sent = with(&query, &v1_url);
        let received = OssRequest { query: &sent, ..request };
        let expires = v1_url.value("Expires").unwrap();
        prop_assert_eq!(&oss_v1::string_to_sign(&received, expires), &v1_url.string_to_sign);

        let sent = with(&headers, &v4_header);
        let received = OssRequest { headers: &sent, ..request };
        let canonical = oss_v4::canonical_request(&received, &[]);
        prop_assert_eq!(&oss_v4::string_to_sign(&canonical, &SCOPE), &v4_header.string_to_sign);

        let sent = with(&query, &v4_url);
        let received = OssRequest { query: &sent, ..request };
        let canonical = oss_v4::canonical_request(&received, &[]);
        prop_assert_eq!(&oss_v4::string_to_sign(&canonical, &SCOPE), &v4_url.string_to_sign);
    }

    #[test]
    fn no_input_makes_signing_panic(
        method in any::<String>(),
        text in any::<String>(),
        pairs in vec((any::<String>(), any::<String>()), 0..5),
        body in vec(any::<u8>(), 0..20),
        seconds in DateTime::<Utc>::MIN_UTC.timestamp()..=DateTime::<Utc>::MAX_UTC.timestamp(),
        expires in any::<u64>(),
    ) {
        let pairs = borrowed(&pairs);
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        let credentials = credentials(Some(&text));
        rpc::sign(
            &rpc::Request { method: &method, action: &text, version: &text, params: &pairs },
            &credentials,
            at,
            &text,
        );
        acs3::sign(
            &acs3::Request {
                method: &method,
                path: &text,
                query: &pairs,
                host: &text,
                action: &text,
                version: &text,
                content_type: Some(&text),
                body: &body,
            },
            &credentials,
            at,
            &text,
        );
        acs3::canonical_request(&method, &text, &pairs, &pairs, &text);
        let request = OssRequest {
            method: &method,
            bucket: Some(&text),
            key: Some(&text),
            query: &pairs,
            headers: &pairs,
        };
        sign_oss(&request, at);
        oss_v4::canonical_request(&request, &[&text, &method]);
        let scope = oss_v4::Scope { at, region: &text, product: &text };
        let expires = Duration::from_secs(expires);
        oss_v4::sign_url(&request, &[&text, &method], &credentials, &scope, expires);
        parse_imf_fixdate(&text);
    }

    #[test]
    fn dates_read_as_they_were_written(seconds in 0..253_402_300_800_i64) {
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        prop_assert_eq!(parse_imf_fixdate(&imf_fixdate(at)), Some(at));
    }

    #[test]
    fn equal_is_equality(a in "[ab]{0,3}", b in "[ab]{0,3}") {
        prop_assert_eq!(equal(&a, &b), a == b);
    }
}

#[test]
fn imf_fixdate_takes_one_form_only() {
    let at: DateTime<Utc> = "2022-12-28T10:27:41Z".parse().unwrap();
    assert_eq!(imf_fixdate(at), "Wed, 28 Dec 2022 10:27:41 GMT");
    let day: DateTime<Utc> = "2026-01-02T03:04:05Z".parse().unwrap();
    assert_eq!(imf_fixdate(day), "Fri, 02 Jan 2026 03:04:05 GMT");
    for wrong in [
        "",
        "Fri, 2 Jan 2026 03:04:05 GMT",
        "Thu, 02 Jan 2026 03:04:05 GMT",
        "Fri, 02 Jan 2026 03:04:05 +0000",
        "Fri, 02 Jan 2026 03:04:05 gmt",
        "Fri, 02 Jan 2026 03:04:05 GMT ",
        "Mon, 30 Feb 2026 03:04:05 GMT",
        "Friday, 02-Jan-26 03:04:05 GMT",
        "2026-01-02T03:04:05Z",
    ] {
        assert_eq!(parse_imf_fixdate(wrong), None, "{wrong}");
    }
}

/// An SDK's own case, which is no request and so not among the vectors: two headers whose names
/// differ in case, a parameter without a value (darabonba-openapi, python/tests/test_utils.py).
#[test]
fn acs3_joins_headers_of_one_name() {
    let headers = [("x-acs-test", "http"), ("x-acs-TEST", "https")];
    let canonical_request = acs3::canonical_request(
        "GET",
        "/",
        &[("test", "ok"), ("empty", "")],
        &headers,
        "55e12e91650d2fec56ec74e1d3e4ddbfce2ef3a65890c2a19ecf88a307e76a23",
    );
    assert_eq!(acs3::signed_headers(&headers), "x-acs-test");
    assert_eq!(
        *canonical_request,
        "GET\n/\nempty=&test=ok\nx-acs-test:http,https\n\nx-acs-test\n\
         55e12e91650d2fec56ec74e1d3e4ddbfce2ef3a65890c2a19ecf88a307e76a23"
    );
    assert_eq!(
        acs3::signature(&acs3::string_to_sign(&canonical_request), &"secret".into()),
        "d16b30a7699ae9e43875b13195b2f81bcc3ed10c14a9b5eb780e51619aa50be1"
    );
}

#[test]
fn an_addition_takes_the_place_of_what_the_request_holds() {
    let stale = [
        ("Format", "XML"),
        ("Signature", "old"),
        ("SecurityToken", "old"),
        ("Timestamp", "old"),
        ("RoleArn", "arn"),
    ];
    assert_eq!(
        seen(&sign_rpc(&stale, Some("token"))),
        seen(&sign_rpc(&[("RoleArn", "arn")], Some("token")))
    );

    let v1_headers = [("date", "old"), ("X-Oss-Security-Token", "old")];
    let v1_query = [("security-token", "old"), ("Signature", "old")];
    let v4_headers = [
        ("X-Oss-Date", "old"),
        ("x-oss-content-sha256", "old"),
        ("x-oss-security-token", "old"),
    ];
    let v4_query = [
        ("x-oss-credential", "old"),
        ("x-oss-security-token", "old"),
        ("x-oss-signature", "old"),
    ];
    let stale = [
        put(&[], &v1_headers),
        put(&v1_query, &[]),
        put(&[], &v4_headers),
        put(&v4_query, &[]),
    ];
    let fresh = sign_oss(&put(&[], &[]), AT);
    for (index, stale) in stale.iter().enumerate() {
        let signed = &sign_oss(stale, AT)[index];
        assert_eq!(seen(signed), seen(&fresh[index]), "{stale:?}");
    }
}

#[test]
fn an_empty_token_counts_as_none() {
    assert_eq!(seen(&sign_rpc(&[], Some(""))), seen(&sign_rpc(&[], None)));
    let request = put(&[], &[]);
    let (empty, none) = (credentials(Some("")), credentials(None));
    let pairs = [
        (
            acs3::sign(&ACS3, &empty, AT, "nonce"),
            acs3::sign(&ACS3, &none, AT, "nonce"),
        ),
        (
            oss_v1::sign_header(&request, &empty, AT),
            oss_v1::sign_header(&request, &none, AT),
        ),
        (
            oss_v1::sign_url(&request, &empty, AT),
            oss_v1::sign_url(&request, &none, AT),
        ),
        (
            oss_v4::sign_header(&request, &[], &empty, &SCOPE),
            oss_v4::sign_header(&request, &[], &none, &SCOPE),
        ),
        (
            oss_v4::sign_url(&request, &[], &empty, &SCOPE, Duration::from_secs(60)),
            oss_v4::sign_url(&request, &[], &none, &SCOPE, Duration::from_secs(60)),
        ),
    ];
    for (empty, none) in pairs {
        assert_eq!(seen(&empty), seen(&none));
    }
}

#[test]
fn an_x_oss_date_replaces_the_date() {
    let headers = [("X-Oss-Date", "Wed, 28 Dec 2022 10:27:41 GMT")];
    let signed = oss_v1::sign_header(&put(&[], &headers), &credentials(None), AT);
    assert_eq!(signed.value("Date"), None);
    let line = signed.string_to_sign.lines().nth(3);
    assert_eq!(line, Some("Wed, 28 Dec 2022 10:27:41 GMT"));
    let both = [headers[0], ("Date", "Thu, 29 Dec 2022 10:27:41 GMT")];
    assert_eq!(oss_v1::date_line(&put(&[], &both)), Some(headers[0].1));
}

#[test]
fn additional_headers_are_listed_only_if_they_add_something() {
    let headers = [("Range", "bytes=0-9"), ("content-type", "text/plain")];
    let authorization = |wanted: &[&str]| {
        let request = put(&[], &headers);
        let signed = oss_v4::sign_header(&request, wanted, &credentials(None), &SCOPE);
        signed.value("Authorization").unwrap().to_owned()
    };
    assert!(authorization(&["RANGE", "range"]).contains(",AdditionalHeaders=range,Signature="));
    let idle = authorization(&["content-type", "x-oss-meta-a", "if-match"]);
    assert_eq!(idle, authorization(&[]));
    assert!(!idle.contains("AdditionalHeaders"), "{idle}");
}

#[test]
fn debug_shows_neither_tokens_nor_policies_nor_signatures() {
    let token = "canary-token";
    let params = [("Policy", "canary-policy")];
    let request = rpc::Request {
        method: "POST",
        action: "AssumeRole",
        version: "2015-04-01",
        params: &params,
    };
    let signed = sign_rpc(&params, Some(token));
    let mut shown = format!("{request:?}");
    let mut all = vec![signed];

    let query = [("security-token", token)];
    let headers = [("x-oss-security-token", token)];
    let request = put(&query, &headers);
    write!(shown, "{request:?}").unwrap();
    all.extend(sign_oss(&request, AT));

    let request = acs3::Request {
        query: &params,
        body: b"canary-body",
        ..ACS3
    };
    write!(shown, "{request:?}").unwrap();
    all.push(acs3::sign(&request, &credentials(Some(token)), AT, "nonce"));

    write!(shown, "{all:?}").unwrap();
    assert!(!shown.contains("canary"), "{shown}");
    for signed in &all {
        assert!(!shown.contains(signed.string_to_sign.as_str()), "{shown}");
        let mut sensitive = signed.additions.iter().filter(|added| added.sensitive);
        assert!(
            sensitive.all(|added| !shown.contains(added.value.as_str())),
            "{shown}"
        );
        let last = signed.additions.last().unwrap();
        assert!(last.sensitive, "{}", last.name);
    }
    for name in ["Policy", "AssumeRole", "LTAIexample", "x-acs-date"] {
        assert!(shown.contains(name), "{name} in {shown}");
    }
}

/// 2026-01-02T03:04:05Z.
const AT: DateTime<Utc> = DateTime::from_timestamp(1_767_323_045, 0).unwrap();

const SCOPE: oss_v4::Scope<'static> = oss_v4::Scope {
    at: AT,
    region: "cn-hangzhou",
    product: "oss",
};

const ACS3: acs3::Request<'static> = acs3::Request {
    method: "POST",
    path: "/",
    query: &[],
    host: "sts.aliyuncs.com",
    action: "AssumeRole",
    version: "2015-04-01",
    content_type: None,
    body: b"",
};

fn credentials(token: Option<&str>) -> Credentials {
    Credentials {
        access_key_id: "LTAIexample".parse().unwrap(),
        access_key_secret: "canary-secret".into(),
        security_token: token.map(Into::into),
    }
}

fn sign_rpc(params: &[(&str, &str)], token: Option<&str>) -> Signed {
    let request = rpc::Request {
        method: "POST",
        action: "AssumeRole",
        version: "2015-04-01",
        params,
    };
    rpc::sign(&request, &credentials(token), AT, "nonce")
}

fn put<'a>(query: &'a [(&'a str, &'a str)], headers: &'a [(&'a str, &'a str)]) -> OssRequest<'a> {
    OssRequest {
        method: "PUT",
        bucket: Some("demo-bucket"),
        key: Some("a b/中文+%"),
        query,
        headers,
    }
}

/// Signs in each way: V1 by header and in a URL, V4 by header and in a URL.
fn sign_oss(request: &OssRequest<'_>, at: DateTime<Utc>) -> [Signed; 4] {
    let credentials = credentials(Some("CAIS+/=token"));
    let scope = oss_v4::Scope { at, ..SCOPE };
    [
        oss_v1::sign_header(request, &credentials, at),
        oss_v1::sign_url(request, &credentials, at),
        oss_v4::sign_header(request, &[], &credentials, &scope),
        oss_v4::sign_url(request, &[], &credentials, &scope, Duration::from_secs(60)),
    ]
}

/// What signing gave, comparable.
fn seen(signed: &Signed) -> (&str, Vec<(&str, &str)>) {
    let additions = signed.additions.iter();
    let additions = additions.map(|added| (added.name, added.value.as_str()));
    (&signed.string_to_sign, additions.collect())
}

/// The pairs and the additions, as they are sent.
fn with<'a>(pairs: &[(&'a str, &'a str)], signed: &'a Signed) -> Vec<(&'a str, &'a str)> {
    let mut sent = pairs.to_vec();
    sent.extend(seen(signed).1);
    sent
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

fn borrowed(pairs: &Pairs) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// A value that keeps no space at its ends.
fn value() -> impl Strategy<Value = String> {
    "([!-~é中]([ -~é中]{0,5}[!-~é中])?)?"
}

/// Parameters, of which some have the same name.
fn parameters() -> impl Strategy<Value = Pairs> {
    vec(("[a-c~/中]{1,2}", value()), 0..6)
}

/// Parameters of which V1 signs some.
fn oss_query() -> impl Strategy<Value = Pairs> {
    let name = "acl|uploads|partNumber|prefix|x-oss-process|response-expires|[ -~]{1,3}";
    vec((name, value()), 0..6)
}

/// Headers whose names differ, of which some are signed.
fn oss_headers() -> impl Strategy<Value = Pairs> {
    let name = "content-type|content-md5|x-oss-meta-[a-z-]{1,2}|x-oss-acl|range|if-match";
    btree_map(name, value(), 0..6).prop_map(|headers: BTreeMap<_, _>| headers.into_iter().collect())
}

fn shuffled(pairs: impl Strategy<Value = Pairs>) -> impl Strategy<Value = (Pairs, Pairs)> {
    pairs.prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle()))
}
