//! The sandbox as a server in a thread of the test, with a clock that the test moves and faults
//! that it changes. Must not know the program under test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Request, StatusCode};
use stsctl::http::{Body, Listener, Transport};
use stsctl::model::{Clock, Credentials, SystemClock};
use stsctl::sandbox::{self, Fault, Options, Sandbox};
use stsctl::sign::{OssRequest, encode, oss_v4};
use tokio::sync::oneshot;

/// A cloud that listens until it is dropped.
#[derive(Debug)]
pub(crate) struct Cloud {
    address: SocketAddr,
    clock: Arc<CloudClock>,
    world: sandbox::World,
    data: PathBuf,
    session_lifetime: Option<Duration>,
    /// All that have served here, the present one last.
    lives: Arc<Mutex<Vec<Sandbox>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// An object as GetObject answers it.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// The machine's clock, moved.
#[derive(Debug, Default)]
struct CloudClock(AtomicI64);

impl Clock for CloudClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(Ordering::SeqCst))
    }
}

impl Cloud {
    /// Starts the default world with known AccessKeys; what it must remember is kept in `data`.
    pub(crate) fn start(data: PathBuf, faults: &[&str], lifetime: Option<Duration>) -> Self {
        let key = |id: &str, secret: &str| Credentials {
            access_key_id: id.parse().unwrap(),
            access_key_secret: secret.into(),
            security_token: None,
        };
        let root = key("LTAIroot", "secret-of-root");
        let alice = key(ALICE.0, ALICE.1);
        let admin = key("LTAIadmin", "secret-of-admin");
        let lives = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel();
        let (address, thread) = serve(Arc::clone(&lives), stopped);
        let cloud = Self {
            address,
            clock: Arc::default(),
            world: sandbox::World::with_keys(root, alice, admin),
            data,
            session_lifetime: lifetime,
            lives,
            stop: Some(stop),
            thread: Some(thread),
        };
        cloud.restart(faults);
        cloud
    }

    /// Goes on with other faults. Sessions and objects stay, and so do the counts of calls.
    pub(crate) fn restart(&self, faults: &[&str]) {
        let options = Options {
            data: Some(self.data.clone()),
            faults: faults.iter().map(|f| f.parse::<Fault>().unwrap()).collect(),
            session_lifetime: self.session_lifetime,
            ..Options::default()
        };
        let clock = Arc::<CloudClock>::clone(&self.clock);
        let sandbox = Sandbox::new(self.world.clone(), options, clock).unwrap();
        self.lives.lock().unwrap().push(sandbox);
    }

    /// Stops listening: connections are refused from here on.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Moves the cloud's clock, and not ours.
    pub(crate) fn move_clock(&self, by: TimeDelta) {
        self.clock.0.fetch_add(by.num_seconds(), Ordering::SeqCst);
    }

    /// The time by the cloud's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// How many requests of an operation have come, refused ones included.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        let lives = self.lives.lock().unwrap();
        lives.iter().map(|sandbox| sandbox.calls(operation)).sum()
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Reads an object by a presigned URL.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> Object {
        let request = OssRequest {
            method: "GET",
            bucket: Some(bucket),
            key: Some(key),
            query: &[],
            headers: &[],
        };
        let scope = oss_v4::Scope {
            at: self.now(),
            region: self.world.region().as_str(),
            product: "oss",
        };
        let reader = self.world.user("admin").unwrap();
        let signed = oss_v4::sign_url(&request, &[], reader, &scope, Duration::from_secs(60));
        let query: Vec<String> = (signed.additions.iter())
            .map(|add| format!("{}={}", add.name, encode::component(&add.value)))
            .collect();
        let path = encode::path(key);
        let url = format!("http://localhost/{bucket}/{path}?{}", query.join("&"));
        let sandbox = self.lives.lock().unwrap().last().unwrap().clone();
        runtime().block_on(async {
            let request = Request::get(url).body(Body::empty()).unwrap();
            let answer = sandbox.send(request).await.unwrap();
            Object {
                status: answer.status(),
                headers: answer.headers().clone(),
                body: answer
                    .into_body()
                    .collect(1 << 30, "sandbox")
                    .await
                    .unwrap()
                    .to_vec(),
            }
        })
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

impl Object {
    /// A header's value, "" if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

/// The RAM user whose AccessKey the environment has, and its secret.
pub(crate) const ALICE: (&str, &str) = ("LTAIalice", "secret-of-alice");

/// Answers with whichever sandbox is the last one, until `stop` is sent or dropped.
fn serve(
    lives: Arc<Mutex<Vec<Sandbox>>>,
    stop: oneshot::Receiver<()>,
) -> (SocketAddr, JoinHandle<()>) {
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        runtime().block_on(async {
            let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
            tell.send(listener.local_addr()).unwrap();
            let handler = move |request| {
                let sandbox = lives.lock().unwrap().last().unwrap().clone();
                async move { sandbox.handle(request).await }
            };
            let stopped = async {
                let _ = stop.await;
            };
            listener.serve(handler, stopped).await;
        });
    });
    (told.recv().unwrap(), thread)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}
