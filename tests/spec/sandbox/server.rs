//! The sandbox behind a real socket: what a handler cannot see, the connection shows.

use stsctl::http::{Abort, Listener, Peer};
use stsctl::sandbox::Trace;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// Serves while a client talks, and returns what the client makes of it.
async fn while_serving<T>(
    sandbox: &Sandbox,
    client: impl AsyncFnOnce(std::net::SocketAddr) -> T,
) -> T {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = listener.local_addr();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let sandbox = sandbox.clone();
    let handler = move |request| {
        let sandbox = sandbox.clone();
        async move { sandbox.handle(request).await }
    };
    let served = listener.serve(handler, async { drop(stopped.await) });
    let talk = async {
        let made = client(address).await;
        drop(stop);
        made
    };
    tokio::join!(served, talk).1
}

/// Sends bytes and reads until the server closes.
async fn exchange(address: std::net::SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // A reset is an end too.
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Writes a request as it goes over the wire.
async fn wire(request: Request<Body>, host: &str) -> Vec<u8> {
    let (parts, body) = request.into_parts();
    let body = body.collect(1 << 20, "").await.unwrap();
    let mut bytes = format!(
        "{} {} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n",
        parts.method,
        parts.uri.path_and_query().unwrap(),
        body.len()
    )
    .into_bytes();
    for (name, value) in &parts.headers {
        bytes.extend_from_slice(format!("{name}: ").as_bytes());
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
}

#[tokio::test]
async fn objects_go_over_a_socket_and_the_trace_tells_of_them() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    let trace = Trace::new(move |line: &str| seen.lock().unwrap().push(line.to_owned()));
    let cloud = Cloud::with(Options {
        trace: Some(trace),
        ..Options::default()
    });
    let put = Oss {
        body: b"over the wire",
        ..Oss::object("PUT", "k")
    };
    let put = wire(cloud.v4(&cloud.alice(), put), "127.0.0.1").await;
    let get = wire(
        cloud.v4(&cloud.alice(), Oss::object("GET", "k")),
        "127.0.0.1",
    )
    .await;
    let head = wire(
        cloud.v4(&cloud.alice(), Oss::object("HEAD", "k")),
        "127.0.0.1",
    )
    .await;
    let call = cloud.signed(&cloud.alice(), "AssumeRole", ROLE);
    let call = wire(form(&call), "sts.example").await;
    let (put, get, head, call, none) = while_serving(&cloud.sandbox, async |address| {
        (
            exchange(address, &put).await,
            exchange(address, &get).await,
            exchange(address, &head).await,
            exchange(address, &call).await,
            exchange(
                address,
                b"PUT /demo-bucket/k HTTP/1.1\r\nconnection: close\r\n\r\n",
            )
            .await,
        )
    })
    .await;
    assert!(put.starts_with("HTTP/1.1 200 OK\r\n"), "{put}");
    assert!(get.ends_with("\r\n\r\nover the wire"), "{get}");
    assert!(
        head.contains("content-length: 13\r\n") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    assert!(call.contains("\"RequestId\""), "{call}");
    assert!(
        get.contains("date: Fri, 02 Jan 2026 03:04:05 GMT\r\n"),
        "{get}"
    );
    assert!(none.contains("<Code>AccessDenied</Code>"), "{none}");
    assert_eq!(
        *lines.lock().unwrap(),
        [
            "PUT PutObject 200",
            "GET GetObject 200",
            "HEAD HeadObject 200",
            "POST AssumeRole 200",
            "PUT PutObject 403 AccessDenied",
        ]
    );
}

#[tokio::test]
async fn a_length_is_asked_for() {
    let cloud = Cloud::new();
    let request = cloud.v4(&cloud.alice(), Oss::object("PUT", "k"));
    let request = String::from_utf8(wire(request, "127.0.0.1").await).unwrap();
    let request = request.replace("content-length: 0\r\n", "");
    let answer = while_serving(&cloud.sandbox, async |address| {
        exchange(address, request.as_bytes()).await
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 411 "), "{answer}");
    assert!(
        answer.contains("<Code>MissingContentLength</Code>"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_refused_upload_is_read_to_its_end_so_that_the_client_sees_why() {
    let cloud = Cloud::new();
    let mut request = b"PUT /demo-bucket/k HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\
                        content-length: 8388608\r\n\r\n"
        .to_vec();
    request.resize(request.len() + (8 << 20), b'x');
    let answer = while_serving(&cloud.sandbox, async |address| {
        exchange(address, &request).await
    });
    let answer = answer.await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("<Code>AccessDenied</Code>"), "{answer}");
}

#[tokio::test]
async fn one_that_waits_for_100_continue_is_refused_at_once() {
    let cloud = Cloud::new();
    let request = b"PUT /demo-bucket/k HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\n\
                    content-length: 5\r\n\r\n";
    let answer = while_serving(&cloud.sandbox, async |address| {
        exchange(address, request).await
    });
    assert!(answer.await.starts_with("HTTP/1.1 403 "));
}

#[tokio::test]
async fn broken_connections_are_broken_on_the_wire_and_the_server_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let data = || Options {
        data: Some(dir.path().to_owned()),
        ..Options::default()
    };
    assert_eq!(
        Cloud::with(data())
            .put("k", &vec![b'x'; 90_000])
            .await
            .status,
        200
    );
    let faults = ["sts:reset:1", "oss:reset-after=70000:1"].map(|fault| fault.parse().unwrap());
    let cloud = Cloud::with(Options {
        faults: faults.to_vec(),
        ..data()
    });
    let call = cloud.signed(&cloud.alice(), "AssumeRole", ROLE);
    let call = wire(form(&call), "h").await;
    let get = cloud.v4(&cloud.alice(), Oss::object("GET", "k"));
    let get = wire(get, "127.0.0.1").await;
    let (reset, junk, cut, whole, again) = while_serving(&cloud.sandbox, async |address| {
        (
            exchange(address, &call).await,
            exchange(address, b"\x16\x03\x01 this is TLS\r\n\r\n").await,
            exchange(address, &get).await,
            exchange(address, &get).await,
            exchange(address, &call).await,
        )
    })
    .await;
    assert_eq!(reset, "");
    assert!(!junk.contains("200 OK"), "{junk}");
    let received = |answer: &str| {
        let (head, body) = answer.split_once("\r\n\r\n").expect(answer);
        assert!(head.contains("content-length: 90000"), "{head}");
        body.len()
    };
    assert_eq!(received(&cut), 70_000);
    assert_eq!(received(&whole), 90_000);
    assert!(again.contains("AssumedRoleUser"), "{again}");
}

#[tokio::test]
async fn a_handler_learns_its_peer_and_may_hang_up() {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = listener.local_addr();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let handler = |request: Request<Body>| async move {
        let Some(Peer(peer)) = request.extensions().get() else {
            return Err(Abort);
        };
        match request.uri().path() {
            "/peer" => Ok(Response::new(Body::from(peer.to_string()))),
            _ => Err(Abort),
        }
    };
    let talk = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let own = stream.local_addr().unwrap().to_string();
        let request = b"GET /peer HTTP/1.1\r\nhost: h\r\n\r\nGET /bye HTTP/1.1\r\nhost: h\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        drop(stream.read_to_string(&mut answer).await);
        assert!(answer.ends_with(&own), "{answer}");
        drop(stop);
    };
    tokio::join!(listener.serve(handler, async { drop(stopped.await) }), talk);
}
