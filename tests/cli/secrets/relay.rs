//! A relay before the sandbox. It sees every signature that is sent, and can answer in the
//! sandbox's place with everything that it was sent, as a careless server would.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the relay does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Passes it on.
    Pass,
    /// Passes on what is for STS and answers what is for OSS with an echo.
    EchoOss,
    /// Answers what is for STS with an echo.
    EchoSts,
}

/// Runs until the test ends.
#[derive(Debug)]
pub(super) struct Relay {
    address: SocketAddr,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Relay {
    pub(super) fn start(target: &str, mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let sent = Arc::<Mutex<Vec<u8>>>::default();
        let (target, log) = (target.to_owned(), Arc::clone(&sent));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (target, log) = (target.clone(), Arc::clone(&log));
                // A connection that breaks is the program's to notice, not the relay's.
                thread::spawn(move || {
                    let _ = serve(stream, &target, mode, &log);
                });
            }
        });
        Self { address, sent }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns every signature that was sent, decoded.
    pub(super) fn signatures(&self) -> Vec<String> {
        let sent = String::from_utf8_lossy(&self.sent.lock().unwrap()).into_owned();
        let mut found = Vec::new();
        for part in sent.split(['&', '\n', '?', ',']) {
            let part = part.trim();
            if let Some(value) = part.strip_prefix("Signature=") {
                let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
                found.push(value.into_owned());
            }
            let lower = part.to_ascii_lowercase();
            if lower.starts_with("authorization: oss ") {
                found.extend(part.rsplit(':').next().map(str::to_owned));
            }
        }
        // The shortest is HMAC-SHA1 in base64; less is the piece of one that came in two.
        found.retain(|signature| signature.len() >= 28);
        found
    }
}

fn serve(client: TcpStream, target: &str, mode: Mode, log: &Mutex<Vec<u8>>) -> std::io::Result<()> {
    if mode == Mode::Pass {
        return pass(client, &[], target, log);
    }
    let mut head = Vec::new();
    let mut client = client;
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let is_sts = text.starts_with("post / ");
    if is_sts != (mode == Mode::EchoSts) {
        return pass(client, &head, target, log);
    }
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    note(log, &head);
    note(log, &body);
    let answer = if is_sts {
        echo_sts(&head, &body)
    } else {
        echo_oss(&head)
    };
    client.write_all(answer.as_bytes())?;
    client.shutdown(Shutdown::Write)
}

/// Keeps what was sent, apart from what comes next on the same connection.
fn note(log: &Mutex<Vec<u8>>, sent: &[u8]) {
    let mut log = log.lock().unwrap();
    log.extend_from_slice(sent);
    log.push(b'\n');
}

/// Passes everything on, both ways.
fn pass(
    mut client: TcpStream,
    head: &[u8],
    target: &str,
    log: &Mutex<Vec<u8>>,
) -> std::io::Result<()> {
    let mut server = TcpStream::connect(target)?;
    note(log, head);
    server.write_all(head)?;
    let (mut back, mut answers) = (client.try_clone()?, server.try_clone()?);
    let answering = thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut buffer = [0; 16 << 10];
    loop {
        let read = client.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        note(log, &buffer[..read]);
        server.write_all(&buffer[..read])?;
    }
    server.shutdown(Shutdown::Write)?;
    let _ = answering.join();
    Ok(())
}

/// Every field of STS's error, full of what was sent.
fn echo_sts(head: &[u8], body: &[u8]) -> String {
    let sent = format!(
        "{} {} {}",
        header(head, "authorization"),
        header(head, "x-acs-security-token"),
        String::from_utf8_lossy(body)
    );
    let mut decoded = Vec::new();
    for pair in String::from_utf8_lossy(body).split('&') {
        let value = pair.split_once('=').map_or("", |(_, value)| value);
        let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
        decoded.push(value.into_owned());
    }
    let decoded = decoded.join(" ");
    // The latter is beyond what any Message is cut to.
    let document = serde_json::json!({
        "RequestId": sent,
        "HostId": decoded,
        "Code": format!("Echo {decoded}"),
        "Message": format!("{decoded} {sent}"),
        "Recommend": sent,
    });
    answer("application/json", &document.to_string())
}

/// Every element of OSS's error, full of what was sent.
fn echo_oss(head: &[u8]) -> String {
    let authorization = header(head, "authorization");
    let token = header(head, "x-oss-security-token");
    let signature = authorization
        .rsplit_once("Signature=")
        .or_else(|| authorization.rsplit_once(':'))
        .map_or("", |(_, signature)| signature);
    let document = format!(
        "<?xml version=\"1.0\"?><Error><Code>Echo {token}</Code>\
         <Message>{signature} {authorization} {token}</Message><RequestId>{token}</RequestId>\
         <SecurityToken>{token}</SecurityToken><EC>{token}</EC><Endpoint>{token}</Endpoint>\
         <StringToSign>{token}</StringToSign></Error>"
    );
    answer("application/xml", &document)
}

fn answer(content_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}

fn header(head: &[u8], name: &str) -> String {
    let head = String::from_utf8_lossy(head).into_owned();
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_owned()).unwrap_or_default()
}
