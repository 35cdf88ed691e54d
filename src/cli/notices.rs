//! What the broker has to tell on the way to a session, in a person's words. Must not know what a
//! notice leads to: the broker has decided that.

use std::sync::Mutex;

use crate::broker::Notice;
use crate::cli::text::{chain, lifetime};
use crate::cli::ui::Ui;

/// Says a broker's notices on stderr, each once.
#[derive(Debug)]
pub(crate) struct Notices {
    ui: Ui,
    said: Mutex<Vec<String>>,
}

impl Notices {
    /// Has said nothing yet.
    pub(crate) fn new(ui: Ui) -> Self {
        Self {
            ui,
            said: Mutex::default(),
        }
    }

    /// Says a notice, unless it has been said.
    pub(crate) fn tell(&self, notice: &Notice<'_>) {
        let text = match notice {
            Notice::CacheUnusable(error) => {
                let mend = error.mend().unwrap_or(
                    "the session cache is not used; --config-dir names another place for it",
                );
                format!("{}; {mend}", chain(error))
            }
            Notice::RefreshFailed { error, left } => format!(
                "the session could not be refreshed and is used for the {} it still lasts: {}",
                lifetime(*left),
                chain(*error)
            ),
            Notice::Waiting { holder } => {
                let who = match holder {
                    Some(holder) => format!("process {}", holder.pid),
                    None => "another process".to_owned(),
                };
                return self
                    .ui
                    .status(&format!("waiting for {who} to refresh the session"));
            }
        };
        // A command may look into the cache several times.
        if let Ok(mut said) = self.said.lock()
            && !said.contains(&text)
        {
            self.ui.warning(&text);
            said.push(text);
        }
    }
}
