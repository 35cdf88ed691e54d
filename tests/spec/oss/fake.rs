//! A transport that answers from a script and keeps what it was sent, and what tests of OSS share.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response, Uri};
use stsctl::http::{Body, HttpError, HttpErrorKind, Patience, Transport};
use stsctl::model::{Clock, ClockSkew, Credentials};
use stsctl::oss::crc64::Crc64;
use stsctl::oss::{Addressing, OssClient, OssSignature, PutObject, PutOptions};
use stsctl::transfer::{self, Need, Progress, Put, Settings, Source};

/// Marked secrets: they may appear in no error.
pub(super) const SECRET: &str = "canary-AccessKeySecret+/=";
pub(super) const TOKEN: &str = "canary-SecurityToken+/=";

/// What a request brought.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) patience: Option<Patience>,
    /// The data that came, and whether it came whole.
    pub(super) body: Vec<u8>,
    pub(super) whole: bool,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

type Script = dyn Fn(&Seen) -> Result<Response<Body>, HttpErrorKind> + Send + Sync;

/// One scripted exchange.
pub(super) struct Act {
    read_body: bool,
    script: Box<Script>,
}

/// The transport.
pub(super) struct Fake {
    acts: Mutex<VecDeque<Act>>,
    seen: Mutex<Vec<Seen>>,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fake")
    }
}

impl Fake {
    pub(super) fn new(acts: impl IntoIterator<Item = Act>) -> Arc<Self> {
        Arc::new(Self {
            acts: Mutex::new(acts.into_iter().collect()),
            seen: Mutex::default(),
        })
    }

    /// Returns all that came so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// Tells whether the whole script was played.
    pub(super) fn is_done(&self) -> bool {
        self.acts.lock().unwrap().is_empty()
    }
}

impl Transport for Fake {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        let act = self.acts.lock().unwrap().pop_front();
        let act = act.expect("the script has an act for every request");
        async move {
            let (parts, mut body) = request.into_parts();
            let mut seen = Seen {
                method: parts.method,
                uri: parts.uri,
                headers: parts.headers,
                patience: parts.extensions.get().copied(),
                body: Vec::new(),
                whole: false,
            };
            let mut broken = None;
            if act.read_body {
                loop {
                    match body.next_chunk().await {
                        Some(Ok(chunk)) => seen.body.extend_from_slice(&chunk),
                        Some(Err(error)) => broken = Some(error),
                        None => seen.whole = true,
                    }
                    if seen.whole || broken.is_some() {
                        break;
                    }
                }
            }
            let answer = match broken {
                Some(error) => {
                    Err(HttpError::new(HttpErrorKind::BodySource, "fake").caused_by(error))
                }
                None => (act.script)(&seen).map_err(|kind| HttpError::new(kind, "fake")),
            };
            self.seen.lock().unwrap().push(seen);
            answer
        }
        .boxed()
    }
}

/// Reads the body, then answers as `script` says.
pub(super) fn act(
    script: impl Fn(&Seen) -> Result<Response<Body>, HttpErrorKind> + Send + Sync + 'static,
) -> Act {
    Act {
        read_body: true,
        script: Box::new(script),
    }
}

/// Stores the object, as OSS does.
pub(super) fn stored() -> Act {
    act(|seen| Ok(ok(Some(crc64(&seen.body)))))
}

/// Reads the whole body and never answers.
pub(super) fn lost() -> Act {
    act(|_| Err(HttpErrorKind::Interrupted))
}

/// Fails before anything is read.
pub(super) fn broken(kind: HttpErrorKind) -> Act {
    Act {
        read_body: false,
        script: Box::new(move |_| Err(kind)),
    }
}

/// Refuses with a Code.
pub(super) fn refused(status: u16, code: &'static str) -> Act {
    act(move |_| {
        Ok(refusal(
            status,
            &format!("<Code>{code}</Code><Message>No.</Message>"),
        ))
    })
}

/// Answers a HEAD.
pub(super) fn head(size: usize, crc64: Option<u64>) -> Act {
    act(move |seen| {
        assert_eq!(seen.method, Method::HEAD);
        let mut answer = ok(crc64);
        answer.headers_mut().insert("content-length", size.into());
        Ok(answer)
    })
}

pub(super) fn ok(crc64: Option<u64>) -> Response<Body> {
    let mut answer = Response::builder()
        .header("etag", "\"5D41402ABC4B2A76B9719D911017C592\"")
        .header("x-oss-request-id", "5CAC155CB7AEADE01700ABCD")
        .header("date", date(server_now()));
    if let Some(crc64) = crc64 {
        answer = answer.header("x-oss-hash-crc64ecma", crc64.to_string());
    }
    answer.body(Body::empty()).unwrap()
}

/// An `<Error>` with these fields.
pub(super) fn refusal(status: u16, fields: &str) -> Response<Body> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>{fields}\
         <RequestId>5CAC155CB7AEADE01700ABCD</RequestId><HostId>h</HostId>\
         <EC>0000-00000001</EC></Error>\n"
    );
    Response::builder()
        .status(status)
        .header("content-type", "application/xml")
        .header("x-oss-request-id", "5CAC155CB7AEADE01700ABCD")
        .header("date", date(server_now()))
        .body(xml.into())
        .unwrap()
}

/// The instant that the client's clock shows, always.
pub(super) fn now() -> DateTime<Utc> {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// The server's clock is an hour ahead.
pub(super) fn server_now() -> DateTime<Utc> {
    now() + TimeDelta::hours(1)
}

pub(super) fn date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> DateTime<Utc> {
        now()
    }
}

pub(super) fn client_at(transport: Arc<dyn Transport>, endpoint: &str) -> OssClient {
    let endpoint = endpoint.parse().unwrap();
    let addressing = Addressing::of(&endpoint);
    let region = "cn-hangzhou".parse().unwrap();
    OssClient::new(
        transport,
        Arc::new(Stopped),
        endpoint,
        addressing,
        OssSignature::V4 { region },
    )
}

pub(super) fn client(transport: &Arc<Fake>) -> OssClient {
    client_at(transport.clone(), "http://127.0.0.1:8080")
}

pub(super) fn session() -> Credentials {
    Credentials {
        access_key_id: "STS.example".parse().unwrap(),
        access_key_secret: SECRET.into(),
        security_token: Some(TOKEN.into()),
    }
}

pub(super) fn crc64(bytes: &[u8]) -> u64 {
    let mut crc = Crc64::new();
    crc.update(bytes);
    crc.value()
}

/// Progress that nobody looks at.
#[derive(Debug)]
pub(super) struct Unwatched;

impl Progress for Unwatched {
    fn sent(&self, _total: u64) {}
}

/// A transfer of `source` to `demo-bucket`, and which credentials it asked for.
pub(super) struct Transfer {
    pub(super) outcome: Result<Put, transfer::Error<std::convert::Infallible>>,
    pub(super) needs: Vec<Need>,
}

pub(super) async fn put(fake: &Arc<Fake>, source: Source, options: &PutOptions) -> Transfer {
    put_as(session(), fake, source, options, &Settings::default()).await
}

pub(super) async fn put_as(
    credentials: Credentials,
    fake: &Arc<Fake>,
    source: Source,
    options: &PutOptions,
    settings: &Settings,
) -> Transfer {
    let mut needs = Vec::new();
    let outcome = transfer::put(
        &client(fake),
        &PutObject {
            bucket: &"demo-bucket".parse().unwrap(),
            key: &"a key".parse().unwrap(),
            options,
        },
        source,
        async |need| {
            needs.push(need);
            Ok((credentials.clone(), ClockSkew::ZERO))
        },
        settings,
        Arc::new(Unwatched),
    )
    .await;
    Transfer { outcome, needs }
}

/// A file of these bytes.
pub(super) fn file(bytes: &[u8]) -> (tempfile::TempDir, Source) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    #[expect(clippy::disallowed_methods, reason = "a test's own file")]
    std::fs::write(&path, bytes).unwrap();
    (dir, Source::File(path))
}

/// A stream of these bytes.
pub(super) fn stream(bytes: &'static [u8]) -> Source {
    Source::Reader(Box::new(bytes))
}

/// Bytes that differ from place to place.
pub(super) fn chunk(size: usize) -> Vec<u8> {
    (0..=250).cycle().take(size).collect()
}
