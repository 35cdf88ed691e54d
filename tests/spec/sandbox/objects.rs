//! Objects: what is stored comes back, with the checks that OSS makes on the way.

use super::*;

#[tokio::test]
async fn an_object_comes_back_with_all_that_it_was_given() {
    let cloud = Cloud::new();
    let headers = [
        ("cache-control", "no-store"),
        ("content-disposition", "attachment"),
        ("content-encoding", "identity"),
        ("content-type", "text/plain"),
        ("expires", "Wed, 28 Dec 2022 10:27:41 GMT"),
        ("x-oss-meta-colour", "blue"),
    ];
    let more = [
        ("x-oss-storage-class", "IA"),
        ("x-oss-tagging", "a=1&b=%20"),
    ];
    let all = [&headers[..], &more].concat();
    let put = Oss {
        headers: &all,
        body: b"123456789",
        ..Oss::object("PUT", "k")
    };
    let answer = cloud.oss(&cloud.alice(), put).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let sums = [
        ("etag", "\"25F9E794323B453885F5181F1B624D0B\""),
        ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
        ("x-oss-hash-crc64ecma", "11051210869376104954"),
    ];
    for (name, value) in sums {
        assert_eq!(answer.header(name), Some(value));
    }
    let request_id = answer.header("x-oss-request-id").unwrap();
    assert!(request_id.len() == 24 && request_id.bytes().all(|b| b.is_ascii_hexdigit()));

    let get = cloud.get("k", &[]).await;
    let head = cloud.oss(&cloud.alice(), Oss::object("HEAD", "k")).await;
    assert_eq!((&*get.body, &*head.body), (&b"123456789"[..], &b""[..]));
    for answer in [&get, &head] {
        for (name, value) in headers.iter().chain(&sums).chain(&[
            ("accept-ranges", "bytes"),
            ("content-length", "9"),
            ("last-modified", "Fri, 02 Jan 2026 03:04:05 GMT"),
            ("x-oss-object-type", "Normal"),
            ("x-oss-storage-class", "IA"),
            ("x-oss-tagging-count", "2"),
        ]) {
            assert_eq!(answer.header(name), Some(*value), "{name}");
        }
    }
    let overriding = Oss {
        query: &[
            ("response-content-type", "image/png"),
            ("response-expires", "a\nb"),
        ],
        ..Oss::object("GET", "k")
    };
    let answer = cloud.oss(&cloud.alice(), overriding).await;
    assert_eq!(answer.header("content-type"), Some("image/png"));
    let meta = Oss {
        query: &[("objectMeta", "")],
        ..Oss::object("HEAD", "k")
    };
    let answer = cloud.oss(&cloud.alice(), meta).await;
    assert_eq!(answer.header("content-length"), Some("9"));
    assert_eq!(answer.header("content-type"), None);

    let deleted = cloud.oss(&cloud.alice(), Oss::object("DELETE", "k")).await;
    assert_eq!(deleted.status, 204);
    let again = cloud.oss(&cloud.alice(), Oss::object("DELETE", "k")).await;
    assert_eq!(again.status, 204);
    let gone = cloud.get("k", &[]).await;
    assert_eq!(
        gone.refusal(),
        (404, "NoSuchKey".to_owned(), "0026-00000001".to_owned())
    );
    assert_eq!(gone.element("Key").as_deref(), Some("k"));
}

#[tokio::test]
async fn an_object_without_a_type_has_the_default_one() {
    let cloud = Cloud::new();
    cloud.put("k", b"").await;
    let answer = cloud.get("k", &[]).await;
    assert_eq!(
        answer.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(answer.header("x-oss-hash-crc64ecma"), Some("0"));
}

#[tokio::test]
async fn head_says_in_headers_what_is_wrong() {
    use base64::Engine;
    let cloud = Cloud::new();
    let answer = cloud.oss(&cloud.alice(), Oss::object("HEAD", "k")).await;
    assert_eq!((answer.status, answer.body.len()), (404, 0));
    assert_eq!(answer.header("x-oss-ec"), Some("0026-00000001"));
    let error = answer.header("x-oss-err").unwrap();
    let xml = base64::prelude::BASE64_STANDARD.decode(error).unwrap();
    let xml = String::from_utf8(xml).unwrap();
    assert_eq!(element(&xml, "Code").as_deref(), Some("NoSuchKey"));
    assert_eq!(element(&xml, "EC").as_deref(), Some("0026-00000001"));
    assert!(
        element(&xml, "RecommendDoc")
            .unwrap()
            .ends_with("0026-00000001")
    );
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused() {
    let cloud = Cloud::new();
    let big = "x".repeat(8189);
    let long = "k".repeat(1024);
    let longest = "k".repeat(1023);
    let (md5, short) = ("AAAAAAAAAAAAAAAAAAAAAA==", "x-oss-meta-a");
    for (key, headers, status, code) in [
        ("k", vec![("content-md5", md5)], 400, "InvalidDigest"),
        (
            "k",
            vec![("content-md5", "kAFQmDzST7DWlj99KOF/cg==")],
            200,
            "",
        ),
        (
            "k",
            vec![("x-oss-hash-crc64ecma", "1")],
            400,
            "InvalidCRC64",
        ),
        (
            "k",
            vec![("content-length", "5368709121")],
            400,
            "EntityTooLarge",
        ),
        ("k", vec![("content-length", "4")], 400, "IncompleteBody"),
        ("k", vec![("content-length", "x")], 400, "InvalidArgument"),
        (
            "k",
            vec![("x-oss-storage-class", "Cheap")],
            400,
            "InvalidArgument",
        ),
        (
            "k",
            vec![("x-oss-object-acl", "everyone")],
            400,
            "InvalidArgument",
        ),
        (
            "k",
            vec![("x-oss-tagging", "a&b&c&d&e&f&g&h&i&j&k")],
            400,
            "InvalidTag",
        ),
        ("k", vec![(short, &big[..]), ("x-oss-meta-b", "x")], 200, ""),
        (
            "k",
            vec![(short, &big[..]), ("x-oss-meta-b", "xx")],
            400,
            "InvalidArgument",
        ),
        (
            "k",
            vec![("x-oss-copy-source", "/logs/k")],
            501,
            "NotImplemented",
        ),
        ("k", vec![("x-oss-callback", "e30=")], 501, "NotImplemented"),
        ("/k", vec![], 400, "InvalidObjectName"),
        ("\\k", vec![], 400, "InvalidObjectName"),
        (&long, vec![], 400, "InvalidObjectName"),
        (&longest, vec![], 200, ""),
    ] {
        let put = Oss {
            headers: &headers,
            body: b"abc",
            ..Oss::object("PUT", key)
        };
        let answer = cloud.oss(&cloud.alice(), put).await;
        let shown = headers.first().map(|(name, _)| name);
        assert_eq!(
            (answer.status, &*answer.refusal().1),
            (status, code),
            "{shown:?}"
        );
    }
    let nowhere = Oss {
        key: Some("k"),
        ..Oss::bucket("PUT", "no-such-bucket")
    };
    let answer = cloud.oss(&cloud.alice(), nowhere).await;
    let expected = (404, "NoSuchBucket".to_owned(), "0015-00000101".to_owned());
    assert_eq!(answer.refusal(), expected);
    let illegal = Oss {
        key: Some("k"),
        ..Oss::bucket("GET", "No_Bucket")
    };
    let answer = cloud.oss(&cloud.alice(), illegal).await;
    assert_eq!(
        (answer.status, &*answer.refusal().1),
        (400, "InvalidBucketName")
    );
}

#[tokio::test]
async fn overwriting_can_be_forbidden() {
    let cloud = Cloud::new();
    let put = Oss {
        headers: &[("x-oss-forbid-overwrite", "true")],
        body: b"first",
        ..Oss::object("PUT", "k")
    };
    assert_eq!(cloud.oss(&cloud.alice(), put).await.status, 200);
    let second = cloud
        .oss(
            &cloud.alice(),
            Oss {
                body: b"second",
                ..put
            },
        )
        .await;
    assert_eq!(
        (second.status, &*second.refusal().1),
        (409, "FileAlreadyExists")
    );
    assert_eq!(cloud.get("k", &[]).await.body, "first");
    assert_eq!(cloud.put("k", b"third").await.status, 200);
    assert_eq!(cloud.get("k", &[]).await.body, "third");
}

#[tokio::test]
async fn ranges_and_conditions() {
    let cloud = Cloud::new();
    cloud.put("k", b"0123456789").await;
    let etag = "\"781E5E245D69B566979B86E28D23F2C7\"";
    let (then, before) = (
        "Fri, 02 Jan 2026 03:04:05 GMT",
        "Fri, 02 Jan 2026 03:04:04 GMT",
    );
    let standard = ("x-oss-range-behavior", "standard");
    for (headers, status, body) in [
        (vec![("range", "bytes=2-4")], 206, "234"),
        (vec![("range", "bytes=-3")], 206, "789"),
        (vec![("range", "bytes=8-99")], 200, "0123456789"),
        (vec![("range", "bytes=8-99"), standard], 206, "89"),
        (vec![("if-match", etag)], 200, "0123456789"),
        (vec![("if-none-match", "\"0\"")], 200, "0123456789"),
        (vec![("if-none-match", etag)], 304, ""),
        (vec![("if-modified-since", then)], 304, ""),
        (vec![("if-modified-since", before)], 200, "0123456789"),
        (vec![("if-unmodified-since", then)], 200, "0123456789"),
    ] {
        let answer = cloud.get("k", &headers).await;
        assert_eq!(
            (answer.status, answer.text()),
            (status, body),
            "{headers:?}"
        );
    }
    let part = cloud.get("k", &[("range", "bytes=2-4")]).await;
    assert_eq!(part.header("content-range"), Some("bytes 2-4/10"));
    assert_eq!(part.header("content-length"), Some("3"));
    for (headers, status, code) in [
        (vec![("range", "bytes=10-"), standard], 416, "InvalidRange"),
        (vec![("if-match", "\"0\"")], 412, "PreconditionFailed"),
        (
            vec![("if-unmodified-since", before)],
            412,
            "PreconditionFailed",
        ),
    ] {
        let answer = cloud.get("k", &headers).await;
        assert_eq!((answer.status, &*answer.refusal().1), (status, code));
    }
}

#[tokio::test]
async fn a_body_may_come_in_chunks_of_unknown_number() {
    let cloud = Cloud::new();
    let put = Oss::object("PUT", "k");
    let mut request = cloud.v4(&cloud.alice(), put);
    let chunks = ["a", "bc", "", "def"].map(|chunk| Ok::<_, std::io::Error>(Bytes::from(chunk)));
    *request.body_mut() = Body::stream(futures_util::stream::iter(chunks));
    assert_eq!(cloud.send(request).await.status, 200);
    assert_eq!(cloud.get("k", &[]).await.body, "abcdef");
}

#[tokio::test]
async fn a_source_that_fails_leaves_the_old_object() {
    let cloud = Cloud::new();
    cloud.put("k", b"old").await;
    let mut request = cloud.v4(&cloud.alice(), Oss::object("PUT", "k"));
    let chunks = [
        Ok(Bytes::from("new")),
        Err(std::io::Error::other("disk on fire")),
    ];
    *request.body_mut() = Body::stream(futures_util::stream::iter(chunks));
    let outcome = cloud.try_send(request).await;
    assert_eq!(outcome.unwrap_err(), HttpErrorKind::BodySource);
    assert_eq!(cloud.get("k", &[]).await.body, "old");
}

#[tokio::test]
async fn objects_sessions_and_keys_survive_a_restart_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let start = || {
        let options = Options {
            data: Some(dir.path().to_owned()),
            ..Options::default()
        };
        Cloud::of(World::kept_in(dir.path()).unwrap(), options)
    };
    let first = start();
    let session = first.assume(&first.alice()).await;
    let headers = [("x-oss-meta-a", "ü")];
    let put = Oss {
        headers: &headers,
        body: b"kept",
        ..Oss::object("PUT", NAME)
    };
    assert_eq!(first.oss(&session, put).await.status, 200);
    assert_eq!(first.put("gone", b"x").await.status, 200);
    assert_eq!(first.put("replaced", b"1").await.status, 200);
    assert_eq!(first.put("replaced", b"22").await.status, 200);
    first
        .oss(&first.alice(), Oss::object("DELETE", "gone"))
        .await;
    first
        .oss(&first.alice(), Oss::bucket("DELETE", "logs"))
        .await;

    let second = start();
    assert_eq!(second.alice().access_key_id, first.alice().access_key_id);
    let answer = second.oss(&session, Oss::object("GET", NAME)).await;
    assert_eq!(answer.body, "kept");
    assert_eq!(answer.headers["x-oss-meta-a"].as_bytes(), "ü".as_bytes());
    assert_eq!(second.get("replaced", &[]).await.body, "22");
    assert_eq!(second.get("gone", &[]).await.status, 404);
    let logs = second
        .oss(&second.alice(), Oss::bucket("GET", "logs"))
        .await;
    assert_eq!(logs.refusal().1, "NoSuchBucket");

    #[cfg(unix)]
    for name in ["world.json", "sessions.json"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(dir.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn uploads_cut_short_leave_nothing_and_damage_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let options = || Options {
        data: Some(dir.path().to_owned()),
        ..Options::default()
    };
    drop(Cloud::with(options()));
    let bucket = dir.path().join("buckets/demo-bucket");
    let leftovers = [".part-x", "0123.data"].map(|name| bucket.join(name));
    for path in &leftovers {
        std::fs::File::create(path).unwrap();
    }
    std::fs::File::create(dir.path().join("buckets/stray-file")).unwrap();
    drop(Cloud::with(options()));
    assert!(leftovers.iter().all(|path| !path.exists()));

    std::fs::File::create(dir.path().join("world.json")).unwrap();
    let error = World::kept_in(dir.path()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("world.json` is damaged at line 1"),
        "{error}"
    );
}

const NAME: &str = "dir/ü 中%2F+?.txt";
