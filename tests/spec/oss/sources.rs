//! What can be sent, and that it is never sent other than it is.

use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use stsctl::http::{Body, HttpError, HttpErrorKind, Transport};
use stsctl::model::ClockSkew;
use stsctl::oss::{PutObject, PutOptions};
use stsctl::transfer::{Error, MAX_SIZE, Progress, Settings, Source, SourceError};

use super::fake::{Fake, Unwatched, chunk, client_at, file, ok, put, session, stored, stream};

fn path_of(source: &Source) -> PathBuf {
    match source {
        Source::File(path) => path.clone(),
        Source::Reader(_) => unreachable!(),
    }
}

/// The failure of a source, for which nothing was to be sent.
async fn refused(source: Source) -> SourceError {
    let fake = Fake::new([]);
    match put(&fake, source, &PutOptions::default()).await.outcome {
        Err(Error::Source(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// Puts through any transport.
async fn put_through(
    transport: Arc<dyn Transport>,
    source: Source,
    progress: Arc<dyn Progress>,
) -> Result<stsctl::transfer::Put, Error<std::convert::Infallible>> {
    stsctl::transfer::put(
        &client_at(transport, "http://127.0.0.1:8080"),
        &PutObject {
            bucket: &"demo-bucket".parse().unwrap(),
            key: &"k".parse().unwrap(),
            options: &PutOptions::default(),
        },
        source,
        async |_| Ok((session(), ClockSkew::ZERO)),
        &Settings::default(),
        progress,
    )
    .await
}

#[tokio::test]
async fn sources_that_cannot_be_sent_are_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    let error = refused(Source::File(missing.clone())).await;
    assert_eq!(
        error.to_string(),
        format!("`{}` does not exist", missing.display())
    );
    assert!(matches!(error, SourceError::Missing(_)));

    let error = refused(Source::File(dir.path().to_owned())).await;
    assert!(matches!(error, SourceError::Directory(_)), "{error:?}");

    let huge = dir.path().join("huge");
    let file = fs_err::File::create(&huge).unwrap();
    file.set_len(MAX_SIZE + 1).unwrap();
    let error = refused(Source::File(huge)).await;
    assert!(matches!(error, SourceError::TooLarge(_)), "{error:?}");
}

#[tokio::test]
async fn files_of_all_sizes_arrive_as_they_are() {
    for size in [0, 1, (256 << 10) - 1, 256 << 10, (256 << 10) + 1, 3 << 20] {
        let data = chunk(size);
        for source in [file(&data), file(&data)] {
            let fake = Fake::new([stored()]);
            let (dir, source) = source;
            let done = put(&fake, source, &PutOptions::default())
                .await
                .outcome
                .unwrap();
            assert_eq!((done.size, done.crc64_checked), (size as u64, true));
            assert_eq!(
                fake.seen()[0].header("content-length"),
                Some(&*size.to_string())
            );
            drop(dir);
        }
        let fake = Fake::new([stored()]);
        let reader = Source::Reader(Box::new(Trickle(data.clone().into())));
        let done = put(&fake, reader, &PutOptions::default())
            .await
            .outcome
            .unwrap();
        assert_eq!(done.size, size as u64);
        let seen = fake.seen();
        // Only of a stream that has ended before it is sent is the length known.
        let length = (size == 0).then_some("0");
        assert_eq!(seen[0].header("content-length"), length);
        assert!(seen[0].body == data);
    }
}

/// A reader that gives what it has in odd pieces, with interruptions.
struct Trickle(std::collections::VecDeque<u8>);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.len() % 3 == 1 && buffer.len() > 1000 {
            self.0.make_contiguous();
            let n = self.0.read(&mut buffer[..1])?;
            return Ok(n);
        }
        let most = buffer.len().min(70_001);
        self.0.read(&mut buffer[..most])
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_named_pipe_is_read_once() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    let writer = pipe.clone();
    let writer = std::thread::spawn(move || {
        fs_err::OpenOptions::new()
            .write(true)
            .open(writer)
            .unwrap()
            .write_all(b"hello")
            .unwrap();
    });
    let fake = Fake::new([stored()]);
    let done = put(&fake, Source::File(pipe), &PutOptions::default())
        .await
        .outcome
        .unwrap();
    assert_eq!((done.size, done.crc64), (5, 11_177_612_005_948_864_433));
    writer.join().unwrap();
}

#[tokio::test]
async fn a_reader_that_fails_stores_nothing() {
    struct Failing(usize);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 = self
                .0
                .checked_sub(1)
                .ok_or_else(|| io::Error::other("torn"))?;
            buffer.fill(1);
            Ok(buffer.len())
        }
    }
    for reads in [0, 1, 20] {
        let fake = Fake::new([stored()]);
        let source = Source::Reader(Box::new(Failing(reads)));
        let error = put(&fake, source, &PutOptions::default())
            .await
            .outcome
            .unwrap_err();
        assert!(
            matches!(error, Error::Source(SourceError::Io { .. })),
            "{error:?}"
        );
        assert!(!fake.seen()[0].whole);
    }
}

#[tokio::test]
async fn a_reader_that_panics_stores_nothing() {
    struct Panicking(bool);
    impl Read for Panicking {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert!(!std::mem::replace(&mut self.0, true), "a panic on purpose");
            buffer.fill(1);
            Ok(buffer.len())
        }
    }
    let fake = Fake::new([stored()]);
    let source = Source::Reader(Box::new(Panicking(false)));
    assert!(
        put(&fake, source, &PutOptions::default())
            .await
            .outcome
            .is_err()
    );
    assert!(!fake.seen()[0].whole);
}

/// Does something to the file once the first bytes have arrived, then reads on.
struct Meddler<F>(F, AtomicUsize);

impl<F> std::fmt::Debug for Meddler<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meddler")
    }
}

impl<F: Fn() + Send + Sync> Transport for Meddler<F> {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        async move {
            let mut body = request.into_body();
            let mut count = 0;
            while let Some(chunk) = body.next_chunk().await {
                let chunk = chunk.map_err(|error| {
                    HttpError::new(HttpErrorKind::BodySource, "meddler").caused_by(error)
                })?;
                if count == 0 {
                    (self.0)();
                }
                count += chunk.len();
            }
            self.1.store(count, Ordering::SeqCst);
            Ok(ok(None))
        }
        .boxed()
    }
}

/// What comes of a file of 8 MiB that is meddled with under way.
async fn meddled(meddle: impl Fn(&PathBuf) + Send + Sync + 'static) {
    let (_dir, source) = file(&vec![1; 8 << 20]);
    let path = path_of(&source);
    let transport = Arc::new(Meddler(move || meddle(&path), AtomicUsize::new(0)));
    let error = put_through(transport.clone(), source, Arc::new(Unwatched))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Source(SourceError::Changed(_))),
        "{error:?}"
    );
    assert!(error.to_string().ends_with("changed while it was read"));
    assert_eq!(
        transport.1.load(Ordering::SeqCst),
        0,
        "the request was completed"
    );
}

fn writable(path: &PathBuf) -> fs_err::File {
    fs_err::OpenOptions::new().append(true).open(path).unwrap()
}

#[tokio::test]
async fn a_file_that_shrinks_is_not_stored() {
    meddled(|path| {
        fs_err::OpenOptions::new()
            .write(true)
            .open(path)
            .unwrap()
            .set_len(1 << 20)
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_file_that_grows_is_not_stored() {
    meddled(|path| writable(path).write_all(b"more").unwrap()).await;
}

#[tokio::test]
async fn a_file_that_is_written_to_is_not_stored() {
    meddled(|path| {
        let mut file = fs_err::OpenOptions::new().write(true).open(path).unwrap();
        file.write_all(b"other").unwrap();
        let later = std::time::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000);
        file.into_parts().0.set_modified(later).unwrap();
    })
    .await;
}

/// Counts what was read and what was taken, and how far they were ever apart.
#[derive(Debug, Default)]
struct Gap {
    read: AtomicUsize,
    taken: AtomicUsize,
    widest: AtomicUsize,
}

struct Counted(Arc<Gap>, usize);

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = buffer.len().min(self.1);
        self.1 -= size;
        let read = self.0.read.fetch_add(size, Ordering::SeqCst) + size;
        let taken = self.0.taken.load(Ordering::SeqCst);
        self.0.widest.fetch_max(read - taken, Ordering::SeqCst);
        Ok(size)
    }
}

#[derive(Debug)]
struct Slow(Arc<Gap>);

impl Transport for Slow {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        async move {
            let mut body = request.into_body();
            while let Some(chunk) = body.next_chunk().await {
                self.0
                    .taken
                    .fetch_add(chunk.unwrap().len(), Ordering::SeqCst);
                // Gives the reader every chance to run ahead.
                std::thread::yield_now();
                tokio::task::yield_now().await;
            }
            Ok(ok(None))
        }
        .boxed()
    }
}

#[tokio::test]
async fn only_a_few_chunks_are_read_ahead() {
    let gap = Arc::new(Gap::default());
    let size = 64 << 20;
    let source = Source::Reader(Box::new(Counted(gap.clone(), size)));
    put_through(Arc::new(Slow(gap.clone())), source, Arc::new(Unwatched))
        .await
        .unwrap();
    assert_eq!(gap.taken.load(Ordering::SeqCst), size);
    // Four wait, one is in the reader's hand, one in the sender's.
    let widest = gap.widest.load(Ordering::SeqCst);
    assert!(widest <= 7 * (256 << 10), "{widest}");
}

#[derive(Debug)]
struct Unread;

impl Transport for Unread {
    fn send(&self, _request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, HttpError>> {
        async { Ok(ok(None)) }.boxed()
    }
}

#[tokio::test]
async fn an_answer_before_the_data_is_no_success() {
    let (_dir, source) = file(&vec![1; 8 << 20]);
    let error = put_through(Arc::new(Unread), source, Arc::new(Unwatched))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unread), "{error:?}");
}

/// A reader that tells when its thread lets go of it.
struct Endless(
    #[expect(dead_code, reason = "dropped with the reader")] std::sync::mpsc::Sender<()>,
);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(1);
        Ok(buffer.len())
    }
}

#[tokio::test]
async fn the_reading_ends_with_the_request() {
    let (alive, ended) = std::sync::mpsc::channel();
    let source = Source::Reader(Box::new(Endless(alive)));
    let error = put_through(Arc::new(Unread), source, Arc::new(Unwatched))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unread), "{error:?}");
    let end = ended.recv_timeout(std::time::Duration::from_secs(60));
    assert_eq!(end, Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
}

#[derive(Debug, Default)]
struct Watched(std::sync::Mutex<Vec<u64>>);

impl Progress for Watched {
    fn sent(&self, total: u64) {
        self.0.lock().unwrap().push(total);
    }
}

#[tokio::test]
async fn progress_is_told() {
    let watched = Arc::new(Watched::default());
    let (_dir, source) = file(&vec![1; 600 << 10]);
    put_through(Fake::new([stored()]), source, watched.clone())
        .await
        .unwrap();
    let kib: Vec<_> = watched
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|bytes| bytes >> 10)
        .collect();
    assert_eq!(kib, [0, 256, 512, 600]);
}

#[tokio::test]
async fn a_stream_of_nothing_is_an_empty_object() {
    let fake = Fake::new([stored()]);
    let done = put(&fake, stream(b""), &PutOptions::default())
        .await
        .outcome
        .unwrap();
    assert_eq!((done.size, done.crc64), (0, 0));
    assert!(fake.seen()[0].whole);
}
