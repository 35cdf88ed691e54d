//! Regions and endpoints: the host, port and scheme a service is reached at. Must not know the
//! network: nothing is resolved here.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{Error, Result};

/// A RegionId such as `cn-hangzhou`. Not checked against a list: regions are added faster than
/// releases.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RegionId(String);

impl RegionId {
    /// Returns the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses a RegionId, taking OSS's `oss-cn-hangzhou` (with or without `-internal`) for
    /// `cn-hangzhou`. The flag tells whether something was stripped, so that a caller can warn.
    pub fn parse_stripping(text: &str) -> Result<(Self, bool)> {
        let plain = text
            .strip_prefix("oss-")
            .map(|r| r.strip_suffix("-internal").unwrap_or(r));
        Ok((plain.unwrap_or(text).parse()?, plain.is_some()))
    }
}

impl FromStr for RegionId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fits = (2..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if !fits {
            return Err(Error::new(
                "RegionId",
                text,
                "expected a form like cn-hangzhou",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RegionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How an endpoint is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain HTTP: for loopback hosts, the metadata service, and where the user insists.
    Http,
    /// HTTP over TLS, the default.
    Https,
}

impl Scheme {
    /// Returns `http` or `https`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// A service's Endpoint: `sts.cn-hangzhou.aliyuncs.com`, `localhost:8080` or a URL without a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    scheme: Scheme,
    host: String,
    port: Option<u16>,
}

impl Endpoint {
    /// An HTTPS endpoint at a host known to be well formed.
    pub(crate) fn https(host: String) -> Self {
        Self {
            scheme: Scheme::Https,
            host,
            port: None,
        }
    }

    /// Returns the scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the host, lower case; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the host as an address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Returns `host` or `host:port` as the Host header has it: the scheme's own port left out.
    pub fn authority(&self) -> String {
        self.authority_of(&self.host)
    }

    /// Returns the authority with another host at the same port, for virtual-hosted buckets.
    pub fn authority_of(&self, host: &str) -> String {
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        match (self.port, self.scheme) {
            (None, _) | (Some(80), Scheme::Http) | (Some(443), Scheme::Https) => host,
            (Some(port), _) => format!("{host}:{port}"),
        }
    }

    /// Tells whether the host is this machine: `localhost`, a name below it, or a loopback address.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.ends_with(".localhost")
            || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// Tells whether secrets would cross a network in the clear: plain HTTP to a host that is
    /// neither this machine nor the ECS metadata service.
    pub fn is_exposed(&self) -> bool {
        self.scheme == Scheme::Http && !self.is_loopback() && self.host != "100.100.100.200"
    }

    /// Returns the RegionId that an OSS endpoint of Alibaba's names: `oss-<r>.aliyuncs.com`,
    /// `oss-<r>-internal.aliyuncs.com` or `<r>.oss.aliyuncs.com`. Accelerate endpoints name none.
    pub fn oss_region(&self) -> Option<RegionId> {
        let name = self.host.strip_suffix(".aliyuncs.com")?;
        let region = match name.strip_prefix("oss-") {
            Some(region) => region.strip_suffix("-internal").unwrap_or(region),
            None => name.strip_suffix(".oss")?,
        };
        if region.starts_with("accelerate") {
            None
        } else {
            region.parse().ok()
        }
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |rule: &str| Error::new("Endpoint", text, rule);
        let (scheme, rest) = match text.split_once("://") {
            None => (Scheme::Https, text),
            Some((s, rest)) if s.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
            Some((s, rest)) if s.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
            Some(_) => return Err(wrong("the scheme must be https or http")),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err(wrong("expected a host or a URL without a path"));
        }
        if rest.contains('@') {
            // Said without the value: it may be a password.
            return Err(Error::new(
                "Endpoint",
                "…@…",
                "user names and passwords have no place in it",
            ));
        }
        let (host, port) = match rest.strip_prefix('[') {
            Some(v6) => {
                let (host, tail) = v6.split_once(']').ok_or_else(|| wrong("missing `]`"))?;
                if host.parse::<std::net::Ipv6Addr>().is_err() {
                    return Err(wrong("not an IPv6 address"));
                }
                match tail.strip_prefix(':') {
                    None if tail.is_empty() => (host, None),
                    None => return Err(wrong("unexpected text after `]`")),
                    Some(port) => (host, Some(port)),
                }
            }
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        let port = match port {
            None => None,
            Some(p) => Some(
                p.parse::<u16>()
                    .ok()
                    .filter(|p| *p != 0)
                    .ok_or_else(|| wrong("the port must be 1 to 65535"))?,
            ),
        };
        let named = !host.is_empty()
            && host.len() <= 253
            && host.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            });
        if !named && host.parse::<IpAddr>().is_err() {
            return Err(wrong("expected a host name or an IP address"));
        }
        Ok(Self {
            scheme,
            host: host.to_ascii_lowercase(),
            port,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

/// Returns the STS endpoint of a region: `sts.<region>.aliyuncs.com`, in a VPC
/// `sts-vpc.<region>.aliyuncs.com`, and without a region the central `sts.aliyuncs.com`.
pub fn sts_host(region: Option<&RegionId>, vpc: bool) -> Endpoint {
    Endpoint::https(match region {
        None => "sts.aliyuncs.com".to_owned(),
        Some(region) if vpc => format!("sts-vpc.{region}.aliyuncs.com"),
        Some(region) => format!("sts.{region}.aliyuncs.com"),
    })
}

/// Returns the OSS endpoint of a region: `oss-<region>.aliyuncs.com`, in a VPC
/// `oss-<region>-internal.aliyuncs.com`.
pub fn oss_host(region: &RegionId, vpc: bool) -> Endpoint {
    let internal = if vpc { "-internal" } else { "" };
    Endpoint::https(format!("oss-{region}{internal}.aliyuncs.com"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn endpoints_as_people_write_them() {
        for (text, shown) in [
            ("sts.aliyuncs.com", "https://sts.aliyuncs.com"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("HTTPS://Example.COM:443", "https://example.com"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(endpoint(text).to_string(), shown);
        }
        for text in [
            "", "ftp://x", "x/y", "x?y", "a b", "http://", "x:0", "x:99999", "[::1", "[zz]:1",
            "a..b",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
        let error = "http://user:hunter2@host"
            .parse::<Endpoint>()
            .unwrap_err()
            .to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn plain_http_is_exposed_unless_it_stays_here() {
        for text in [
            "http://localhost",
            "http://b.localhost:1",
            "http://127.9.9.9",
            "http://[::1]",
            "http://100.100.100.200",
            "x.com",
        ] {
            assert!(!endpoint(text).is_exposed(), "{text}");
        }
        for text in ["http://x.com", "http://10.0.0.1", "http://localhost.x.com"] {
            assert!(endpoint(text).is_exposed(), "{text}");
        }
    }

    #[test]
    fn regions_of_oss_endpoints() {
        for (host, region) in [
            ("oss-cn-hangzhou.aliyuncs.com", Some("cn-hangzhou")),
            ("oss-cn-hangzhou-internal.aliyuncs.com", Some("cn-hangzhou")),
            ("cn-hangzhou.oss.aliyuncs.com", Some("cn-hangzhou")),
            ("oss-accelerate.aliyuncs.com", None),
            ("oss-accelerate-overseas.aliyuncs.com", None),
            ("img.example.com", None),
        ] {
            assert_eq!(
                endpoint(host).oss_region().as_ref().map(RegionId::as_str),
                region,
                "{host}"
            );
        }
    }

    #[test]
    fn oss_prefix_is_stripped_from_a_region() {
        let (region, stripped) = RegionId::parse_stripping("oss-cn-hangzhou").unwrap();
        assert_eq!((region.as_str(), stripped), ("cn-hangzhou", true));
        assert!(!RegionId::parse_stripping("cn-hangzhou").unwrap().1);
        assert!(RegionId::parse_stripping("CN hangzhou").is_err());
    }

    #[test]
    fn service_hosts() {
        let region: RegionId = "cn-hangzhou".parse().unwrap();
        assert_eq!(sts_host(None, true).host(), "sts.aliyuncs.com");
        assert_eq!(
            sts_host(Some(&region), false).host(),
            "sts.cn-hangzhou.aliyuncs.com"
        );
        assert_eq!(
            sts_host(Some(&region), true).host(),
            "sts-vpc.cn-hangzhou.aliyuncs.com"
        );
        assert_eq!(
            oss_host(&region, true).host(),
            "oss-cn-hangzhou-internal.aliyuncs.com"
        );
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_display_round_trips(text in ".{0,60}") {
            if let Ok(endpoint) = text.parse::<Endpoint>() {
                prop_assert_eq!(endpoint.to_string().parse::<Endpoint>(), Ok(endpoint));
            }
        }
    }
}
