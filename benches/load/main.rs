//! What the service does under load, as ratios to a ceiling measured in the same run.
//!
//! `cargo bench --bench load` starts the real binary on a fresh SQLite file and on a fresh, durable
//! PostgreSQL cluster and drives both over loopback, server and client sharing the machine's cores.
//! `-- --seconds 10` measures longer, `-- --only sqlite` one database.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark fails by panicking")]
#![allow(unreachable_pub, reason = "a binary of its own: what is public is so for its modules")]

mod connection;
mod hello;
mod measure;
mod process;
mod scenarios;
mod servers;
mod sign_in;

use std::time::Duration;

use clap::Parser;

use measure::Report;
use servers::{Backend, Postgres};

/// Measures requests per second and latencies of the real server, and compares with a ceiling.
#[derive(Parser)]
struct Options {
    /// Seconds for each measurement
    #[arg(long, default_value = "5")]
    seconds: u64,
    /// `sqlite` or `postgres`: only this database
    #[arg(long)]
    only: Option<String>,
    /// `refresh`, `me`, `login` or `start`: only these measurements, beside the ceiling
    #[arg(long)]
    part: Option<String>,
    /// Serve the ceiling's fixed answer on this address (started by the benchmark itself)
    #[arg(long, hide = true)]
    hello: Option<String>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    if let Some(address) = &options.hello {
        return hello::serve(address);
    }
    let time = Duration::from_secs(options.seconds);
    let wants = |part: &str| options.part.as_deref().is_none_or(|only| only == part);
    let mut report = Report::new(scenarios::ceiling(time));
    let postgres = options.only.as_deref() != Some("sqlite");
    let postgres = postgres.then(Postgres::start);
    let mut backends = Vec::new();
    if options.only.as_deref() != Some("postgres") {
        backends.push(Backend::Sqlite);
    }
    backends.extend(postgres.as_ref().map(|cluster| Backend::Postgres(cluster.url.clone())));
    for backend in backends {
        report.section(&backend.name());
        if wants("start") {
            scenarios::start(&backend, &mut report);
        }
        if wants("me") {
            scenarios::me(&backend, time, &mut report);
        }
        if wants("refresh") {
            scenarios::refresh(&backend, time, &mut report);
        }
        if wants("login") {
            scenarios::login(&backend, time, &mut report);
        }
    }
    println!("\n{report}");
}
