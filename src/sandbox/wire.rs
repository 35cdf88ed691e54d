//! A request's head, taken apart by the sandbox's own code: path, query, headers and Host as they
//! came over the wire. Must not know which service is meant.

use http::request::Parts;
use http::{HeaderMap, Method, header};
use percent_encoding::percent_decode_str;

/// A request without its body.
pub(super) struct Head {
    pub(super) method: Method,
    /// The path, still encoded.
    pub(super) path: String,
    /// The query, decoded, in the order it came; a parameter without a value has "".
    pub(super) query: Vec<(String, String)>,
    /// The headers with lower-case names; the values of a repeated one joined by `,`.
    pub(super) headers: Vec<(String, String)>,
    /// The Host header, lower case, with its port.
    pub(super) host: String,
}

impl Head {
    pub(super) fn new(parts: &Parts) -> Self {
        let host = match parts.headers.get(header::HOST) {
            Some(host) => String::from_utf8_lossy(host.as_bytes()).into_owned(),
            None => parts.uri.authority().map_or("", |a| a.as_str()).to_owned(),
        };
        let mut headers = joined(&parts.headers);
        if !parts.headers.contains_key(header::HOST) {
            headers.push(("host".to_owned(), host.clone()));
        }
        Self {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: parse_query(parts.uri.query().unwrap_or_default()),
            headers,
            host: host.to_ascii_lowercase(),
        }
    }

    /// Returns a header's value; the name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Returns a query parameter's value.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }

    /// Returns the Host header without its port, and IPv6 addresses without brackets.
    pub(super) fn host_name(&self) -> &str {
        if let Some(v6) = self.host.strip_prefix('[') {
            return v6.split(']').next().unwrap_or(v6);
        }
        self.host
            .split_once(':')
            .map_or(self.host.as_str(), |(name, _)| name)
    }
}

/// Returns the first value under a name.
pub(super) fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(n, _)| n == name)
        .map(|(_, value)| value.as_str())
}

/// Borrows pairs as the signatures take them.
pub(super) fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// Decodes `a=b&c` as forms and queries have it: `+` is a space. What is not UTF-8 becomes U+FFFD,
/// which no signature fits.
pub(super) fn parse_query(text: &str) -> Vec<(String, String)> {
    let decode = |part: &str| {
        let spaced = part.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn joined(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .keys()
        .map(|name| {
            let values: Vec<_> = headers
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            (name.as_str().to_owned(), values.join(","))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let pairs = parse_query("a=b%20c+d&e&f=&&%E4%B8%AD=%2B&g=1=2&h=%zz");
        let expected = [
            ("a", "b c d"),
            ("e", ""),
            ("f", ""),
            ("中", "+"),
            ("g", "1=2"),
            ("h", "%zz"),
        ];
        assert_eq!(borrowed(&pairs), expected);
    }

    #[test]
    fn hosts() {
        for (host, name) in [
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:80", "::1"),
            ("B.localhost", "b.localhost"),
            ("", ""),
        ] {
            let request = http::Request::builder()
                .header("host", host)
                .body(())
                .unwrap();
            assert_eq!(Head::new(&request.into_parts().0).host_name(), name);
        }
    }
}
