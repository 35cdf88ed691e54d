//! The progress line of a transfer: on a terminal, and only once the transfer has taken a second.
//! Must not know what is transferred.

use std::sync::Mutex;
use std::time::Duration;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
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
    /// Always.
    Always,
}

/// A transfer that takes less than this shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// A progress line on stderr, or nothing.
#[derive(Debug)]
pub(super) struct Line {
    wanted: bool,
    total: Option<u64>,
    started: Instant,
    bar: Mutex<Option<ProgressBar>>,
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
            total,
            started: Instant::now(),
            bar: Mutex::new(None),
        }
    }

    /// Removes the line from the terminal.
    pub(super) fn finish(&self) {
        if let Ok(bar) = self.bar.lock()
            && let Some(bar) = bar.as_ref()
        {
            bar.finish_and_clear();
        }
    }

    fn draw(&self) -> ProgressBar {
        let (bar, template) = match self.total {
            Some(total) => (
                ProgressBar::new(total),
                "{bytes} of {total_bytes} [{bar:30}] {bytes_per_sec}, {eta} left",
            ),
            None => (ProgressBar::no_length(), "{bytes} {bytes_per_sec}"),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar
    }
}

impl Progress for Line {
    fn sent(&self, so_far: u64) {
        if !self.wanted || self.started.elapsed() < PATIENCE {
            return;
        }
        if let Ok(mut bar) = self.bar.lock() {
            bar.get_or_insert_with(|| self.draw()).set_position(so_far);
        }
    }
}
