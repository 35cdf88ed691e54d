//! The memory of one reading: a few buffers that come back when what was sent of them is dropped.
//! They stay in the processor's cache and are faulted in once, which halves the cost of reading.
//! Must not know what is read.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{Receiver, Sender, channel};

use bytes::Bytes;

/// Buffers of one size, made when none has come back.
pub(super) struct Buffers {
    size: usize,
    home: Sender<Vec<u8>>,
    back: Receiver<Vec<u8>>,
}

impl Buffers {
    /// Of `size` bytes each.
    pub(super) fn new(size: usize) -> Self {
        let (home, back) = channel();
        Self { size, home, back }
    }

    /// Reads once, as much as comes; nothing at the end.
    pub(super) fn read(&self, reader: &mut impl Read) -> io::Result<Bytes> {
        self.fill(|bytes| read(reader, bytes))
    }

    /// Reads until there are `most` bytes, or a buffer full, or no more.
    pub(super) fn read_all(&self, reader: &mut impl Read, most: u64) -> io::Result<Bytes> {
        self.fill(|bytes| {
            let most = usize::try_from(most)
                .unwrap_or(bytes.len())
                .min(bytes.len());
            let mut filled = 0;
            while filled < most {
                match read(reader, &mut bytes[filled..most])? {
                    0 => break,
                    more => filled += more,
                }
            }
            Ok(filled)
        })
    }

    fn fill(&self, fill: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<Bytes> {
        let bytes = self.back.try_recv();
        let mut lent = Lent {
            bytes: bytes.unwrap_or_else(|_| vec![0; self.size]),
            home: self.home.clone(),
        };
        let filled = fill(&mut lent.bytes)?;
        Ok(Bytes::from_owner(lent).slice(..filled))
    }
}

/// A buffer on its way.
struct Lent {
    bytes: Vec<u8>,
    home: Sender<Vec<u8>>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // Nobody is there to take it back once the reading is over.
        let _ = self.home.send(std::mem::take(&mut self.bytes));
    }
}

/// Reads once, signals aside.
fn read(reader: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_last_reader_is_done() {
        let buffers = Buffers::new(4);
        let mut reader = &b"abcdefghij"[..];
        let first = buffers.read_all(&mut reader, 9).unwrap();
        let part = first.slice(1..2);
        let place = first.as_ptr();
        drop(first);
        let second = buffers.read(&mut reader).unwrap();
        assert_eq!((&part[..], &second[..]), (&b"b"[..], &b"efgh"[..]));
        assert_ne!(second.as_ptr(), place);
        drop(part);
        let third = buffers.read_all(&mut reader, 9).unwrap();
        assert_eq!((&third[..], third.as_ptr()), (&b"ij"[..], place));
        assert!(buffers.read(&mut reader).unwrap().is_empty());
        assert!(buffers.read_all(&mut &b"x"[..], 0).unwrap().is_empty());
    }

    #[test]
    fn a_short_reader_is_read_to_the_end() {
        let mut reader = (&b"ab"[..]).chain(&b"cd"[..]);
        let all = Buffers::new(4).read_all(&mut reader, 4).unwrap();
        assert_eq!(&all[..], b"abcd");
    }
}
