//! Sorts what reqwest, hyper, rustls and the system report into [`HttpErrorKind`]s, by type and
//! never by text. Must not let a URL through.

use std::error::Error as StdError;
use std::{fmt, io};

use super::watch::Watch;
use crate::http::{HttpError, HttpErrorKind};

/// Makes an [`HttpError`] of a failed exchange.
pub(super) fn diagnose(error: reqwest::Error, authority: &str, watch: &Watch) -> HttpError {
    if let Some(source) = watch.take_source_failure() {
        return HttpError::new(HttpErrorKind::BodySource, authority).caused_by(source);
    }
    let error = error.without_url();
    let kind = if error.is_builder() {
        HttpErrorKind::Request
    } else if error.is_dns() {
        HttpErrorKind::Resolve
    } else if error.is_connect() {
        if causes(&error).any(<dyn StdError>::is::<rustls::Error>) {
            HttpErrorKind::Tls
        } else {
            HttpErrorKind::Connect
        }
    } else if error.is_timeout() {
        HttpErrorKind::Timeout
    } else {
        HttpErrorKind::Interrupted
    };
    HttpError::new(kind, authority).caused_by(Cause::of(&error))
}

/// The innermost cause, as text: the layers between it and the kind say nothing more.
#[derive(Debug)]
pub(super) struct Cause(String);

impl Cause {
    /// Takes a text of ours.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Takes the text of the innermost cause.
    pub(super) fn of(error: &(dyn StdError + 'static)) -> Self {
        let innermost = causes(error).last().unwrap_or(error);
        match innermost.downcast_ref() {
            Some(rustls::Error::InvalidMessage(_)) => Self::new("the other end does not speak TLS"),
            _ => Self(innermost.to_string()),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Cause {}

/// Walks the causes of an error, into `io::Error`s too: `source` passes over what they hold.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| inner(error))
}

fn inner<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    let held = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    held.map(|held| held as _).or_else(|| error.source())
}
