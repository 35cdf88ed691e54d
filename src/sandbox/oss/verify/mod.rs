//! Verifies the signature of an OSS request: version 1 or 4, in a header or in the URL. Must not
//! know what the request asks for.

mod v1;
mod v4;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use super::error::Fail;
use super::iso_millis;
use super::target::Target;
use crate::sandbox::faults::{Service, What};
use crate::sandbox::identity::Refusal;
use crate::sandbox::wire::{self, Head};
use crate::sandbox::{State, lock};
use crate::sign::OssRequest;

/// Verifies a request.
pub(super) fn verify(state: &State, head: &Head, target: &Target) -> Result<(), Fail> {
    if head.header("x-oss-security-token").is_some()
        && (head.param("security-token").is_some() || head.param("x-oss-security-token").is_some())
    {
        return Err(invalid(
            "SecurityToken is given both in a header and in the URL.",
        ));
    }
    if state
        .faults
        .take(Service::Oss, |what| what == What::Skewed)
        .is_some()
    {
        return Err(skewed(state.now(), state.now() - TimeDelta::hours(1)));
    }
    let in_url_v1 = ["OSSAccessKeyId", "Signature", "Expires"];
    let has_url_v1 = in_url_v1.iter().any(|name| head.param(name).is_some());
    let has_url_v4 =
        head.param("x-oss-signature-version").is_some() || head.param("x-oss-signature").is_some();
    match head.header("authorization") {
        Some(_) if has_url_v1 || has_url_v4 => Err(invalid(
            "Only one way of signing is allowed: the Authorization header or the URL.",
        )),
        Some(authorization) => match authorization.strip_prefix("OSS4-HMAC-SHA256 ") {
            Some(fields) => v4::header(state, head, target, fields),
            None => match authorization.strip_prefix("OSS ") {
                Some(fields) => v1::header(state, head, target, fields),
                None => Err(malformed_authorization()),
            },
        },
        None if has_url_v4 => v4::url(state, head, target),
        None if has_url_v1 => v1::url(state, head, target),
        None => Err(
            Fail::access_denied("Anonymous access is forbidden for this operation.")
                .ec("0003-00000905"),
        ),
    }
}

/// Looks the signer's secret up.
fn secret_of(state: &State, head: &Head, id: &str) -> Result<SecretString, Fail> {
    let token = head
        .header("x-oss-security-token")
        .or(head.param("x-oss-security-token"))
        .or(head.param("security-token"))
        .filter(|token| !token.is_empty());
    if token.is_some()
        && state
            .faults
            .take(Service::Oss, |what| what == What::ExpireToken)
            .is_some()
    {
        return Err(Fail::token_expired());
    }
    lock(&state.sessions)
        .identify(&state.world, id, token, state.now())
        .map(|(_, secret)| secret)
        .map_err(|refusal| refused(refusal, id))
}

fn refused(refusal: Refusal, id: &str) -> Fail {
    let unknown = |ec| {
        Fail::new(
            403,
            "InvalidAccessKeyId",
            "The OSS Access Key Id you provided does not exist in our records.",
        )
        .ec(ec)
        .with("OSSAccessKeyId", id)
    };
    match refusal {
        // An STS AccessKeyId alone is looked for among the long-lived ones, and the other way
        // round.
        Refusal::UnknownKey | Refusal::TokenMissing => unknown("0002-00000902"),
        Refusal::TokenUnwanted => unknown("0002-00000002"),
        Refusal::Inactive => Fail::new(
            403,
            "InvalidAccessKeyId",
            "The OSS Access Key Id you provided is disabled.",
        )
        .with("OSSAccessKeyId", id),
        Refusal::TokenExpired => Fail::token_expired(),
        Refusal::TokenMalformed => Fail::new(
            403,
            "InvalidSecurityToken",
            "The security token you provided is invalid.",
        )
        .ec("0002-00000006"),
        Refusal::TokenMismatch => Fail::new(
            403,
            "AccessKeyIdAndSecurityTokenNotMatch",
            "The AccessKeyId and the security token you provided do not match.",
        )
        .ec("0002-00000004"),
    }
}

fn parts<'a>(
    head: &'a Head,
    target: &'a Target,
    query: &'a [(&'a str, &'a str)],
    headers: &'a [(&'a str, &'a str)],
) -> OssRequest<'a> {
    OssRequest {
        method: head.method.as_str(),
        bucket: target.bucket.as_deref(),
        key: target.key.as_deref(),
        query,
        headers,
    }
}

fn headers(head: &Head) -> Vec<(&str, &str)> {
    wire::borrowed(&head.headers)
}

fn check_skew(now: DateTime<Utc>, signed_at: DateTime<Utc>) -> Result<(), Fail> {
    if (now - signed_at).abs() > TOLERANCE {
        Err(skewed(now, signed_at))
    } else {
        Ok(())
    }
}

fn skewed(now: DateTime<Utc>, signed_at: DateTime<Utc>) -> Fail {
    Fail::new(
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    )
    .ec("0002-00000504")
    .with(
        "MaxAllowedSkewMilliseconds",
        TOLERANCE.num_milliseconds().to_string(),
    )
    .with("RequestTime", iso_millis(signed_at))
    .with("ServerTime", iso_millis(now))
}

fn url_expired(now: DateTime<Utc>, until: DateTime<Utc>) -> Fail {
    Fail::access_denied("Request has expired.")
        .ec("0002-00000069")
        .with("Expires", iso_millis(until))
        .with("ServerTime", iso_millis(now))
}

fn mismatch(id: &str, signature: &str, to_sign: &str, ec: &'static str) -> Fail {
    Fail::new(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check \
         your key and signing method.",
    )
    .ec(ec)
    .with("OSSAccessKeyId", id)
    .with("SignatureProvided", signature)
    .with("StringToSign", to_sign)
}

fn invalid_date() -> Fail {
    Fail::access_denied("OSS authentication requires a valid Date.").ec("0002-00000503")
}

fn malformed_authorization() -> Fail {
    invalid("Authorization header is invalid.")
}

fn invalid(message: &str) -> Fail {
    Fail::new(400, "InvalidArgument", message)
}

/// How far a client's clock may be off.
const TOLERANCE: TimeDelta = TimeDelta::minutes(15);
