//! From a call to a signed HTTP request. Must not know the answer.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request};
use zeroize::Zeroizing;

use super::SignatureScheme;
use crate::http::Body;
use crate::model::{Credentials, Endpoint};
use crate::sign::{Signed, acs3, encode, rpc};

/// A call of the API before it is signed.
pub(super) struct Call<'a> {
    /// The Action.
    pub(super) action: &'static str,
    /// Its parameters, unencoded.
    pub(super) params: &'a [(&'a str, &'a str)],
}

impl Call<'_> {
    /// Signs the call. Returns the request, and what signing made of it.
    ///
    /// # Errors
    /// Fails if the credentials hold what a header cannot, such as a line break.
    pub(super) fn sign(
        &self,
        endpoint: &Endpoint,
        scheme: SignatureScheme,
        caller: &Credentials,
        timestamp: DateTime<Utc>,
        nonce: &str,
    ) -> http::Result<(Request<Body>, Signed)> {
        let host = endpoint.authority();
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{endpoint}/"))
            .header(HOST, &host)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, FORM);
        match scheme {
            SignatureScheme::Rpc => {
                let call = rpc::Request {
                    method: "POST",
                    action: self.action,
                    version: VERSION,
                    params: self.params,
                };
                let signed = rpc::sign(&call, caller, timestamp, nonce);
                let added = signed.additions.iter();
                let added = added.map(|param| (param.name, param.value.as_str()));
                let body = form(self.params.iter().copied().chain(added));
                Ok((request.body(body_of(body))?, signed))
            }
            SignatureScheme::Acs3 => {
                let body = form(self.params.iter().copied());
                let call = acs3::Request {
                    method: "POST",
                    path: "/",
                    query: &[],
                    host: &host,
                    action: self.action,
                    version: VERSION,
                    content_type: Some(FORM),
                    body: body.as_bytes(),
                };
                let signed = acs3::sign(&call, caller, timestamp, nonce);
                for header in &signed.additions {
                    let mut value = HeaderValue::from_str(&header.value)?;
                    value.set_sensitive(header.sensitive);
                    request = request.header(header.name, value);
                }
                Ok((request.body(body_of(body))?, signed))
            }
        }
    }
}

/// Encodes parameters as a form. They may hold a SecurityToken.
fn form<'a>(params: impl Iterator<Item = (&'a str, &'a str)>) -> Zeroizing<String> {
    let mut form = Zeroizing::new(String::with_capacity(FORM_CAPACITY));
    for (name, value) in params {
        if !form.is_empty() {
            form.push('&');
        }
        form.push_str(&encode::component(name));
        form.push('=');
        form.push_str(&Zeroizing::new(encode::component(value)));
    }
    form
}

/// Makes a body that is zeroised when its last user lets go of it.
fn body_of(form: Zeroizing<String>) -> Body {
    Bytes::from_owner(form).into()
}

/// The only version of the API there is.
const VERSION: &str = "2015-04-01";

const FORM: &str = "application/x-www-form-urlencoded";

/// Enough for a policy and a token, so that growing leaves no copies behind.
const FORM_CAPACITY: usize = 16 << 10;
