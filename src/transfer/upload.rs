//! A reading as the body of a request: counts what is handed to the network, and holds it back
//! when the bandwidth is limited. Must not know files.

use std::fmt::Debug;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep_until};

use super::source::Piece;

/// Learns how far a transfer is.
pub trait Progress: Debug + Send + Sync {
    /// Says that so many bytes of this attempt were handed to the network. Starts again from 0
    /// with each attempt.
    fn sent(&self, total: u64);
}

/// The body of one attempt.
pub(super) struct Upload {
    length: Option<u64>,
    pieces: mpsc::Receiver<Piece>,
    /// What is left of the piece under way.
    rest: Bytes,
    ended: bool,
    sent: u64,
    progress: Arc<dyn Progress>,
    pace: Option<Pace>,
}

impl Upload {
    pub(super) fn new(
        length: Option<u64>,
        pieces: mpsc::Receiver<Piece>,
        limit: Option<NonZeroU64>,
        progress: Arc<dyn Progress>,
    ) -> Self {
        progress.sent(0);
        Self {
            length,
            pieces,
            rest: Bytes::new(),
            ended: false,
            sent: 0,
            progress,
            pace: limit.map(Pace::new),
        }
    }

    /// Waits until there is something to send. A stream may keep silent for long; a request
    /// that was signed and begun before would have grown stale.
    pub(super) async fn begin(&mut self) {
        if let Some(piece) = self.pieces.recv().await {
            self.take(piece);
        }
        if self.ended {
            // Now the length is known. HTTP says nothing at all of a stream that is over before
            // it begins, and OSS refuses a body that is neither chunked nor has a length.
            self.length = Some(0);
        }
    }

    /// Returns how many bytes it will be, if that is known.
    pub(super) fn length(&self) -> Option<u64> {
        self.length
    }

    fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Data(bytes) => self.rest = bytes,
            Piece::End => self.ended = true,
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        while self.rest.is_empty() {
            if self.ended {
                return Poll::Ready(None);
            }
            match ready!(self.pieces.poll_recv(cx)) {
                Some(piece) => self.take(piece),
                None => return Poll::Ready(Some(Err(Broken))),
            }
        }
        let sent = self.sent;
        let most = match &mut self.pace {
            Some(pace) => ready!(pace.poll_allowance(cx, sent)),
            None => usize::MAX,
        };
        let most = most.min(self.rest.len());
        let data = self.rest.split_to(most);
        self.sent += data.len() as u64;
        self.progress.sent(self.sent);
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        (self.ended && self.rest.is_empty()) || self.length == Some(self.sent)
    }

    fn size_hint(&self) -> SizeHint {
        match self.length {
            Some(length) => SizeHint::with_exact(length.saturating_sub(self.sent)),
            None => SizeHint::default(),
        }
    }
}

/// The reading ended before its end. Why is known to whoever started it.
#[derive(Debug, thiserror::Error)]
#[error("the data to send ended early")]
pub(super) struct Broken;

/// Keeps to so many bytes a second, in steps of an eighth of a second.
struct Pace {
    limit: NonZeroU64,
    start: Option<Instant>,
    pause: Pin<Box<Sleep>>,
}

impl Pace {
    fn new(limit: NonZeroU64) -> Self {
        Self {
            limit,
            start: None,
            pause: Box::pin(sleep_until(Instant::now())),
        }
    }

    /// Waits until the bytes sent so far are due; returns how many may follow.
    fn poll_allowance(&mut self, cx: &mut Context<'_>, sent: u64) -> Poll<usize> {
        let start = *self.start.get_or_insert_with(Instant::now);
        let limit = self.limit.get();
        let part = Duration::from_nanos(sent % limit * 1_000_000_000 / limit);
        let due = start + Duration::from_secs(sent / limit) + part;
        if Instant::now() < due {
            if self.pause.deadline() != due {
                self.pause.as_mut().reset(due);
            }
            ready!(self.pause.as_mut().poll(cx));
        }
        Poll::Ready(usize::try_from(limit / 8).unwrap_or(usize::MAX).max(1))
    }
}
