//! What happens on the way to a session that a person may want to hear. Must not know how it is
//! said.

use chrono::TimeDelta;

use super::Error;
use crate::cache::{self, Holder};

/// Something that does not stop the work.
#[derive(Debug)]
pub enum Notice<'a> {
    /// The cache, or one entry of it, is not used; the error says why and how to mend it.
    CacheUnusable(&'a cache::Error),
    /// A refresh failed; the session that is still valid is handed out.
    RefreshFailed {
        /// Why.
        error: &'a Error,
        /// How long the session still lasts.
        left: TimeDelta,
    },
    /// Another process is refreshing the session.
    Waiting {
        /// Who, if it could be read.
        holder: Option<&'a Holder>,
    },
}
