//! The walks of the README and of docs/clients.md work as they are printed.

use std::path::Path;
use std::process::Command;

use crate::support::Db;
use crate::support::process::{Process, free_port};

/// Runs the shell block behind a document's mark in a folder, each command of which has to succeed;
/// what it prints.
fn walk(document: &str, db: &Db, variables: &[(&str, &str)], folder: &Path) -> String {
    let (_, rest) = document.split_once("<!-- The test `readme`").expect("the mark is there");
    let (_, rest) = rest.split_once("```sh\n").expect("a block follows");
    let (block, _) = rest.split_once("```").expect("the block ends");
    let port = free_port();
    let _server = Process::start(db, port, variables);
    let script = block.replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"));
    let output = Command::new("bash")
        .args(["-e", "-u", "-x", "-o", "pipefail", "-c", &script])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

on_both_databases! {
    fn the_walk_works(db) {
        let folder = tempfile::TempDir::new().unwrap();
        let said = walk(include_str!("../../README.md"), &db, &[], folder.path());
        assert_eq!(said.matches("ada@example.com").count(), 2, "registered and /auth/me: {said}");
        assert!(said.contains(r#""current":true"#), "{said}");
        let jar = std::fs::read_to_string(folder.path().join("jar")).unwrap();
        assert!(!jar.contains("refreshToken"), "logging out empties the jar: {jar}");
    }

    fn the_walk_without_cookies_works(db) {
        let folder = tempfile::TempDir::new().unwrap();
        let clients = include_str!("../../docs/clients.md");
        let said = walk(clients, &db, &[("REFRESH_GRACE", "0s")], folder.path());
        assert_eq!(said.matches("ada@example.com").count(), 1, "/auth/me: {said}");
        let live = "SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NULL";
        assert_eq!((db.sessions(), db.number(live)), (1, 0), "it has logged out");
    }
}
