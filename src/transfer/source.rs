//! What is sent: a regular file, which can be read again, or a stream, which cannot. A thread of
//! its own reads and checksums it, a few chunks ahead of the network. Must not know HTTP.

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::SourceError;
use super::buffers::Buffers;
use crate::oss::crc64::Crc64;

/// Where the data comes from.
pub enum Source {
    /// A path. A regular file can be read again for another attempt; anything else that can be
    /// read, such as a named pipe, only once.
    File(PathBuf),
    /// A stream such as standard input. It is read once.
    Reader(Box<dyn Read + Send>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Reader(_) => f.write_str("Reader"),
        }
    }
}

/// The most bytes that one PutObject takes: 5 GiB.
pub const MAX_SIZE: u64 = 5 << 30;

/// A source that has been looked at and can be read.
pub(super) enum Readable {
    /// As often as it stays what it was.
    Again(Snapshot),
    /// One time more.
    Once {
        path: PathBuf,
        reader: Option<Box<dyn Read + Send>>,
    },
    /// No more.
    Spent,
}

/// A regular file, and what must not change while it is read.
#[derive(Clone)]
pub(super) struct Snapshot {
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
}

/// How much was read, and its checksum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Total {
    pub(super) size: u64,
    pub(super) crc64: u64,
}

/// One reading, under way on its thread. The thread ends when this is dropped, as soon as the
/// read that it is in returns.
pub(super) struct Reading {
    /// The size in bytes, if it is known beforehand.
    pub(super) length: Option<u64>,
    /// The pieces, in order.
    pub(super) pieces: mpsc::Receiver<Piece>,
    /// How it ended. Known before the last piece is handed out.
    pub(super) outcome: oneshot::Receiver<Result<Total, SourceError>>,
}

/// What comes out of a reading. A channel that closes without [`Piece::End`] broke.
pub(super) enum Piece {
    Data(Bytes),
    End,
}

impl Readable {
    /// Looks at the source without waiting for data.
    pub(super) fn new(source: Source) -> Result<Self, SourceError> {
        let path = match source {
            Source::File(path) => path,
            Source::Reader(reader) => {
                return Ok(Self::Once {
                    path: PathBuf::from("-"),
                    reader: Some(reader),
                });
            }
        };
        let metadata = match fs_err::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => return Err(unreadable(&path, error)),
        };
        if metadata.is_dir() {
            return Err(SourceError::Directory(path));
        }
        if !metadata.is_file() {
            return Ok(Self::Once { path, reader: None });
        }
        if metadata.len() > MAX_SIZE {
            return Err(SourceError::TooLarge(path));
        }
        Ok(Self::Again(Snapshot {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            path,
        }))
    }

    /// Tells whether it can be read after it was read.
    pub(super) fn is_repeatable(&self) -> bool {
        matches!(self, Self::Again(_))
    }

    /// Starts to read.
    ///
    /// # Errors
    /// [`SourceError::Spent`] if it was read before and cannot be again.
    pub(super) fn read(&mut self) -> Result<Reading, SourceError> {
        match self {
            Self::Again(snapshot) => {
                let file = open(&snapshot.path)?;
                snapshot.check(&file)?;
                let snapshot = snapshot.clone();
                let path = snapshot.path.clone();
                Reading::start(&path, Some(snapshot.length), move |pieces| {
                    snapshot.read(file, pieces)
                })
            }
            Self::Once { path, reader } => {
                let (path, reader) = (std::mem::take(path), reader.take());
                *self = Self::Spent;
                let name = path.clone();
                Reading::start(&name, None, move |pieces| match reader {
                    Some(reader) => read_once(&path, reader, MAX_SIZE, pieces),
                    // Opening a named pipe waits for its writer: for the thread to do.
                    None => read_once(&path, open(&path)?, MAX_SIZE, pieces),
                })
            }
            Self::Spent => Err(SourceError::Spent),
        }
    }
}

impl Snapshot {
    /// Tells an error unless the open file is as it was.
    fn check(&self, file: &fs_err::File) -> Result<(), SourceError> {
        let now = file
            .metadata()
            .map_err(|error| unreadable(&self.path, error))?;
        if now.len() == self.length && now.modified().ok() == self.modified {
            Ok(())
        } else {
            Err(SourceError::Changed(self.path.clone()))
        }
    }

    /// Reads exactly the length that was announced. The last piece is held back until the file
    /// is known to have ended there unchanged: without it the request is never complete, so that
    /// nothing is stored of a file that changed.
    fn read(&self, mut file: fs_err::File, pieces: &Pieces) -> Result<(Total, Bytes), Stop> {
        let buffers = Buffers::new(CHUNK);
        let mut crc = Crc64::new();
        let mut left = self.length;
        loop {
            let piece = buffers
                .read_all(&mut file, left)
                .map_err(|error| unreadable(&self.path, error))?;
            if piece.is_empty() && left > 0 {
                return Err(SourceError::Changed(self.path.clone()).into());
            }
            crc.update(&piece);
            left -= piece.len() as u64;
            if left > 0 {
                pieces.send(piece)?;
                continue;
            }
            let beyond = buffers
                .read(&mut file)
                .map_err(|error| unreadable(&self.path, error))?;
            if !beyond.is_empty() {
                return Err(SourceError::Changed(self.path.clone()).into());
            }
            self.check(&file)?;
            let total = Total {
                size: self.length,
                crc64: crc.value(),
            };
            return Ok((total, piece));
        }
    }
}

impl Reading {
    /// Starts the thread. `read` hands pieces out and returns the total and the last piece.
    fn start(
        path: &Path,
        length: Option<u64>,
        read: impl FnOnce(&Pieces) -> Result<(Total, Bytes), Stop> + Send + 'static,
    ) -> Result<Self, SourceError> {
        let (sender, pieces) = mpsc::channel(AHEAD);
        let (tell, outcome) = oneshot::channel();
        let work = move || {
            let pieces = Pieces(sender);
            match read(&pieces) {
                Ok((total, last)) => {
                    let _ = tell.send(Ok(total));
                    let _ = pieces.send(last).and_then(|()| pieces.end());
                }
                Err(Stop::Failed(error)) => {
                    let _ = tell.send(Err(error));
                }
                Err(Stop::Unwanted) => {}
            }
        };
        std::thread::Builder::new()
            .name("read".to_owned())
            .spawn(work)
            .map_err(|error| unreadable(path, error))?;
        Ok(Self {
            length,
            pieces,
            outcome,
        })
    }

    /// Reads to the end without sending.
    pub(super) async fn drain(mut self) -> Option<Result<Total, SourceError>> {
        while self.pieces.recv().await.is_some() {}
        self.outcome.await.ok()
    }
}

/// The thread's end of the channel.
struct Pieces(mpsc::Sender<Piece>);

impl Pieces {
    /// Hands a piece out, waiting for room.
    fn send(&self, piece: Bytes) -> Result<(), Stop> {
        if piece.is_empty() {
            return Ok(());
        }
        self.0
            .blocking_send(Piece::Data(piece))
            .map_err(|_| Stop::Unwanted)
    }

    fn end(&self) -> Result<(), Stop> {
        self.0.blocking_send(Piece::End).map_err(|_| Stop::Unwanted)
    }
}

/// Why a reading ended early.
enum Stop {
    Failed(SourceError),
    /// Nobody takes its pieces any more.
    Unwanted,
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self::Failed(error)
    }
}

/// Reads a stream to its end, of at most `most` bytes, handing out what there is as it comes.
fn read_once(
    path: &Path,
    mut reader: impl Read,
    most: u64,
    pieces: &Pieces,
) -> Result<(Total, Bytes), Stop> {
    let mut crc = Crc64::new();
    let mut size = 0_u64;
    let buffers = Buffers::new(CHUNK);
    loop {
        let piece = buffers
            .read(&mut reader)
            .map_err(|error| unreadable(path, error))?;
        if piece.is_empty() {
            let crc64 = crc.value();
            return Ok((Total { size, crc64 }, Bytes::new()));
        }
        crc.update(&piece);
        size += piece.len() as u64;
        if size > most {
            return Err(SourceError::TooLarge(path.to_owned()).into());
        }
        pieces.send(piece)?;
    }
}

fn open(path: &Path) -> Result<fs_err::File, SourceError> {
    fs_err::File::open(path).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, source: io::Error) -> SourceError {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::NotFound => SourceError::Missing(path),
        ErrorKind::IsADirectory => SourceError::Directory(path),
        _ => SourceError::Io { path, source },
    }
}

/// How many bytes are read and handed over at once.
const CHUNK: usize = 256 << 10;

/// How many chunks may wait for the network.
const AHEAD: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stream_is_cut_past_the_limit() {
        for (most, fits) in [(1 << 20, true), ((1 << 20) - 1, false)] {
            let path = Path::new("-");
            let reader = io::repeat(1).take(1 << 20);
            let reading = Reading::start(path, None, move |pieces| {
                read_once(Path::new("-"), reader, most, pieces)
            });
            match reading.unwrap().drain().await.unwrap() {
                Ok(total) => assert!(fits && total.size == 1 << 20),
                Err(error) => {
                    assert!(
                        !fits && matches!(error, SourceError::TooLarge(_)),
                        "{error:?}"
                    );
                }
            }
        }
    }
}
