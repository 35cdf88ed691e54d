//! Where an object lies in URL space: the three ways to put a bucket's name into a request
//! ([endpoints](https://www.alibabacloud.com/help/en/oss/user-guide/regions-and-endpoints)).
//! Must not know what is asked of the object.

use http::Uri;

use crate::model::{Bucket, Endpoint, ObjectKey};
use crate::sign::encode;

/// How a request names its bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// The endpoint is a domain bound to the bucket: `https://<endpoint>/<key>`.
    Cname,
    /// In the path: `https://<endpoint>/<bucket>/<key>`. OSS itself refuses it; private clouds
    /// and test servers want it.
    Path,
    /// In the host name: `https://<bucket>.<endpoint>/<key>`.
    Virtual,
}

impl Addressing {
    /// Returns the way an endpoint is addressed unless the user says otherwise: an IP address or
    /// this machine by path, Alibaba's own names by virtual host, all others as a CNAME.
    pub fn of(endpoint: &Endpoint) -> Self {
        if endpoint.ip().is_some() || endpoint.is_loopback() {
            Self::Path
        } else if endpoint.host().ends_with(".aliyuncs.com") {
            Self::Virtual
        } else {
            Self::Cname
        }
    }

    /// Returns the URI of an object, with the key percent-encoded and its `/` kept. Nothing is
    /// folded: empty segments reach the server.
    ///
    /// # Errors
    /// When no such URI exists, as with a virtual host below an IP address.
    pub fn uri(
        self,
        endpoint: &Endpoint,
        bucket: &Bucket,
        key: &ObjectKey,
    ) -> Result<Uri, http::Error> {
        let authority = match self {
            // An address has no names below it; an empty authority is what makes no URI.
            Self::Virtual if endpoint.ip().is_some() => String::new(),
            Self::Virtual => endpoint.authority_of(&format!("{bucket}.{}", endpoint.host())),
            Self::Cname | Self::Path => endpoint.authority(),
        };
        let key = encode::path(key.as_str());
        let path = match self {
            Self::Path => format!("/{bucket}/{key}"),
            Self::Cname | Self::Virtual => format!("/{key}"),
        };
        Uri::builder()
            .scheme(endpoint.scheme().as_str())
            .authority(authority)
            .path_and_query(path)
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_addressing() {
        for (endpoint, addressing) in [
            ("oss-cn-hangzhou.aliyuncs.com", Addressing::Virtual),
            ("oss-accelerate.aliyuncs.com", Addressing::Virtual),
            ("http://127.0.0.1:8080", Addressing::Path),
            ("10.0.0.1", Addressing::Path),
            ("[::1]:80", Addressing::Path),
            ("localhost", Addressing::Path),
            ("img.example.com", Addressing::Cname),
            ("notaliyuncs.com", Addressing::Cname),
        ] {
            assert_eq!(
                Addressing::of(&endpoint.parse().unwrap()),
                addressing,
                "{endpoint}"
            );
        }
    }

    #[test]
    fn one_object_three_ways() {
        let bucket = "demo-bucket".parse().unwrap();
        let key = "a//b c/中+%?#.txt".parse().unwrap();
        let path = "a//b%20c/%E4%B8%AD%2B%25%3F%23.txt";
        for (addressing, endpoint, start) in [
            (
                Addressing::Virtual,
                "oss-cn-hangzhou.aliyuncs.com",
                "https://demo-bucket.oss-cn-hangzhou.aliyuncs.com/",
            ),
            (
                Addressing::Path,
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080/demo-bucket/",
            ),
            (
                Addressing::Path,
                "http://[::1]:8080",
                "http://[::1]:8080/demo-bucket/",
            ),
            (
                Addressing::Cname,
                "img.example.com:443",
                "https://img.example.com/",
            ),
            (
                Addressing::Virtual,
                "http://localhost:1",
                "http://demo-bucket.localhost:1/",
            ),
        ] {
            let uri = addressing
                .uri(&endpoint.parse().unwrap(), &bucket, &key)
                .unwrap();
            assert_eq!(uri.to_string(), format!("{start}{path}"));
        }
        for address in ["http://[::1]", "http://127.0.0.1:1"] {
            let nowhere = address.parse().unwrap();
            assert!(
                Addressing::Virtual.uri(&nowhere, &bucket, &key).is_err(),
                "{address}"
            );
        }
    }
}
