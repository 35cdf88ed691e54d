//! Faults on demand: what the network and the services do on a bad day, as often as asked. Must
//! not know how a service builds its answers, only what may befall them.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use crate::model::{Error, Result, parse_size};

/// A fault to inject, written `SERVICE:WHAT[:COUNT]`; without COUNT it never ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    service: Service,
    what: What,
    left: Option<u32>,
}

/// Which service a fault befalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Oss,
    Sts,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    DropReply,
    ExpireToken,
    Expired,
    Garbage,
    Hang,
    MissingField,
    NonceUsed,
    Reset,
    ResetAfter(u64),
    Skewed,
    Status(u16),
    Throttle,
    Truncate,
    WrongCrc,
}

/// The faults that are still to come, in the order they were asked for.
#[derive(Debug)]
pub(super) struct Faults(Mutex<Vec<Fault>>);

impl Fault {
    /// Every fault, as it is written, with what it does; for `--help`.
    pub const HELP: &'static [(&'static str, &'static str)] = &[
        (
            "sts:5XX, oss:5XX",
            "answers with that HTTP status, such as 500 or 503",
        ),
        ("sts:throttle", "400 Throttling.User with x-acs-retry-after"),
        (
            "oss:throttle",
            "503 QpsLimitExceeded with x-oss-qos-delay-time",
        ),
        (
            "sts:garbage, oss:garbage",
            "answers 200 with the HTML page of a proxy",
        ),
        (
            "sts:truncate",
            "sends half of the JSON, with a Content-Length to match",
        ),
        (
            "sts:missing-field",
            "leaves the SecurityToken out of the answer",
        ),
        ("sts:expired", "answers with an Expiration in the past"),
        ("sts:nonce-used", "400 SignatureNonceUsed"),
        (
            "sts:skewed, oss:skewed",
            "InvalidTimeStamp.Expired, or RequestTimeTooSkewed",
        ),
        (
            "sts:expire-token, oss:expire-token",
            "a SecurityToken counts as expired",
        ),
        ("sts:hang, oss:hang", "never answers"),
        ("sts:reset, oss:reset", "closes the connection at once"),
        (
            "sts:drop-reply, oss:drop-reply",
            "carries the call out, then closes without an answer",
        ),
        (
            "oss:reset-after=SIZE",
            "closes after SIZE bytes of an object, up or down",
        ),
        (
            "oss:wrong-crc",
            "a wrong x-oss-hash-crc64ecma on PutObject and GetObject",
        ),
    ];
}

impl FromStr for Fault {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |rule: &str| Error::new("fault", text, rule);
        let mut parts = text.split(':');
        let service = match parts.next() {
            Some("oss") => Service::Oss,
            Some("sts") => Service::Sts,
            _ => return Err(wrong("expected sts:WHAT[:COUNT] or oss:WHAT[:COUNT]")),
        };
        let what = match parts.next() {
            Some(what) => parse_what(what).ok_or_else(|| wrong("no such fault"))?,
            None => return Err(wrong("it does not say what happens")),
        };
        if !what.befalls(service) {
            return Err(wrong("this service has no such fault"));
        }
        let left = match parts.next() {
            Some(count) => Some(
                count
                    .parse()
                    .ok()
                    .filter(|count| *count > 0)
                    .ok_or_else(|| wrong("COUNT is a number from 1"))?,
            ),
            None => None,
        };
        if parts.next().is_some() {
            return Err(wrong("unexpected text after COUNT"));
        }
        Ok(Self {
            service,
            what,
            left,
        })
    }
}

impl What {
    fn befalls(self, service: Service) -> bool {
        match self {
            Self::ResetAfter(_) | Self::WrongCrc => service == Service::Oss,
            Self::Expired | Self::MissingField | Self::NonceUsed | Self::Truncate => {
                service == Service::Sts
            }
            _ => true,
        }
    }

    /// Tells whether the fault strikes before the request is looked at.
    pub(super) fn is_early(self) -> bool {
        matches!(
            self,
            Self::Garbage
                | Self::Hang
                | Self::NonceUsed
                | Self::Reset
                | Self::Skewed
                | Self::Status(_)
                | Self::Throttle
        )
    }
}

impl Faults {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self(Mutex::new(faults))
    }

    /// Takes the first fault of the service that fits, and counts it down.
    pub(super) fn take(&self, service: Service, fits: impl Fn(What) -> bool) -> Option<What> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = faults
            .iter_mut()
            .find(|f| f.service == service && f.left != Some(0) && fits(f.what))?;
        fault.left = fault.left.map(|left| left.saturating_sub(1));
        Some(fault.what)
    }
}

fn parse_what(text: &str) -> Option<What> {
    Some(match text {
        "drop-reply" => What::DropReply,
        "expire-token" => What::ExpireToken,
        "expired" => What::Expired,
        "garbage" => What::Garbage,
        "hang" => What::Hang,
        "missing-field" => What::MissingField,
        "nonce-used" => What::NonceUsed,
        "reset" => What::Reset,
        "skewed" => What::Skewed,
        "throttle" => What::Throttle,
        "truncate" => What::Truncate,
        "wrong-crc" => What::WrongCrc,
        _ => match text.strip_prefix("reset-after=") {
            Some(size) => What::ResetAfter(parse_size(size).ok()?),
            None => What::Status(text.parse().ok().filter(|s| (500..=599).contains(s))?),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_the_help_parses() {
        for (specs, _) in Fault::HELP {
            for spec in specs.split(", ") {
                let spec = spec.replace("5XX", "503").replace("SIZE", "1MiB");
                assert!(spec.parse::<Fault>().is_ok(), "{spec}");
                assert!(format!("{spec}:2").parse::<Fault>().is_ok(), "{spec}:2");
            }
        }
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for text in [
            "",
            "sts",
            "sts:",
            "ram:500",
            "sts:200",
            "sts:nothing",
            "sts:500:0",
            "sts:500:x",
            "sts:500:1:1",
            "sts:wrong-crc",
            "oss:truncate",
            "oss:reset-after=",
            "oss:reset-after",
        ] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_count_runs_out_and_order_holds() {
        let faults = Faults::new(vec![
            "sts:503:2".parse().unwrap(),
            "sts:throttle:1".parse().unwrap(),
            "oss:hang".parse().unwrap(),
        ]);
        let next = || faults.take(Service::Sts, What::is_early);
        assert_eq!(next(), Some(What::Status(503)));
        assert_eq!(next(), Some(What::Status(503)));
        assert_eq!(next(), Some(What::Throttle));
        assert_eq!(next(), None);
        for _ in 0..3 {
            assert_eq!(faults.take(Service::Oss, What::is_early), Some(What::Hang));
        }
    }
}
