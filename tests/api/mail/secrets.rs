//! That nobody can redeem anything who reads the tables, or the log.

use serde_json::json;

use crate::support::process::{Process, free_port};
use crate::support::{Db, TestServer};

impl Db {
    /// Everything in every table, as text.
    fn dump_all(&self) -> Vec<String> {
        let tables = if self.is_postgres() {
            "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'"
        } else {
            "SELECT group_concat(name, ' ') FROM sqlite_master WHERE type = 'table'"
        };
        let tables = self.text(tables);
        assert!(tables.contains("outbox") && tables.contains("one_time_tokens"), "{tables}");
        let dump = |table: &str| {
            let rows = if self.is_postgres() {
                format!("SELECT COALESCE(string_agg(t::text, E'\\n'), '') FROM {table} AS t")
            } else {
                let readable = "CASE typeof(\"||name||\") WHEN 'blob' THEN hex(\"||name||\") \
                                ELSE COALESCE(\"||name||\", '') END";
                let readable = readable.replace('\'', "''").replace('"', "'");
                let columns = format!(
                    "SELECT group_concat('{readable}', ' || '' '' || ') FROM pragma_table_info('{table}')"
                );
                let columns = self.text(&columns);
                format!("SELECT COALESCE(group_concat({columns}, char(10)), '') FROM {table}")
            };
            self.text(&rows)
        };
        tables.split(' ').map(dump).collect()
    }
}

on_both_databases! {
    /// Security: H1. Before a mail is sent and after.
    fn no_table_holds_what_a_link_holds(db) {
        let server = TestServer::start(db);
        server.register("ada@example.com");
        server.post("/auth/forgot-password").json(&json!({"email": "ada@example.com"})).send().expect(202);
        let waiting = server.db.dump_all().join("\n");
        let tokens: Vec<_> = server.mail().iter().map(crate::support::Letter::token).collect();
        assert_eq!(tokens.len(), 2);
        let sent = server.db.dump_all().join("\n");
        assert!(waiting.contains("ada@example.com") && sent.contains("ada@example.com"));
        for dump in [waiting, sent] {
            for token in &tokens {
                // 16 bytes of id are 22 characters: what follows is the MAC.
                assert!(!dump.contains(&token[..24]) && !dump.contains(&token[24..44]), "{dump}");
            }
            let words = dump.split(|c: char| !(c.is_ascii_alphanumeric() || "-_=\\".contains(c)));
            for word in words.filter(|word| !word.is_empty()) {
                let body = json!({"token": word, "newPassword": "wrong donkey charger"});
                let answer = server.post("/auth/reset-password").json(&body).send();
                answer.expect_failure(400, "TOKEN_INVALID");
                let answer = server.post("/auth/verify-email").json(&json!({"token": word})).send();
                answer.expect_failure(400, "TOKEN_INVALID");
            }
        }
        // They are good ones.
        for token in &tokens {
            let answer = server.post("/auth/verify-email").json(&json!({"token": token})).send();
            let body = json!({"token": token, "newPassword": "wrong donkey charger"});
            let reset = server.post("/auth/reset-password").json(&body).send();
            assert!(answer.status == 204 || reset.status == 204, "{}", reset.text);
        }
    }
}

/// In development the link is in the log, so that nobody needs a mail server to try the service; in
/// production it is not. Security: L2.
#[test]
fn links_are_logged_in_development_only() {
    let logged = |variables: &[(&str, &str)]| {
        let db = Db::sqlite();
        let process = Process::start(&db, free_port(), variables);
        process.register("ada@example.com");
        db.wait_until_sent();
        let letters = crate::support::mail::letters(&db.dir.path().join("mail"));
        let token = letters[0].token();
        let started = std::time::Instant::now();
        while !process.logged().contains("mail ") && started.elapsed().as_secs() < 5 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let log = process.logged();
        assert!(log.contains("mail written") || log.contains("mail sent"), "{log}");
        (log.contains(letters[0].link()), log.contains(&token[24..44]))
    };
    assert_eq!(logged(&[]), (true, true));
    let production = [
        ("ENVIRONMENT", "production"),
        ("PUBLIC_URL", "https://auth.test"),
        ("JWT_SECRET", "Zq8vN2xR7mK4tB9wL1cF6hJ3pD5sG0yA"),
        ("RUST_LOG", "trace"),
    ];
    assert_eq!(logged(&production), (false, false));
}
