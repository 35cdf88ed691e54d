//! The client of the Security Token Service: AssumeRole and GetCallerIdentity, signed anew for
//! every attempt, with the clock skew measured from every answer. Must not know where the caller's
//! credentials come from, or what becomes of the session.
//!
//! API: <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-overview>

mod answer;
mod assume_role;
mod caller_identity;
mod error;
mod request;

pub use assume_role::AssumeRole;
pub use caller_identity::CallerIdentity;
pub use error::{Error, ServiceError, SignatureVerdict};

use std::sync::Arc;

use http::header::DATE;
use tokio::time::timeout;

use crate::http::{HttpError, HttpErrorKind, RetryPolicy, Transport};
use crate::model::{Clock, ClockSkew, Credentials, Endpoint, Session};
use answer::Answered;
use request::Call;

/// Which signature a call carries. STS takes both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SignatureScheme {
    /// ACS3-HMAC-SHA256: parameters in the form body, everything else in headers.
    Acs3,
    /// RPC V1, HMAC-SHA1: everything in the form body.
    #[default]
    Rpc,
}

/// What a call gave, and how far the server's clock was ahead when it did.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// The answer itself.
    pub value: T,
    /// Measured from the answer's `Date`; the skew that was given if it had none.
    pub skew: ClockSkew,
}

/// Calls STS at one Endpoint.
#[derive(Clone, Debug)]
pub struct StsClient {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    endpoint: Endpoint,
    scheme: SignatureScheme,
    retry: RetryPolicy,
}

impl StsClient {
    /// Makes a client; nothing is sent yet.
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        endpoint: Endpoint,
        scheme: SignatureScheme,
        retry: RetryPolicy,
    ) -> Self {
        Self {
            transport,
            clock,
            endpoint,
            scheme,
            retry,
        }
    }

    /// Assumes a role: returns a session, whose Expiration is after the server's now.
    ///
    /// `skew` is the last known one, for signing.
    ///
    /// API: <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole>
    pub async fn assume_role(
        &self,
        caller: &Credentials,
        skew: ClockSkew,
        request: &AssumeRole<'_>,
    ) -> Result<Answer<Session>, Error> {
        let duration = request.duration.get().to_string();
        let call = Call {
            action: "AssumeRole",
            params: &request.params(&duration),
        };
        let read = |answered: &Answered<'_>| assume_role::read(answered, request.role_arn);
        self.call(&call, caller, skew, read).await
    }

    /// Asks whose credentials these are. Needs no permission.
    ///
    /// API: <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity>
    pub async fn get_caller_identity(
        &self,
        caller: &Credentials,
        skew: ClockSkew,
    ) -> Result<Answer<CallerIdentity>, Error> {
        let call = Call {
            action: "GetCallerIdentity",
            params: &[],
        };
        self.call(&call, caller, skew, caller_identity::read).await
    }

    /// Calls until there is an answer worth having. A clock that proves wrong is corrected once,
    /// and the call repeated at once; that is not counted as an attempt.
    async fn call<T>(
        &self,
        call: &Call<'_>,
        caller: &Credentials,
        skew: ClockSkew,
        read: impl Fn(&Answered<'_>) -> Result<T, Error>,
    ) -> Result<Answer<T>, Error> {
        let mut skew = skew;
        let mut corrected = false;
        let mut attempts = self.retry.start();
        loop {
            let number = attempts.number();
            tracing::debug!(action = call.action, attempt = number, "calling STS");
            let exchange = self.exchange(call, caller, skew, &read);
            let error = match timeout(attempts.left(), exchange).await {
                Ok(Ok((measured, Ok(value)))) => {
                    let skew = measured;
                    return Ok(Answer { value, skew });
                }
                Ok(Ok((measured, Err(error)))) => {
                    if error.is_clock_skew() && !corrected && measured != skew {
                        tracing::debug!(seconds = measured.seconds(), "clock skew corrected");
                        (skew, corrected) = (measured, true);
                        continue;
                    }
                    error
                }
                Ok(Err(error)) => error,
                Err(_) => self.unanswered(call, HttpErrorKind::Timeout),
            };
            if !attempts.again(error.retry(), fastrand::f64()).await {
                return Err(error);
            }
        }
    }

    /// Signs, sends and reads once. Returns the skew that the answer shows, and what it says.
    async fn exchange<T>(
        &self,
        call: &Call<'_>,
        caller: &Credentials,
        skew: ClockSkew,
        read: impl Fn(&Answered<'_>) -> Result<T, Error>,
    ) -> Result<(ClockSkew, Result<T, Error>), Error> {
        let sent = self.clock.now();
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let timestamp = skew.server_time(sent);
        let (request, signed) = call
            .sign(&self.endpoint, self.scheme, caller, timestamp, &nonce)
            .map_err(|_| self.unanswered(call, HttpErrorKind::Request))?;
        let transport = |source| Error::Transport {
            action: call.action,
            source,
        };
        let response = self.transport.send(request).await.map_err(transport)?;
        let received = self.clock.now();
        let (head, body) = response.into_parts();
        let authority = self.endpoint.authority();
        let body = body.collect(answer::LIMIT, &authority).await;
        let body = answer::Wiped::from(body.map_err(transport)?);

        let date = answer::date(head.headers.get(DATE));
        let measured = date.map_or(skew, |date| ClockSkew::measure(date, sent, received));
        let answered = Answered {
            action: call.action,
            host: &authority,
            head: &head,
            body: body.as_ref(),
            server_now: date.unwrap_or_else(|| skew.server_time(received)),
            signed: &signed,
            caller,
        };
        let outcome = if head.status.is_success() {
            read(&answered)
        } else {
            Err(answered.refusal())
        };
        Ok((measured, outcome))
    }

    fn unanswered(&self, call: &Call<'_>, kind: HttpErrorKind) -> Error {
        Error::Transport {
            action: call.action,
            source: HttpError::new(kind, self.endpoint.authority()),
        }
    }
}
