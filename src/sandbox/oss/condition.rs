//! `If-Match` and its kin. Must not know what is answered when they hold.

use super::error::Fail;
use super::store::Meta;
use crate::sandbox::wire::Head;
use crate::sign::parse_imf_fixdate;

/// What the conditions leave to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    NotModified,
    Proceed,
}

/// Checks a request's conditions against an object.
pub(super) fn check(head: &Head, meta: &Meta) -> Result<Outcome, Fail> {
    let is_etag = |value: &str| {
        value.trim() == "*" || value.trim().trim_matches('"') == meta.etag.trim_matches('"')
    };
    let date = |name| {
        head.header(name)
            .and_then(|text| parse_imf_fixdate(text.trim()))
    };
    let modified = meta.modified.timestamp();
    let failed = |condition| {
        Fail::new(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold.",
        )
        .with("Condition", condition)
    };
    if head.header("if-match").is_some_and(|value| !is_etag(value)) {
        return Err(failed("If-Match"));
    }
    if date("if-unmodified-since").is_some_and(|since| modified > since.timestamp()) {
        return Err(failed("If-Unmodified-Since"));
    }
    let not_modified = head.header("if-none-match").is_some_and(is_etag)
        || date("if-modified-since").is_some_and(|since| modified <= since.timestamp());
    Ok(if not_modified {
        Outcome::NotModified
    } else {
        Outcome::Proceed
    })
}
