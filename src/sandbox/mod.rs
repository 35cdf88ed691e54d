//! An embedded cloud: STS and OSS on loopback or in process, strict where the real ones are. It
//! parses requests by its own code and never uses the clients in `sts` and `oss`, so that a bug of
//! theirs is not mirrored here; it shares only `sign`, which published vectors pin down.
//!
//! What is documented is answered as the documentation says; what is not (a status, an EC) is a
//! guess that `tests/live.sh` checks against the real services. Permissions are not enforced.

mod disk;
mod faults;
mod identity;
mod nonces;
mod oss;
mod random;
mod rpc;
mod sts;
mod wire;
mod world;
mod xml;

pub use faults::Fault;
pub use world::World;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Request, Response, header};

use crate::http::{Abort, Body, BodyError, HttpError, HttpErrorKind, Patience, Transport};
use crate::model::{Clock, ClockSkew};
use crate::sign::imf_fixdate;

/// A running cloud. Clones share it.
#[derive(Clone)]
pub struct Sandbox(Arc<State>);

/// How a sandbox differs from the default one.
#[derive(Debug, Default)]
pub struct Options {
    /// Where objects and sessions are kept, beside the world of [`World::kept_in`]; in memory if
    /// `None`.
    pub data: Option<PathBuf>,
    /// What befalls requests.
    pub faults: Vec<Fault>,
    /// How long issued sessions last, whatever DurationSeconds says; may be seconds.
    pub session_lifetime: Option<Duration>,
    /// How far the sandbox's clock is ahead of the one it is given.
    pub skew: ClockSkew,
    /// Told about every request.
    pub trace: Option<Trace>,
}

/// Receives one line a request: method, operation, status, and Code if it is an error. Never a
/// secret.
#[derive(Clone)]
pub struct Trace(Arc<dyn Fn(&str) + Send + Sync>);

/// Why a sandbox cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the data directory is not what this program wrote.
    #[error("`{}` is damaged at line {line}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The data directory cannot be read or written.
    #[error("cannot use the sandbox's data directory")]
    Io(#[from] std::io::Error),
}

/// What all requests share.
struct State {
    world: World,
    clock: Arc<dyn Clock>,
    skew: ClockSkew,
    session_lifetime: Option<Duration>,
    trace: Option<Trace>,
    faults: faults::Faults,
    nonces: Mutex<nonces::Nonces>,
    sessions: Mutex<identity::Sessions>,
    calls: Mutex<BTreeMap<&'static str, usize>>,
    store: oss::Store,
}

/// What is noted about a request for the trace.
#[derive(Default)]
struct Note {
    operation: Option<&'static str>,
    code: Option<String>,
}

impl Sandbox {
    /// Starts a cloud.
    ///
    /// # Errors
    /// The data directory cannot be used.
    pub fn new(world: World, options: Options, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let now = options.skew.server_time(clock.now());
        if let Some(data) = &options.data {
            disk::make_private_dir(data)?;
        }
        let sessions = options.data.as_ref().map(|data| data.join("sessions.json"));
        Ok(Self(Arc::new(State {
            store: oss::Store::open(options.data.as_deref(), world.buckets(), now)?,
            sessions: Mutex::new(identity::Sessions::open(sessions)?),
            world,
            clock,
            skew: options.skew,
            session_lifetime: options.session_lifetime,
            trace: options.trace,
            faults: faults::Faults::new(options.faults),
            nonces: Mutex::default(),
            calls: Mutex::default(),
        })))
    }

    /// Returns the time by the cloud's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    /// Returns the world it plays.
    pub fn world(&self) -> &World {
        &self.0.world
    }

    /// Returns how many requests of an operation have come, such as `AssumeRole` or `PutObject`,
    /// refused ones included.
    pub fn calls(&self, operation: &str) -> usize {
        lock(&self.0.calls)
            .get(operation)
            .copied()
            .unwrap_or_default()
    }

    /// Answers one request, to whichever service it is.
    ///
    /// # Errors
    /// [`Abort`] if a fault closes the connection, or the request's body broke off.
    pub async fn handle(&self, request: Request<Body>) -> Result<Response<Body>, Abort> {
        let state = &*self.0;
        let (parts, body) = request.into_parts();
        let head = wire::Head::new(&parts);
        let mut note = Note::default();
        let answer = if rpc::is_meant(&head) {
            rpc::answer(state, &head, body, &mut note).await
        } else {
            oss::answer(state, &head, body, &mut note).await
        };
        let status = match &answer {
            Ok(response) => response.status().as_u16().to_string(),
            Err(Abort) => "aborted".to_owned(),
        };
        if let Some(Trace(trace)) = &state.trace {
            let operation = note.operation.unwrap_or("-");
            let code = note.code.map(|code| format!(" {code}")).unwrap_or_default();
            trace(&format!("{} {operation} {status}{code}", head.method));
        }
        let mut response = answer?;
        if let Ok(date) = HeaderValue::from_str(&imf_fixdate(state.now())) {
            response.headers_mut().insert(header::DATE, date);
        }
        Ok(response)
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("account", &self.0.world.account())
            .finish_non_exhaustive()
    }
}

impl Transport for Sandbox {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        Box::pin(async move {
            let authority = request
                .uri()
                .authority()
                .map_or("", |authority| authority.as_str())
                .to_owned();
            let patience = request.extensions().get::<Patience>().copied();
            let failure = Arc::new(Mutex::new(None));
            let answer = self.handle(as_sent(request, Arc::clone(&failure)));
            let answer = match patience {
                Some(Patience::Total(limit) | Patience::Idle(limit)) => {
                    tokio::time::timeout(limit, answer)
                        .await
                        .map_err(|_| HttpError::new(HttpErrorKind::Timeout, &*authority))?
                }
                None => answer.await,
            };
            answer.map_err(|Abort| match lock(&failure).take() {
                Some(cause) => {
                    HttpError::new(HttpErrorKind::BodySource, authority).caused_by(cause)
                }
                None => HttpError::new(HttpErrorKind::Interrupted, authority).caused_by(Abort),
            })
        })
    }
}

impl Trace {
    /// Wraps a function.
    pub fn new(receive: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(receive))
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trace")
    }
}

impl State {
    /// Returns what the cloud's clock says.
    fn now(&self) -> DateTime<Utc> {
        self.skew.server_time(self.clock.now())
    }

    /// Counts and notes what a request asks for.
    fn count(&self, note: &mut Note, operation: &'static str) {
        note.operation = Some(operation);
        *lock(&self.calls).entry(operation).or_default() += 1;
    }
}

/// Makes of an in-process request what a client would have put on the wire: a body's length, or
/// that it comes in chunks. A failure of the body's source is kept in `failure`.
fn as_sent(mut request: Request<Body>, failure: Arc<Mutex<Option<BodyError>>>) -> Request<Body> {
    let exact = http_body::Body::size_hint(request.body()).exact();
    let headers = request.headers_mut();
    if !headers.contains_key(header::CONTENT_LENGTH) {
        if let Some(length) = exact {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        } else {
            let chunked = HeaderValue::from_static("chunked");
            headers.insert(header::TRANSFER_ENCODING, chunked);
        }
    }
    request.map(|body| {
        let chunks = stream::unfold((body, failure), |(mut body, failure)| async {
            let chunk = match body.next_chunk().await? {
                Ok(chunk) => Ok(chunk),
                Err(error) => {
                    *lock(&failure) = Some(error);
                    Err(Abort)
                }
            };
            Some((chunk, (body, failure)))
        });
        // A refusal drains the body, which may have been read to its end before.
        Body::stream(chunks.fuse())
    })
}

/// Locks, also after a panic elsewhere: every critical section leaves its data whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads what is left of a request's body, up to a limit, so that the client comes to read the
/// answer. One that waits for `100 Continue` has sent nothing and gets nothing to wait for.
async fn drain(head: &wire::Head, body: &mut Body) {
    if head.header("expect").is_some() {
        return;
    }
    let mut left: usize = 64 << 20;
    while let Some(Ok(chunk)) = body.next_chunk().await {
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
