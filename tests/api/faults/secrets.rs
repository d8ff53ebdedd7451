//! The secret is replaced; and the tables hold none.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::json;

use super::sessions;
use crate::support::{Db, PASSWORD, TestServer, hexadecimal};

const FIRST: &str = "first-Vq8rT2mZ5xW9kLp3nYs6bDf1Gh0";
const SECOND: &str = "second-Hj4gN7cQ0aXe8uRt5wMz2KvB9";
const THIRD: &str = "third-Pl9oI6dSy3fGb1hJn7qWc4TxUe2";

on_both_databases! {
    fn a_replaced_secret_logs_nobody_out_while_it_is_named(db) {
        let server = TestServer::with(db, &[("--jwt-secret", FIRST)]);
        let (db, clock) = (Arc::clone(&server.db), Arc::clone(&server.clock));
        let start = |flags: &[_]| TestServer::on(Arc::clone(&db), Arc::clone(&clock), flags);
        let opened = sessions(&server, 4);
        let live = server.refresh(&opened[1].refresh).expect(200);
        drop(server);

        let server = start(&[("--jwt-secret", SECOND), ("--jwt-secret-previous", FIRST)]);
        server.me(&opened[0].access).expect(200);
        let answer = server.refresh(&opened[0].refresh).expect(200);
        let (access, refresh) = (answer.access_token(), answer.refresh_token());
        // A tab whose answer got lost while the secret was replaced.
        let replayed = server.refresh(&opened[1].refresh).expect(200);
        assert_ne!(replayed.refresh_token(), live.refresh_token(), "the new secret signs");
        server.refresh(&live.refresh_token()).expect(200);
        server.logout(&opened[2].access, &opened[2].refresh).expect(204);
        drop(server);

        // Twice replaced: the list may name several.
        let both = format!("{SECOND},{FIRST}");
        let server = start(&[("--jwt-secret", THIRD), ("--jwt-secret-previous", &both)]);
        server.me(&access).expect(200);
        server.me(&opened[3].access).expect(200);
        server.refresh(&opened[3].refresh).expect(200);
        drop(server);

        let server = start(&[("--jwt-secret", SECOND)]);
        server.me(&access).expect(200);
        server.refresh(&refresh).expect(200);
        server.me(&opened[0].access).expect_failure(401, "TOKEN_INVALID");
        server.refresh(&opened[0].refresh).expect_failure(401, "REFRESH_TOKEN_INVALID");
    }

    /// Neither the tables nor the file hold a token, a part of one, or a password; and nothing that
    /// stands in them refreshes. Security: B7.
    fn a_stolen_database_refreshes_nothing(db) {
        let server = TestServer::start(db);
        let key = "a-key-that-only-its-maker-knows";
        let user = server.register("ada@example.com");
        let first = server.refresh_with_key(&user.refresh, key).expect(200);
        let second = server.refresh(&first.refresh_token()).expect(200);
        let phone = server.register_in_body("phone@example.com");
        let mistyped = json!({"email": "ada@example.com", "password": "Wr0ng horse"});
        server.post("/auth/login").json(&mistyped).send().expect(401);

        let dump = dump(&server.db);
        assert!(dump.iter().any(|value| value == "ada@example.com"), "the dump is empty");
        let mut secrets = vec![PASSWORD.to_owned(), "Wr0ng horse".to_owned(), key.to_owned()];
        let answered =
            [&first, &second].map(|answer| [answer.refresh_token(), answer.access_token()]);
        let at_first = [&user, &phone].map(|user| [user.refresh.clone(), user.access.clone()]);
        for token in answered.iter().chain(&at_first).flatten() {
            secrets.push(token.clone());
            let signature = token.rsplit('.').next().unwrap();
            secrets.push(signature.to_owned());
            secrets.push(hexadecimal(&URL_SAFE_NO_PAD.decode(signature).unwrap()));
        }
        for secret in &secrets {
            let lower = secret.to_lowercase();
            let found = dump.iter().find(|value| value.to_lowercase().contains(&lower));
            assert_eq!(found, None, "{secret} stands in a table");
        }
        if let Some(path) = server.db.url.strip_prefix("sqlite://") {
            for file in [path.to_owned(), format!("{path}-wal")] {
                let bytes = std::fs::read(file).unwrap_or_default();
                for secret in &secrets {
                    assert!(!contains(&bytes, secret.as_bytes()), "{secret} stands in the file");
                }
            }
        }
        let fits_a_cookie = |value: &str| value.bytes().all(|b| b.is_ascii_graphic() && b != b';');
        for value in dump.iter().filter(|value| fits_a_cookie(value)) {
            assert_ne!(server.refresh(value).status, 200, "{value}");
            assert_ne!(server.refresh_in_body(value).status, 200, "{value}");
        }
        server.refresh(&second.refresh_token()).expect(200);
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Every value of every row of every table as text, bytes in hexadecimal.
fn dump(db: &Db) -> BTreeSet<String> {
    let columns = if db.is_postgres() {
        "SELECT table_name || ' ' || column_name AS value FROM information_schema.columns \
         WHERE table_schema = 'public'"
    } else {
        "SELECT t.name || ' ' || c.name AS value FROM sqlite_master t, pragma_table_info(t.name) c \
         WHERE t.type = 'table'"
    };
    let columns = all(db, columns);
    assert!(columns.iter().any(|column| column == "users password_hash"), "{columns:?}");
    let mut values = BTreeSet::new();
    for (table, column) in columns.iter().filter_map(|column| column.split_once(' ')) {
        let text = if db.is_postgres() {
            format!("CAST(\"{column}\" AS text)")
        } else {
            format!("iif(typeof(\"{column}\") = 'blob', hex(\"{column}\"), \"{column}\" || '')")
        };
        let from = format!("FROM \"{table}\" WHERE \"{column}\" IS NOT NULL");
        values.extend(all(db, &format!("SELECT {text} AS value {from}")));
    }
    values
}

fn all(db: &Db, query: &str) -> Vec<String> {
    let query = diesel::sql_query(query);
    let values: Vec<Value> = if db.is_postgres() {
        query.load(&mut PgConnection::establish(&db.url).unwrap()).unwrap()
    } else {
        let path = db.url.strip_prefix("sqlite://").unwrap();
        query.load(&mut SqliteConnection::establish(path).unwrap()).unwrap()
    };
    values.into_iter().map(|value| value.value).collect()
}
