//! Moves files to OSS: reads them beside the sending, in constant memory, checks what arrived,
//! and repeats what may be repeated. Must not know the command line, nor where credentials come
//! from: they are asked for before each attempt.

mod buffers;
mod error;
mod put;
mod source;
mod upload;

pub use error::{Error, SourceError};
pub use put::{Need, Put, Settings, put};
pub use source::{MAX_SIZE, Source};
pub use upload::Progress;
