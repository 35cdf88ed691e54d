//! The Object Storage Service: takes a request apart, has its signature verified, runs the
//! operation and words the answer. Must not know STS.
//!
//! Anonymous requests are refused, whatever the ACLs say.

mod blob;
mod bucket;
mod condition;
mod error;
mod list;
mod object;
mod range;
mod store;
mod target;
mod verify;

pub(super) use store::Store;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream;
use http::{HeaderValue, Response, header};

use super::faults::{Service, What};
use super::wire::Head;
use super::xml::Xml;
use super::{Note, State, drain, random, rpc};
use crate::http::{Abort, Body};
use error::Fail;
use store::Conflict;
use target::{Operation, Target};

/// Why an operation has no result.
enum Failure {
    /// The connection is to be closed.
    Abort,
    /// There is an error to answer.
    Fail(Box<Fail>),
}

/// Answers a request.
pub(super) async fn answer(
    state: &State,
    head: &Head,
    mut body: Body,
    note: &mut Note,
) -> Result<Response<Body>, Abort> {
    let request_id = random::oss_request_id();
    let mut response = match run(state, head, &mut body, note).await {
        Ok(response) => response,
        Err(Failure::Abort) => return Err(Abort),
        Err(Failure::Fail(fail)) => {
            drain(head, &mut body).await;
            fail.respond(head, &request_id, note)
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static("AliyunOSS"));
    headers.insert("x-oss-server-time", HeaderValue::from_static("1"));
    if let Ok(request_id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-oss-request-id", request_id);
    }
    Ok(response)
}

async fn run(
    state: &State,
    head: &Head,
    body: &mut Body,
    note: &mut Note,
) -> Result<Response<Body>, Failure> {
    let target = Target::of(head)?;
    let operation = Operation::of(head, &target);
    if let Ok(operation) = &operation {
        state.count(note, operation.name());
    }
    // A clock that differs is the business of the verification.
    let early = |what: What| what.is_early() && what != What::Skewed;
    match state.faults.take(Service::Oss, early) {
        None => {}
        Some(What::Garbage) => return Ok(rpc::garbage()),
        Some(What::Hang) => return std::future::pending().await,
        Some(What::Reset) => return Err(Failure::Abort),
        Some(fault) => return Err(Fail::of_fault(fault).into()),
    }
    verify::verify(state, head, &target)?;
    let operation = operation?;
    target.check()?;
    let name = target.bucket.as_deref().unwrap_or_default();
    let key = target.key.as_deref().unwrap_or_default();
    let response = match operation {
        Operation::DeleteBucket => bucket::delete(state, name),
        Operation::DeleteMultipleObjects => bucket::delete_objects(state, head, body, name).await,
        Operation::DeleteObject => object::delete(state, name, key),
        Operation::GetBucketInfo => bucket::info(state, name),
        Operation::GetBucketLocation => bucket::location(state, name),
        Operation::GetObject => object::get(state, head, name, key),
        Operation::GetObjectMeta => object::meta(state, head, name, key),
        Operation::HeadObject => object::head(state, head, name, key),
        Operation::ListBuckets => bucket::all(state, head),
        Operation::ListObjects => list::list(state, head, name, list::Version::V1),
        Operation::ListObjectsV2 => list::list(state, head, name, list::Version::V2),
        Operation::PutBucket => bucket::put(state, head, body, name).await,
        Operation::PutObject => object::put(state, head, body, name, key).await,
    }?;
    let drop_reply = |what| what == What::DropReply;
    match state.faults.take(Service::Oss, drop_reply) {
        Some(_) => Err(Failure::Abort),
        None => Ok(response),
    }
}

impl From<Fail> for Failure {
    fn from(fail: Fail) -> Self {
        Self::Fail(Box::new(fail))
    }
}

impl From<Abort> for Failure {
    fn from(_: Abort) -> Self {
        Self::Abort
    }
}

/// Words what the store refuses.
fn stored<T>(outcome: Result<T, Conflict>, bucket: &str, key: &str) -> Result<T, Fail> {
    outcome.map_err(|conflict| match conflict {
        Conflict::BucketNotEmpty => Fail::new(
            409,
            "BucketNotEmpty",
            "The bucket you tried to delete is not empty.",
        )
        .ec("0015-00000301")
        .with("BucketName", bucket),
        Conflict::Exists => Fail::file_already_exists(key),
        Conflict::Io => Fail::internal(),
        Conflict::NoSuchBucket => Fail::no_such_bucket(bucket),
    })
}

/// Makes a body break off after so many bytes, of which it has more.
fn cut_off(body: Body, size: u64) -> Body {
    let chunks = stream::unfold((body, size), |(mut body, left)| async move {
        if left == 0 {
            // What came before goes out first: an error at once would take it along.
            tokio::task::yield_now().await;
            return Some((Err(Abort), (body, 0)));
        }
        let mut chunk = body.next_chunk().await?.ok()?;
        chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        let left = left - chunk.len() as u64;
        Some((Ok::<Bytes, Abort>(chunk), (body, left)))
    });
    Body::stream(chunks)
}

fn xml_response(xml: Xml) -> Response<Body> {
    Response::builder()
        .header(header::CONTENT_TYPE, "application/xml")
        .body(Body::from(xml.finish()))
        .expect("the response is well formed")
}

/// Writes an instant as OSS's XML has it: `2020-05-18T05:45:43.000Z`. Milliseconds are always
/// zero: the official Python SDK reads nothing else.
fn iso_millis(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_never_told() {
        let at = "2020-05-18T05:45:43.987Z".parse().unwrap();
        assert_eq!(iso_millis(at), "2020-05-18T05:45:43.000Z");
    }
}
