//! Puts one object: attempts, what is mended between them, and what is made of the answers.
//! Must not know how data is read or requests are signed.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot::error::TryRecvError;
use tokio::time::Instant;

use super::Error;
use super::source::{Readable, Source, Total};
use super::upload::{Progress, Upload};
use crate::http::{Body, HttpErrorKind, Retry, RetryPolicy};
use crate::model::{Bucket, ClockSkew, Credentials, ObjectKey};
use crate::oss::{self, ObjectHead, OssClient, PutObject};

/// How a transfer goes about its work.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The most bytes a second; `None` for as many as go.
    pub bandwidth_limit: Option<NonZeroU64>,
    /// How persistent to be.
    pub retry: RetryPolicy,
}

impl Default for Settings {
    /// No limit; four attempts, however long each takes.
    fn default() -> Self {
        Self {
            bandwidth_limit: None,
            retry: RetryPolicy {
                budget: Duration::MAX,
                ..RetryPolicy::default()
            },
        }
    }
}

/// Which credentials an attempt needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Those that are good now.
    Current,
    /// Newer ones: OSS refused the last.
    Fresh,
}

/// A finished transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The bucket.
    pub bucket: Bucket,
    /// The object's key.
    pub key: ObjectKey,
    /// The size in bytes.
    pub size: u64,
    /// The ETag, without its quotes.
    pub etag: String,
    /// The CRC-64 of what was read.
    pub crc64: u64,
    /// Whether OSS named a CRC-64, which then is the same.
    pub crc64_checked: bool,
    /// The new version's id, in a bucket with versions.
    pub version_id: Option<String>,
    /// The RequestId of the answer that settled it.
    pub request_id: String,
    /// How many requests carried data.
    pub attempts: u32,
    /// How long it took, pauses included.
    pub elapsed: Duration,
}

/// Puts `source` as `request` says, asking `credentials` before each request for what signs it
/// and for the server's clock.
///
/// What may pass is tried again if the source can be read again, each time signed anew. A skewed
/// clock is corrected once, refused session credentials are replaced once.
pub async fn put<E>(
    client: &OssClient,
    request: &PutObject<'_>,
    source: Source,
    credentials: impl AsyncFnMut(Need) -> Result<(Credentials, ClockSkew), E>,
    settings: &Settings,
    progress: Arc<dyn Progress>,
) -> Result<Put, Error<E>> {
    let readable = Readable::new(source)?;
    let repeatable = readable.is_repeatable();
    let forbid_overwrite = request.options.forbid_overwrite;
    let judge = |error: &Error<E>| match error {
        Error::Oss { source, .. } if repeatable => judge(source),
        // Without overwriting, the damaged object itself is in the way.
        Error::Checksum { .. } if repeatable && !forbid_overwrite => Retry::Backoff,
        _ => Retry::No,
    };
    let mut job = Job {
        client,
        request,
        readable,
        credentials,
        settings,
        progress,
        start: Instant::now(),
        attempts: 0,
        skew: None,
        refreshed: false,
        answer_lost: false,
        total: None,
    };
    let mut attempts = settings.retry.start();
    loop {
        let error = match job.attempt().await {
            Ok(put) => return Ok(put),
            Err(error) => error,
        };
        if !attempts.again(judge(&error), fastrand::f64()).await {
            return Err(error);
        }
    }
}

/// One transfer under way.
struct Job<'a, C> {
    client: &'a OssClient,
    request: &'a PutObject<'a>,
    readable: Readable,
    credentials: C,
    settings: &'a Settings,
    progress: Arc<dyn Progress>,
    start: Instant,
    attempts: u32,
    /// The skew that OSS itself showed.
    skew: Option<ClockSkew>,
    refreshed: bool,
    /// Whether an earlier request may have stored the object unheard.
    answer_lost: bool,
    /// What the source holds, once it was read to its end.
    total: Option<Total>,
}

impl<C, E> Job<'_, C>
where
    C: AsyncFnMut(Need) -> Result<(Credentials, ClockSkew), E>,
{
    /// Makes one attempt, and at once another if the first only needed a better clock or newer
    /// credentials.
    async fn attempt(&mut self) -> Result<Put, Error<E>> {
        let mut need = Need::Current;
        loop {
            let mut signer = self.credentials(need).await?;
            let error = match self.send(&mut signer).await {
                Err(Error::Oss { source, .. }) => source,
                other => return other,
            };
            let (credentials, _) = signer;
            if error.code() == Some("FileAlreadyExists") && self.answer_lost {
                return self.settle(error).await;
            }
            self.answer_lost |= may_have_been_stored(&error);
            let again = self.readable.is_repeatable();
            if let Some(skew) = error.skew().filter(|_| error.is_skewed())
                && self.skew.is_none()
                && again
            {
                tracing::info!(seconds = skew.seconds(), "the clock is corrected by OSS's");
                self.skew = Some(skew);
                need = Need::Current;
            } else if error.is_token_rejected()
                && credentials.security_token.is_some()
                && !self.refreshed
                && again
            {
                tracing::info!("OSS refused the session; a new one is asked for");
                self.refreshed = true;
                need = Need::Fresh;
            } else {
                return Err(self.failed(error));
            }
        }
    }

    async fn credentials(&mut self, need: Need) -> Result<(Credentials, ClockSkew), Error<E>> {
        let (credentials, skew) = (self.credentials)(need).await.map_err(Error::Credentials)?;
        Ok((credentials, self.skew.unwrap_or(skew)))
    }

    /// Sends the data once, signed by `signer`, which is asked for again if it may have grown old
    /// while the data was waited for.
    async fn send(&mut self, signer: &mut (Credentials, ClockSkew)) -> Result<Put, Error<E>> {
        let mut reading = self.readable.read()?;
        let mut body = Upload::new(
            reading.length,
            reading.pieces,
            self.settings.bandwidth_limit,
            self.progress.clone(),
        );
        if reading.length.is_none() {
            body.begin().await;
            *signer = self.credentials(Need::Current).await?;
        }
        self.attempts += 1;
        tracing::debug!(attempt = self.attempts, bucket = %self.request.bucket, "PutObject");
        let length = body.length();
        let body = Body::wrap(body);
        let answer = self
            .client
            .put_object(&signer.0, signer.1, self.request, body, length)
            .await;
        // The source's own failure explains all others.
        let answer = match answer {
            Ok(answer) => answer.value,
            Err(error) => {
                match reading.outcome.try_recv() {
                    Ok(total) => self.total = Some(total?),
                    Err(TryRecvError::Closed | TryRecvError::Empty) => {}
                }
                return Err(self.failed(error));
            }
        };
        let total = match reading.outcome.await {
            Ok(total) => total?,
            Err(_) => return Err(Error::Unread),
        };
        match answer.crc64 {
            Some(theirs) if theirs != total.crc64 => Err(Error::Checksum {
                ours: total.crc64,
                theirs,
            }),
            theirs => Ok(Put {
                bucket: self.request.bucket.clone(),
                key: self.request.key.clone(),
                size: total.size,
                etag: answer.etag,
                crc64: total.crc64,
                crc64_checked: theirs.is_some(),
                version_id: answer.version_id,
                request_id: answer.request_id,
                attempts: self.attempts,
                elapsed: self.start.elapsed(),
            }),
        }
    }

    /// Finds out whether the object that is in the way is the one that an earlier attempt
    /// stored, whose answer was lost.
    async fn settle(&mut self, conflict: oss::Error) -> Result<Put, Error<E>> {
        let total = match self.total {
            Some(total) => total,
            None => match self.readable.read()?.drain().await {
                Some(total) => total?,
                None => return Err(Error::Unread),
            },
        };
        let judge = |error: &Error<E>| match error {
            Error::Unsettled { source } => judge(source),
            _ => Retry::No,
        };
        let mut attempts = self.settings.retry.start();
        let head = loop {
            let error = match self.head().await {
                Ok(head) => break head,
                Err(error) => error,
            };
            if !attempts.again(judge(&error), fastrand::f64()).await {
                return Err(error);
            }
        };
        match head.crc64 {
            Some(crc64) if (head.size, crc64) == (total.size, total.crc64) => Ok(Put {
                bucket: self.request.bucket.clone(),
                key: self.request.key.clone(),
                size: total.size,
                etag: head.etag,
                crc64,
                crc64_checked: true,
                version_id: head.version_id,
                request_id: head.request_id,
                attempts: self.attempts,
                elapsed: self.start.elapsed(),
            }),
            None if head.size == total.size => Err(Error::Unsettled { source: conflict }),
            _ => Err(self.failed(conflict)),
        }
    }

    /// Asks for the object that is there.
    async fn head(&mut self) -> Result<ObjectHead, Error<E>> {
        let (credentials, skew) = self.credentials(Need::Current).await?;
        let PutObject { bucket, key, .. } = *self.request;
        let head = self.client.head_object(&credentials, skew, bucket, key);
        let head = head.await.map_err(|source| Error::Unsettled { source })?;
        Ok(head.value)
    }

    fn failed(&self, source: oss::Error) -> Error<E> {
        Error::Oss {
            attempts: self.attempts,
            source,
        }
    }
}

/// Tells what a failed request calls for, its body aside.
fn judge(error: &oss::Error) -> Retry {
    match error.delay() {
        _ if !error.is_transient() => Retry::No,
        Some(delay) if delay > MAX_DELAY => Retry::No,
        Some(delay) => Retry::After(delay),
        None => Retry::Backoff,
    }
}

/// Tells whether a request that failed so may have stored the object all the same.
fn may_have_been_stored(error: &oss::Error) -> bool {
    match error {
        oss::Error::Transport { source, .. } => {
            matches!(
                source.kind(),
                HttpErrorKind::Interrupted | HttpErrorKind::Timeout
            )
        }
        other => other.is_unavailable(),
    }
}

/// The longest pause that OSS may ask for and get.
const MAX_DELAY: Duration = Duration::from_secs(60);
