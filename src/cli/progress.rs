//! How far a command is, on stderr.

use std::cell::Cell;
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Where no terminal shows a bar, a line is written this often.
const PAUSE: Duration = Duration::from_secs(5);

/// A bar on a terminal, seldom a line elsewhere.
pub(super) struct Progress {
    /// "checked", as in "checked 500 lines".
    verb: &'static str,
    noun: &'static str,
    total: Option<usize>,
    bar: Option<ProgressBar>,
    /// When the last line was written.
    told: Cell<Instant>,
}

impl Progress {
    /// Begins at none of `total`, where that is known.
    pub(super) fn of(verb: &'static str, noun: &'static str, total: Option<usize>) -> Self {
        let bar = stderr().is_terminal().then(|| bar(verb, noun, total));
        Self { verb, noun, total, bar, told: Cell::new(Instant::now()) }
    }

    /// So many are done.
    pub(super) fn at(&self, done: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
        } else if self.told.get().elapsed() >= PAUSE {
            self.told.set(Instant::now());
            let (verb, noun) = (self.verb, self.noun);
            let of = self.total.map(|total| format!(" of {total}")).unwrap_or_default();
            // Where nobody reads, nothing is left to be done.
            let _unread = writeln!(stderr(), "{verb} {done}{of} {noun}");
        }
    }

    /// Takes the bar away.
    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(verb: &str, noun: &str, total: Option<usize>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total as u64),
            format!("{verb} {{pos}} of {{len}} {noun} {{wide_bar}} {{eta}}"),
        ),
        None => (ProgressBar::no_length(), format!("{verb} {{pos}} {noun}")),
    };
    match ProgressStyle::with_template(&template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
