//! `stsctl oss put`: what is stored, what is said, and what a bad day does to it.

use snapbox::str;

use crate::world::World;

#[test]
fn a_file_becomes_an_object() {
    let world = World::new();
    let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    world.file("data.csv", &content);
    world.stsctl(["oss", "put", "demo-bucket", "reports/data.csv", "data.csv"])
        .assert(str![[r#"
exit 0
1> put demo-bucket/reports/data.csv (400000 bytes, CRC-64 17728095069323486328, RequestId [OSS_REQUEST_ID])
"#]]);
    let object = world.cloud.object("demo-bucket", "reports/data.csv");
    assert_eq!(object.body, content);
    assert_eq!(object.header("content-type"), "text/csv");
    assert_eq!(
        object.header("x-oss-hash-crc64ecma"),
        "17728095069323486328"
    );
}

#[test]
fn stdin_becomes_an_object() {
    let world = World::new();
    world
        .stsctl(["oss", "put", "demo-bucket", "from-stdin", "-"])
        .stdin("read from a pipe")
        .assert(str![[r#"
exit 0
1> put demo-bucket/from-stdin (16 bytes, CRC-64 16264078837697235549, RequestId [OSS_REQUEST_ID])
"#]]);
    let object = world.cloud.object("demo-bucket", "from-stdin");
    assert_eq!(object.body, b"read from a pipe");
    assert_eq!(object.header("content-type"), "application/octet-stream");
    world
        .stsctl(["oss", "put", "demo-bucket", "empty", "-"])
        .stdin("")
        .assert(str![[r#"
exit 0
1> put demo-bucket/empty (0 bytes, CRC-64 0, RequestId [OSS_REQUEST_ID])
"#]]);
    let object = world.cloud.object("demo-bucket", "empty");
    assert_eq!((object.status.as_u16(), object.body.len()), (200, 0));
    world.file("empty", "");
    world
        .stsctl(["oss", "put", "demo-bucket", "empty-file", "empty"])
        .assert(str![[r#"
exit 0
1> put demo-bucket/empty-file (0 bytes, CRC-64 0, RequestId [OSS_REQUEST_ID])
"#]]);
}

#[test]
fn json_is_one_object_a_transfer() {
    let world = World::new();
    world.file("hello.txt", "hello");
    world
        .stsctl(["oss", "put", "demo-bucket", "k", "hello.txt", "-o", "json"])
        .assert(str![[r#"
exit 0
1> {"bucket":"demo-bucket","crc64":"11177612005948864433","etag":"5D41402ABC4B2A76B9719D911017C592","key":"k","parts":1,"request_id":"[OSS_REQUEST_ID]","seconds":[SECONDS],"size":5,"version_id":null}
"#]]);
}

#[test]
fn any_key_survives_either_signature() {
    let world = World::new();
    for version in ["v4", "v1"] {
        for key in [
            "with space",
            "a+b",
            "100%",
            "50%25",
            "quotes'\"`",
            "中文/文件.txt",
            "~tilde*(star)!",
            "?query=1&acl#fragment",
            "a//b",
            "emoji 😀",
            "back\\slash",
            "-leading-dash",
            "trailing/",
        ] {
            let content = format!("{version} {key}");
            world
                .stsctl(["oss", "put", "-q", "--sign-version", version, "--"])
                .args(["demo-bucket", key, "-"])
                .stdin(content.as_str())
                .stdout();
            let object = world.cloud.object("demo-bucket", key);
            assert_eq!(String::from_utf8_lossy(&object.body), content);
        }
    }
    assert_eq!(world.cloud.calls("AssumeRole"), 1);
}

#[test]
fn every_header_option_is_on_the_object() {
    let world = World::new();
    world.file("page", "<p>");
    for version in ["v4", "v1"] {
        world
            .stsctl(["oss", "put", "demo-bucket", "page", "page"])
            .args(["--sign-version", version])
            .args(["--content-type", "text/html; charset=utf-8"])
            .args(["--cache-control", "max-age=60"])
            .args([
                "--content-disposition",
                "attachment; filename=\"page.html\"",
            ])
            .args(["--content-encoding", "identity"])
            .args(["--meta", "author=alice", "--meta", "Purpose=a test"])
            .args(["--tag", "team=blue", "--tag", "cost centre=7/a"])
            .args(["--acl", "private", "--storage-class", "IA"])
            .stdout();
        let object = world.cloud.object("demo-bucket", "page");
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "max-age=60"),
            ("content-disposition", "attachment; filename=\"page.html\""),
            ("content-encoding", "identity"),
            ("x-oss-meta-author", "alice"),
            ("x-oss-meta-purpose", "a test"),
            ("x-oss-tagging-count", "2"),
            ("x-oss-storage-class", "IA"),
        ] {
            assert_eq!(object.header(name), value, "{version} {name}");
        }
    }
}

#[test]
fn an_object_is_not_overwritten_if_that_is_asked() {
    let world = World::new();
    let put = |content: &str| {
        world
            .stsctl(["oss", "put", "demo-bucket", "once", "-", "--no-overwrite"])
            .stdin(content)
    };
    put("first").assert(str![[r#"
exit 0
1> put demo-bucket/once (5 bytes, CRC-64 17574460242561445206, RequestId [OSS_REQUEST_ID])
"#]]);
    put("second").assert(str![[r#"
exit 4
2> error: cannot put `demo-bucket/once`
2>   caused by: OSS answered PutObject with FileAlreadyExists: The object you specified already exists and can not be overwritten (RequestId [OSS_REQUEST_ID], EC 0026-00000101)
2>
2> hint: the object exists and --no-overwrite was given: nothing was changed
"#]]);
    assert_eq!(world.cloud.object("demo-bucket", "once").body, b"first");
}

#[test]
fn a_wrong_checksum_is_an_error() {
    let world = World::with_faults(&["oss:wrong-crc"]);
    world.file("hello.txt", "hello");
    world
        .stsctl(["oss", "put", "demo-bucket", "hello.txt", "hello.txt"])
        .assert(str![[r#"
exit 1
2> error: cannot put `demo-bucket/hello.txt`
2>   caused by: OSS stored something else than was sent: its CRC-64 is 11177612005948864434, that of the data 11177612005948864433
2>
2> hint: put it again; the object that is there now is damaged
"#]]);
    world
        .stsctl(["oss", "put", "demo-bucket", "hello.txt", "-"])
        .stdin("hello")
        .assert(str![[r#"
exit 1
2> error: cannot put `demo-bucket/hello.txt`
2>   caused by: OSS stored something else than was sent: its CRC-64 is 11177612005948864434, that of the data 11177612005948864433
2>
2> hint: put it again; the object that is there now is damaged
"#]]);
}

#[test]
fn a_file_whose_checksum_was_wrong_is_put_again() {
    let world = World::with_faults(&["oss:wrong-crc:1"]);
    world.file("hello.txt", "hello");
    world
        .stsctl(["oss", "put", "demo-bucket", "hello.txt", "hello.txt"])
        .assert(str![[r#"
exit 0
1> put demo-bucket/hello.txt (5 bytes, CRC-64 11177612005948864433, RequestId [OSS_REQUEST_ID])
"#]]);
    assert_eq!(world.cloud.calls("PutObject"), 2);
}

#[test]
fn a_temporary_failure_is_retried_with_a_file() {
    let world = World::with_faults(&["oss:503:2"]);
    world.file("hello.txt", "hello");
    world
        .stsctl(["oss", "put", "demo-bucket", "hello.txt", "hello.txt"])
        .assert(str![[r#"
exit 0
1> put demo-bucket/hello.txt (5 bytes, CRC-64 11177612005948864433, RequestId [OSS_REQUEST_ID])
"#]]);
    assert_eq!(world.cloud.calls("PutObject"), 3);
    assert_eq!(
        world.cloud.object("demo-bucket", "hello.txt").body,
        b"hello"
    );
}

#[test]
fn a_lost_answer_is_retried() {
    let world = World::with_faults(&["oss:drop-reply:1"]);
    world.file("hello.txt", "hello");
    world
        .stsctl(["oss", "put", "demo-bucket", "hello.txt", "hello.txt"])
        .assert(str![[r#"
exit 0
1> put demo-bucket/hello.txt (5 bytes, CRC-64 11177612005948864433, RequestId [OSS_REQUEST_ID])
"#]]);
    assert_eq!(world.cloud.calls("PutObject"), 2);
}

#[test]
fn a_lost_answer_does_not_make_our_own_object_someone_elses() {
    let world = World::with_faults(&["oss:drop-reply:1"]);
    world.file("hello.txt", "hello");
    world
        .stsctl([
            "oss",
            "put",
            "demo-bucket",
            "once",
            "hello.txt",
            "--no-overwrite",
        ])
        .assert(str![[r#"
exit 0
1> put demo-bucket/once (5 bytes, CRC-64 11177612005948864433, RequestId [OSS_REQUEST_ID])
"#]]);
    assert_eq!(world.cloud.object("demo-bucket", "once").body, b"hello");
}

#[test]
fn a_lost_answer_to_a_pipe_cannot_be_settled() {
    let world = World::with_faults(&["oss:drop-reply:1"]);
    world
        .stsctl(["oss", "put", "demo-bucket", "from-stdin", "-"])
        .stdin("hello")
        .assert(str![[r#"
exit 5
2> error: cannot put `demo-bucket/from-stdin`
2>   caused by: PutObject got no answer
2>   caused by: the connection to `[AUTHORITY]` broke
2>   caused by: connection closed before message completed
2>
2> hint: try again
"#]]);
    assert_eq!(world.cloud.calls("PutObject"), 1);
}

#[test]
fn a_connection_that_breaks_midway_is_retried() {
    let world = World::with_faults(&["oss:reset-after=256KiB:1"]);
    let content = vec![7; 1 << 20];
    world.file("data.bin", &content);
    world
        .stsctl(["oss", "put", "demo-bucket", "data.bin", "data.bin"])
        .assert(str![[r#"
exit 0
1> put demo-bucket/data.bin (1048576 bytes, CRC-64 10031277650392317337, RequestId [OSS_REQUEST_ID])
"#]]);
    assert_eq!(world.cloud.object("demo-bucket", "data.bin").body, content);
}

#[test]
fn what_cannot_be_read_again_is_not_retried() {
    let world = World::with_faults(&["oss:503:1"]);
    world
        .stsctl(["oss", "put", "demo-bucket", "from-stdin", "-"])
        .stdin(vec![7; 4 << 20])
        .assert(str![[r#"
exit 5
2> error: cannot put `demo-bucket/from-stdin`
2>   caused by: OSS answered PutObject with ServiceUnavailable: The service is temporarily unavailable. Please try again later (RequestId [OSS_REQUEST_ID])
2>
2> hint: the service itself fails: try again in a while
"#]]);
    assert_eq!(world.cloud.calls("PutObject"), 1);
}

#[test]
fn a_session_that_ends_midway_is_replaced_once() {
    let world = World::with_faults(&["oss:expire-token:1"]);
    world.file("hello.txt", "hello");
    world
        .stsctl(["oss", "put", "demo-bucket", "hello.txt", "hello.txt"])
        .assert(str![[r#"
exit 0
1> put demo-bucket/hello.txt (5 bytes, CRC-64 11177612005948864433, RequestId [OSS_REQUEST_ID])
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
    assert_eq!(world.cloud.calls("PutObject"), 2);
}

#[test]
fn a_session_that_is_refused_again_is_an_error() {
    let world = World::with_faults(&["oss:expire-token"]);
    world.file("hello.txt", "hello");
    world
        .stsctl(["oss", "put", "demo-bucket", "hello.txt", "hello.txt"])
        .assert(str![[r#"
exit 3
2> error: cannot put `demo-bucket/hello.txt`
2>   caused by: the transfer failed after 2 attempts
2>   caused by: OSS answered PutObject with SecurityTokenExpired: The security token you provided has expired (RequestId [OSS_REQUEST_ID], EC 0002-00000007)
2>
2> hint: get a new session: run it again with --refresh, or unset the old one with `stsctl env --unset`
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 2);
}

#[test]
fn a_clock_that_oss_calls_wrong_is_corrected_once() {
    let world = World::with_faults(&["oss:skewed:1"]);
    world.file("hello.txt", "hello");
    world
        .stsctl(["oss", "put", "demo-bucket", "hello.txt", "hello.txt"])
        .assert(str![[r#"
exit 0
1> put demo-bucket/hello.txt (5 bytes, CRC-64 11177612005948864433, RequestId [OSS_REQUEST_ID])
"#]]);
    assert_eq!(world.cloud.calls("PutObject"), 2);
}

#[test]
fn the_base_identity_may_put_without_a_role() {
    let world = World::new();
    world.file("hello.txt", "hello");
    world
        .stsctl(["oss", "put", "demo-bucket", "k", "hello.txt", "--no-role"])
        .assert(str![[r#"
exit 0
1> put demo-bucket/k (5 bytes, CRC-64 11177612005948864433, RequestId [OSS_REQUEST_ID])
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 0);
}

#[test]
fn answers_that_are_not_from_oss_are_said_to_be_so() {
    let world = World::with_faults(&["oss:garbage"]);
    world.file("hello.txt", "hello");
    world
        .stsctl(["oss", "put", "demo-bucket", "k", "hello.txt"])
        .assert(str![[r#"
exit 1
2> error: cannot put `demo-bucket/k`
2>   caused by: `[AUTHORITY]` answered PutObject with HTTP 200 and text/html; charset=utf-8, not as OSS does
2>
2> hint: a proxy or a captive portal may be answering: check the endpoint, HTTPS_PROXY and the network's log-in page
"#]]);
}

#[test]
fn throttling_without_end_is_given_up() {
    let world = World::with_faults(&["oss:503"]);
    world.file("hello.txt", "hello");
    world
        .stsctl(["oss", "put", "demo-bucket", "k", "hello.txt"])
        .assert(str![[r#"
exit 5
2> error: cannot put `demo-bucket/k`
2>   caused by: the transfer failed after 4 attempts
2>   caused by: OSS answered PutObject with ServiceUnavailable: The service is temporarily unavailable. Please try again later (RequestId [OSS_REQUEST_ID])
2>
2> hint: the service itself fails: try again in a while
"#]]);
}
