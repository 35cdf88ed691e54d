//! Against the sandbox, which verifies signatures from what came over the wire: in process, and
//! over a real socket through the real client.

use std::net::Ipv4Addr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::Request;
use proptest::prelude::*;
use stsctl::http::{Body, Client, ClientOptions, Listener, RetryPolicy, Transport};
use stsctl::model::{Clock, ClockSkew, Credentials, Endpoint, Session};
use stsctl::oss::{
    Addressing, Metadata, OssClient, OssSignature, Pair, PutObject, PutOptions, Tags, Verdict,
};
use stsctl::sandbox::{Options, Sandbox, World};
use stsctl::sign::{OssRequest, oss_v4};
use stsctl::sts::{AssumeRole, SignatureScheme, StsClient};
use stsctl::transfer::{self, Error, Need, Put, Settings, Source};

use super::fake::{Unwatched, chunk, crc64, file, now, stream};

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> DateTime<Utc> {
        now()
    }
}

/// A sandbox, and a way to it.
struct Cloud {
    sandbox: Sandbox,
    transport: Arc<dyn Transport>,
    endpoint: Endpoint,
    /// Whom the next transfer is signed by, and whom it gets when it wants someone fresh.
    current: Credentials,
    fresh: Option<Credentials>,
    signature: OssSignature,
}

impl Cloud {
    /// Reaches the sandbox in process.
    fn inside(options: Options) -> Self {
        let world = World::generate();
        let sandbox = Sandbox::new(world, options, Arc::new(Stopped)).unwrap();
        Self {
            transport: Arc::new(sandbox.clone()),
            endpoint: "http://127.0.0.1:9000".parse().unwrap(),
            current: sandbox.world().user("alice").unwrap().clone(),
            fresh: None,
            signature: OssSignature::V4 {
                region: sandbox.world().region().clone(),
            },
            sandbox,
        }
    }

    /// Reaches it over a socket.
    async fn outside(options: Options) -> Self {
        let inside = Self::inside(options);
        let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into())
            .await
            .unwrap();
        let address = listener.local_addr();
        let sandbox = inside.sandbox.clone();
        tokio::spawn(listener.serve(
            move |request| {
                let sandbox = sandbox.clone();
                async move { sandbox.handle(request).await }
            },
            std::future::pending(),
        ));
        Self {
            transport: Arc::new(Client::new(ClientOptions::default())),
            endpoint: format!("http://{address}").parse().unwrap(),
            ..inside
        }
    }

    /// Both ways.
    async fn both(options: impl Fn() -> Options) -> [Self; 2] {
        [Self::inside(options()), Self::outside(options()).await]
    }

    fn client(&self) -> OssClient {
        OssClient::new(
            self.transport.clone(),
            Arc::new(Stopped),
            self.endpoint.clone(),
            Addressing::Path,
            self.signature.clone(),
        )
    }

    async fn assume(&self) -> Session {
        let sts = StsClient::new(
            Arc::new(self.sandbox.clone()),
            Arc::new(Stopped),
            "http://127.0.0.1:9000".parse().unwrap(),
            SignatureScheme::default(),
            RetryPolicy::default(),
        );
        let request = AssumeRole {
            role_arn: self.sandbox.world().role_arns().next().unwrap(),
            role_session_name: &"alice".parse().unwrap(),
            duration: "1h".parse().unwrap(),
            policy: None,
            external_id: None,
            source_identity: None,
        };
        let alice = self.sandbox.world().user("alice").unwrap();
        sts.assume_role(alice, ClockSkew::ZERO, &request)
            .await
            .unwrap()
            .value
    }

    async fn put(
        &self,
        key: &str,
        source: Source,
        options: &PutOptions,
    ) -> (Result<Put, Error<std::convert::Infallible>>, Vec<Need>) {
        self.put_in("demo-bucket", key, source, options).await
    }

    async fn put_in(
        &self,
        bucket: &str,
        key: &str,
        source: Source,
        options: &PutOptions,
    ) -> (Result<Put, Error<std::convert::Infallible>>, Vec<Need>) {
        let mut needs = Vec::new();
        let put = transfer::put(
            &self.client(),
            &PutObject {
                bucket: &bucket.parse().unwrap(),
                key: &key.parse().unwrap(),
                options,
            },
            source,
            async |need| {
                needs.push(need);
                let credentials = match (need, &self.fresh) {
                    (Need::Fresh, Some(fresh)) => fresh,
                    _ => &self.current,
                };
                Ok((credentials.clone(), ClockSkew::ZERO))
            },
            &Settings::default(),
            Arc::new(Unwatched),
        )
        .await;
        (put, needs)
    }

    /// Reads an object back, without the client under test.
    async fn get(&self, key: &str) -> http::Response<Vec<u8>> {
        let alice = self.sandbox.world().user("alice").unwrap();
        let scope = oss_v4::Scope {
            at: now(),
            region: "cn-hangzhou",
            product: "oss",
        };
        let request = OssRequest {
            method: "GET",
            bucket: Some("demo-bucket"),
            key: Some(key),
            query: &[],
            headers: &[],
        };
        let signed = oss_v4::sign_header(&request, &[], alice, &scope);
        let path = stsctl::sign::encode::path(key);
        let mut request = Request::get(format!("http://127.0.0.1:9000/demo-bucket/{path}"));
        for addition in &signed.additions {
            request = request.header(addition.name, addition.value.as_str());
        }
        let answer = self
            .sandbox
            .send(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect(64 << 20, "sandbox").await.unwrap();
        http::Response::from_parts(parts, bytes.into())
    }
}

fn faults(specs: &[&str]) -> Options {
    Options {
        faults: specs.iter().map(|spec| spec.parse().unwrap()).collect(),
        ..Options::default()
    }
}

fn no_overwrite() -> PutOptions {
    PutOptions {
        forbid_overwrite: true,
        ..PutOptions::default()
    }
}

const NASTY: &str = "a//b c+d%2F%/ü中'\"*!~?#&=();:@,$";

#[tokio::test]
async fn both_signatures_with_and_without_a_token_carry_any_key() {
    for mut cloud in Cloud::both(Options::default).await {
        let alice = cloud.current.clone();
        let session = cloud.assume().await.credentials();
        let v4 = cloud.signature.clone();
        for credentials in [alice, session] {
            for signature in [OssSignature::V1, v4.clone()] {
                cloud.current = credentials.clone();
                cloud.signature = signature;
                let data = chunk(700_000);
                let (_dir, source) = file(&data);
                let options = PutOptions {
                    content_type: Some("text/x-odd; a=\"b c\"".parse().unwrap()),
                    content_disposition: Some("attachment".parse().unwrap()),
                    metadata: Metadata::new([
                        Pair("b".to_owned(), "two  spaces".to_owned()),
                        Pair("A-1".to_owned(), String::new()),
                        Pair("a".to_owned(), "x=y&z".to_owned()),
                    ])
                    .unwrap(),
                    tags: Tags::new([Pair("k 1".to_owned(), "中".to_owned())]).unwrap(),
                    ..PutOptions::default()
                };
                let (put, needs) = cloud.put(NASTY, source, &options).await;
                let put = put.unwrap();
                assert_eq!((put.attempts, put.crc64_checked), (1, true));
                assert_eq!(needs, [Need::Current]);
                let got = cloud.get(NASTY).await;
                assert!(got.body() == &data);
                let header = |name| got.headers()[name].to_str().unwrap();
                assert_eq!(header("content-type"), "text/x-odd; a=\"b c\"");
                assert_eq!(header("x-oss-meta-b"), "two  spaces");
                assert_eq!(header("x-oss-hash-crc64ecma"), put.crc64.to_string());
            }
        }
    }
}

#[tokio::test]
async fn a_stream_arrives_in_chunks() {
    for cloud in Cloud::both(Options::default).await {
        let (put, _) = cloud
            .put("k", stream(b"hello"), &PutOptions::default())
            .await;
        assert!(put.unwrap().crc64_checked);
        assert_eq!(cloud.get("k").await.body(), b"hello");
        let data = chunk(3 << 20);
        let reader = Source::Reader(Box::new(std::io::Cursor::new(data.clone())));
        let (put, _) = cloud.put("k", reader, &PutOptions::default()).await;
        assert_eq!(put.unwrap().size, data.len() as u64);
        assert!(cloud.get("k").await.body() == &data);
    }
}

#[tokio::test]
async fn a_file_of_nothing() {
    for cloud in Cloud::both(Options::default).await {
        let (_dir, source) = file(b"");
        let (put, _) = cloud.put("empty", source, &PutOptions::default()).await;
        assert_eq!((put.as_ref().unwrap().size, put.unwrap().crc64), (0, 0));
        assert_eq!(cloud.get("empty").await.body(), b"");
    }
}

#[tokio::test]
async fn what_passes_is_survived() {
    for fault in [
        "oss:503:2",
        "oss:500:1",
        "oss:reset:1",
        "oss:reset-after=1MiB:1",
        "oss:drop-reply:1",
        "oss:wrong-crc:1",
    ] {
        for cloud in Cloud::both(|| faults(&[fault])).await {
            let data = chunk(3 << 20);
            let (_dir, source) = file(&data);
            let (put, _) = cloud.put("k", source, &PutOptions::default()).await;
            let put = put.unwrap();
            assert_eq!(
                put.attempts,
                if fault == "oss:503:2" { 3 } else { 2 },
                "{fault}"
            );
            assert!(cloud.get("k").await.body() == &data, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_proxys_page_is_no_success() {
    for cloud in Cloud::both(|| faults(&["oss:garbage:1"])).await {
        let (_dir, source) = file(b"x");
        let (put, _) = cloud.put("k", source, &PutOptions::default()).await;
        let Err(Error::Oss { source, .. }) = put else {
            panic!("{put:?}")
        };
        assert!(
            matches!(source, stsctl::oss::Error::NotOss { status: 200, .. }),
            "{source:?}"
        );
        assert_eq!(cloud.get("k").await.status(), 404);
    }
}

#[tokio::test]
async fn a_lost_answer_without_overwriting() {
    for cloud in Cloud::both(|| faults(&["oss:drop-reply:1"])).await {
        let (_dir, source) = file(b"mine");
        let (put, _) = cloud.put("k", source, &no_overwrite()).await;
        let put = put.unwrap();
        assert_eq!((put.attempts, put.crc64), (2, crc64(b"mine")));

        let (_dir, source) = file(b"other");
        let (put, _) = cloud.put("k", source, &no_overwrite()).await;
        let error = put.unwrap_err();
        assert!(
            matches!(&error, Error::Oss { source, .. } if source.code() == Some("FileAlreadyExists")),
            "{error:?}"
        );
        assert_eq!(cloud.get("k").await.body(), b"mine");
    }
}

#[tokio::test]
async fn an_expired_session_is_replaced() {
    for mut cloud in Cloud::both(|| faults(&["oss:expire-token:1"])).await {
        cloud.current = cloud.assume().await.credentials();
        cloud.fresh = Some(cloud.assume().await.credentials());
        let (_dir, source) = file(b"x");
        let (put, needs) = cloud.put("k", source, &PutOptions::default()).await;
        put.unwrap();
        assert_eq!(needs, [Need::Current, Need::Fresh]);
    }
}

#[tokio::test]
async fn a_skewed_clock_is_corrected() {
    let skewed = || Options {
        skew: ClockSkew::from_seconds(3600),
        ..Options::default()
    };
    for cloud in Cloud::both(skewed).await {
        let (_dir, source) = file(b"x");
        let (put, needs) = cloud.put("k", source, &PutOptions::default()).await;
        assert_eq!(put.unwrap().attempts, 2);
        assert_eq!(needs.len(), 2);
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_apart() {
    for mut cloud in Cloud::both(Options::default).await {
        let alice = cloud.current.clone();
        cloud.current.access_key_secret = "wrong".into();
        for signature in [cloud.signature.clone(), OssSignature::V1] {
            cloud.signature = signature;
            let (_dir, source) = file(b"x");
            let (put, _) = cloud.put("k", source, &PutOptions::default()).await;
            let Err(Error::Oss { source, .. }) = put else {
                panic!("{put:?}")
            };
            assert_eq!(
                source.refusal().unwrap().verdict,
                Some(Verdict::WrongSecret)
            );
            assert!(source.is_bad_credentials());
        }

        cloud.current = Credentials {
            access_key_id: "LTAInobody".parse().unwrap(),
            ..alice
        };
        let (_dir, source) = file(b"x");
        let (put, needs) = cloud.put("k", source, &PutOptions::default()).await;
        let Err(Error::Oss { source, .. }) = put else {
            panic!("{put:?}")
        };
        assert_eq!(source.code(), Some("InvalidAccessKeyId"));
        assert_eq!(needs, [Need::Current]);
    }
}

#[tokio::test]
async fn a_bucket_that_does_not_exist() {
    for cloud in Cloud::both(Options::default).await {
        let (_dir, source) = file(&chunk(3 << 20));
        let (put, _) = cloud
            .put_in("no-such-bucket", "k", source, &PutOptions::default())
            .await;
        let Err(Error::Oss {
            source,
            attempts: 1,
        }) = put
        else {
            panic!("{put:?}")
        };
        assert_eq!(
            (source.code(), source.status()),
            (Some("NoSuchBucket"), Some(404))
        );
        assert!(source.refusal().unwrap().request_id.is_some());
    }
}

#[tokio::test]
async fn the_head_of_an_object() {
    for cloud in Cloud::both(Options::default).await {
        let (bucket, key) = ("demo-bucket".parse().unwrap(), "k".parse().unwrap());
        let client = cloud.client();
        let head = async || {
            client
                .head_object(&cloud.current, ClockSkew::ZERO, &bucket, &key)
                .await
        };
        let error = head().await.unwrap_err();
        assert_eq!(
            (error.code(), error.status()),
            (Some("NoSuchKey"), Some(404))
        );
        let (put, _) = cloud
            .put("k", stream(b"hello"), &PutOptions::default())
            .await;
        let head = head().await.unwrap().value;
        assert_eq!((head.size, head.crc64), (5, Some(crc64(b"hello"))));
        assert_eq!(head.etag, put.unwrap().etag);
    }
}

#[tokio::test]
async fn a_file_that_shrinks_leaves_nothing_behind() {
    /// Cuts the file when the first bytes go out.
    #[derive(Debug)]
    struct Cut(std::path::PathBuf);
    impl transfer::Progress for Cut {
        fn sent(&self, total: u64) {
            if total > 0 {
                let file = fs_err::OpenOptions::new()
                    .write(true)
                    .open(&self.0)
                    .unwrap();
                file.set_len(1 << 20).unwrap();
            }
        }
    }
    for cloud in Cloud::both(Options::default).await {
        let (_dir, source) = file(&chunk(8 << 20));
        let Source::File(path) = &source else {
            panic!("{source:?}")
        };
        let cut = Arc::new(Cut(path.clone()));
        let put = transfer::put(
            &cloud.client(),
            &PutObject {
                bucket: &"demo-bucket".parse().unwrap(),
                key: &"k".parse().unwrap(),
                options: &PutOptions::default(),
            },
            source,
            async |_| Ok::<_, std::convert::Infallible>((cloud.current.clone(), ClockSkew::ZERO)),
            &Settings::default(),
            cut,
        )
        .await;
        assert!(
            matches!(put, Err(Error::Source(transfer::SourceError::Changed(_)))),
            "{put:?}"
        );
        assert_eq!(cloud.get("k").await.status(), 404);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever key the model takes, the server finds the object under it, by either signature.
    #[test]
    fn any_key_round_trips(key in "[ -~中é/\u{1f600}]{1,60}", v1: bool) {
        prop_assume!(key.parse::<stsctl::model::ObjectKey>().is_ok());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut cloud = Cloud::inside(Options::default());
            if v1 {
                cloud.signature = OssSignature::V1;
            }
            let (put, _) = cloud.put(&key, stream(b"x"), &PutOptions::default()).await;
            put.unwrap();
            assert_eq!(cloud.get(&key).await.body(), b"x");
        });
    }
}
