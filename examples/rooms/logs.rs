//! What is logged: where from, where to, and never a token.

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Whose events may be logged at any level.
const OURS: [&str; 2] = ["rooms", "symbolon"];

/// Starts logging to stderr what `directives` let through.
pub fn start(directives: &str) {
    let filter = EnvFilter::new(directives).and(filter_fn(is_safe));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}

/// Whether this can be logged at all. At their finer levels libraries print what they handle: heads of
/// requests, frames. There are tokens in these, so `RUST_LOG` cannot ask for that.
fn is_safe(metadata: &Metadata<'_>) -> bool {
    let origin = metadata.target().split("::").next().unwrap_or_default();
    OURS.contains(&origin) || *metadata.level() <= Level::INFO
}
