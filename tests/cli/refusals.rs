//! What a service, or the way to it, answers instead of a session: the exit code tells whether
//! to mend something or to try again.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use snapbox::str;

use crate::world::World;

#[test]
fn a_role_that_does_not_exist_is_told_with_the_request_id() {
    let world = World::new();
    let nobody = "acs:ram::1234567890123456:role/nobody";
    world
        .stsctl(["assume", "--role-arn", nobody])
        .assert(str![[r#"
exit 4
2> error: cannot assume `acs:ram::1234567890123456:role/nobody`
2>   caused by: STS answered EntityNotExist.Role: The specified Role not exists . (RequestId [REQUEST_ID])
2>
2> hint: check the account id and the role's name in the RoleArn; the role must exist in that account
"#]]);
    world
        .stsctl(["assume", "--role-arn", nobody, "--error-format", "json"])
        .assert(str![[r#"
exit 4
2> {"error":{"code":"EntityNotExist.Role","hints":["check the account id and the role's name in the RoleArn; the role must exist in that account"],"kind":"denied","message":"cannot assume `acs:ram::1234567890123456:role/nobody`: STS answered EntityNotExist.Role: The specified Role not exists . (RequestId [REQUEST_ID])","request_id":"[REQUEST_ID]"}}
"#]]);
    assert_eq!(
        world.cloud.calls("AssumeRole"),
        2,
        "a refusal is not retried"
    );
}

#[test]
fn the_accounts_own_key_is_denied() {
    let world = World::new();
    world
        .stsctl(["assume"])
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAIroot")
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret-of-root")
        .assert(str![[r#"
exit 4
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS answered NoPermission: Roles may not be assumed by root accounts. (RequestId [REQUEST_ID])
2>
2> hint: attach AliyunSTSAssumeRoleAccess to the caller, and name the caller in the role's trust policy; the account's own AccessKey can't assume a role
"#]]);
}

#[test]
fn a_role_s_own_limit_of_the_duration_is_told() {
    let world = World::new();
    world
        .stsctl(["assume", "--duration", "2h"])
        .args(["--role-arn", crate::world::OTHER_ROLE])
        .assert(str![[r#"
exit 4
2> error: cannot assume `acs:ram::1234567890123456:role/iotstsrole`
2>   caused by: STS answered InvalidParameter.DurationSeconds: The Min/Max value of DurationSeconds is 15min/1hr. (RequestId [REQUEST_ID])
2>
2> hint: ask for less with --duration, or raise the role's MaxSessionDuration (3600 s to 43200 s)
"#]]);
}

#[test]
fn a_policy_that_is_no_policy_is_told() {
    let world = World::new();
    world
        .stsctl(["assume", "--policy", r#"{"Version":"2012-10-17"}"#])
        .assert(str![[r#"
exit 4
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS answered InvalidParameter.PolicyGrammar: The parameter Policy has not passed grammar check. (RequestId [REQUEST_ID])
2>
2> hint: check the session policy: Version "1", Statement with Effect, Action and Resource
"#]]);
}

#[test]
fn a_wrong_secret_is_told_from_a_signing_bug() {
    let world = World::new();
    world.file("hello.txt", "hello");
    let wrong = |args: &[&str]| {
        world
            .stsctl(args)
            .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "canary")
    };
    wrong(&["assume"]).assert(str![[r#"
exit 3
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS answered SignatureDoesNotMatch: Specified signature is not matched with our calculation. (RequestId [REQUEST_ID])
2>
2> hint: the AccessKeySecret is wrong: the service signed the same string with the secret it has. Check ALIBABA_CLOUD_ACCESS_KEY_SECRET or the profile's access_key_secret
"#]]);
    wrong(&["assume", "--signature", "acs3"]).assert(str![[r#"
exit 3
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS answered SignatureDoesNotMatch: Specified signature does not match our calculation. (RequestId [REQUEST_ID])
2>
2> hint: the AccessKeySecret is wrong: the service signed the same string with the secret it has. Check ALIBABA_CLOUD_ACCESS_KEY_SECRET or the profile's access_key_secret
"#]]);
    for version in ["v4", "v1"] {
        let put = ["oss", "put", "demo-bucket", "k", "hello.txt", "--no-role"];
        wrong(&put).args(["--sign-version", version]).assert(str![[r#"
exit 3
2> error: cannot put `demo-bucket/k`
2>   caused by: OSS answered PutObject with SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method (RequestId [OSS_REQUEST_ID], EC 0002-00000201)
2>
2> hint: the AccessKeySecret is wrong: the service signed the same string with the secret it has. Check ALIBABA_CLOUD_ACCESS_KEY_SECRET or the profile's access_key_secret
"#]]);
    }
}

#[test]
fn a_request_that_was_changed_on_the_way_is_told_from_a_wrong_secret() {
    let world = World::new();
    let body = r#"{"Code":"SignatureDoesNotMatch","RequestId":"3D57EAD2-8723-1F26-B69C-F8707D8B565D","HostId":"sts.aliyuncs.com","Message":"Specified signature is not matched with our calculation. server string to sign is:POST&%2F&Changed%3D1"}"#;
    let address = server(format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    ));
    world
        .stsctl(["assume", "--sts-endpoint"])
        .args([format!("http://{address}")])
        .assert(str![[r#"
exit 4
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS answered SignatureDoesNotMatch: Specified signature is not matched with our calculation. (RequestId [REQUEST_ID])
2>
2> hint: the service saw another request than the one that was signed: a proxy may have changed it. If none did, this is a bug in stsctl: please report it with the RequestId
"#]]);
}

#[test]
fn an_access_key_that_does_not_exist_is_told() {
    let world = World::new();
    world
        .stsctl(["assume"])
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAInobody")
        .assert(str![[r#"
exit 3
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS answered InvalidAccessKeyId.NotFound: Specified access key is not found. (RequestId [REQUEST_ID])
2>
2> hint: the AccessKey does not exist (any more), or belongs to another site (China, international): check ALIBABA_CLOUD_ACCESS_KEY_ID or the profile's access_key_id
"#]]);
    world
        .stsctl(["oss", "put", "demo-bucket", "k", "-", "--no-role"])
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAInobody")
        .stdin("x")
        .assert(str![[r#"
exit 3
2> error: cannot put `demo-bucket/k`
2>   caused by: OSS answered PutObject with InvalidAccessKeyId: The OSS Access Key Id you provided does not exist in our records (RequestId [OSS_REQUEST_ID], EC 0002-00000902)
2>
2> hint: the AccessKey does not exist, or the session it belongs to is over: try --refresh
"#]]);
}

#[test]
fn a_bucket_that_does_not_exist_is_told() {
    let world = World::new();
    world
        .stsctl(["oss", "put", "no-such-bucket", "k", "-"])
        .stdin("x")
        .assert(str![[r#"
exit 4
2> error: cannot put `no-such-bucket/k`
2>   caused by: OSS answered PutObject with NoSuchBucket: The specified bucket does not exist (RequestId [OSS_REQUEST_ID], EC 0015-00000101)
2>
2> hint: check the bucket's name, and that --endpoint or --region is the bucket's
"#]]);
    world
        .stsctl(["oss", "put", "no-such-bucket", "k", "-"])
        .args(["--error-format", "json"])
        .stdin("x")
        .assert(str![[r#"
exit 4
2> {"error":{"code":"NoSuchBucket","hints":["check the bucket's name, and that --endpoint or --region is the bucket's"],"kind":"denied","message":"cannot put `no-such-bucket/k`: OSS answered PutObject with NoSuchBucket: The specified bucket does not exist (RequestId [OSS_REQUEST_ID], EC 0015-00000101)","request_id":"[OSS_REQUEST_ID]"}}
"#]]);
}

#[test]
fn answers_that_are_not_the_apis_are_local_errors() {
    World::with_faults(&["sts:garbage"]).stsctl(["assume"]).assert(str![[r#"
exit 1
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: `[AUTHORITY]` answered 200 OK with text/html, which STS never does: a proxy or a captive portal may be answering in its place
2>
2> hint: a proxy or a captive portal may be answering: check the endpoint, HTTPS_PROXY and the network's log-in page
"#]]);
    World::with_faults(&["sts:truncate"]).stsctl(["assume"]).assert(str![[r#"
exit 1
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: the answer to AssumeRole breaks off after 424 bytes
2>
2> hint: a proxy or a captive portal may be answering: check the endpoint, HTTPS_PROXY and the network's log-in page
"#]]);
    World::with_faults(&["sts:missing-field"])
        .stsctl(["assume"])
        .assert(str![[r#"
exit 1
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: the answer to AssumeRole has no Credentials.SecurityToken (RequestId [REQUEST_ID])
"#]]);
    World::with_faults(&["sts:expired"])
        .stsctl(["assume"])
        .assert(str![[r#"
exit 1
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: the session that STS answered had ended at [TIME], but its own clock says [TIME]
2>
2> hint: try again; if it stays so, the endpoint is not Alibaba's
"#]]);
}

#[test]
fn a_redirect_is_not_followed() {
    let world = World::new();
    let address = server(format!(
        "HTTP/1.1 302 Found\r\nlocation: {}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        world.cloud.url()
    ));
    world
        .stsctl(["assume", "--sts-endpoint"])
        .args([format!("http://{address}")])
        .assert(str![[r#"
exit 1
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: `127.0.0.1:[PORT]` answered 302 Found with no content, which STS never does: a proxy or a captive portal may be answering in its place
2>
2> hint: a proxy or a captive portal may be answering: check the endpoint, HTTPS_PROXY and the network's log-in page
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 0);
}

#[test]
fn a_loopback_endpoint_is_never_asked_through_a_proxy() {
    let world = World::new();
    let through = |args: &[&str]| {
        let mut run = world.stsctl(args);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            run = run.env(name, "http://127.0.0.1:1");
        }
        run
    };
    through(&["assume", "-o", "json"]).json();
    through(&["oss", "put", "demo-bucket", "k", "-"])
        .stdin("x")
        .stdout();
    // Any other host is.
    let sts = ["assume", "--sts-endpoint", "sts.invalid"];
    through(&sts).assert(str![[r#"
exit 5
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS gave no answer to AssumeRole
2>   caused by: cannot connect to `sts.invalid`
2>   caused by: Connection refused (os error [..])
2>
2> hint: check the endpoint and its port, and HTTPS_PROXY if a proxy is needed
"#]]);
}

#[test]
fn what_passes_is_tried_again_and_then_given_up() {
    let world = World::with_faults(&["sts:503:2", "sts:throttle:1"]);
    world.assume(&[]);
    assert_eq!(world.cloud.calls("AssumeRole"), 4);
    let world = World::with_faults(&["sts:503"]);
    world.stsctl(["assume"]).assert(str![[r#"
exit 5
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS answered ServiceUnavailable: The request has failed due to a temporary failure of the server. (RequestId [REQUEST_ID])
2>
2> hint: the service itself fails: try again in a while
"#]]);
    assert_eq!(world.cloud.calls("AssumeRole"), 4);
    let world = World::with_faults(&["sts:throttle"]);
    world.stsctl(["assume"]).assert(str![[r#"
exit 5
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS answered Throttling.User: Request was denied due to user flow control. (RequestId [REQUEST_ID])
2>
2> hint: too many calls: try again in a moment; STS allows 100 a second for an account
"#]]);
    let world = World::with_faults(&["sts:nonce-used:1", "sts:drop-reply:1"]);
    world.assume(&[]);
    assert_eq!(world.cloud.calls("AssumeRole"), 3);
}

#[test]
fn no_answer_in_time_is_worth_another_try_later() {
    let world = World::with_faults(&["sts:hang"]);
    world.stsctl(["assume", "--timeout", "1s"]).assert(str![[r#"
exit 5
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS gave no answer to AssumeRole
2>   caused by: `[AUTHORITY]` did not answer in time
2>
2> hint: try again, or allow more with --timeout and --connect-timeout
"#]]);
    let world = World::with_faults(&["oss:hang"]);
    world
        .stsctl(["oss", "put", "demo-bucket", "k", "-", "--timeout", "1s"])
        .stdin("x")
        .assert(str![[r#"
exit 5
2> error: cannot put `demo-bucket/k`
2>   caused by: PutObject got no answer
2>   caused by: `[AUTHORITY]` did not answer in time
2>
2> hint: try again, or allow more with --timeout and --connect-timeout
"#]]);
}

#[test]
fn an_endpoint_that_does_not_resolve() {
    let world = World::new();
    world
        .stsctl(["assume", "--sts-endpoint", "sts.invalid"])
        .assert(str![[r#"
exit 5
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS gave no answer to AssumeRole
2>   caused by: the host name of `sts.invalid` does not resolve
2>   caused by: [..]
2>
2> hint: check the endpoint's spelling (--sts-endpoint, --endpoint, --region) and the machine's DNS
"#]]);
    world
        .stsctl(["oss", "put", "demo-bucket", "k", "-"])
        .args(["--endpoint", "oss.invalid"])
        .stdin("x")
        .assert(str![[r#"
exit 5
2> error: cannot put `demo-bucket/k`
2>   caused by: PutObject got no answer
2>   caused by: the host name of `oss.invalid` does not resolve
2>   caused by: [..]
2>
2> hint: check the endpoint's spelling (--sts-endpoint, --endpoint, --region) and the machine's DNS
"#]]);
}

#[test]
fn an_endpoint_that_refuses() {
    let mut world = World::new();
    world.cloud.stop();
    world.stsctl(["assume"]).assert(str![[r#"
exit 5
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS gave no answer to AssumeRole
2>   caused by: cannot connect to `[AUTHORITY]`
2>   caused by: Connection refused (os error [..])
2>
2> hint: check the endpoint and its port, and HTTPS_PROXY if a proxy is needed
"#]]);
    world
        .stsctl(["assume", "--error-format=json"])
        .assert(str![[r#"
exit 5
2> {"error":{"code":null,"hints":["check the endpoint and its port, and HTTPS_PROXY if a proxy is needed"],"kind":"unavailable","message":"cannot assume `acs:ram::1234567890123456:role/testrole`: STS gave no answer to AssumeRole: cannot connect to `[AUTHORITY]`: Connection refused (os error [..])","request_id":null}}
"#]]);
    world
        .stsctl(["oss", "put", "demo-bucket", "k", "-", "--no-role"])
        .stdin("x")
        .assert(str![[r#"
exit 5
2> error: cannot put `demo-bucket/k`
2>   caused by: PutObject got no answer
2>   caused by: cannot connect to `[AUTHORITY]`
2>   caused by: Connection refused (os error [..])
2>
2> hint: check the endpoint and its port, and HTTPS_PROXY if a proxy is needed
"#]]);
}

#[test]
fn an_endpoint_that_is_not_tls() {
    let world = World::new();
    let https = world.cloud.url().replace("http://", "https://");
    world
        .stsctl(["assume", "--sts-endpoint", &https])
        .assert(str![[r#"
exit 1
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS gave no answer to AssumeRole
2>   caused by: no TLS connection to `[AUTHORITY]`
2>   caused by: the other end does not speak TLS
2>
2> hint: check that the endpoint speaks TLS; behind a company proxy add its root certificate with --ca-file. For plain HTTP on this machine write http://
"#]]);
    let address = server("SSH-2.0-test\r\n".to_owned());
    world
        .stsctl(["assume", "--sts-endpoint"])
        .args([format!("https://{address}")])
        .assert(str![[r#"
exit 1
2> error: cannot assume `acs:ram::1234567890123456:role/testrole`
2>   caused by: STS gave no answer to AssumeRole
2>   caused by: no TLS connection to `127.0.0.1:[PORT]`
2>   caused by: the other end does not speak TLS
2>
2> hint: check that the endpoint speaks TLS; behind a company proxy add its root certificate with --ca-file. For plain HTTP on this machine write http://
"#]]);
}

#[test]
#[cfg(unix)]
fn a_file_that_changes_while_it_is_read_is_told() {
    use crate::run::wait_for;
    let world = World::new();
    let path = world.file("growing", vec![7; 4 << 20]);
    let run = world
        .stsctl(["oss", "put", "demo-bucket", "k", "growing"])
        .args(["--bandwidth-limit", "512KiB"])
        .start();
    wait_for("first byte", || {
        (world.cloud.calls("PutObject") == 1).then_some(())
    });
    let file = fs_err::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(1000).unwrap();
    run.assert(str![[r#"
exit 1
2> error: cannot put `demo-bucket/k`
2>   caused by: `growing` changed while it was read
2>
2> hint: put it again when nothing writes to it any more
"#]]);
    assert_eq!(world.cloud.object("demo-bucket", "k").status.as_u16(), 404);
}

/// A server that says the same to everyone, whatever they ask.
fn server(says: String) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // An answer before the question could be lost with the connection.
            let _ = stream.read(&mut [0; 8192]);
            let _ = stream.write_all(says.as_bytes());
        }
    });
    address
}
