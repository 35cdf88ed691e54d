//! Bytes out, bytes in: the one seam between this program and the network. An answered 4xx or 5xx
//! is an answer here, not an error. Must not know Alibaba: no signatures, no Codes, no XML.

mod body;
mod client;
mod error;
mod listen;
mod redact;
mod retry;

pub use body::{Body, BodyError};
pub use client::{Client, ClientOptions, Proxies};
pub use error::{HttpError, HttpErrorKind};
pub use listen::{Abort, Listener, Peer};
pub use redact::SafeUri;
pub use retry::{Attempts, Retry, RetryPolicy};

use std::fmt::Debug;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};

/// Sends one request and returns its answer, whatever the status. Never follows a redirect: it
/// would carry Authorization and tokens to another host.
pub trait Transport: Debug + Send + Sync {
    /// Sends the request. The URI is absolute. A [`Patience`] among the request's extensions
    /// replaces the transport's default.
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, HttpError>>;
}

/// How long an exchange may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// From the request's first byte to the answer's last.
    Total(Duration),
    /// The longest time without a byte moving in either direction; for transfers.
    Idle(Duration),
}
