//! The [`Transport`] over the network: TLS, proxies, time limits, and what each failure means.
//! Must not read the environment (its options are captured elsewhere), follow a redirect, decode
//! a body or repeat a request.

mod failure;
mod proxy;
#[cfg(test)]
mod tests;
mod watch;

pub use proxy::Proxies;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use reqwest::Certificate;

use super::redact::{SafeUri, host_and_port};
use super::{Body, HttpError, HttpErrorKind, Patience, Transport};
use failure::{Cause, diagnose};
use watch::{Received, Sent, Watch};

/// What a [`Client`] can be told.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The longest wait for a connection, its TLS handshake included.
    pub connect_timeout: Duration,
    /// PEM files of root certificates that are trusted besides the system's.
    pub extra_roots: Vec<PathBuf>,
    /// The proxies to go through.
    pub proxies: Proxies,
    /// The longest that a whole exchange may take if the request has no [`Patience`].
    pub timeout: Duration,
    /// The User-Agent header.
    pub user_agent: String,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            extra_roots: Vec::new(),
            proxies: Proxies::default(),
            timeout: Duration::from_secs(10),
            user_agent: concat!("stsctl/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Speaks HTTP/1.1 over TCP and TLS. Built on first use: a command that needs no network pays
/// nothing, and plain HTTP to loopback does not read the system's certificates.
#[derive(Debug)]
pub struct Client {
    options: ClientOptions,
    plain: OnceLock<reqwest::Client>,
    secure: OnceLock<reqwest::Client>,
}

impl Client {
    /// Takes the options; looks at them only when it is first used.
    pub fn new(options: ClientOptions) -> Self {
        Self {
            options,
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Response<Body>, HttpError> {
        let authority = host_and_port(request.uri());
        let client = self.client_for(request.uri(), &authority)?;
        let patience = request.extensions().get().copied();
        let patience = patience.unwrap_or(Patience::Total(self.options.timeout));
        tracing::debug!(method = %request.method(), uri = %SafeUri(request.uri()), "request");

        let watch = Arc::new(Watch::new(patience));
        let request = request.map(|body| reqwest::Body::wrap(Sent::new(body, Arc::clone(&watch))));
        let request = reqwest::Request::try_from(request)
            .map_err(|error| diagnose(error, &authority, &watch))?;
        let response = tokio::select! {
            response = client.execute(request) => response,
            () = watch.expired() => {
                return Err(HttpError::new(HttpErrorKind::Timeout, authority));
            }
        };
        let response = response.map_err(|error| diagnose(error, &authority, &watch))?;
        tracing::debug!(
            status = response.status().as_u16(),
            host = authority,
            "answer"
        );

        let (mut parts, body) = Response::<reqwest::Body>::from(response).into_parts();
        // reqwest leaves the URL there, and with it whatever the query holds.
        parts.extensions.clear();
        let body = Body::wrap(Received::new(body, watch, authority));
        Ok(Response::from_parts(parts, body))
    }

    /// Returns the client that fits the URI, built if need be.
    fn client_for(&self, uri: &Uri, authority: &str) -> Result<&reqwest::Client, HttpError> {
        let tls = uri.scheme() != Some(&Scheme::HTTP) || self.options.proxies.http_is_over_tls();
        let cell = if tls { &self.secure } else { &self.plain };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = self.build(tls, authority)?;
        Ok(cell.get_or_init(|| client))
    }

    fn build(&self, tls: bool, authority: &str) -> Result<reqwest::Client, HttpError> {
        // Fails only if the process has a provider already, which then serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = &self.options;
        let mut builder = reqwest::Client::builder()
            .connect_timeout(options.connect_timeout)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .user_agent(&options.user_agent);
        let misconfigured =
            |cause| HttpError::new(HttpErrorKind::Request, authority).caused_by(cause);
        for proxy in options.proxies.to_reqwest().map_err(misconfigured)? {
            builder = builder.proxy(proxy);
        }
        builder = if tls {
            builder.tls_certs_merge(self.extra_roots().map_err(misconfigured)?)
        } else {
            builder.tls_certs_only([])
        };
        builder.build().map_err(|error| {
            HttpError::new(HttpErrorKind::Tls, authority).caused_by(Cause::of(&error))
        })
    }

    fn extra_roots(&self) -> Result<Vec<Certificate>, Cause> {
        let mut roots = Vec::new();
        for path in &self.options.extra_roots {
            let pem = fs_err::read(path).map_err(|error| Cause::new(error.to_string()))?;
            let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if found.is_empty() {
                let path = path.display();
                return Err(Cause::new(format!("`{path}` holds no PEM certificate")));
            }
            roots.extend(found);
        }
        Ok(roots)
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new(ClientOptions::default())
    }
}

impl Transport for Client {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        Box::pin(self.exchange(request))
    }
}
