//! A client of Alibaba Cloud's Object Storage Service
//! ([API reference](https://www.alibabacloud.com/help/en/oss/developer-reference/list-of-operations-by-function)):
//! signs a request, sends it once, and reads the answer or the refusal. Must not know files,
//! retries, or where credentials come from.

pub mod crc64;

mod address;
mod error;
mod object;
mod options;
mod xml;

pub use address::Addressing;
pub use error::{Error, Refusal, Verdict};
pub use object::{ObjectHead, PutAnswer, PutObject};
pub use options::{
    HeaderText, Metadata, ObjectAcl, Pair, PutOptions, StorageClass, Tags, content_type_of,
};

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use http::header::{CONTENT_LENGTH, DATE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::http::{Body, HttpError, HttpErrorKind, Patience, Transport};
use crate::model::{Bucket, Clock, ClockSkew, Credentials, Endpoint, ObjectKey, RegionId};
use crate::sign::{self, OssRequest, Signed, encode, oss_v1, oss_v4};
use error::{Sent, header};

/// Speaks to one OSS endpoint.
#[derive(Clone, Debug)]
pub struct OssClient {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    endpoint: Endpoint,
    addressing: Addressing,
    signature: OssSignature,
    idle: Duration,
}

impl OssClient {
    /// Builds a client that gives up after [`Self::DEFAULT_IDLE`] without a byte moving.
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        endpoint: Endpoint,
        addressing: Addressing,
        signature: OssSignature,
    ) -> Self {
        Self {
            transport,
            clock,
            endpoint,
            addressing,
            signature,
            idle: Self::DEFAULT_IDLE,
        }
    }

    /// Sets how long nothing may move before an exchange has failed.
    #[must_use]
    pub fn with_idle_timeout(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    /// How long nothing may move unless the caller says otherwise.
    pub const DEFAULT_IDLE: Duration = Duration::from_secs(10);

    /// Signs and sends one request. Any status but 200 is an error.
    async fn send(
        &self,
        credentials: &Credentials,
        skew: ClockSkew,
        call: Call<'_>,
    ) -> Result<Reply, Error> {
        let authority = self.endpoint.authority();
        let signed = self.sign(credentials, skew, &call);
        let sent = Sent {
            operation: call.operation,
            authority,
            secrets: secrets_of(credentials, &signed),
            string_to_sign: signed.string_to_sign,
        };
        let request = self
            .request(call, &signed.additions)
            .map_err(|error| {
                HttpError::new(HttpErrorKind::Request, &sent.authority).caused_by(error)
            })
            .map_err(|error| sent.unanswered(error))?;
        let answered = self.transport.send(request).await;
        let received = self.clock.now();
        let (parts, body) = answered
            .map_err(|error| sent.unanswered(error))?
            .into_parts();
        // The Date is written when the whole request has arrived: for an upload the end of the
        // exchange is nearer to it than the middle.
        let shown =
            header_of_date(&parts.headers).map(|date| ClockSkew::measure(date, received, received));
        if parts.status != StatusCode::OK {
            let body = body.collect(MAX_ERROR, &sent.authority).await;
            let body = match body {
                Ok(body) => body,
                Err(error) if error.kind() == HttpErrorKind::TooLarge => {
                    return Err(sent.not_oss(parts.status, &parts.headers));
                }
                Err(error) => return Err(sent.unanswered(error)),
            };
            return Err(sent.refused(parts.status, &parts.headers, &body, shown));
        }
        Ok(Reply {
            sent,
            status: parts.status,
            headers: parts.headers,
            skew: shown.unwrap_or(skew),
        })
    }

    fn sign(&self, credentials: &Credentials, skew: ClockSkew, call: &Call<'_>) -> Signed {
        let headers: Vec<(&str, &str)> = call
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let request = OssRequest {
            method: call.method.as_str(),
            bucket: Some(call.bucket.as_str()),
            key: Some(call.key.as_str()),
            query: &[],
            headers: &headers,
        };
        let at = skew.server_time(self.clock.now());
        match &self.signature {
            OssSignature::V1 => oss_v1::sign_header(&request, credentials, at),
            OssSignature::V4 { region } => {
                let scope = oss_v4::Scope {
                    at,
                    region: region.as_str(),
                    product: "oss",
                };
                oss_v4::sign_header(&request, &[], credentials, &scope)
            }
        }
    }

    fn request(
        &self,
        call: Call<'_>,
        additions: &[sign::Addition],
    ) -> Result<Request<Body>, http::Error> {
        let uri = self.addressing.uri(&self.endpoint, call.bucket, call.key)?;
        let mut request = Request::builder()
            .method(call.method)
            .uri(uri)
            .extension(Patience::Idle(self.idle));
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        for addition in additions {
            let mut value = HeaderValue::from_str(&addition.value)?;
            value.set_sensitive(addition.sensitive);
            request = request.header(addition.name, value);
        }
        if let Some(length) = call.length {
            request = request.header(CONTENT_LENGTH, length);
        }
        request.body(call.body)
    }
}

/// Which signature a client makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OssSignature {
    /// OSS V1. OSS has closed it to new accounts and buckets.
    V1,
    /// OSS4-HMAC-SHA256, which names the region.
    V4 {
        /// The bucket's region.
        region: RegionId,
    },
}

/// What OSS answered, and what the answer tells about our clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// The clock skew that the answer's `Date` shows; the one that was given if it has none.
    pub skew: ClockSkew,
}

/// One request before it is signed.
struct Call<'a> {
    operation: &'static str,
    method: Method,
    bucket: &'a Bucket,
    key: &'a ObjectKey,
    headers: Vec<(String, String)>,
    body: Body,
    length: Option<u64>,
}

/// The head of a successful answer.
struct Reply {
    sent: Sent,
    status: StatusCode,
    headers: HeaderMap,
    skew: ClockSkew,
}

impl Reply {
    fn answer<T>(self, value: T) -> Answer<T> {
        Answer {
            value,
            skew: self.skew,
        }
    }

    fn not_oss(&self) -> Error {
        self.sent.not_oss(self.status, &self.headers)
    }
}

/// Collects what a server might echo and nobody may see, the longest first: what holds another
/// is struck out whole.
fn secrets_of(credentials: &Credentials, signed: &Signed) -> Vec<Zeroizing<String>> {
    let token = credentials.security_token.iter();
    let mut secrets: Vec<Zeroizing<String>> = token
        .chain([&credentials.access_key_secret])
        .flat_map(|secret| {
            let secret = secret.expose_secret();
            [secret.to_owned(), encode::component(secret)]
        })
        .map(Zeroizing::new)
        .collect();
    for addition in signed.additions.iter().filter(|added| added.sensitive) {
        let value = addition.value.as_str();
        secrets.push(Zeroizing::new(value.to_owned()));
        // The signature at the end of an Authorization header may also be quoted alone.
        let signature = value
            .rsplit_once("Signature=")
            .or_else(|| value.rsplit_once(':'));
        secrets.extend(signature.map(|(_, signature)| Zeroizing::new(signature.to_owned())));
    }
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

fn header_of_date(headers: &HeaderMap) -> Option<DateTime<chrono::Utc>> {
    let date = header(headers, DATE.as_str())?;
    Some(DateTime::parse_from_rfc2822(date).ok()?.to_utc())
}

/// The most of an error's body that is read.
const MAX_ERROR: usize = 1 << 20;
