//! Verifies a call's signature, RPC V1 or ACS3, in the gateway's order: required parameters,
//! AccessKey, token, time, nonce, signature. Must not know what the action does.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use http::StatusCode;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Call, Fail};
use crate::sandbox::faults::{Service, What};
use crate::sandbox::identity::{Caller, Refusal};
use crate::sandbox::wire::{self, Head};
use crate::sandbox::{State, lock, random};
use crate::sign;

/// The parts of either scheme that the checks need.
struct Claim<'a> {
    access_key_id: &'a str,
    token: Option<&'a str>,
    timestamp: &'a str,
    nonce: &'a str,
    signature: &'a str,
    scheme: Scheme<'a>,
}

enum Scheme<'a> {
    Acs3 { signed_headers: Vec<&'a str> },
    Rpc,
}

/// Verifies a call and tells who makes it.
pub(super) fn verify(state: &State, call: &Call<'_>) -> Result<Caller, Fail> {
    let claim = match call.head.header("authorization") {
        Some(authorization) if authorization.starts_with("ACS3-") => acs3(call, authorization)?,
        _ => rpc(call)?,
    };
    for name in call.operation.required() {
        call.required(name)?;
    }
    let now = state.now();
    let expired = |what| what == What::ExpireToken;
    if claim.token.is_some() && state.faults.take(Service::Sts, expired).is_some() {
        return Err(Fail::expired_token());
    }
    let (caller, secret) = lock(&state.sessions)
        .identify(&state.world, claim.access_key_id, claim.token, now)
        .map_err(refusal)?;
    let signed_at = parse_time(claim.timestamp).ok_or_else(|| {
        Fail::bad(
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.",
        )
    })?;
    if (now - signed_at).abs() > TOLERANCE {
        return Err(Fail::expired_timestamp());
    }
    if lock(&state.nonces).knows(claim.access_key_id, claim.nonce, now) {
        return Err(Fail::nonce_used());
    }
    match &claim.scheme {
        Scheme::Acs3 { signed_headers } => {
            let canonical = acs3_canonical(call, signed_headers);
            let to_sign = sign::acs3::string_to_sign(&canonical);
            if !sign::equal(&sign::acs3::signature(&to_sign, &secret), claim.signature) {
                return Err(Fail::bad(
                    "SignatureDoesNotMatch",
                    format!(
                        "Specified signature does not match our calculation. server StringToSign \
                         is [{to_sign}] server CanonicalRequest is [{}] {MISMATCH}{to_sign}",
                        canonical.as_str()
                    ),
                ));
            }
        }
        Scheme::Rpc => {
            let params = wire::borrowed(&call.params);
            let to_sign = sign::rpc::string_to_sign(call.head.method.as_str(), &params);
            if !sign::equal(&sign::rpc::signature(&to_sign, &secret), claim.signature) {
                return Err(Fail::bad(
                    "SignatureDoesNotMatch",
                    format!("{MISMATCH}{}", to_sign.as_str()),
                ));
            }
        }
    }
    // Only now: a request that somebody else made up must not use the nonce up.
    lock(&state.nonces).insert(claim.access_key_id, claim.nonce, now);
    Ok(caller)
}

/// Takes the parameters of RPC V1.
fn rpc<'a>(call: &'a Call<'_>) -> Result<Claim<'a>, Fail> {
    let claim = Claim {
        access_key_id: call.required("AccessKeyId")?,
        token: token(call.param("SecurityToken")),
        timestamp: call.required("Timestamp")?,
        nonce: call.required("SignatureNonce")?,
        signature: call.required("Signature")?,
        scheme: Scheme::Rpc,
    };
    if call.required("SignatureMethod")? != "HMAC-SHA1" {
        return Err(invalid_method());
    }
    if call.required("SignatureVersion")? != "1.0" {
        return Err(Fail::bad(
            "InvalidParameter",
            "The specified parameter \"SignatureVersion\" is not valid.",
        ));
    }
    Ok(claim)
}

/// Takes the headers of ACS3.
fn acs3<'a>(call: &'a Call<'_>, authorization: &'a str) -> Result<Claim<'a>, Fail> {
    let head: &'a Head = call.head;
    let fields = authorization
        .strip_prefix("ACS3-HMAC-SHA256")
        .ok_or_else(invalid_method)?;
    let field = |name: &str| {
        fields
            .split(',')
            .filter_map(|field| field.trim().split_once('='))
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
            .ok_or_else(incomplete)
    };
    let header = |name: &str, param: &str| {
        head.header(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| Fail::missing(param))
    };
    let token = token(head.header("x-acs-security-token"));
    let signed_headers: Vec<&str> = field("SignedHeaders")?.split(';').collect();
    // What is not signed could be exchanged on the way, the token among it.
    let must = [
        "x-acs-action",
        "x-acs-content-sha256",
        "x-acs-date",
        "x-acs-version",
    ];
    let all_signed = must
        .into_iter()
        .chain(["host", "x-acs-signature-nonce"])
        .chain(token.map(|_| "x-acs-security-token"))
        .all(|name| signed_headers.contains(&name));
    if !all_signed {
        return Err(incomplete());
    }
    Ok(Claim {
        access_key_id: field("Credential")?,
        token,
        timestamp: header("x-acs-date", "Timestamp")?,
        nonce: header("x-acs-signature-nonce", "SignatureNonce")?,
        signature: field("Signature")?,
        scheme: Scheme::Acs3 { signed_headers },
    })
}

/// Rebuilds the CanonicalRequest from the headers that the client says it signed, and from the
/// body's own digest, whatever x-acs-content-sha256 claims.
fn acs3_canonical(call: &Call<'_>, signed_headers: &[&str]) -> Zeroizing<String> {
    let headers: Vec<(&str, &str)> = signed_headers
        .iter()
        .map(|name| (*name, call.head.header(name).unwrap_or_default()))
        .collect();
    let digest = Sha256::digest(call.body);
    sign::acs3::canonical_request(
        call.head.method.as_str(),
        &call.head.path,
        &wire::borrowed(&call.head.query),
        &headers,
        &random::hex_upper(&digest).to_lowercase(),
    )
}

fn refusal(refusal: Refusal) -> Fail {
    match refusal {
        Refusal::Inactive => Fail::bad(
            "InvalidAccessKeyId.Inactive",
            "Specified access key is disabled.",
        ),
        Refusal::TokenExpired => Fail::expired_token(),
        Refusal::TokenMalformed => Fail::bad(
            "InvalidSecurityToken.Malformed",
            "Specified SecurityToken is malformed.",
        ),
        Refusal::TokenMismatch | Refusal::TokenUnwanted => Fail::bad(
            "InvalidSecurityToken.MismatchWithAccessKey",
            "Specified SecurityToken does not match the AccessKeyId.",
        ),
        Refusal::TokenMissing => Fail::missing("SecurityToken"),
        Refusal::UnknownKey => Fail::new(
            StatusCode::NOT_FOUND,
            "InvalidAccessKeyId.NotFound",
            "Specified access key is not found.",
        ),
    }
}

/// An empty token counts as none.
fn token(value: Option<&str>) -> Option<&str> {
    value.filter(|token| !token.is_empty())
}

/// Reads `2026-01-02T03:04:05Z`, or with the milliseconds that ali-oss's STS client sends, and
/// nothing else: chrono takes years and fractions of any length.
fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let form = match text.len() {
        20 => "%Y-%m-%dT%H:%M:%SZ",
        24 => "%Y-%m-%dT%H:%M:%S%.3fZ",
        _ => return None,
    };
    let at = NaiveDateTime::parse_from_str(text, form).ok()?;
    (at.format(form).to_string() == text).then(|| at.and_utc())
}

fn incomplete() -> Fail {
    Fail::bad(
        "IncompleteSignature",
        "The request signature does not conform to Alibaba Cloud standards.",
    )
}

fn invalid_method() -> Fail {
    Fail::bad(
        "InvalidSignatureMethod",
        "Specified signature method is not valid.",
    )
}

/// The official SDKs look for this text to tell a wrong secret from a signing bug: they compare
/// all that follows the colon with their own StringToSign.
const MISMATCH: &str =
    "Specified signature is not matched with our calculation. server string to sign is:";

/// How far a client's clock may be off.
const TOLERANCE: TimeDelta = TimeDelta::minutes(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_seconds_or_milliseconds() {
        for text in ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678Z"] {
            assert!(parse_time(text).is_some(), "{text}");
        }
        for text in [
            "",
            "2026-01-02T03:04:05",
            "2026-01-02 03:04:05Z",
            "2026-01-02T03:04:05.6Z",
            "2026-01-02T03:04:05+00Z",
            "+2026-1-2T03:04:05Z",
            "2026-13-02T03:04:05Z",
        ] {
            assert!(parse_time(text).is_none(), "{text}");
        }
    }
}
