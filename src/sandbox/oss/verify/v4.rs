//! OSS signature version 4. Must not know version 1.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4>

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use secrecy::SecretString;

use super::{
    TOLERANCE, check_skew, headers, invalid, invalid_date, malformed_authorization, mismatch,
    parts, secret_of, url_expired,
};
use crate::sandbox::State;
use crate::sandbox::oss::error::Fail;
use crate::sandbox::oss::target::Target;
use crate::sandbox::wire::{self, Head};
use crate::sign;

/// Verifies an Authorization header that starts with `OSS4-HMAC-SHA256`; `fields` is what follows.
pub(super) fn header(
    state: &State,
    head: &Head,
    target: &Target,
    fields: &str,
) -> Result<(), Fail> {
    let field = |name: &str| {
        fields
            .split(',')
            .filter_map(|field| field.trim().split_once('='))
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value)
    };
    let (Some(credential), Some(signature)) = (field("Credential"), field("Signature")) else {
        return Err(malformed_authorization());
    };
    if head.header("x-oss-content-sha256").map(str::trim) != Some("UNSIGNED-PAYLOAD") {
        return Err(invalid(
            "The x-oss-content-sha256 header must be UNSIGNED-PAYLOAD.",
        ));
    }
    let signed_at = match head.header("x-oss-date") {
        Some(date) => parse_compact(date.trim()),
        None => head.header("date").and_then(sign::parse_imf_fixdate),
    }
    .ok_or_else(invalid_date)?;
    let claim = V4 {
        credential: Credential::parse(state, credential, signed_at, "Authorization header")?,
        additional: additional_headers(field("AdditionalHeaders"))?,
        signed_at,
        signature,
        mismatch_ec: "0002-00000201",
    };
    let secret = secret_of(state, head, claim.credential.id)?;
    check_skew(state.now(), signed_at)?;
    claim.verify(head, target, &secret)
}

/// Verifies a signed URL.
pub(super) fn url(state: &State, head: &Head, target: &Target) -> Result<(), Fail> {
    if head.param("x-oss-signature-version") != Some("OSS4-HMAC-SHA256") {
        return Err(invalid("Invalid signature version in query string."));
    }
    let needed = |name: &'static str| {
        head.param(name).ok_or_else(|| {
            Fail::invalid_argument(name, "", "A parameter of the signature is missing.")
        })
    };
    let signature = needed("x-oss-signature")?;
    let credential = needed("x-oss-credential")?;
    let signed_at = parse_compact(needed("x-oss-date")?)
        .ok_or_else(|| invalid("Invalid signing date in query string."))?;
    let expires = needed("x-oss-expires")?;
    let temporary = head.param("x-oss-security-token").is_some();
    let most = if temporary {
        MAX_EXPIRES_STS
    } else {
        MAX_EXPIRES
    };
    let seconds = expires
        .parse::<i64>()
        .ok()
        .filter(|seconds| (1..=most).contains(seconds))
        .ok_or_else(|| {
            Fail::invalid_argument("x-oss-expires", expires, "Invalid expires in query string.")
                .ec("0002-00000232")
        })?;
    let claim = V4 {
        credential: Credential::parse(state, credential, signed_at, "query string")?,
        additional: additional_headers(head.param("x-oss-additional-headers"))?,
        signed_at,
        signature,
        mismatch_ec: "0002-00000040",
    };
    let secret = secret_of(state, head, claim.credential.id)?;
    let now = state.now();
    if now < signed_at - TOLERANCE {
        return Err(Fail::access_denied("Request is not valid yet."));
    }
    let until = signed_at + TimeDelta::seconds(seconds);
    if now > until {
        return Err(url_expired(now, until));
    }
    claim.verify(head, target, &secret)
}

/// What a client says about its signature of version 4.
struct V4<'a> {
    credential: Credential<'a>,
    /// Lower case, sorted.
    additional: Vec<String>,
    signed_at: DateTime<Utc>,
    signature: &'a str,
    mismatch_ec: &'static str,
}

impl V4<'_> {
    fn verify(&self, head: &Head, target: &Target, secret: &SecretString) -> Result<(), Fail> {
        let additional: Vec<&str> = self.additional.iter().map(String::as_str).collect();
        let scope = sign::oss_v4::Scope {
            at: self.signed_at,
            region: self.credential.region,
            product: self.credential.product,
        };
        let canonical = sign::oss_v4::canonical_request(
            &parts(head, target, &wire::borrowed(&head.query), &headers(head)),
            &additional,
        );
        let to_sign = sign::oss_v4::string_to_sign(&canonical, &scope);
        let ours = sign::oss_v4::signature(&to_sign, secret, &scope);
        if sign::equal(&ours, self.signature) {
            return Ok(());
        }
        let fail = mismatch(
            self.credential.id,
            self.signature,
            &to_sign,
            self.mismatch_ec,
        );
        Err(fail.with("CanonicalRequest", canonical.as_str()))
    }
}

/// `<AccessKeyId>/<day>/<region>/oss/aliyun_v4_request`.
struct Credential<'a> {
    id: &'a str,
    region: &'a str,
    product: &'a str,
}

impl<'a> Credential<'a> {
    fn parse(
        state: &State,
        text: &'a str,
        signed_at: DateTime<Utc>,
        place: &str,
    ) -> Result<Self, Fail> {
        let wrong = |what: &str| invalid(&format!("Invalid {what} in {place}."));
        let [id, day, region, product, terminator] = text.split('/').collect::<Vec<_>>()[..] else {
            return Err(wrong("credential"));
        };
        if day != signed_at.format("%Y%m%d").to_string() {
            return Err(wrong("signing date"));
        }
        if region != state.world.region().as_str() {
            return Err(wrong("signing region").ec("0002-00000226"));
        }
        if product != "oss" {
            return Err(wrong("signing product"));
        }
        if terminator != "aliyun_v4_request" {
            return Err(wrong("signing terminator"));
        }
        Ok(Self {
            id,
            region,
            product,
        })
    }
}

/// Reads the list of additional headers; it may be left out, but neither it nor an item of it may
/// be empty.
fn additional_headers(list: Option<&str>) -> Result<Vec<String>, Fail> {
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let wrong = || invalid("Invalid additional headers.");
    if list.is_empty() {
        return Err(wrong().ec("0002-00000209"));
    }
    let mut names: Vec<String> = list.split(';').map(str::to_ascii_lowercase).collect();
    if names.iter().any(String::is_empty) {
        return Err(wrong().ec("0002-00000210"));
    }
    names.sort_unstable();
    Ok(names)
}

/// Reads `20231203T121212Z`, and nothing else: chrono takes years of any length.
fn parse_compact(text: &str) -> Option<DateTime<Utc>> {
    const FORM: &str = "%Y%m%dT%H%M%SZ";
    let at = NaiveDateTime::parse_from_str(text, FORM).ok()?;
    (text.len() == 16 && at.format(FORM).to_string() == text).then(|| at.and_utc())
}

/// How long a signed URL may last, in seconds: a week.
const MAX_EXPIRES: i64 = 604_800;

/// The same for one that is signed with a session: 12 hours.
const MAX_EXPIRES_STS: i64 = 43_200;
