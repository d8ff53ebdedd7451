//! What checking an access token costs another service, and signing it ours, as ratios to a ceiling
//! measured in the same run.
//!
//! `cargo bench --bench verify` measures [`Verifier`](symbolon::verifier::Verifier) and
//! [`Signer`](symbolon::crypto::jwt::Signer) on one thread, beside bare signatures of the same bytes;
//! then a service that greets its callers over loopback, with and without the `Caller` in its
//! handler, checking tokens of the real binary. `-- --seconds 10` measures longer.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark fails by panicking")]
#![allow(unreachable_pub, reason = "a binary of its own: what is public is so for its modules")]

mod bare;
mod issuer;
mod service;
mod single;

#[allow(dead_code, reason = "the load benchmark uses all of it")]
#[path = "../load/connection.rs"]
mod connection;
#[allow(dead_code, reason = "the load benchmark uses all of it")]
#[path = "../load/measure.rs"]
mod measure;
#[allow(dead_code, reason = "the load benchmark uses all of it")]
#[path = "../load/process.rs"]
mod process;
#[allow(dead_code, reason = "the load benchmark uses all of it")]
#[path = "../load/sign_in.rs"]
mod sign_in;

use std::time::Duration;

use clap::Parser;

use issuer::{Algorithm, Issuer, Parts};
use measure::{Report, gets};
use service::Service;
use single::{Table, compare};

/// Connections, as a busy instance has them.
const CONNECTIONS: usize = 64;
/// Sessions that share these connections.
const SESSIONS: usize = 16;

/// Measures what checking and signing access tokens takes, and compares with a ceiling.
#[derive(Parser)]
struct Options {
    /// Seconds for each measurement
    #[arg(long, default_value = "3")]
    seconds: u64,
    /// `one-thread` or `loopback`: only these measurements
    #[arg(long)]
    part: Option<String>,
    #[command(flatten)]
    service: Service,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    if options.service.serves() {
        return;
    }
    let time = Duration::from_secs(options.seconds);
    let wants = |part: &str| options.part.as_deref().is_none_or(|only| only == part);
    let issuers = Algorithm::ALL.map(|algorithm| Issuer::start(algorithm, SESSIONS));
    let single = wants("one-thread").then(|| on_one_thread(&issuers, time));
    let loopback = wants("loopback").then(|| over_loopback(&issuers, time));
    for table in [single.map(|it| it.to_string()), loopback.map(|it| it.to_string())] {
        println!("\n{}", table.unwrap_or_default());
    }
}

/// Checking and signing tokens, each beside the signature alone.
fn on_one_thread(issuers: &[Issuer], time: Duration) -> Table {
    let mut table = Table::new();
    actix_web::rt::System::new().block_on(async {
        for issuer in issuers {
            let token = issuer.tokens[0].as_str();
            let parts = Parts::of(token);
            let verifier = Service::checking(issuer, None).verifier().unwrap();
            let ours = async || drop(verifier.verify(token).await.unwrap());
            let bare = async || issuer.bare.verify(&parts.message, &parts.signature);
            let name = format!("verify {}", issuer.algorithm.name());
            table.add(&name, compare(time, ours, bare).await);
        }
        for issuer in issuers {
            let parts = Parts::of(&issuer.tokens[0]);
            let ours = async || drop(issuer.signer.sign(&parts.claims).unwrap());
            let bare = async || issuer.bare.sign(&parts.message);
            let name = format!("sign {}", issuer.algorithm.name());
            table.add(&name, compare(time, ours, bare).await);
        }
    });
    table
}

/// What a check adds to a request.
fn over_loopback(issuers: &[Issuer], time: Duration) -> Report {
    let open = Service::open().start();
    let hello = vec![b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(); CONNECTIONS];
    let mut report = Report::new(gets(&open.address, hello.clone(), time));
    let unread = gets(&open.address, requests("/", &issuers[0]), time);
    report.add("the same, sent a token that nobody reads", unread);
    for issuer in issuers {
        let service = Service::checking(issuer, None).start();
        let figures = gets(&service.address, requests("/caller", issuer), time);
        report.add(&format!("`Caller`, {}", issuer.algorithm.name()), figures);
    }
    for (keep, name) in [(5, "kept for 5 s"), (0, "for every request")] {
        let service = Service::checking(&issuers[0], Some(keep)).start();
        let figures = gets(&service.address, requests("/caller", &issuers[0]), time);
        report.add(&format!("`Caller`, HS256, introspected {name}"), figures);
    }
    // Where this is far from the ceiling, the machine was busy with something else.
    report.add("hello world, once more", gets(&open.address, hello, time));
    report
}

/// A request for each connection, the sessions dealt out among them.
fn requests(path: &str, issuer: &Issuer) -> Vec<Vec<u8>> {
    let request = |token: &String| {
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n")
            .into_bytes()
    };
    issuer.tokens.iter().cycle().take(CONNECTIONS).map(request).collect()
}
