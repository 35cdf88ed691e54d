//! OSS signature version 1. Must not know version 4.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/include-signatures-in-the-authorization-header>

use chrono::DateTime;

use super::{
    check_skew, headers, invalid_date, malformed_authorization, mismatch, parts, secret_of,
    url_expired,
};
use crate::sandbox::State;
use crate::sandbox::oss::error::Fail;
use crate::sandbox::oss::target::Target;
use crate::sandbox::wire::{self, Head};
use crate::sign;

/// Verifies an Authorization header that starts with `OSS `; `fields` is what follows.
pub(super) fn header(
    state: &State,
    head: &Head,
    target: &Target,
    fields: &str,
) -> Result<(), Fail> {
    let (id, signature) = fields
        .trim()
        .split_once(':')
        .ok_or_else(malformed_authorization)?;
    let date = head
        .header("x-oss-date")
        .or(head.header("date"))
        .map(str::trim)
        .unwrap_or_default();
    let signed_at = sign::parse_imf_fixdate(date).ok_or_else(invalid_date)?;
    // The token counts only where it is signed: not in a header `security-token`.
    let secret = secret_of(state, head, id)?;
    check_skew(state.now(), signed_at)?;
    let to_sign = sign::oss_v1::string_to_sign(
        &parts(head, target, &wire::borrowed(&head.query), &headers(head)),
        date,
    );
    if sign::equal(&sign::oss_v1::signature(&to_sign, &secret), signature) {
        return Ok(());
    }
    Err(mismatch(id, signature, &to_sign, "0002-00000201"))
}

/// Verifies a signed URL.
pub(super) fn url(state: &State, head: &Head, target: &Target) -> Result<(), Fail> {
    let (Some(id), Some(signature), Some(expires)) = (
        head.param("OSSAccessKeyId"),
        head.param("Signature"),
        head.param("Expires"),
    ) else {
        return Err(Fail::access_denied(
            "Query-string authentication requires the Signature, Expires and OSSAccessKeyId \
             parameters.",
        ));
    };
    let until = expires
        .parse::<i64>()
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or_else(|| {
            Fail::access_denied("Invalid date (should be seconds since epoch).").ec("0002-00000070")
        })?;
    let secret = secret_of(state, head, id)?;
    if state.now() > until {
        return Err(url_expired(state.now(), until));
    }
    let to_sign = sign::oss_v1::string_to_sign(
        &parts(head, target, &wire::borrowed(&head.query), &headers(head)),
        expires,
    );
    if sign::equal(&sign::oss_v1::signature(&to_sign, &secret), signature) {
        return Ok(());
    }
    Err(mismatch(id, signature, &to_sign, "0002-00000040"))
}
