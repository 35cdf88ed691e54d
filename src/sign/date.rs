//! The three ways in which the schemes write an instant, always UTC. Must not know what time it is.

use chrono::{DateTime, NaiveDateTime, Utc};

/// Writes the form of a `Date` header: `Wed, 28 Dec 2022 10:27:41 GMT`.
pub fn imf_fixdate(at: DateTime<Utc>) -> String {
    at.format(IMF_FIXDATE).to_string()
}

/// Reads what [`imf_fixdate`] writes, and nothing else: `None` for another form, a day that does
/// not exist or one with another weekday.
pub fn parse_imf_fixdate(text: &str) -> Option<DateTime<Utc>> {
    let at = NaiveDateTime::parse_from_str(text, IMF_FIXDATE)
        .ok()?
        .and_utc();
    // chrono also takes `2` for `02` and any case
    (imf_fixdate(at) == text).then_some(at)
}

/// Writes the form of `Timestamp` and `x-acs-date`: `2026-01-02T03:04:05Z`.
pub(super) fn iso(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Writes the form of OSS V4's `x-oss-date`: `20260102T030405Z`.
pub(super) fn compact(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

const IMF_FIXDATE: &str = "%a, %d %b %Y %H:%M:%S GMT";
