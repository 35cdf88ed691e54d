//! The terminal: data to stdout, everything else to stderr. The one place that prints, so that
//! `--quiet`, colour and the rule that stdout holds only what a command promises live here. Must
//! not know what the texts mean.

use std::io::{self, IsTerminal, Write};

/// When messages are coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set; everywhere if `CLICOLOR_FORCE` is.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How an error is written on stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ErrorFormat {
    /// For a person.
    #[default]
    Human,
    /// One JSON object on one line.
    Json,
}

/// Writes to the terminal as the global options ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ui {
    quiet: bool,
    colored: bool,
}

impl Ui {
    /// Settles once whether messages are shown and coloured.
    pub(crate) fn new(quiet: bool, color: Color, no_color: bool, force_color: bool) -> Self {
        let colored = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => force_color || (!no_color && io::stderr().is_terminal()),
        };
        Self { quiet, colored }
    }

    /// Writes data to stdout in one piece and flushes it.
    #[expect(
        clippy::unused_self,
        reason = "whatever is printed goes through the terminal's value"
    )]
    pub(crate) fn data(self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    /// Says what happened, unless `--quiet`.
    pub(crate) fn status(self, text: &str) {
        if !self.quiet {
            self.line("", "", text);
        }
    }

    /// Warns; `--quiet` does not silence it.
    pub(crate) fn warning(self, text: &str) {
        self.line("\x1b[1;33m", "warning: ", text);
    }

    /// Gives advice, unless `--quiet`.
    pub(crate) fn hint(self, text: &str) {
        if !self.quiet {
            self.line("\x1b[1;36m", "hint: ", text);
        }
    }

    /// Writes an error's own line.
    pub(crate) fn error(self, text: &str) {
        self.line("\x1b[1;31m", "error: ", text);
    }

    /// Writes a line as it is, whatever the options.
    pub(crate) fn plain(self, text: &str) {
        self.line("", "", text);
    }

    /// Tells whether messages are coloured.
    pub(crate) fn is_colored(self) -> bool {
        self.colored
    }

    /// Tells whether a person watches stderr, so that progress may be drawn.
    pub(crate) fn is_watched(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Nothing sensible can be done when stderr itself is gone.
    fn line(self, style: &str, label: &str, text: &str) {
        let reset = if self.colored && !style.is_empty() {
            "\x1b[0m"
        } else {
            ""
        };
        let style = if self.colored { style } else { "" };
        let _ = writeln!(io::stderr().lock(), "{style}{label}{reset}{text}");
    }
}
