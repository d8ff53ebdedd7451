//! `users export`: the same lines back, whole and private.

use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::json;

use super::import::many;
use super::{command, command_with};
use crate::support::process::on;
use crate::support::{Db, PASSWORD, TestServer};

on_both_databases! {
    /// Into the other kind of database and back again.
    fn an_export_can_be_imported_and_exported_again(db) {
        let server = TestServer::start(db);
        server.register("Ada@example.com");
        for name in ["Grace", "Zoë \"🦀\" \\ \u{2028}"] {
            server.clock.step(1.0);
            let body = json!({
                "email": format!("{}@bücher.example", name.len()), "password": PASSWORD, "name": name,
            });
            server.post("/auth/register").json(&body).send().expect(201);
        }
        command(&server.db, "users set-role ada@example.com moderator").done();
        command(&server.db, "users disable ada@example.com").done();
        command(&server.db, "users create-admin root@example.com").done();
        // Made within one millisecond: their order is that of the lines.
        let twins: String = (0..50)
            .map(|number| {
                let created = format!("2020-01-01T00:00:00.000{:03}Z", 999 - number);
                let email = format!("twin{number}@example.com");
                json!({"email": email, "createdAt": created}).to_string() + "\n"
            })
            .collect();
        command_with(&server.db, "users import -", &twins).done();

        let exported = command(&server.db, "users export").done();
        let other = if server.db.is_postgres() { Db::sqlite() } else { Db::postgres() };
        assert_eq!(command_with(&other, "users import -", &exported).done(), "imported 54 users\n");
        assert_eq!(command(&other, "users export").done(), exported);
        let lines: Vec<&str> = exported.lines().collect();
        assert_eq!(lines.len(), 54);
        for (number, line) in lines[..50].iter().enumerate() {
            assert!(line.contains(&format!("\"twin{number}@")), "{line}");
        }
        let ada: serde_json::Value = serde_json::from_str(lines[50]).unwrap();
        let expected = json!({
            "email": "Ada@example.com", "passwordHash": ada["passwordHash"], "role": "moderator",
            "emailVerified": false, "createdAt": "2026-03-01T12:00:00.25Z", "disabled": true,
        });
        assert_eq!(ada, expected);
        assert!(lines[0].starts_with("{\"email\":\"twin0@example.com\",\"role\""), "{}", lines[0]);

        // What was exported lets the same people in.
        let other = TestServer::start(other);
        other.login("5@bücher.example");
    }

    fn a_file_is_private_and_not_overwritten_by_mistake(db) {
        command_with(&db, "users import -", &many(2)).done();
        let lines = command(&db, "users export").done();
        assert_eq!(lines.lines().count(), 2);
        let file = db.dir.path().join("users.jsonl");
        assert_eq!(command(&db, "users export users.jsonl").done(), "exported 2 users\n");
        let mode = || std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!((std::fs::read_to_string(&file).unwrap(), mode()), (lines.clone(), 0o600));

        std::fs::write(&file, "precious, and longer than what is to come: ".repeat(100)).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        let refused = command(&db, "users export users.jsonl").failed();
        assert!(refused.contains("users.jsonl exists: --force overwrites it"), "{refused}");
        assert!(std::fs::read_to_string(&file).unwrap().starts_with("precious"));
        command(&db, "users export users.jsonl --force").done();
        assert_eq!((std::fs::read_to_string(&file).unwrap(), mode()), (lines, 0o600));

        let reason = command(&db, "users export nowhere/users.jsonl").failed();
        assert!(reason.contains("cannot write nowhere/users.jsonl: No such file"), "{reason}");
    }

    /// However slowly it is read.
    fn what_changes_meanwhile_is_not_in_it(db) {
        command_with(&db, "users import -", &many(5000)).done();
        let mut export =
            on(&db).args(["users", "export"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(export.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        assert!(first.contains("user0@"), "{first}");
        // It waits, the pipe being full.
        db.execute("UPDATE users SET name = 'changed'; DELETE FROM users WHERE role = 'user'");
        assert_eq!(db.number("SELECT count(*) FROM users"), 0);
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        assert!(export.wait().unwrap().success());
        assert_eq!(rest.len(), 4999);
        assert!(rest[4998].contains("user4999@") && !rest[4998].contains("changed"));
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    let db = Db::sqlite();
    command_with(&db, "users import -", &many(100)).done();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    (&full).write_all(b"x").expect_err("it is full");
    let output = on(&db).args(["users", "export"]).stdout(full).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && err.contains("No space left"), "{err}");
}
