//! A server that only reads: takes any request's body, drops it, and answers as OSS does to a
//! PutObject, without a checksum. Prints its port. For `oss_put.sh`.

use std::convert::Infallible;
use std::net::Ipv4Addr;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    #[expect(clippy::print_stdout, reason = "the script reads the port")]
    {
        println!("{}", listener.local_addr()?.port());
    }
    loop {
        let (stream, _) = listener.accept().await?;
        let connection =
            http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(swallow));
        // A client that goes away is its own business.
        tokio::spawn(async { connection.await.ok() });
    }
}

async fn swallow(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    let mut answer = Response::new(Empty::new());
    for (name, value) in [("etag", "\"0\""), ("x-oss-request-id", "0")] {
        answer
            .headers_mut()
            .insert(name, value.parse().expect("the value is ASCII"));
    }
    Ok(answer)
}
