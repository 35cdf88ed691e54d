//! Time limits of an exchange: one limit for the whole, or one for the longest time without a
//! byte moving. Bodies pass through here so that it is seen when they move. Must not know HTTP.
//!
//! reqwest's own read timeout runs from the start of the request, so a long upload would always
//! meet it; hence this.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::failure::diagnose;
use crate::http::{Body, BodyError, HttpError, HttpErrorKind, Patience};

/// What is known of one exchange.
#[derive(Debug)]
pub(super) struct Watch {
    limit: Limit,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    At(Instant),
    Idle(Duration),
}

#[derive(Debug)]
struct State {
    /// When a byte last moved, as far as can be seen.
    moved: Instant,
    phase: Phase,
    source_failure: Option<BodyError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Connecting, sending or receiving: silence counts.
    Moving,
    /// Our own source has nothing to send yet: the other side is not to blame.
    Starved,
    /// The whole request was handed to the system, whose buffers hide how far it got.
    Flushing,
}

impl Watch {
    pub(super) fn new(patience: Patience) -> Self {
        let now = Instant::now();
        let limit = match patience {
            // Past what an Instant can hold, it is no limit.
            Patience::Total(limit) => now
                .checked_add(limit)
                .map_or(Limit::Idle(Duration::MAX), Limit::At),
            Patience::Idle(limit) => Limit::Idle(limit),
        };
        Self {
            limit,
            state: Mutex::new(State {
                moved: now,
                phase: Phase::Moving,
                source_failure: None,
            }),
        }
    }

    /// Waits until the limit is passed.
    pub(super) async fn expired(&self) {
        let mut timer = Timer::default();
        std::future::poll_fn(|cx| timer.poll(self, cx)).await;
    }

    /// Returns what our own body failed with, once.
    pub(super) fn take_source_failure(&self) -> Option<BodyError> {
        self.state().source_failure.take()
    }

    /// Returns the instant at which the limit will be passed if nothing moves until then.
    fn due(&self, now: Instant) -> Instant {
        let state = self.state();
        let (since, limit) = match (self.limit, state.phase) {
            (Limit::At(deadline), _) => return deadline,
            (Limit::Idle(limit), Phase::Moving) => (state.moved, limit),
            (Limit::Idle(limit), Phase::Starved) => (now, limit),
            (Limit::Idle(limit), Phase::Flushing) => {
                (state.moved, limit.saturating_mul(FLUSH_FACTOR))
            }
        };
        since.checked_add(limit).unwrap_or(now + FAR)
    }

    fn moved(&self, phase: Phase) {
        let mut state = self.state();
        state.moved = Instant::now();
        state.phase = phase;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's body on its way out.
#[derive(Debug)]
pub(super) struct Sent {
    inner: Body,
    rest: Bytes,
    watch: Arc<Watch>,
}

impl Sent {
    pub(super) fn new(inner: Body, watch: Arc<Watch>) -> Self {
        Self {
            inner,
            rest: Bytes::new(),
            watch,
        }
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = SourceFailed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SourceFailed>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            let polled = Pin::new(&mut this.inner).poll_frame(cx);
            if polled.is_pending() {
                this.watch.moved(Phase::Starved);
            }
            match ready!(polled) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                Some(Err(error)) => {
                    this.watch.state().source_failure = Some(error);
                    return Poll::Ready(Some(Err(SourceFailed)));
                }
                None => {
                    this.watch.moved(Phase::Flushing);
                    return Poll::Ready(None);
                }
            }
        }
        // Small pieces, so that a slow link is seen to move.
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        let phase = if this.is_end_stream() {
            Phase::Flushing
        } else {
            Phase::Moving
        };
        this.watch.moved(phase);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let inner = self.inner.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

/// Stands for a failure of the request's body, which [`Watch`] keeps.
#[derive(Debug, thiserror::Error)]
#[error("the request's body failed")]
pub(super) struct SourceFailed;

/// An answer's body on its way in. Its errors are [`HttpError`]s.
#[derive(Debug)]
pub(super) struct Received {
    inner: reqwest::Body,
    watch: Arc<Watch>,
    timer: Timer,
    waiting: bool,
    authority: String,
}

impl Received {
    pub(super) fn new(inner: reqwest::Body, watch: Arc<Watch>, authority: String) -> Self {
        Self {
            inner,
            watch,
            timer: Timer::default(),
            waiting: false,
            authority,
        }
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = &mut *self;
        let timeout = |authority: &str| {
            let error = HttpError::new(HttpErrorKind::Timeout, authority);
            Poll::Ready(Some(Err(error)))
        };
        if matches!(this.watch.limit, Limit::At(deadline) if deadline <= Instant::now()) {
            return timeout(&this.authority);
        }
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.waiting = false;
                Poll::Ready(frame.map(|frame| {
                    frame.map_err(|error| diagnose(error, &this.authority, &this.watch))
                }))
            }
            Poll::Pending => {
                if !this.waiting {
                    // Until now the reader was busy elsewhere: that is not the peer's silence.
                    this.waiting = true;
                    this.watch.moved(Phase::Moving);
                }
                ready!(this.timer.poll(&this.watch, cx));
                timeout(&this.authority)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Wakes its task when a [`Watch`] is due.
#[derive(Debug, Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    fn poll(&mut self, watch: &Watch, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let now = Instant::now();
            let due = watch.due(now);
            if due <= now {
                return Poll::Ready(());
            }
            let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if sleep.deadline() != due {
                sleep.as_mut().reset(due);
            }
            ready!(sleep.as_mut().poll(cx));
        }
    }
}

/// How much longer silence is borne once the request was handed over: on a slow link, what the
/// system's buffers hold takes its time.
const FLUSH_FACTOR: u32 = 3;

/// The largest piece in which a body is handed over, in bytes.
const PIECE: usize = 64 << 10;

/// As good as never.
const FAR: Duration = Duration::from_secs(86400 * 365);

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::BodyExt;
    use tokio::time::sleep;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);
    const LONG: Duration = Duration::from_secs(60);

    fn idle() -> Arc<Watch> {
        Arc::new(Watch::new(Patience::Idle(LIMIT)))
    }

    /// Three chunks of 10 KB, with a pause before each and before the end.
    fn dripping(pause: Duration) -> Body {
        Body::stream(stream::unfold(0, move |n| async move {
            sleep(pause).await;
            (n < 3).then(|| (Ok::<_, Infallible>(Bytes::from_static(&[7; 10_000])), n + 1))
        }))
    }

    /// Waits for the limit; returns how long that took.
    async fn expiry(watch: &Watch) -> Duration {
        let start = Instant::now();
        watch.expired().await;
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_source_is_not_the_peers_silence() {
        let watch = idle();
        let sent = Sent::new(dripping(LONG), Arc::clone(&watch));
        let whole = tokio::select! {
            whole = sent.collect() => whole.unwrap().to_bytes(),
            () = watch.expired() => panic!("the source was slow, not the peer"),
        };
        assert_eq!(whole.len(), 30_000);
        assert!(whole.iter().all(|&byte| byte == 7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_more() {
        let watch = idle();
        let body = Bytes::from(vec![7; PIECE + 1]);
        let mut sent = Sent::new(body.into(), Arc::clone(&watch));
        sleep(LIMIT / 2).await;
        let frame = sent.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap().len(), PIECE);
        assert_eq!(sent.size_hint().exact(), Some(1));
        assert_eq!(expiry(&watch).await, LIMIT);
        // The rest is handed over: it may be on its way for longer.
        sent.frame().await.unwrap().unwrap();
        assert!(sent.is_end_stream());
        assert_eq!(expiry(&watch).await, LIMIT * FLUSH_FACTOR);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_waited_for_while_it_moves_or_nobody_reads_it() {
        let watch = idle();
        let body = reqwest::Body::wrap(dripping(LIMIT / 2));
        let mut received = Received::new(body, Arc::clone(&watch), String::new());
        received.frame().await.unwrap().unwrap();
        sleep(LONG).await;
        assert_eq!(received.collect().await.unwrap().to_bytes().len(), 20_000);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_falls_silent() {
        let body = reqwest::Body::wrap(dripping(LONG));
        let mut received = Received::new(body, idle(), "h".to_owned());
        sleep(LONG).await;
        let start = Instant::now();
        let error = received.frame().await.unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), start.elapsed()),
            (HttpErrorKind::Timeout, LIMIT)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_total_limit_runs_whatever_moves() {
        let watch = Arc::new(Watch::new(Patience::Total(LIMIT)));
        let sent = Sent::new(dripping(LIMIT / 4), Arc::clone(&watch));
        sent.collect().await.unwrap();
        assert_eq!(expiry(&watch).await, Duration::ZERO);
        let body = reqwest::Body::from("there");
        let mut received = Received::new(body, watch, String::new());
        let error = received.frame().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Timeout);
        // What no clock can reach is no limit.
        Watch::new(Patience::Total(Duration::MAX)).due(Instant::now());
        Watch::new(Patience::Idle(Duration::MAX)).due(Instant::now());
    }
}
