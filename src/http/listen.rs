//! A local HTTP/1.1 server around one async function. Must not know what is served: no routes, no
//! Alibaba.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::Body;

/// A bound socket that nobody serves yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// A handler's wish to close the connection without an answer, as a crashed server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection is closed without an answer")]
pub struct Abort;

/// The other end of the connection a request came over; among the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl Listener {
    /// Binds a TCP socket; port 0 lets the system choose.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        Ok(Self {
            address: socket.local_addr()?,
            socket,
        })
    }

    /// Returns the address that was bound, with the port the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `stop` completes, then closes every connection. An error on one
    /// connection ends that connection only.
    pub async fn serve<H, F>(self, handler: H, stop: impl Future<Output = ()>)
    where
        H: Fn(Request<Body>) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response<Body>, Abort>> + Send + 'static,
    {
        let mut stop = pin!(stop);
        // Dropped on return, which ends whatever still runs.
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = &mut stop => return,
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, peer)) => {
                        connections.spawn(converse(stream, Peer(peer), handler.clone()));
                    }
                    // The peer left early, or file descriptors ran out: neither lasts.
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

/// Serves one connection to its end.
async fn converse<H, F>(stream: TcpStream, peer: Peer, handler: H)
where
    H: Fn(Request<Body>) -> F,
    F: Future<Output = Result<Response<Body>, Abort>>,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::wrap);
        request.extensions_mut().insert(peer);
        handler(request)
    });
    // It fails only on a connection that is already gone, which the next read notices.
    drop(stream.set_nodelay(true));
    // What went wrong on one connection is the peer's to see.
    drop(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

/// The longest wait for a request's head, on a new connection or between two requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);

/// The pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
