//! How and what to log.

#![expect(clippy::doc_markdown, reason = "these comments are what `--help` prints, to people")]

use std::io::IsTerminal;

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
    }
}
