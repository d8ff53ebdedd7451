//! `users import`: whom it lets in afterwards, and what it refuses.

use std::fmt::Write;

use serde_json::{Value, json};
use symbolon::crypto::password::{Password, PasswordHash};
use symbolon::random::SystemRandom;

use super::{command, command_with, login, wait_until};
use crate::settings::{self, Said};
use crate::support::process::{Process, free_port, on};
use crate::support::{Db, PASSWORD, TestServer};

fn import(db: &Db, lines: &str) -> Said {
    command_with(db, "users import -", lines)
}

fn users(db: &Db) -> i64 {
    db.number("SELECT count(*) FROM users")
}

/// bcrypt-sha256, as this service and passlib make it.
fn hash(cost: u32) -> String {
    let password = Password::new(PASSWORD.to_owned());
    PasswordHash::new(&password, cost, &SystemRandom).unwrap().as_str().to_owned()
}

/// So many lines of good users.
pub fn many(count: usize) -> String {
    let hash = hash(4);
    let mut lines = String::new();
    for number in 0..count {
        let email = format!("user{number}@example.com");
        writeln!(lines, "{}", json!({"email": email, "passwordHash": hash})).unwrap();
    }
    lines
}

/// Nothing was imported, for exactly these reasons; nor does a dry run find others.
#[track_caller]
fn refuses(db: &Db, lines: &[u8], faults: &[&str]) {
    let before = users(db);
    std::fs::write(db.dir.path().join("users.jsonl"), lines).unwrap();
    for words in ["users import --dry-run users.jsonl", "users import users.jsonl"] {
        let said = command(db, words);
        assert_eq!((said.code, &*said.out), (Some(1), ""), "{said:?}");
        let count = format!("symbolon: nothing was imported: {} faults", faults.len());
        let listed: Vec<&str> = said.err.lines().map(str::trim_start).collect();
        let expected: Vec<&str> = [&*count].iter().chain(faults).copied().collect();
        assert_eq!(listed, expected);
    }
    assert_eq!(users(db), before);
    assert_eq!(db.number("SELECT count(*) FROM audit_events WHERE kind = 'users_imported'"), 0);
}

on_both_databases! {
    /// Security: E4, E9.
    fn imported_users_sign_in_with_the_password_they_had(db) {
        let server = TestServer::start(db);
        let plain = bcrypt::hash(PASSWORD, 4).unwrap();
        let hashes = [
            ("2a", plain.replacen("$2b$", "$2a$", 1)),
            ("2b", plain.clone()),
            ("2y", plain.replacen("$2b$", "$2y$", 1)),
            ("cheap", hash(4)),
            ("dear", hash(11)),
        ];
        let line = |(name, hash): &(&str, String)| {
            json!({"email": format!("{name}@example.com"), "passwordHash": hash}).to_string() + "\n"
        };
        let lines: String = hashes.iter().map(line).collect();
        assert_eq!(import(&server.db, &lines).done(), "imported 5 users\n");
        for (name, hash) in hashes {
            let email = format!("{name}@example.com");
            login(&server, &email, "another horse").expect_failure(401, "INVALID_CREDENTIALS");
            let user = login(&server, &email, PASSWORD).expect(200).signed_in().user;
            // From now on as everybody's.
            let ours = server.db.password_hash(&user);
            assert!(ours.starts_with("$bcrypt-sha256$v=2,t=2b,r=10$") && ours != hash, "{ours}");
            login(&server, &email, PASSWORD).expect(200);
        }
    }

    fn imported_users_are_as_their_lines_say(db) {
        let server = TestServer::start(db);
        let current = hash(10);
        let ada = json!({
            "email": "Ada@Example.com", "name": " Ada ", "passwordHash": current, "role": "admin",
            "emailVerified": true, "createdAt": "2020-02-29T12:00:00.1234567+02:00", "disabled": false,
        });
        let grace = json!({"email": "grace@example.com", "passwordHash": current, "name": null,
                           "role": null, "emailVerified": null, "createdAt": null});
        let off = json!({"email": "off@example.com", "passwordHash": current, "disabled": true});
        import(&server.db, &format!("{grace}\n{off}\n{ada}\n")).done();
        let ada = login(&server, "ada@example.com", PASSWORD).expect(200);
        let user = &ada.json()["user"];
        let expected = json!({
            "id": user["id"], "email": "Ada@Example.com", "name": "Ada", "role": "admin",
            "emailVerified": true, "createdAt": "2020-02-29T10:00:00.123456Z",
        });
        assert_eq!(*user, expected);
        assert_eq!(server.db.password_hash(user["id"].as_str().unwrap()), current);
        let grace = login(&server, "grace@example.com", PASSWORD).expect(200).json();
        let grace = &grace["user"];
        assert_eq!((&grace["name"], &grace["role"]), (&Value::Null, &json!("user")));
        assert_eq!(grace["emailVerified"], false);
        login(&server, "off@example.com", PASSWORD).expect_failure(401, "INVALID_CREDENTIALS");
        // Ids sort by the time of creation, whatever the order of the lines.
        let listed = command(&server.db, "users list").done();
        let emails: Vec<&str> = listed.lines().map(|line| line.split('\t').nth(1).unwrap()).collect();
        assert_eq!(emails, ["Ada@Example.com", "grace@example.com", "off@example.com"]);
        // Nobody is written to, and one event tells of it.
        assert_eq!(server.db.number("SELECT count(*) FROM outbox"), 0);
        let detail = "SELECT detail FROM audit_events WHERE kind = 'users_imported'";
        assert_eq!(server.db.text(detail), "3 users");
    }

    /// Security: E10. How long that takes is held to by `every_failure_takes_as_long`.
    fn who_has_no_password_sets_one_by_a_mailed_link(db) {
        import(&db, "{\"email\":\"ada@example.com\"}\n").done();
        assert_eq!(db.text("SELECT password_hash FROM users"), "!");
        let process = Process::start(&db, free_port(), &[]);
        let sign_in = |password: &str| {
            let body = json!({"email": "ada@example.com", "password": password});
            process.post("/auth/login").json(&body).send()
        };
        for guess in ["", "!", PASSWORD] {
            sign_in(guess).expect_failure(401, "INVALID_CREDENTIALS");
        }
        let body = json!({"email": "ada@example.com"});
        process.post("/auth/forgot-password").json(&body).send().expect(202);
        wait_until("a link is mailed", || process.logged().contains("#token="));
        let logged = process.logged();
        let token = logged.split("#token=").nth(1).unwrap();
        let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let token = token.split(|c| !is_of_token(c)).next().unwrap();
        let body = json!({"token": token, "newPassword": PASSWORD});
        process.post("/auth/reset-password").json(&body).send().expect(204);
        sign_in(PASSWORD).expect(200);
    }

    /// Security: L2, L4.
    fn every_fault_is_named_with_its_line(db) {
        command(&db, "users create-admin taken@example.com").done();
        let secret = "$argon2id$v=19$canary";
        let dear = bcrypt::hash(PASSWORD, 4).unwrap().replacen("$04$", "$16$", 1);
        let long = "x".repeat(101);
        let lines = [
            "{\"email\":\"a@example.com\"}".to_owned(),
            String::new(),
            "[\"a@example.com\"]".to_owned(),
            json!({"email": "b@example.com", "passwordHash": secret}).to_string(),
            json!({"email": "c@example.com", "passwordHash": dear}).to_string(),
            json!({"email": "d@example.com", "passwordHash": [secret]}).to_string(),
            json!({"email": "nobody\u{1b}[2J", "role": "user"}).to_string(),
            json!({"email": "e@example.com", "role": "emperor"}).to_string(),
            json!({"email": "f@example.com", "password": secret}).to_string(),
            "{\"email\":\"g@example.com\",\"email\":\"h@example.com\"}".to_owned(),
            json!({"email": "A@EXAMPLE.com"}).to_string(),
            json!({"email": "i@example.com", "name": long}).to_string(),
            json!({"email": "j@example.com", "name": "a\u{0}b"}).to_string(),
            json!({"email": "k@example.com", "createdAt": "2999-01-01T00:00:00Z"}).to_string(),
            json!({"email": "l@example.com", "createdAt": "yesterday"}).to_string(),
            json!({"email": "m@example.com", "createdAt": "0001-01-01T00:00:00Z"}).to_string(),
            json!({"email": "TAKEN@example.com"}).to_string(),
            json!({"name": "Nobody"}).to_string(),
            "{\"email\":\"n@example.com\"} {}".to_owned(),
            "{\"email\":\"o@example.com\",}".to_owned(),
            "{\"email\":\"p@exam".to_owned(),
            // All that is wrong with it.
            json!({"email": "q", "passwordHash": "x", "createdAt": "x"}).to_string(),
            json!({"email": "b@Example.com"}).to_string(),
            json!({"email": "x".repeat(10_000)}).to_string(),
        ];
        let mut lines = lines.join("\n").into_bytes();
        lines.extend(b"\n{\"email\":\"\xff@example.com\"}");
        let no_hash = "passwordHash is neither bcrypt ($2a$, $2b$, $2y$) nor $bcrypt-sha256$v=2";
        refuses(&db, &lines, &[
            "line 3: this is no JSON object",
            &format!("line 4: {no_hash}"),
            "line 5: passwordHash has a cost outside 4 to 15",
            "line 6: `passwordHash` is of a wrong type",
            "line 7: `nobody\\u{1b}[2J` is no e-mail address",
            "line 8: unknown variant `emperor`, expected one of `user`, `moderator`, `admin`",
            "line 9: unknown field `password`, expected one of `email`, `name`, `passwordHash`, \
             `role`, `emailVerified`, `createdAt`, `disabled`",
            "line 10: duplicate field `email`",
            "line 11: `A@EXAMPLE.com` is on line 1 already",
            "line 12: The name may have at most 100 characters.",
            "line 13: The name must not contain control characters.",
            "line 14: createdAt `2999-01-01T00:00:00Z` is in the future",
            "line 15: createdAt `yesterday` is no RFC 3339 time, as 2024-05-31T09:30:00Z is",
            "line 16: createdAt `0001-01-01T00:00:00Z` is before 1970",
            "line 17: `TAKEN@example.com` has an account already",
            "line 18: missing field `email`",
            "line 19: there is something behind the JSON object",
            "line 20: this is no JSON: trailing comma at column 26",
            "line 21: this is no JSON: EOF while parsing a string at column 16",
            &format!("line 22: {no_hash}"),
            "line 22: createdAt `x` is no RFC 3339 time, as 2024-05-31T09:30:00Z is",
            "line 22: `q` is no e-mail address",
            "line 23: `b@Example.com` is on line 4 already",
            &format!("line 24: `{}", "x".repeat(299)),
            "line 25: this is not UTF-8",
        ]);
        let said = settings::run(on(&db).env("RUST_LOG", "trace").args(["users", "import", "users.jsonl"]));
        assert!(said.code == Some(1) && !said.err.contains("canary"), "{said:?}");
    }

    fn fifty_faults_are_listed_and_the_rest_counted(db) {
        let lines = "{}\n".repeat(73);
        let said = import(&db, &lines).failed();
        let listed: Vec<&str> = said.lines().collect();
        assert_eq!(listed[0], "symbolon: nothing was imported: 73 faults");
        assert_eq!(listed[50], "  line 50: missing field `email`");
        assert_eq!(listed[51..], ["  and 23 more"]);
    }

    fn a_fault_in_the_last_line_undoes_everything(db) {
        command(&db, "migrate").done();
        let lines = many(5000) + "{\"email\":\"USER17@example.com\"}\n";
        refuses(&db, lines.as_bytes(), &["line 5001: `USER17@example.com` is on line 18 already"]);
    }

    fn what_editors_make_of_a_file_is_taken(db) {
        let lines = "\u{feff}{\"email\":\"a@example.com\"}\r\n\r\n  \n\t{\"email\":\"b@example.com\"}\r\n\
                     {\"email\":\"c@example.com\"}";
        assert_eq!(import(&db, lines).done(), "imported 3 users\n");
        for nothing in ["", "\u{feff}", "\n\r\n \n"] {
            assert_eq!(import(&db, nothing).done(), "imported 0 users\n", "{nothing:?}");
        }
        assert_eq!(users(&db), 3);
    }

    fn a_dry_run_writes_nothing(db) {
        let out = command_with(&db, "users import --dry-run -", &many(3)).done();
        assert_eq!((&*out, users(&db)), ("3 users can be imported\n", 0));
        assert_eq!(db.number("SELECT count(*) FROM audit_events"), 0);
        assert_eq!(import(&db, &many(3)).done(), "imported 3 users\n");
    }

    fn a_file_that_cannot_be_read_is_named(db) {
        let reason = command(&db, "users import nowhere.jsonl").failed();
        assert!(reason.contains("cannot read nowhere.jsonl: No such file"), "{reason}");
    }
}
