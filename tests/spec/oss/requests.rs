//! What goes over the wire.

use http::Method;
use proptest::prelude::*;
use stsctl::http::{Body, Patience};
use stsctl::model::{ClockSkew, ObjectKey};
use stsctl::oss::{Metadata, Pair, PutObject, PutOptions, Tags};

use super::fake::{Fake, act, client, client_at, file, now, ok, put, session, stored, stream};

fn pair(name: &str, value: &str) -> Pair {
    Pair(name.to_owned(), value.to_owned())
}

fn all_options() -> PutOptions {
    PutOptions {
        content_type: Some("text/plain".parse().unwrap()),
        cache_control: Some("no-cache".parse().unwrap()),
        content_disposition: Some("attachment".parse().unwrap()),
        content_encoding: Some("gzip".parse().unwrap()),
        metadata: Metadata::new([pair("Author", "alice")]).unwrap(),
        tags: Tags::new([pair("a", "b c")]).unwrap(),
        acl: Some("private".parse().unwrap()),
        storage_class: Some("IA".parse().unwrap()),
        forbid_overwrite: true,
    }
}

#[tokio::test]
async fn a_put_says_all_that_was_asked() {
    let fake = Fake::new([stored()]);
    let (_dir, source) = file(b"hello");
    let put = put(&fake, source, &all_options()).await.outcome.unwrap();
    let [seen] = &fake.seen()[..] else {
        panic!("one request")
    };

    assert_eq!(seen.method, Method::PUT);
    assert_eq!(seen.uri, "http://127.0.0.1:8080/demo-bucket/a%20key");
    assert_eq!(
        seen.patience,
        Some(Patience::Idle(std::time::Duration::from_secs(10)))
    );
    assert_eq!((&seen.body[..], seen.whole), (&b"hello"[..], true));
    for (name, value) in [
        ("content-length", "5"),
        ("content-type", "text/plain"),
        ("cache-control", "no-cache"),
        ("content-disposition", "attachment"),
        ("content-encoding", "gzip"),
        ("x-oss-meta-author", "alice"),
        ("x-oss-tagging", "a=b%20c"),
        ("x-oss-object-acl", "private"),
        ("x-oss-storage-class", "IA"),
        ("x-oss-forbid-overwrite", "true"),
        ("x-oss-date", "20260102T030405Z"),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    for name in ["authorization", "x-oss-security-token"] {
        assert!(seen.headers[name].is_sensitive(), "{name}");
    }

    assert_eq!((put.size, put.crc64), (5, 11_177_612_005_948_864_433));
    assert_eq!(put.etag, "5D41402ABC4B2A76B9719D911017C592");
    assert!(put.crc64_checked);
    assert_eq!(
        (put.attempts, put.request_id.as_str()),
        (1, "5CAC155CB7AEADE01700ABCD")
    );
}

#[tokio::test]
async fn without_options_nothing_is_said() {
    let fake = Fake::new([stored()]);
    put(&fake, stream(b"hello"), &PutOptions::default())
        .await
        .outcome
        .unwrap();
    let [seen] = &fake.seen()[..] else {
        panic!("one request")
    };
    let mut names: Vec<_> = seen.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let expected = [
        "authorization",
        "x-oss-content-sha256",
        "x-oss-date",
        "x-oss-security-token",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_missing_checksum_is_noted() {
    let fake = Fake::new([act(|_| Ok(ok(None)))]);
    let put = put(&fake, stream(b"hello"), &PutOptions::default())
        .await
        .outcome
        .unwrap();
    assert!(!put.crc64_checked);
    assert_eq!(put.crc64, 11_177_612_005_948_864_433);
}

#[tokio::test]
async fn the_answer_shows_the_skew_and_requests_follow_it() {
    let fake = Fake::new([stored()]);
    let (bucket, key) = ("demo-bucket".parse().unwrap(), "k".parse().unwrap());
    let options = PutOptions::default();
    let request = PutObject {
        bucket: &bucket,
        key: &key,
        options: &options,
    };
    let skew = ClockSkew::from_seconds(-61);
    let answer = client(&fake)
        .put_object(&session(), skew, &request, Body::empty(), Some(0))
        .await
        .unwrap();
    let shown = answer.skew.seconds();
    assert!((3600..=3601).contains(&shown), "{shown}");
    assert_eq!(
        fake.seen()[0].header("x-oss-date"),
        Some("20260102T030304Z")
    );
    assert_eq!(now().to_rfc3339(), "2026-01-02T03:04:05+00:00");
}

#[tokio::test]
async fn a_bucket_in_the_host_name() {
    let fake = Fake::new([stored()]);
    let client = client_at(fake.clone(), "oss-cn-hangzhou.aliyuncs.com");
    let (bucket, key) = ("demo-bucket".parse().unwrap(), "k".parse().unwrap());
    let options = PutOptions::default();
    let request = PutObject {
        bucket: &bucket,
        key: &key,
        options: &options,
    };
    client
        .put_object(&session(), ClockSkew::ZERO, &request, Body::empty(), None)
        .await
        .unwrap();
    assert_eq!(
        fake.seen()[0].uri,
        "https://demo-bucket.oss-cn-hangzhou.aliyuncs.com/k"
    );
}

proptest! {
    /// Whatever a key holds, decoding the path gives it back.
    #[test]
    fn keys_survive_the_wire(key in "[ -~中é/%+?#]{1,40}") {
        let Ok(key) = key.parse::<ObjectKey>() else { return Ok(()) };
        let endpoint = "http://127.0.0.1:8080".parse().unwrap();
        let bucket = "demo-bucket".parse().unwrap();
        let uri = stsctl::oss::Addressing::Path.uri(&endpoint, &bucket, &key).unwrap();
        prop_assert_eq!(uri.query(), None);
        let encoded = uri.path().strip_prefix("/demo-bucket/").unwrap();
        let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap();
        prop_assert_eq!(decoded, key.as_str());
    }
}
