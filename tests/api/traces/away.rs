//! Collectors and databases that are away.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::{attribute, traced};
use crate::support::Db;
use crate::support::process::free_port;
use crate::traces::collector::Collector;

/// Nobody waits for a collector: not a request, and not for long a signal to stop.
#[test]
fn a_collector_that_is_away_or_stalls_holds_nobody_up() {
    let db = Db::sqlite();
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let process = traced(&db, &url, &[]);
    let ada = process.register("ada@example.com");
    let mut logged = Instant::now();
    while !process.logged().contains("the collector takes no spans") {
        assert!(logged.elapsed() < Duration::from_secs(20), "{}", process.logged());
        process.me(&ada.access).expect(200);
    }
    for _ in 0..200 {
        process.me(&ada.access).expect(200);
    }
    assert_eq!(process.logged().matches("the collector takes no spans").count(), 1);
    let collector = Collector::start(port);
    process.me(&ada.access).expect(200);
    logged = Instant::now();
    while !process.logged().contains("the collector takes spans again") {
        assert!(logged.elapsed() < Duration::from_secs(20), "{}", process.logged());
        std::thread::sleep(Duration::from_millis(20));
    }
    collector.wait_for("GET /auth/me", 1);
    process.terminate();
    assert!(process.wait().success());

    // It takes connections, and never answers.
    let stalled = TcpListener::bind("127.0.0.1:0").unwrap();
    let process = traced(&db, &format!("http://{}", stalled.local_addr().unwrap()), &[]);
    let ada = process.login("ada@example.com");
    for _ in 0..100 {
        process.me(&ada.access).expect(200);
    }
    let told = Instant::now();
    process.terminate();
    assert!(process.wait().success());
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
}

/// One that nobody vouches for gets nothing, and is no reason to panic.
#[test]
fn a_collector_that_is_not_trusted_gets_nothing() {
    let (port, folder) = (free_port(), tempfile::TempDir::new().unwrap());
    let certificate = folder.path().join("certificate");
    let key = folder.path().join("key");
    let openssl = || {
        let mut command = std::process::Command::new("openssl");
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command
    };
    let mut make = openssl();
    make.args([
        "req",
        "-x509",
        "-newkey",
        "ed25519",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
    ]);
    assert!(make.arg(&key).arg("-out").arg(&certificate).status().unwrap().success());
    let mut serve = openssl();
    serve.args(["s_server", "-quiet", "-accept", &port.to_string(), "-key"]).arg(&key);
    let mut server = serve.arg("-cert").arg(&certificate).spawn().unwrap();
    let db = Db::sqlite();
    let process = traced(&db, &format!("https://localhost:{port}"), &[]);
    process.register("ada@example.com");
    let started = Instant::now();
    while !process.logged().contains("the collector takes no spans") {
        assert!(started.elapsed() < Duration::from_secs(20), "{}", process.logged());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!process.logged().contains("ERROR"), "{}", process.logged());
    assert!(process.logged().to_lowercase().contains("certificate"), "{}", process.logged());
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Security: M8.
#[test]
fn a_database_that_is_away_is_an_error_in_its_span() {
    let collector = Collector::start(free_port());
    let db = Db::postgres();
    let process = traced(&db, &collector.url(), &[]);
    let ada = process.register("ada@example.com");
    db.shut_out();
    process.refresh(&ada.refresh).expect_failure(503, "UNAVAILABLE");
    let request = &collector.wait_for("POST /auth/refresh-token", 1)[0];
    assert_eq!(request.status.as_ref().unwrap().code, 2, "an error");
    assert_eq!(attribute(request, "error.type").unwrap(), "503");
    let started = Instant::now();
    loop {
        let spans = collector.wait_for("database write", 1);
        let failed = spans.iter().filter_map(|span| attribute(span, "error.type"));
        if failed.into_iter().any(|kind| kind == "unavailable") {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{spans:?}");
    }
}
