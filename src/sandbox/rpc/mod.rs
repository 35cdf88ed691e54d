//! The RPC gateway in front of STS: takes a call apart, has it verified, runs the action and
//! words the answer. Must not know what an action does.
//!
//! <https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism>

mod answer;
mod verify;

pub(super) use answer::Fail;

use std::collections::HashSet;

use http::{Method, Response, StatusCode, header};

use super::faults::{Service, What};
use super::wire::{self, Head};
use super::{Note, State, drain, random, sts};
use crate::http::{Abort, Body};
use answer::Format;

/// A call whose action is known.
pub(super) struct Call<'a> {
    pub(super) head: &'a Head,
    /// Query and form parameters together; of two with one name, the first.
    pub(super) params: Vec<(String, String)>,
    pub(super) body: &'a [u8],
    pub(super) operation: sts::Operation,
}

/// Tells whether a request is for the RPC gateway rather than for OSS.
pub(super) fn is_meant(head: &Head) -> bool {
    head.header("x-acs-action").is_some()
        || head.path == "/"
            && (head.param("Action").is_some() || head.method == Method::POST && is_form(head))
}

/// Answers a call.
pub(super) async fn answer(
    state: &State,
    head: &Head,
    mut body: Body,
    note: &mut Note,
) -> Result<Response<Body>, Abort> {
    let mut format = Format::of(head, &[]).unwrap_or_default();
    let whole = match read(&mut body).await {
        Ok(whole) => whole,
        Err(Unread::Broken) => return Err(Abort),
        Err(Unread::TooLarge) => {
            drain(head, &mut body).await;
            let fail = Fail::bad("InvalidParameter", "The request body is larger than 10 MB.");
            return Ok(fail.respond(head, format, note));
        }
    };
    let params = parameters(head, &whole);
    let outcome = match Format::of(head, &params) {
        Some(chosen) => {
            format = chosen;
            match identify_action(head, &params) {
                Ok(operation) => {
                    state.count(note, operation.name());
                    let call = Call {
                        head,
                        params,
                        body: &whole,
                        operation,
                    };
                    run(state, &call).await?
                }
                Err(fail) => Err(fail),
            }
        }
        None => Err(Fail::bad(
            "InvalidParameter.Format",
            "Specified parameter format is not valid.",
        )),
    };
    match outcome {
        Ok(Outcome::Done(value, request_id)) => {
            let operation = note.operation.unwrap_or_default();
            let late = |what| matches!(what, What::DropReply | What::Truncate);
            match state.faults.take(Service::Sts, late) {
                Some(What::DropReply) => Err(Abort),
                fault => Ok(answer::success(
                    operation,
                    &value,
                    &request_id,
                    format,
                    fault.is_some(),
                )),
            }
        }
        Ok(Outcome::Garbage) => Ok(garbage()),
        Err(fail) => Ok(fail.respond(head, format, note)),
    }
}

/// What came of a call that did not fail.
enum Outcome {
    Done(serde_json::Value, String),
    Garbage,
}

/// Runs a call to its result, faults included.
async fn run(state: &State, call: &Call<'_>) -> Result<Result<Outcome, Fail>, Abort> {
    match state.faults.take(Service::Sts, What::is_early) {
        None => {}
        Some(What::Garbage) => return Ok(Ok(Outcome::Garbage)),
        Some(What::Hang) => return std::future::pending().await,
        Some(What::Reset) => return Err(Abort),
        Some(fault) => return Ok(Err(Fail::of_fault(fault))),
    }
    let caller = match verify::verify(state, call) {
        Ok(caller) => caller,
        Err(fail) => return Ok(Err(fail)),
    };
    let request_id = random::rpc_request_id();
    Ok(sts::run(state, call, &caller, &request_id).map(|value| Outcome::Done(value, request_id)))
}

impl Call<'_> {
    /// Returns a parameter's value.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        wire::find(&self.params, name)
    }

    /// Returns a parameter that the call cannot do without.
    pub(super) fn required(&self, name: &str) -> Result<&str, Fail> {
        self.param(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| Fail::missing(name))
    }
}

enum Unread {
    Broken,
    TooLarge,
}

async fn read(body: &mut Body) -> Result<Vec<u8>, Unread> {
    let mut whole = Vec::new();
    while let Some(chunk) = body.next_chunk().await {
        let chunk = chunk.map_err(|_| Unread::Broken)?;
        if whole.len() + chunk.len() > MAX_BODY {
            return Err(Unread::TooLarge);
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

fn parameters(head: &Head, body: &[u8]) -> Vec<(String, String)> {
    let mut all = head.query.clone();
    if is_form(head) {
        all.extend(wire::parse_query(&String::from_utf8_lossy(body)));
    }
    let mut seen = HashSet::new();
    all.retain(|(name, _)| seen.insert(name.clone()));
    all
}

fn identify_action(head: &Head, params: &[(String, String)]) -> Result<sts::Operation, Fail> {
    if head.method != Method::GET && head.method != Method::POST {
        return Err(Fail::bad(
            "UnsupportedHTTPMethod",
            "This http method not supported.",
        ));
    }
    let named = |name, param| {
        head.header(name)
            .or_else(|| wire::find(params, param))
            .filter(|value| !value.is_empty())
            .ok_or_else(|| Fail::missing(param))
    };
    let action = named("x-acs-action", "Action")?;
    let version = named("x-acs-version", "Version")?;
    sts::Operation::find(action, version).ok_or_else(|| {
        Fail::new(
            StatusCode::NOT_FOUND,
            "InvalidApi.NotFound",
            "Specified api is not found,please check your url and method.",
        )
    })
}

fn is_form(head: &Head) -> bool {
    head.header("content-type").is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default();
        essence
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

/// What a proxy answers that knows nothing of the API.
pub(super) fn garbage() -> Response<Body> {
    let page = "<!DOCTYPE html>\n<html><head><title>Sign in to the network</title></head>\
                <body><h1>Sign in to the network</h1></body></html>\n";
    Response::builder()
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .body(Body::from(page.to_owned()))
        .expect("the response is well formed")
}

/// POST takes at most 10 MB.
const MAX_BODY: usize = 10 << 20;
