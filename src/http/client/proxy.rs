//! Which proxy a request goes through. Must not read the environment.

use std::fmt;

use http::Uri;
use http::uri::Scheme;
use reqwest::{NoProxy, Proxy};

use super::failure::Cause;
use crate::http::redact::host_and_port;

/// The proxies to go through, as `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name them. An empty
/// text is none. Loopback hosts and the metadata service's 100.100.100.200 never go through one.
#[derive(Clone, Default)]
pub struct Proxies {
    /// The proxy for `https://`, a URL or `host:port`; it may hold a password.
    pub https: Option<String>,
    /// The proxy for `http://`, likewise.
    pub http: Option<String>,
    /// Hosts, domains and networks that are reached directly, separated by commas.
    pub no_proxy: Option<String>,
}

impl Proxies {
    /// Tells whether plain requests go through a proxy that itself speaks TLS.
    pub(super) fn http_is_over_tls(&self) -> bool {
        parse(self.http.as_deref())
            .is_ok_and(|url| url.is_some_and(|url| url.scheme() == Some(&Scheme::HTTPS)))
    }

    /// Makes reqwest's rules.
    pub(super) fn to_reqwest(&self) -> Result<Vec<Proxy>, Cause> {
        let exempt = match self.no_proxy.as_deref() {
            Some(more) => format!("{ALWAYS_DIRECT},{more}"),
            None => ALWAYS_DIRECT.to_owned(),
        };
        let exempt = NoProxy::from_string(&exempt);
        let mut rules = Vec::new();
        if let Some(url) = parse(self.https.as_deref())? {
            rules.push(Proxy::https(url.to_string()));
        }
        if let Some(url) = parse(self.http.as_deref())? {
            rules.push(Proxy::http(url.to_string()));
        }
        rules
            .into_iter()
            .map(|rule| Ok(rule.map_err(|_| malformed())?.no_proxy(exempt.clone())))
            .collect()
    }
}

impl fmt::Debug for Proxies {
    /// Shows the proxies' hosts, never their passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = |text: &Option<String>| {
            parse(text.as_deref()).map(|url| url.as_ref().map(host_and_port))
        };
        f.debug_struct("Proxies")
            .field("https", &host(&self.https))
            .field("http", &host(&self.http))
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

/// Parses a proxy's URL; a bare `host:port` is taken for `http://`.
fn parse(text: Option<&str>) -> Result<Option<Uri>, Cause> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let url = if text.contains("://") {
        text.parse()
    } else {
        format!("http://{text}").parse()
    };
    let url: Uri = url.map_err(|_| malformed())?;
    // Any other scheme, reqwest would pass over in silence and go past the proxy.
    if url.host().is_none_or(str::is_empty)
        || ![Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&url.scheme())
    {
        return Err(malformed());
    }
    Ok(Some(url))
}

/// Says what is wrong without the value: it may hold a password.
fn malformed() -> Cause {
    Cause::new("the proxy must be a URL such as `http://proxy.example:3128`")
}

/// What is reached directly whatever the proxies are.
const ALWAYS_DIRECT: &str = "localhost,127.0.0.0/8,::1,100.100.100.200";
