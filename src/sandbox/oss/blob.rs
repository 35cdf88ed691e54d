//! An object's bytes: chunks in memory, or a file. Must not know whose bytes they are.
//!
//! Files are read and written without leaving the async thread: the sandbox is a local server, and
//! a chunk to or from the page cache takes less than handing it to another thread.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use tempfile::NamedTempFile;

use super::store::DATA;
use crate::http::Body;
use crate::sandbox::disk;

/// Bytes at rest.
pub(super) enum Blob {
    File(PathBuf),
    Memory(Vec<Bytes>),
}

/// Bytes that are still coming.
pub(super) enum Sink {
    File(NamedTempFile),
    Memory(Vec<Bytes>),
}

impl Sink {
    pub(super) fn in_dir(dir: &Path) -> io::Result<Self> {
        let file = tempfile::Builder::new()
            .prefix(disk::TEMPORARY)
            .tempfile_in(dir)?;
        Ok(Self::File(file))
    }

    pub(super) fn in_memory() -> Self {
        Self::Memory(Vec::new())
    }

    /// Takes the next chunk.
    pub(super) fn write(&mut self, chunk: Bytes) -> io::Result<()> {
        match self {
            Self::File(file) => file.write_all(&chunk),
            Self::Memory(chunks) => {
                chunks.push(chunk);
                Ok(())
            }
        }
    }

    /// Puts the bytes to rest. A file gets its final, random name.
    pub(super) fn finish(self) -> io::Result<Blob> {
        match self {
            Self::File(file) => {
                let dir = file.path().parent().unwrap_or(Path::new("."));
                let path = dir.join(uuid::Uuid::new_v4().simple().to_string());
                let path = path.with_extension(DATA);
                file.persist_noclobber(&path)?;
                Ok(Blob::File(path))
            }
            // A small chunk may be a slice of a large network buffer, which it would keep alive.
            Self::Memory(chunks) if chunks.iter().map(Bytes::len).sum::<usize>() <= SMALL => {
                let mut whole = BytesMut::new();
                for chunk in &chunks {
                    whole.extend_from_slice(chunk);
                }
                Ok(Blob::Memory(vec![whole.freeze()]))
            }
            Self::Memory(chunks) => Ok(Blob::Memory(chunks)),
        }
    }
}

impl Blob {
    /// Returns the file's path, if it is a file.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Memory(_) => None,
        }
    }

    /// Streams some of the bytes.
    pub(super) fn read(&self, range: Range<u64>) -> io::Result<Body> {
        match self {
            Self::File(path) => {
                let mut file = fs_err::File::open(path)?;
                file.seek(SeekFrom::Start(range.start))?;
                let left = file.take(range.end.saturating_sub(range.start));
                Ok(Body::stream(stream::unfold(left, |mut left| async move {
                    let mut chunk = BytesMut::zeroed(CHUNK);
                    match left.read(&mut chunk) {
                        Ok(0) => None,
                        Ok(length) => {
                            chunk.truncate(length);
                            Some((Ok(chunk.freeze()), left))
                        }
                        Err(error) => Some((Err(error), left)),
                    }
                })))
            }
            Self::Memory(chunks) => {
                let mut slices = Vec::new();
                let mut start: u64 = 0;
                for chunk in chunks {
                    let end = start + chunk.len() as u64;
                    let (from, to) = (range.start.max(start), range.end.min(end));
                    if from < to {
                        // Both lie within the chunk, whose length is a usize.
                        let at = |position: u64| usize::try_from(position - start);
                        if let (Ok(from), Ok(to)) = (at(from), at(to)) {
                            slices.push(Ok::<_, io::Error>(chunk.slice(from..to)));
                        }
                    }
                    start = end;
                }
                Ok(Body::stream(stream::iter(slices)))
            }
        }
    }
}

/// How much of a file is read at once.
const CHUNK: usize = 64 << 10;

/// Objects up to this size are kept in one piece.
const SMALL: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(blob: &Blob, range: Range<u64>) -> Bytes {
        blob.read(range)
            .unwrap()
            .collect(1 << 20, "")
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn ranges_cut_across_chunks_and_are_alike_in_memory_and_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let data: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
        let mut sinks = [Sink::in_memory(), Sink::in_dir(dir.path()).unwrap()];
        for chunk in data.chunks(30_011) {
            for sink in &mut sinks {
                sink.write(Bytes::copy_from_slice(chunk)).unwrap();
            }
        }
        for blob in sinks.map(|sink| sink.finish().unwrap()) {
            for (from, to) in [
                (0, 200_000),
                (0, 0),
                (1, 2),
                (30_010, 90_034),
                (199_999, 200_000),
            ] {
                let expected = &data[from..to];
                assert_eq!(
                    read(&blob, from as u64..to as u64).await,
                    expected,
                    "{from}..{to}"
                );
            }
        }
    }
}
