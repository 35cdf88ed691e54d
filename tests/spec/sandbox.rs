//! The embedded cloud as a client sees it: signed and raw requests in, answers out. Signatures
//! come from `stsctl::sign`, which vectors pin down elsewhere; nothing here uses its clients.

#![allow(clippy::unwrap_used, reason = "clippy sees tests, not what they call")]

mod acs3;
mod buckets;
mod faults;
mod fuzz;
mod identity;
mod objects;
mod oss_signatures;
mod rpc;
mod server;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Request, Response};
use serde_json::Value;
use stsctl::http::{Body, HttpErrorKind, Transport};
use stsctl::model::{Clock, Credentials};
use stsctl::sandbox::{Options, Sandbox, World};
use stsctl::sign::{self, OssRequest, encode};

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// A clock that moves when it is told to.
#[derive(Debug)]
struct SetClock(Mutex<DateTime<Utc>>);

impl Clock for SetClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// A sandbox and a clock that it shares with its clients.
struct Cloud {
    sandbox: Sandbox,
    clock: Arc<SetClock>,
    nonce: AtomicU64,
}

/// What came back, read whole.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

/// A request to OSS before it is signed.
#[derive(Clone, Copy, Default)]
struct Oss<'a> {
    method: &'a str,
    bucket: Option<&'a str>,
    key: Option<&'a str>,
    query: Pairs<'a>,
    headers: Pairs<'a>,
    body: &'a [u8],
}

fn key(id: &str) -> Credentials {
    Credentials {
        access_key_id: id.parse().unwrap(),
        access_key_secret: format!("secret-of-{id}").into(),
        security_token: None,
    }
}

fn world() -> World {
    World::with_keys(key("LTAIroot"), key("LTAIalice"), key("LTAIadmin"))
}

impl Cloud {
    fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        Self::of(world(), options)
    }

    fn with_faults(faults: &[&str]) -> Self {
        Self::with(Options {
            faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
            ..Options::default()
        })
    }

    fn of(world: World, options: Options) -> Self {
        let start = "2026-01-02T03:04:05Z".parse().unwrap();
        let clock = Arc::new(SetClock(Mutex::new(start)));
        Self {
            sandbox: Sandbox::new(world, options, Arc::clone(&clock) as _).unwrap(),
            clock,
            nonce: AtomicU64::new(0),
        }
    }

    fn alice(&self) -> Credentials {
        self.sandbox.world().user("alice").unwrap().clone()
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn advance(&self, seconds: i64) {
        *self.clock.0.lock().unwrap() += TimeDelta::seconds(seconds);
    }

    fn nonce(&self) -> String {
        format!("nonce-{}", self.nonce.fetch_add(1, Ordering::Relaxed))
    }

    async fn try_send(&self, request: Request<Body>) -> Result<Answer, HttpErrorKind> {
        let (parts, body) = self
            .sandbox
            .send(request)
            .await
            .map_err(|error| error.kind())?
            .into_parts();
        let body = body.collect(64 << 20, "").await.map_err(|e| e.kind())?;
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        self.try_send(request).await.unwrap()
    }

    /// Makes the parameters of a call signed by RPC V1.
    fn signed(&self, who: &Credentials, action: &str, params: Pairs<'_>) -> Vec<(String, String)> {
        let call = sign::rpc::Request {
            method: "POST",
            action,
            version: "2015-04-01",
            params,
        };
        let signed = sign::rpc::sign(&call, who, self.now(), &self.nonce());
        let added = signed.additions.iter();
        let added = added.map(|a| (a.name.to_owned(), a.value.to_string()));
        added.chain(owned(params)).collect()
    }

    async fn call(&self, who: &Credentials, action: &str, params: Pairs<'_>) -> Answer {
        self.send(form(&self.signed(who, action, params))).await
    }

    async fn assume(&self, who: &Credentials) -> Credentials {
        let answer = self.call(who, "AssumeRole", ROLE).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.credentials()
    }

    /// Sends a request signed by OSS V4 in headers.
    async fn oss(&self, who: &Credentials, request: Oss<'_>) -> Answer {
        self.send(self.v4(who, request)).await
    }

    fn v4(&self, who: &Credentials, request: Oss<'_>) -> Request<Body> {
        let signed = sign::oss_v4::sign_header(&request.parts(), &[], who, &self.scope());
        request.build(&[], &headers_of(&signed))
    }

    fn scope(&self) -> sign::oss_v4::Scope<'static> {
        sign::oss_v4::Scope {
            at: self.now(),
            region: "cn-hangzhou",
            product: "oss",
        }
    }

    async fn put(&self, key: &str, body: &[u8]) -> Answer {
        let request = Oss {
            body,
            ..Oss::object("PUT", key)
        };
        self.oss(&self.alice(), request).await
    }

    async fn get(&self, key: &str, headers: Pairs<'_>) -> Answer {
        let request = Oss {
            headers,
            ..Oss::object("GET", key)
        };
        self.oss(&self.alice(), request).await
    }
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns the text of the first XML element of that name, unescaped.
    fn element(&self, name: &str) -> Option<String> {
        element(self.text(), name)
    }

    /// Returns status and Code of an STS error.
    fn fault(&self) -> (u16, String) {
        let code = self.json()["Code"].as_str().unwrap_or_default().to_owned();
        (self.status, code)
    }

    fn message(&self) -> String {
        self.json()["Message"].as_str().unwrap().to_owned()
    }

    /// Returns status, Code and EC of an OSS error.
    fn refusal(&self) -> (u16, String, String) {
        let ec = self.header("x-oss-ec").unwrap_or_default().to_owned();
        assert_eq!(self.element("EC").unwrap_or_default(), ec);
        (self.status, self.element("Code").unwrap_or_default(), ec)
    }

    fn credentials(&self) -> Credentials {
        let answer = self.json();
        let text = |name: &str| answer["Credentials"][name].as_str().unwrap().to_owned();
        Credentials {
            access_key_id: text("AccessKeyId").parse().unwrap(),
            access_key_secret: text("AccessKeySecret").into(),
            security_token: Some(text("SecurityToken").into()),
        }
    }
}

impl<'a> Oss<'a> {
    fn object(method: &'a str, key: &'a str) -> Self {
        Self {
            key: Some(key),
            ..Self::bucket(method, "demo-bucket")
        }
    }

    fn bucket(method: &'a str, bucket: &'a str) -> Self {
        Self {
            method,
            bucket: Some(bucket),
            ..Self::default()
        }
    }

    fn parts(&self) -> OssRequest<'a> {
        OssRequest {
            method: self.method,
            bucket: self.bucket,
            key: self.key,
            query: self.query,
            headers: self.headers,
        }
    }

    /// Builds the request in path style, with more parameters and headers.
    fn build(&self, query: &[(String, String)], headers: &[(String, String)]) -> Request<Body> {
        let mut path = match self.bucket {
            None => "/".to_owned(),
            Some(bucket) => format!("/{bucket}/{}", encode::path(self.key.unwrap_or_default())),
        };
        let query: Vec<_> = owned(self.query).chain(query.iter().cloned()).collect();
        if !query.is_empty() {
            path = format!("{path}?{}", encoded(&query));
        }
        let mut request = Request::builder()
            .method(self.method)
            .uri(format!("http://127.0.0.1:9000{path}"));
        for (name, value) in owned(self.headers).chain(headers.iter().cloned()) {
            request = request.header(name, value);
        }
        request
            .body(Body::from(Bytes::copy_from_slice(self.body)))
            .unwrap()
    }
}

fn element(xml: &str, name: &str) -> Option<String> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let end = start + xml[start..].find(&format!("</{name}>"))?;
    Some(
        quick_xml::escape::unescape(&xml[start..end])
            .unwrap()
            .into_owned(),
    )
}

fn owned(pairs: Pairs<'_>) -> impl Iterator<Item = (String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
}

fn headers_of(signed: &sign::Signed) -> Vec<(String, String)> {
    let additions = signed.additions.iter();
    additions
        .map(|a| (a.name.to_owned(), a.value.to_string()))
        .collect()
}

fn encoded(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode::component(name), encode::component(value)))
        .collect();
    pairs.join("&")
}

/// A call with its parameters in the form body.
fn form(params: &[(String, String)]) -> Request<Body> {
    Request::post("http://127.0.0.1:9000/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(encoded(params)))
        .unwrap()
}

const ROLE: Pairs<'static> = &[
    ("RoleArn", "acs:ram::1234567890123456:role/testrole"),
    ("RoleSessionName", "alice"),
];
