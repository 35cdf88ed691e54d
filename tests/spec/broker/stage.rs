//! What the broker's tests play on: a cloud with its own clock, a network with weather, a machine
//! whose clock may be wrong, and a cache.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use stsctl::broker::{Broker, Demand, Error, Granted, Notice, inputs};
use stsctl::cache::{Cache, CacheLock, Entry, Inputs, Lookup};
use stsctl::config::{ConfigFile, Env, Plan, Wanted, resolve};
use stsctl::http::{Body, HttpError, Transport};
use stsctl::model::{Clock, RoleArn};
use stsctl::sandbox::{Options, Sandbox, World};
use stsctl::sts::SignatureScheme;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

pub(super) const TESTROLE: &str = "acs:ram::1234567890123456:role/testrole";
pub(super) const IOTROLE: &str = "acs:ram::1234567890123456:role/iotstsrole";

/// The true time: moves with tokio's, and may be moved on by hours.
#[derive(Debug)]
struct TrueTime {
    start: Instant,
    moved: AtomicI64,
}

impl Clock for TrueTime {
    fn now(&self) -> DateTime<Utc> {
        let start: DateTime<Utc> = "2026-01-02T03:04:05.250Z".parse().unwrap();
        start + self.start.elapsed() + TimeDelta::milliseconds(self.moved.load(Ordering::Relaxed))
    }
}

/// The clock of the machine that the broker runs on.
#[derive(Debug)]
struct MachineClock {
    truth: Arc<TrueTime>,
    wrong_by: AtomicI64,
    stopped_at: Mutex<Option<DateTime<Utc>>>,
}

impl Clock for MachineClock {
    fn now(&self) -> DateTime<Utc> {
        if let Some(at) = *self.stopped_at.lock().unwrap() {
            return at;
        }
        let wrong_by = TimeDelta::milliseconds(self.wrong_by.load(Ordering::Relaxed));
        self.truth.now() + wrong_by
    }
}

/// What befalls requests on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weather {
    /// They arrive at once, and the answer after so long: the worst that a round trip can do to
    /// the skew that is measured by it.
    Slow(Duration),
    /// They are answered with 500.
    Stormy,
    /// They are never answered.
    Silent,
}

pub(super) const FAIR: Weather = Weather::Slow(Duration::ZERO);

/// One AssumeRole request as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) caller: String,
    pub(super) role_arn: String,
}

#[derive(Debug)]
struct Net {
    cloud: Sandbox,
    weather: Mutex<Weather>,
    sent: Mutex<Vec<Sent>>,
}

impl Transport for Net {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect(1 << 20, "net").await.unwrap();
            let form = str::from_utf8(&body).unwrap();
            let param = |name| {
                let mut pairs = form.split('&').filter_map(|pair| pair.split_once('='));
                let (_, value) = pairs.find(|(known, _)| *known == name).unwrap();
                let value = percent_encoding::percent_decode_str(value).decode_utf8();
                value.unwrap().into_owned()
            };
            let sent = Sent {
                caller: param("AccessKeyId"),
                role_arn: param("RoleArn"),
            };
            self.sent.lock().unwrap().push(sent);
            let weather = *self.weather.lock().unwrap();
            match weather {
                Weather::Slow(pause) => {
                    let request = Request::from_parts(head, body.into());
                    let answer = self.cloud.send(request).await;
                    sleep(pause).await;
                    answer
                }
                Weather::Stormy => {
                    let body = r#"{"Code":"InternalError","Message":"storm","RequestId":"1"}"#;
                    let answer = Response::builder().status(500);
                    let answer = answer.header("content-type", "application/json");
                    Ok(answer.body(body.to_owned().into()).unwrap())
                }
                Weather::Silent => std::future::pending().await,
            }
        }
        .boxed()
    }
}

/// The whole scene.
pub(super) struct Stage {
    pub(super) cloud: Sandbox,
    pub(super) home: TempDir,
    truth: Arc<TrueTime>,
    machine: Arc<MachineClock>,
    net: Arc<Net>,
    notices: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(super) fn with(options: Options) -> Self {
        let truth = Arc::new(TrueTime {
            start: Instant::now(),
            moved: AtomicI64::new(0),
        });
        let clock: Arc<dyn Clock> = Arc::<TrueTime>::clone(&truth);
        let cloud = Sandbox::new(World::generate(), options, clock).unwrap();
        Self {
            net: Arc::new(Net {
                cloud: cloud.clone(),
                weather: Mutex::new(FAIR),
                sent: Mutex::default(),
            }),
            machine: Arc::new(MachineClock {
                truth: Arc::clone(&truth),
                wrong_by: AtomicI64::new(0),
                stopped_at: Mutex::default(),
            }),
            home: tempfile::tempdir().unwrap(),
            notices: Arc::default(),
            cloud,
            truth,
        }
    }

    /// Lets time pass for everyone.
    pub(super) fn pass(&self, time: TimeDelta) {
        let millis = time.num_milliseconds();
        self.truth.moved.fetch_add(millis, Ordering::Relaxed);
    }

    /// Sets how far the machine's clock is ahead of the true time.
    pub(super) fn set_clock_ahead(&self, by: TimeDelta) {
        let millis = by.num_milliseconds();
        self.machine.wrong_by.store(millis, Ordering::Relaxed);
    }

    /// Stops the machine's clock at any instant.
    pub(super) fn stop_clock_at(&self, at: DateTime<Utc>) {
        *self.machine.stopped_at.lock().unwrap() = Some(at);
    }

    pub(super) fn set_weather(&self, weather: Weather) {
        *self.net.weather.lock().unwrap() = weather;
    }

    /// Returns what the machine's clock says.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.machine.now()
    }

    /// A broker of its own, as each process has one, on the one cache.
    pub(super) fn broker(&self) -> Broker {
        self.broker_with(Some(self.cache()))
    }

    pub(super) fn broker_with(&self, cache: Option<Cache>) -> Broker {
        let notices = Arc::clone(&self.notices);
        Broker::new(
            Arc::<Net>::clone(&self.net),
            Arc::<MachineClock>::clone(&self.machine),
            cache,
            SignatureScheme::Rpc,
            move |notice| notices.lock().unwrap().push(told(&notice)),
        )
    }

    pub(super) fn cache(&self) -> Cache {
        Cache::open(self.home.path()).unwrap()
    }

    /// Alice's plan to assume these roles.
    pub(super) fn plan(&self, roles: &[&str]) -> Plan {
        let alice = self.cloud.world().user("alice").unwrap();
        let secret = secrecy::ExposeSecret::expose_secret(&alice.access_key_secret);
        let env = Env::from_vars([
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", alice.access_key_id.as_str()),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret),
        ]);
        let path = self.home.path().join("config.toml");
        let config = ConfigFile::parse(&path, "").unwrap();
        resolve(&wanted(roles), &env, &config, self.now()).unwrap()
    }

    pub(super) fn one_role(&self) -> Plan {
        self.plan(&[TESTROLE])
    }

    /// What a process that wants the plan's session gets.
    pub(super) async fn session(&self, plan: &Plan) -> Result<Granted, Error> {
        self.demand(plan, &Demand::default()).await
    }

    pub(super) async fn demand(&self, plan: &Plan, demand: &Demand) -> Result<Granted, Error> {
        let broker = self.broker();
        let granted = match broker.cached(plan, demand) {
            Some(granted) => granted,
            None => broker.session(plan, demand).await?,
        };
        // The law above all others, wherever a session is handed out.
        let expiration = granted.session.expiration.instant();
        assert!(
            expiration > self.cloud.now(),
            "handed out past its Expiration"
        );
        Ok(granted)
    }

    /// Returns the requests since the last time this was asked.
    pub(super) fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.net.sent.lock().unwrap())
    }

    /// Returns the number of requests since the last time this or [`Stage::sent`] was asked.
    pub(super) fn calls(&self) -> usize {
        self.sent().len()
    }

    /// Returns the notices since the last time this was asked.
    pub(super) fn notices(&self) -> Vec<String> {
        std::mem::take(&mut *self.notices.lock().unwrap())
    }

    /// Takes a session's lock, as another process would.
    pub(super) fn hold(&self, inputs: &Inputs) -> CacheLock {
        let lock = self.cache().try_lock(inputs, self.now()).unwrap();
        lock.expect("nobody else has it")
    }

    pub(super) fn entry(&self, inputs: &Inputs) -> Entry {
        match self.cache().get(inputs) {
            Lookup::Hit(entry) => *entry,
            other => panic!("expected a session, got {other:?}"),
        }
    }

    /// Replaces what the cache holds.
    pub(super) fn put(&self, inputs: &Inputs, entry: &Entry) {
        self.cache().put(&self.hold(inputs), entry).unwrap();
    }

    /// Makes a session as another process would, without the cache.
    pub(super) async fn made_elsewhere(&self, plan: &Plan) -> Entry {
        let broker = self.broker_with(None);
        let granted = broker.session(plan, &Demand::default()).await.unwrap();
        self.sent();
        Entry {
            session: granted.session,
            skew: granted.skew,
            obtained_at: self.now(),
            retry_after: None,
        }
    }
}

pub(super) fn wanted(roles: &[&str]) -> Wanted {
    Wanted {
        role_arns: roles
            .iter()
            .map(|role| role.parse::<RoleArn>().unwrap())
            .collect(),
        sts_endpoint: Some("http://sts.sandbox.localhost".parse().unwrap()),
        ..Wanted::new("alice".parse().unwrap())
    }
}

/// The inputs of a plan's last hop.
pub(super) fn last(plan: &Plan) -> Inputs {
    inputs(plan).pop().unwrap()
}

/// The AccessKeyId, by which sessions are told apart.
pub(super) fn id(granted: &Granted) -> String {
    granted.session.access_key_id.to_string()
}

fn told(notice: &Notice<'_>) -> String {
    match notice {
        Notice::CacheUnusable(error) => format!("cache: {error}"),
        Notice::RefreshFailed { error, left } => {
            format!("refresh failed, {} s left: {error}", left.num_seconds())
        }
        Notice::Waiting { holder } => {
            let pid = holder.map(|holder| holder.pid);
            let own = pid == Some(std::process::id());
            format!("waiting for {}", if own { "this process" } else { "?" })
        }
    }
}
