//! The way to a mail server: plain, STARTTLS, TLS, with a login.

use std::process::Command;

use tempfile::TempDir;

use crate::support::process::{Process, free_port};
use crate::support::{Db, SmtpServer};

/// A certificate for `localhost` with its key, and where to find it.
fn certificate() -> (TempDir, String) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("localhost.pem").to_string_lossy().into_owned();
    let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
                     -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
                     -addext basicConstraints=critical,CA:FALSE";
    let made = Command::new("openssl")
        .args(arguments.split_whitespace())
        .args(["-keyout", &path, "-out", &format!("{path}.cert")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let both = std::fs::read_to_string(format!("{path}.cert")).unwrap()
        + &std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, both).unwrap();
    (dir, path)
}

/// Registers somebody on a service that sends to `url`; what it then logs of the mail.
fn register_with(url: &str, variables: &[(&str, &str)]) -> (Db, Process) {
    let db = Db::sqlite();
    let variables = [&[("SMTP_URL", url)], variables].concat();
    let process = Process::start(&db, free_port(), &variables);
    process.register("ada@example.com");
    (db, process)
}

fn wait_for(process: &Process, words: &str) {
    let started = std::time::Instant::now();
    while !process.logged().contains(words) {
        assert!(started.elapsed().as_secs() < 20, "no {words:?}: {}", process.logged());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn in_plain_text() {
    let server = SmtpServer::start(&[]);
    let (db, process) = register_with(&server.url(), &[]);
    let letters = server.wait_for(1);
    assert_eq!(
        (&*letters[0].to, &*letters[0].subject),
        ("ada@example.com", "Verify your e-mail address")
    );
    db.wait_until_sent();
    wait_for(&process, "mail sent");
    assert!(
        !process.logged().contains("#token="),
        "a link is logged though there is a mail server"
    );
    assert!(!db.dir.path().join("mail").exists());
}

#[test]
fn with_tls_from_the_start_or_by_starttls() {
    let (_dir, certificate) = certificate();
    for (tls, scheme, query) in [("smtps", "smtps", ""), ("starttls", "smtp", "?tls=required")] {
        let server = SmtpServer::start(&["--tls", tls, "--certificate", &certificate]);
        let url = format!("{scheme}://localhost:{}{query}", server.port);
        let trusted = [("SSL_CERT_FILE", &*certificate)];
        let (db, _process) = register_with(&url, &trusted);
        server.wait_for(1);
        db.wait_until_sent();
        // Nobody vouches for the certificate: the mail waits rather than go to whoever that is.
        let (db, process) = register_with(&url, &[]);
        wait_for(&process, "mail not sent");
        assert_eq!((db.waiting(), server.letters().len()), (1, 1), "{tls}");
    }
}

/// Where TLS is required and the server has none, nothing is sent in plain text.
#[test]
fn never_in_plain_text_where_tls_is_required() {
    let server = SmtpServer::start(&[]);
    let url = format!("{}?tls=required", server.url());
    let (db, process) = register_with(&url, &[]);
    wait_for(&process, "mail not sent");
    assert_eq!((db.waiting(), server.letters().len()), (1, 0));
}

#[test]
fn with_a_login_that_nobody_reads_in_the_log() {
    let (_dir, certificate) = certificate();
    let options = ["--tls", "starttls", "--certificate", &certificate, "--login", "ada:canary-p/w"];
    let server = SmtpServer::start(&options);
    let trusted = [("SSL_CERT_FILE", &*certificate), ("RUST_LOG", "trace")];
    let url =
        |password: &str| format!("smtp://ada:{password}@localhost:{}?tls=required", server.port);
    let (db, process) = register_with(&url("canary-p%2Fw"), &trusted);
    server.wait_for(1);
    db.wait_until_sent();
    assert!(!process.logged().contains("canary"), "{}", process.logged());
    let (db, process) = register_with(&url("canary-wrong"), &trusted);
    wait_for(&process, "mail not sent");
    assert_eq!((db.waiting(), server.letters().len()), (1, 1));
    assert!(!process.logged().contains("canary"), "{}", process.logged());
}

/// RFC 6531: where the server knows it, an address may have letters beyond ASCII.
#[test]
fn to_addresses_in_any_letters() {
    let server = SmtpServer::start(&[]);
    let db = Db::sqlite();
    let process = Process::start(&db, free_port(), &[("SMTP_URL", &server.url())]);
    process.register("jörg@exämple.com");
    let letters = server.wait_for(1);
    assert!(letters[0].text.contains("#token="));
    db.wait_until_sent();
}
