//! The commands beside `serve`, run as an operator runs them.

mod backup;
mod keys;
mod schema;
mod users;

use std::process::{Command, Stdio};

use crate::settings::{Said, run, run_with};
use crate::support::Db;
use crate::support::process::{free_port, on, symbolon};

/// Runs a command on `db`, its words separated by spaces.
pub fn command(db: &Db, words: &str) -> Said {
    run(with(db, words))
}

/// The same, with something to read.
fn command_with(db: &Db, words: &str, input: &str) -> Said {
    run_with(with(db, words), input)
}

fn with(db: &Db, words: &str) -> Command {
    let mut command = on(db);
    command.args(words.split_whitespace());
    command
}

#[test]
fn every_command_explains_itself() {
    for words in [
        "",
        "serve",
        "migrate",
        "users",
        "users create-admin",
        "users reset-password",
        "users set-role",
        "users disable",
        "users enable",
        "users list",
        "users import",
        "users export",
        "sessions",
        "sessions revoke",
        "keys",
        "keys generate",
        "keys list",
        "keys retire",
        "prune",
        "backup",
        "openapi",
        "healthcheck",
    ] {
        let mut command = symbolon();
        let help = run(command.args(words.split_whitespace()).arg("--help")).done();
        let usage = format!("Usage: symbolon {words}");
        assert!(help.contains(usage.trim_end()), "{words}: {help}");
    }
    let version = run(symbolon().arg("--version")).done();
    assert_eq!(version.trim_end(), format!("symbolon {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_command_that_is_called_wrongly_says_so() {
    let db = Db::sqlite();
    for words in [
        "users",
        "users create-admin",
        "users set-role ada@example.com",
        "users set-role ada@example.com emperor",
        "users import",
        "users export --force",
        "backup",
        "sessions revoke",
        "sessions revoke --all --user ada@example.com",
        "--bind 127.0.0.1:1 migrate",
    ] {
        let said = command(&db, words);
        assert_eq!((said.code, &*said.out), (Some(2), ""), "{words}: {said:?}");
        assert!(said.err.contains("Usage:") || said.err.contains("--help"), "{words}: {said:?}");
    }
}

#[test]
fn an_argument_that_is_no_text_is_a_wrong_call() {
    use std::os::unix::ffi::OsStrExt;
    let db = Db::sqlite();
    let said = run(with(&db, "users disable").arg(std::ffi::OsStr::from_bytes(b"ada\xff")));
    assert_eq!((said.code, &*said.out), (Some(2), ""), "{said:?}");
}

#[test]
fn a_command_takes_the_settings_that_it_uses() {
    let db = Db::sqlite();
    for words in ["users create-admin --help", "users reset-password --help"] {
        let help = command(&db, words).done();
        assert!(help.contains("BCRYPT_COST") && help.contains("PASSWORD_MIN_LENGTH"), "{help}");
        assert!(!help.contains("REGISTRATION") && !help.contains("QUEUE"), "{help}");
    }
}

/// As in `symbolon users list | head -1`; but a password that nobody got is no success.
#[test]
fn who_reads_no_further_is_no_reason_to_panic() {
    let db = Db::sqlite();
    let deaf = |words: &str| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = with(&db, words).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = output.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = deaf("users create-admin ada@example.com");
    assert!(code == Some(1) && said.contains("Broken pipe"), "{code:?} {said}");
    for words in ["users list", "users export", "openapi"] {
        let (code, said) = deaf(words);
        assert!(code == Some(0) && said.is_empty(), "{words}: {code:?} {said}");
    }
}

/// Results can be piped: they are all that stdout gets.
#[test]
fn logs_go_to_stderr() {
    let db = Db::sqlite();
    let mut command = with(&db, "migrate");
    let said = run(command.env("RUST_LOG", "trace"));
    assert_eq!(said.done(), "migrated to 00000000000001\nmigrated to 00000000000002\n");
}

#[test]
fn healthcheck_tells_whether_the_service_lives() {
    let db = Db::sqlite();
    let port = free_port();
    let check = |bind: &str| run(on(&db).env("BIND", bind).arg("healthcheck"));
    let nobody = check(&format!("127.0.0.1:{port}")).failed();
    assert!(nobody.contains("nothing answers on"), "{nobody}");

    let process = crate::support::process::Process::start(&db, port, &[]);
    assert_eq!(check(&format!("127.0.0.1:{port}")).done(), "healthy\n");
    // What listens everywhere is asked nearby.
    assert_eq!(check(&format!("0.0.0.0:{port}")).done(), "healthy\n");
    drop(process);

    // Something that listens and is no service.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let stranger = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = other.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").unwrap();
    });
    let sick = check(&address).failed();
    assert!(sick.contains("503"), "{sick}");
    stranger.join().unwrap();
}
