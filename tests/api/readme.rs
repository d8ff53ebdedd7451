//! The README's walk works as it is printed.

use std::process::Command;

use crate::support::process::{Process, free_port};

on_both_databases! {
    /// Every command of the walk succeeds, run by a shell in an empty folder.
    fn the_walk_works(db) {
        let port = free_port();
        let _server = Process::start(&db, port, &[]);
        let script = walk().replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"));
        let folder = tempfile::TempDir::new().unwrap();
        let output = Command::new("bash")
            .args(["-e", "-u", "-x", "-o", "pipefail", "-c", &script])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(said.matches("ada@example.com").count(), 2, "registered and /auth/me: {said}");
        assert!(said.contains(r#""current":true"#), "{said}");
        let jar = std::fs::read_to_string(folder.path().join("jar")).unwrap();
        assert!(!jar.contains("refreshToken"), "logging out empties the jar: {jar}");
    }
}

/// The shell block behind the README's mark.
fn walk() -> String {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("<!-- The test `readme`").expect("the mark is there");
    let (_, rest) = rest.split_once("```sh\n").expect("a block follows");
    rest.split_once("```").expect("the block ends").0.to_owned()
}
