//! The client against real sockets: what each failure is called, when time runs out, what goes
//! through a proxy.

use std::convert::Infallible;
use std::error::Error as _;
use std::io::ErrorKind;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const LONG: Patience = Patience::Total(Duration::from_secs(60));
const BRIEF: Duration = Duration::from_millis(50);

/// Listens on a loopback port and treats the first connection so. Returns `host:port`.
async fn server<F>(treat: impl FnOnce(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        treat(socket).await;
    });
    authority
}

/// Reads a request's head; returns it, and what came of the body with it.
async fn head(socket: &mut TcpStream) -> (String, BytesMut) {
    let mut read = BytesMut::new();
    loop {
        if let Some(end) = read.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = read.split_to(end + 4);
            return (String::from_utf8(head.to_vec()).unwrap(), read);
        }
        assert_ne!(
            socket.read_buf(&mut read).await.unwrap(),
            0,
            "no whole head"
        );
    }
}

/// Answers the first request, and returns its head through the channel.
async fn recorder(answer: &'static str) -> (String, tokio::sync::oneshot::Receiver<String>) {
    let (tell, told) = tokio::sync::oneshot::channel();
    let authority = server(async move |mut socket| {
        let (head, _) = head(&mut socket).await;
        socket.write_all(answer.as_bytes()).await.unwrap();
        tell.send(head).unwrap();
    });
    (authority.await, told)
}

async fn send(uri: &str, patience: Patience) -> Result<Response<Body>, HttpError> {
    let request = Request::get(uri).extension(patience);
    let request = request.body(Body::empty()).unwrap();
    Client::default().send(request).await
}

async fn put(authority: &str, patience: Patience, body: Body) -> Result<Response<Body>, HttpError> {
    let request = Request::put(format!("http://{authority}/x")).extension(patience);
    Client::default().send(request.body(body).unwrap()).await
}

/// Checks the kind, and that no text of the error shows what the query holds.
fn assert_kind(error: &HttpError, kind: HttpErrorKind) {
    assert_eq!(error.kind(), kind, "{error:?}");
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let shown: Vec<_> = causes.map(ToString::to_string).collect();
    let shown = format!("{error} {error:?} {shown:?}");
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn an_answer_comes_back_whatever_its_status() {
    let answer = "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\n\
        content-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc";
    let (authority, told) = recorder(answer).await;
    let response = send(&format!("http://{authority}/a%2Fb?x=%20"), LONG).await;
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let body = response.into_body().collect(3, "").await.unwrap();
    assert_eq!(&body[..], b"abc");
    let head = told.await.unwrap();
    assert!(head.starts_with("GET /a%2Fb?x=%20 HTTP/1.1\r\n"), "{head}");
    assert!(
        head.contains(&format!("\r\nhost: {authority}\r\n")),
        "{head}"
    );
    assert!(head.contains("\r\nuser-agent: stsctl/"), "{head}");
    assert!(!head.contains("accept-encoding"), "{head}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let error = send("https://x.invalid/?t=canary", LONG).await.unwrap_err();
    assert_kind(&error, HttpErrorKind::Resolve);
    let shown = "the host name of `x.invalid` does not resolve";
    assert_eq!(error.to_string(), shown);
}

#[tokio::test]
async fn a_port_where_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = send(&format!("http://{address}/?t=canary"), LONG).await;
    let error = error.unwrap_err();
    assert_kind(&error, HttpErrorKind::Connect);
    assert_eq!(error.authority(), address.to_string());
    let cause = error.source().unwrap().to_string();
    assert!(cause.to_lowercase().contains("refused"), "{cause}");
}

#[tokio::test]
async fn https_to_a_port_that_speaks_plain_http() {
    let authority = server(async |mut socket| {
        let _ = socket.read(&mut [0; 512]).await;
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    let uri = format!("https://{}/?t=canary", authority.await);
    let error = send(&uri, LONG).await.unwrap_err();
    assert_kind(&error, HttpErrorKind::Tls);
    let cause = error.source().unwrap().to_string();
    assert_eq!(cause, "the other end does not speak TLS");
    assert!(!error.kind().is_transient());
}

#[tokio::test]
async fn a_server_that_closes_at_once() {
    let authority = server(async |mut socket| {
        head(&mut socket).await;
    });
    let uri = format!("http://{}/?t=canary", authority.await);
    let error = send(&uri, LONG).await.unwrap_err();
    assert_kind(&error, HttpErrorKind::Interrupted);
}

#[tokio::test]
async fn what_is_not_http() {
    let authority = server(async |mut socket| {
        head(&mut socket).await;
        socket.write_all(b"220 ready canary\r\n").await.unwrap();
    });
    let uri = format!("http://{}/", authority.await);
    let error = send(&uri, LONG).await.unwrap_err();
    assert_kind(&error, HttpErrorKind::Interrupted);
}

#[tokio::test]
async fn an_answer_that_breaks_off_in_its_body() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
    let (authority, _told) = recorder(answer).await;
    let response = send(&format!("http://{authority}/?t=canary"), LONG).await;
    let error = response.unwrap().into_body().collect(100, "").await;
    let error = error.unwrap_err();
    assert_kind(&error, HttpErrorKind::Interrupted);
    assert_eq!(error.authority(), authority);
}

#[tokio::test]
async fn a_server_that_never_answers() {
    for patience in [Patience::Total(BRIEF), Patience::Idle(BRIEF)] {
        let authority = server(async |mut socket| {
            head(&mut socket).await;
            std::future::pending::<()>().await;
        });
        let uri = format!("http://{}/?t=canary", authority.await);
        let error = send(&uri, patience).await.unwrap_err();
        assert_kind(&error, HttpErrorKind::Timeout);
    }
}

#[tokio::test]
async fn time_runs_out_inside_the_answers_body() {
    for patience in [Patience::Total(SECOND), Patience::Idle(SECOND)] {
        let authority = server(async |mut socket| {
            head(&mut socket).await;
            let start = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
            socket.write_all(start).await.unwrap();
            std::future::pending::<()>().await;
        });
        let uri = format!("http://{}/?t=canary", authority.await);
        let response = send(&uri, patience).await.unwrap();
        let error = response.into_body().collect(100, "").await.unwrap_err();
        assert_kind(&error, HttpErrorKind::Timeout);
    }
}

#[tokio::test]
async fn the_whole_exchange_has_a_limit_though_bytes_keep_coming() {
    let authority = server(async |mut socket| {
        head(&mut socket).await;
        let start = b"HTTP/1.1 200 OK\r\n\r\n";
        socket.write_all(start).await.unwrap();
        while socket.write_all(&[0; 1024]).await.is_ok() {}
    });
    let uri = format!("http://{}/", authority.await);
    let mut body = send(&uri, Patience::Total(SECOND))
        .await
        .unwrap()
        .into_body();
    let error = loop {
        if let Err(error) = body.next_chunk().await.expect("no end but the limit") {
            break error.downcast::<HttpError>().unwrap();
        }
    };
    assert_kind(&error, HttpErrorKind::Timeout);
}

/// A body without end.
fn endless() -> Body {
    let chunk = Bytes::from(vec![0; 1 << 20]);
    Body::stream(stream::repeat_with(move || {
        Ok::<_, Infallible>(chunk.clone())
    }))
}

#[tokio::test]
async fn a_server_that_stops_reading_an_upload() {
    let authority = server(async |mut socket| {
        head(&mut socket).await;
        std::future::pending::<()>().await;
    });
    let error = put(&authority.await, Patience::Idle(SECOND / 4), endless()).await;
    assert_kind(&error.unwrap_err(), HttpErrorKind::Timeout);
}

#[tokio::test]
async fn an_upload_refused_before_its_end() {
    let authority = server(async |mut socket| {
        head(&mut socket).await;
        let answer =
            b"HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 6\r\n\r\ndenied";
        socket.write_all(answer).await.unwrap();
        // What is still on its way must be read, or the system resets the connection.
        while socket.read(&mut [0; 1 << 13]).await.is_ok_and(|n| n > 0) {}
    });
    let response = put(&authority.await, LONG, endless()).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let body = response.into_body().collect(6, "").await.unwrap();
    assert_eq!(&body[..], b"denied");
}

#[tokio::test]
async fn a_body_that_cannot_be_read() {
    let authority = server(
        async |mut socket| {
            while socket.read(&mut [0; 1024]).await.is_ok_and(|n| n > 0) {}
        },
    );
    let broken = Body::stream(stream::iter([
        Ok(Bytes::from_static(b"some")),
        Err(std::io::Error::from(ErrorKind::UnexpectedEof)),
    ]));
    let error = put(&authority.await, LONG, broken).await.unwrap_err();
    assert_kind(&error, HttpErrorKind::BodySource);
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<std::io::Error>());
    assert_eq!(source.unwrap().kind(), ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn a_body_of_known_length_is_sent_with_its_length() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let authority = server(async move |mut socket| {
        let (head, mut body) = head(&mut socket).await;
        while body.len() < 200_000 {
            socket.read_buf(&mut body).await.unwrap();
        }
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        socket.write_all(answer).await.unwrap();
        tell.send((head, body)).unwrap();
    });
    let data: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let body = Bytes::from(data.clone()).into();
    put(&authority.await, LONG, body).await.unwrap();
    let (head, body) = told.await.unwrap();
    assert!(head.contains("content-length: 200000\r\n"), "{head}");
    assert!(body == data, "the bytes differ");
}

fn through(proxies: Proxies) -> Client {
    Client::new(ClientOptions {
        proxies,
        ..ClientOptions::default()
    })
}

async fn get(client: &Client, uri: &str) -> Result<Response<Body>, HttpError> {
    client
        .send(Request::get(uri).body(Body::empty()).unwrap())
        .await
}

#[tokio::test]
async fn plain_requests_go_through_the_proxy_with_its_password() {
    let (proxy, told) = recorder("HTTP/1.1 204 No Content\r\n\r\n").await;
    let client = through(Proxies {
        http: Some(format!("http://user:can%40ary@{proxy}")),
        no_proxy: Some("direct.example".to_owned()),
        ..Proxies::default()
    });
    let shown = format!("{client:?}");
    assert!(shown.contains(&proxy) && !shown.contains("ary"), "{shown}");
    let response = get(&client, "http://oss.example/x").await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let head = told.await.unwrap();
    assert!(
        head.starts_with("GET http://oss.example/x HTTP/1.1\r\n"),
        "{head}"
    );
    // user:can@ary
    let authorization = "proxy-authorization: Basic dXNlcjpjYW5AYXJ5\r\n";
    assert!(head.contains(authorization), "{head}");
}

#[tokio::test]
async fn tls_goes_through_a_tunnel() {
    let (proxy, told) = recorder("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let client = through(Proxies {
        https: Some(proxy),
        ..Proxies::default()
    });
    let error = get(&client, "https://sts.example/?t=canary")
        .await
        .unwrap_err();
    assert_kind(&error, HttpErrorKind::Connect);
    let head = told.await.unwrap();
    assert!(
        head.starts_with("CONNECT sts.example:443 HTTP/1.1\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn loopback_and_what_is_exempt_go_past_the_proxy() {
    // Nobody listens there: a request that goes to the proxy fails to connect.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap().to_string();
    drop(listener);
    let client = through(Proxies {
        http: Some(closed),
        https: None,
        no_proxy: Some("x.invalid".to_owned()),
    });
    let (authority, _told) = recorder("HTTP/1.1 204 No Content\r\n\r\n").await;
    let port = authority.rsplit(':').next().unwrap();
    let response = get(&client, &format!("http://localhost:{port}/")).await;
    assert_eq!(response.unwrap().status(), StatusCode::NO_CONTENT);
    let (authority, _told) = recorder("HTTP/1.1 204 No Content\r\n\r\n").await;
    let response = get(&client, &format!("http://{authority}/")).await;
    assert_eq!(response.unwrap().status(), StatusCode::NO_CONTENT);
    let error = get(&client, "http://y.x.invalid/").await.unwrap_err();
    assert_kind(&error, HttpErrorKind::Resolve);
    let error = get(&client, "http://z.invalid/").await.unwrap_err();
    assert_kind(&error, HttpErrorKind::Connect);
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_is_never_gone_past() {
    for proxy in [
        "socks5://user:canary@p:1080",
        "http://",
        "ftp://p",
        "http://user:canary@p:x",
        "a b",
    ] {
        let client = through(Proxies {
            http: Some(proxy.to_owned()),
            ..Proxies::default()
        });
        let error = get(&client, "http://127.0.0.1:1/").await.unwrap_err();
        assert_kind(&error, HttpErrorKind::Request);
        assert!(!format!("{client:?}").contains("canary"), "{client:?}");
    }
    let unset = through(Proxies {
        http: Some(" ".to_owned()),
        ..Proxies::default()
    });
    let (authority, _told) = recorder("HTTP/1.1 204 No Content\r\n\r\n").await;
    get(&unset, &format!("http://{authority}/")).await.unwrap();
}

#[tokio::test]
async fn root_files_that_hold_no_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let garbage = dir.path().join("roots.pem");
    std::io::Write::write_all(&mut fs_err::File::create(&garbage).unwrap(), b"not PEM").unwrap();
    for (path, said) in [
        (garbage, "holds no PEM certificate"),
        (dir.path().join("absent.pem"), "failed to open"),
    ] {
        let client = Client::new(ClientOptions {
            extra_roots: vec![path],
            ..ClientOptions::default()
        });
        let error = get(&client, "https://127.0.0.1:1/").await.unwrap_err();
        assert_kind(&error, HttpErrorKind::Request);
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains(said) && cause.contains(".pem"), "{cause}");
    }
}
