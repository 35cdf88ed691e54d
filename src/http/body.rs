//! The one body type, streaming both ways. Must not know what the bytes mean.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};

use super::{HttpError, HttpErrorKind};

/// What a body's source may fail with.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a request or of an answer.
#[derive(Debug)]
pub struct Body(BoxBody<Bytes, BodyError>);

impl Body {
    /// A body of no bytes.
    pub fn empty() -> Self {
        Self(BoxBody::new(Empty::new().map_err(|never| match never {})))
    }

    /// Streams chunks of unknown total length: sent chunked unless Content-Length is set.
    pub fn stream<S, E>(chunks: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Sync + 'static,
        E: Into<BodyError> + 'static,
    {
        let frames = chunks.map_ok(Frame::data).map_err(Into::into);
        // Whoever reads it may look again after the end; not every stream allows it.
        Self(BoxBody::new(StreamBody::new(frames.fuse())))
    }

    /// Wraps any other body.
    pub fn wrap<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
        B::Error: Into<BodyError>,
    {
        Self(BoxBody::new(body.map_err(Into::into)))
    }

    /// Reads the whole body into memory. `authority` names the peer in the error.
    ///
    /// # Errors
    /// [`HttpErrorKind::TooLarge`] past `limit` bytes; else the error of the body itself.
    pub async fn collect(mut self, limit: usize, authority: &str) -> Result<Bytes, HttpError> {
        let expected = usize::try_from(self.0.size_hint().lower()).unwrap_or(usize::MAX);
        let mut whole = BytesMut::with_capacity(expected.min(limit));
        while let Some(chunk) = self.next_chunk().await {
            let chunk = chunk.map_err(|error| match error.downcast::<HttpError>() {
                Ok(error) => *error,
                Err(error) => {
                    HttpError::new(HttpErrorKind::Interrupted, authority).caused_by(error)
                }
            })?;
            if chunk.len() > limit - whole.len() {
                return Err(HttpError::new(HttpErrorKind::TooLarge, authority));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// Returns the next chunk of data, `None` at the end. Trailers are passed over.
    pub async fn next_chunk(&mut self) -> Option<Result<Bytes, BodyError>> {
        while let Some(frame) = self.0.frame().await {
            match frame {
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        return Some(Ok(data));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
        None
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(BoxBody::new(
            Full::new(bytes).map_err(|never| match never {}),
        ))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<BytesMut> for Body {
    fn from(bytes: BytesMut) -> Self {
        bytes.freeze().into()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
