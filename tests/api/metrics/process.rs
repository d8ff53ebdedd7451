//! The listener of the real process.

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::Scraped;
use crate::support::process::{Process, free_port, on};
use crate::support::{Client, Db};

/// Metrics are for operators: never on the public listener.
#[test]
fn metrics_have_a_listener_of_their_own() {
    let (port, db) = (free_port(), Db::sqlite());
    let bind = format!("127.0.0.1:{port}");
    let process = Process::start(&db, free_port(), &[("METRICS_BIND", &bind)]);
    let metrics = Client::of_others(format!("http://{bind}"));
    process.register("ada@example.com");
    process.get("/metrics").send().expect_failure(404, "NOT_FOUND");
    metrics.get("/auth/me").send().expect(404);
    metrics.call("HEAD", "/metrics").send().expect(200);
    metrics.post("/metrics").send().expect(405);
    let started = Instant::now();
    while Scraped::of(&metrics).find("sessions_live").is_none() {
        assert!(started.elapsed() < Duration::from_secs(20), "nobody counts sessions");
        std::thread::sleep(Duration::from_millis(20));
    }
    let scraped = Scraped::of(&metrics);
    assert_eq!(
        scraped.value(&format!("build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))),
        1.0
    );
    assert!(scraped.text.contains("\nprocess_start_time_seconds "), "{}", scraped.text);
    assert_eq!(scraped.value("clock_skew_seconds"), 0.0, "there is but one clock");
    assert!(process.logged().contains(&format!("metrics on http://{bind}/metrics")));
    process.terminate();
    assert!(process.wait().success());
    assert!(TcpStream::connect(&bind).is_err());
}

#[test]
fn an_address_that_is_taken_is_said_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = taken.local_addr().unwrap().to_string();
    let db = Db::sqlite();
    let output = on(&db)
        .env("BIND", format!("127.0.0.1:{}", free_port()))
        .env("METRICS_BIND", &bind)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains(&format!("cannot listen on {bind}")),
        "{said}"
    );
}
