//! How and what to log.

#![expect(clippy::doc_markdown, reason = "these comments are what `--help` prints, to people")]

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use clap::Args;
use tracing_subscriber::EnvFilter;

use super::faults::{Faults, given};

/// What is logged where `RUST_LOG` is not set.
const DEFAULT_FILTER: &str = "info,actix_server=warn";

/// What the command line and the environment say about logs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs")]
pub struct LogArgs {
    /// `pretty` or `json` [default: json in production, pretty otherwise]
    #[arg(long, env = "LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<String>,
    /// What to log, as tracing's filter directives: `debug`, `symbolon=debug,info` [default: info,actix_server=warn]
    #[arg(long, env = "RUST_LOG", value_name = "FILTER")]
    rust_log: Option<String>,
}

impl LogArgs {
    /// Checks these settings.
    pub fn check(&self, faults: &mut Faults) {
        if let Err(problem) = self.filter() {
            faults.note("RUST_LOG", problem);
        }
        if let Some(other) = given(self.log_format.as_deref())
            && !matches!(other, "json" | "pretty")
        {
            faults.note("LOG_FORMAT", format_args!("`{other}` is neither pretty nor json"));
        }
    }

    fn filter(&self) -> Result<EnvFilter, String> {
        let directives = given(self.rust_log.as_deref()).unwrap_or(DEFAULT_FILTER);
        EnvFilter::try_new(directives).map_err(|error| error.to_string())
    }

    /// Starts logging to stderr. JSON output escapes control characters, pretty output does too.
    pub fn start(&self, in_production: bool) {
        let filter = self.filter().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
        let json = given(self.log_format.as_deref()).map_or(in_production, |f| f == "json");
        let builder = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal());
        // A second start in one process (a test) keeps the first.
        let _already_started =
            if json { builder.json().flatten_event(true).try_init() } else { builder.try_init() };
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// Logs a panic like everything else: whoever collects JSON gets no loose lines.
fn log_panic(panic: &PanicHookInfo) {
    let payload = panic.payload();
    let formatted = payload.downcast_ref::<String>().map(String::as_str);
    let message = formatted.or(payload.downcast_ref::<&str>().copied()).unwrap_or_default();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(place, %backtrace, "panicked: {message}");
    } else {
        tracing::error!(place, "panicked: {message}");
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_a_line_like_all_others() {
        let buffer = Buffer::default();
        let to = buffer.clone();
        let log = tracing_subscriber::fmt().json().with_writer(move || to.clone()).finish();
        tracing::subscriber::with_default(log, || {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(log_panic));
            let panicked = std::panic::catch_unwind(|| panic!("one\ntwo"));
            std::panic::set_hook(before);
            assert!(panicked.is_err());
        });
        let written = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
        assert_eq!(written.lines().count(), 1, "{written}");
        let line: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(line["fields"]["message"], "panicked: one\ntwo");
        assert!(line["fields"]["place"].as_str().unwrap().contains("logs.rs"), "{written}");
    }
}
