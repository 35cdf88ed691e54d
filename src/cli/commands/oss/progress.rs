//! The progress line of a transfer: on a terminal, and only once the transfer has taken a second.
//! Written here, not by a library: the one at hand draws in its mathematics library, and loading
//! that costs every start of the program more than the line is worth. Must not know what is
//! transferred.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::Duration;

use clap::ValueEnum;
use tokio::time::Instant;

use crate::cli::ui::Ui;
use crate::transfer::Progress;

/// When the progress of a transfer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// On a terminal.
    Auto,
    /// Never.
    Never,
    /// Always: where there is no terminal, a line a second.
    Always,
}

/// A transfer that takes less than this shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line changes on a terminal.
const TICK: Duration = Duration::from_millis(100);

/// A progress line on stderr, or nothing.
#[derive(Debug)]
pub(super) struct Line {
    wanted: bool,
    on_terminal: bool,
    total: Option<u64>,
    started: Instant,
    drawn: Mutex<Option<Instant>>,
}

impl Line {
    /// A line for a transfer of `total` bytes, if that is known.
    pub(super) fn new(when: When, ui: Ui, total: Option<u64>) -> Self {
        let wanted = match when {
            When::Always => true,
            When::Auto => ui.is_watched(),
            When::Never => false,
        };
        Self {
            wanted,
            on_terminal: io::stderr().is_terminal(),
            total,
            started: Instant::now(),
            drawn: Mutex::default(),
        }
    }

    /// Removes the line from the terminal.
    pub(super) fn finish(&self) {
        let drawn = self.drawn.lock().is_ok_and(|drawn| drawn.is_some());
        if drawn && self.on_terminal {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

impl Progress for Line {
    fn sent(&self, so_far: u64) {
        let elapsed = self.started.elapsed();
        if !self.wanted || elapsed < PATIENCE {
            return;
        }
        let pause = if self.on_terminal { TICK } else { PATIENCE };
        let Ok(mut drawn) = self.drawn.lock() else {
            return;
        };
        if drawn.is_some_and(|last| last.elapsed() < pause) {
            return;
        }
        *drawn = Some(Instant::now());
        let text = describe(so_far, self.total, elapsed);
        // Nothing sensible can be done when stderr itself is gone.
        let _ = if self.on_terminal {
            write!(io::stderr().lock(), "\r{text}\x1b[K")
        } else {
            writeln!(io::stderr().lock(), "{text}")
        };
    }
}

/// Writes `12.3 MiB of 1.0 GiB (1%), 4.1 MiB/s, 4m 10s left`; without a total what is known.
fn describe(so_far: u64, total: Option<u64>, elapsed: Duration) -> String {
    let a_second = u128::from(so_far) * 1000 / elapsed.as_millis().max(1);
    let rate = u64::try_from(a_second).unwrap_or(u64::MAX);
    let of_total = total.filter(|total| *total > 0).map(|total| {
        let percent = u128::from(so_far) * 100 / u128::from(total);
        format!(" of {} ({}%)", size(total), percent.min(100))
    });
    let left = total.and_then(|total| total.saturating_sub(so_far).checked_div(rate));
    let left = left.map(|left| format!(", {}m {}s left", left / 60, left % 60));
    format!(
        "{}{}, {}/s{}",
        size(so_far),
        of_total.unwrap_or_default(),
        size(rate),
        left.unwrap_or_default()
    )
}

/// Writes bytes in the largest unit of which there is one, with a decimal.
fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..0x400 => return format!("{bytes} B"),
        0x400..0x10_0000 => (0x400, "KiB"),
        0x10_0000..0x4000_0000 => (0x10_0000, "MiB"),
        _ => (0x4000_0000, "GiB"),
    };
    format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_how_far_how_fast_and_how_long() {
        let five = Duration::from_secs(5);
        assert_eq!(
            describe(10 << 20, Some(70 << 20), five),
            "10.0 MiB of 70.0 MiB (14%), 2.0 MiB/s, 0m 30s left"
        );
        assert_eq!(describe(1536, None, five), "1.5 KiB, 307 B/s");
        assert_eq!(
            describe(0, Some(5 << 30), five),
            "0 B of 5.0 GiB (0%), 0 B/s"
        );
        assert_eq!(
            describe(9, Some(0), Duration::ZERO),
            "9 B, 8.7 KiB/s, 0m 0s left"
        );
    }
}
