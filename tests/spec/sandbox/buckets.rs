//! Buckets, listings, and the operations that the sandbox has not.

use super::*;

async fn answer(cloud: &Cloud, method: &str, bucket: &str, query: Pairs<'_>) -> Answer {
    let request = Oss {
        query,
        ..Oss::bucket(method, bucket)
    };
    cloud.oss(&cloud.alice(), request).await
}

fn elements(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(&open).skip(1);
    parts
        .map(|part| part.split(&close).next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn buckets_come_and_go() {
    let cloud = Cloud::new();
    let service = Oss {
        method: "GET",
        ..Oss::default()
    };
    let list = async || cloud.oss(&cloud.alice(), service).await;
    assert_eq!(
        elements(list().await.text(), "Name"),
        ["demo-bucket", "logs"]
    );
    let put = Oss {
        headers: &[("x-oss-acl", "public-read")],
        body: b"<CreateBucketConfiguration><StorageClass>IA</StorageClass></CreateBucketConfiguration>",
        ..Oss::bucket("PUT", "mine")
    };
    assert_eq!(cloud.oss(&cloud.alice(), put).await.status, 200);
    assert_eq!(cloud.oss(&cloud.alice(), put).await.status, 200);
    assert_eq!(
        elements(list().await.text(), "Name"),
        ["demo-bucket", "logs", "mine"]
    );
    let info = answer(&cloud, "GET", "mine", &[("bucketInfo", "")]).await;
    for (name, value) in [
        ("Name", "mine"),
        ("StorageClass", "IA"),
        ("Grant", "public-read"),
        ("Location", "oss-cn-hangzhou"),
        ("ExtranetEndpoint", "oss-cn-hangzhou.aliyuncs.com"),
        ("CreationDate", "2026-01-02T03:04:05.000Z"),
    ] {
        assert_eq!(info.element(name).as_deref(), Some(value));
    }
    let location = answer(&cloud, "GET", "mine", &[("location", "")]).await;
    assert_eq!(
        location.element("LocationConstraint").as_deref(),
        Some("oss-cn-hangzhou")
    );
    assert_eq!(answer(&cloud, "DELETE", "mine", &[]).await.status, 204);
    for (method, query) in [
        ("DELETE", &[][..]),
        ("GET", &[("bucketInfo", "")]),
        ("GET", &[("location", "")]),
        ("GET", &[]),
        ("GET", &[("list-type", "2")]),
    ] {
        let refused = answer(&cloud, method, "mine", query).await;
        assert_eq!(refused.refusal().1, "NoSuchBucket", "{method} {query:?}");
        assert_eq!(refused.element("BucketName").as_deref(), Some("mine"));
    }
    cloud.put("k", b"x").await;
    let full = answer(&cloud, "DELETE", "demo-bucket", &[]).await;
    assert_eq!((full.status, &*full.refusal().1), (409, "BucketNotEmpty"));
    for (body, acl, code) in [
        (
            &b"<StorageClass>Cheap</StorageClass>"[..],
            "private",
            "MalformedXML",
        ),
        (b"<a>", "private", "MalformedXML"),
        (b"", "everyone", "InvalidArgument"),
    ] {
        let put = Oss {
            headers: &[("x-oss-acl", acl)],
            body,
            ..Oss::bucket("PUT", "new")
        };
        assert_eq!(cloud.oss(&cloud.alice(), put).await.refusal().1, code);
    }
}

#[tokio::test]
async fn listings_have_pages_and_common_prefixes() {
    let cloud = Cloud::new();
    for key in ["a", "dir/b", "dir/c", "z\u{1}&"] {
        cloud.put(key, b"xyz").await;
    }
    let plain = [
        ("delimiter", "/"),
        ("encoding-type", "url"),
        ("max-keys", "2"),
    ];
    let v2 = [&plain[..], &[("list-type", "2")]].concat();
    let first = answer(&cloud, "GET", "demo-bucket", &v2).await;
    assert_eq!(elements(first.text(), "Key"), ["a"]);
    assert!(
        first
            .text()
            .contains("<CommonPrefixes><Prefix>dir%2F</Prefix></CommonPrefixes>")
    );
    for (name, value) in [
        ("IsTruncated", "true"),
        ("KeyCount", "2"),
        ("EncodingType", "url"),
        ("Size", "3"),
        ("ETag", "\"D16FB36F0911F878998C136191AF705E\""),
        ("LastModified", "2026-01-02T03:04:05.000Z"),
    ] {
        assert_eq!(first.element(name).as_deref(), Some(value));
    }
    assert_eq!(first.element("Owner"), None);
    let token = first.element("NextContinuationToken").unwrap();
    let next = [
        &v2[..],
        &[("continuation-token", &token), ("fetch-owner", "true")],
    ]
    .concat();
    let second = answer(&cloud, "GET", "demo-bucket", &next).await;
    assert_eq!(elements(second.text(), "Key"), ["z%01%26"]);
    assert_eq!(second.element("IsTruncated").as_deref(), Some("false"));
    assert!(second.element("Owner").is_some());

    let first = answer(&cloud, "GET", "demo-bucket", &plain).await;
    assert_eq!(first.element("NextMarker").as_deref(), Some("dir%2F"));
    let next = [&plain[..], &[("marker", "dir/")]].concat();
    let second = answer(&cloud, "GET", "demo-bucket", &next).await;
    assert_eq!(elements(second.text(), "Key"), ["z%01%26"]);

    let prefixed = [
        ("prefix", "dir/"),
        ("list-type", "2"),
        ("start-after", "dir/b"),
    ];
    let listed = answer(&cloud, "GET", "demo-bucket", &prefixed).await;
    assert_eq!(elements(listed.text(), "Key"), ["dir/c"]);
    for query in [
        ("max-keys", "0"),
        ("max-keys", "1001"),
        ("encoding-type", "base64"),
        ("list-type", "3"),
    ] {
        let refused = answer(&cloud, "GET", "demo-bucket", &[query]).await;
        assert_eq!(
            (refused.status, &*refused.refusal().1),
            (400, "InvalidArgument"),
            "{query:?}"
        );
    }
    let bad = [("list-type", "2"), ("continuation-token", "%")];
    let refused = answer(&cloud, "GET", "demo-bucket", &bad).await;
    assert_eq!(refused.refusal().1, "InvalidArgument");
}

#[tokio::test]
async fn many_objects_are_deleted_at_once() {
    let cloud = Cloud::new();
    for key in ["a&b", "c", "kept"] {
        cloud.put(key, b"x").await;
    }
    let delete = async |body: &str, headers: Pairs<'_>| {
        let request = Oss {
            query: &[("delete", ""), ("encoding-type", "url")],
            headers,
            body: body.as_bytes(),
            ..Oss::bucket("POST", "demo-bucket")
        };
        cloud.oss(&cloud.alice(), request).await
    };
    let list = "<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>no</Key></Object></Delete>";
    let missing = delete(list, &[]).await;
    assert_eq!(
        (missing.status, &*missing.refusal().1),
        (400, "MissingArgument")
    );
    let wrong = delete(list, &[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")]).await;
    assert_eq!(wrong.refusal().1, "InvalidDigest");
    let md5 = wrong.element("ServerDigest").unwrap();
    let done = delete(list, &[("content-md5", &md5)]).await;
    assert_eq!(elements(done.text(), "Key"), ["a%26b", "no"]);
    assert_eq!(cloud.get("a&b", &[]).await.status, 404);

    let quiet = "<Delete><Quiet>true</Quiet><Object><Key>c</Key></Object></Delete>";
    let wrong = delete(quiet, &[("content-md5", "")]).await;
    let md5 = wrong.element("ServerDigest").unwrap();
    let done = delete(quiet, &[("content-md5", &md5)]).await;
    assert_eq!((done.status, done.body.len()), (200, 0));
    let listed = answer(&cloud, "GET", "demo-bucket", &[]).await;
    assert_eq!(elements(listed.text(), "Key"), ["kept"]);
}

#[tokio::test]
async fn what_the_sandbox_lacks_is_never_taken_for_something_else() {
    let cloud = Cloud::new();
    cloud.put("k", b"x").await;
    for (method, key, selector) in [
        ("PUT", Some("k"), "acl"),
        ("PUT", Some("k"), "partNumber"),
        ("GET", Some("k"), "tagging"),
        ("GET", Some("k"), "x-oss-process"),
        ("GET", Some("k"), "versionId"),
        ("DELETE", Some("k"), "uploadId"),
        ("DELETE", Some("k"), "tagging"),
        ("POST", Some("k"), "uploads"),
        ("POST", Some("k"), "append"),
        ("PUT", None, "lifecycle"),
        ("DELETE", None, "website"),
        ("GET", None, "uploads"),
        ("GET", None, "acl"),
    ] {
        let query = [(selector, "")];
        let request = Oss {
            key,
            query: &query,
            ..Oss::bucket(method, "demo-bucket")
        };
        let refused = cloud.oss(&cloud.alice(), request).await;
        let (status, code, _) = refused.refusal();
        assert_eq!(
            (status, &*code),
            (501, "NotImplemented"),
            "{method} {selector}"
        );
    }
    assert_eq!(cloud.get("k", &[]).await.body, "x");
    for (method, bucket, kind) in [
        ("PATCH", Some("demo-bucket"), "OBJECT"),
        ("POST", Some("demo-bucket"), "OBJECT"),
        ("DELETE", None, "SERVICE"),
    ] {
        let key = bucket.map(|_| "k");
        let request = Oss {
            method,
            bucket,
            key,
            ..Oss::default()
        };
        let refused = cloud.oss(&cloud.alice(), request).await;
        assert_eq!(
            (refused.status, &*refused.refusal().1),
            (405, "MethodNotAllowed")
        );
        assert_eq!(refused.element("ResourceType").as_deref(), Some(kind));
    }
}
