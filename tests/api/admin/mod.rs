//! `/admin/*`.

mod events;
mod last_admin;
mod search;
mod sessions;
mod stats;
mod users;

use serde_json::{Value, json};

use crate::support::{Answer, SignedIn, TestServer};

/// Registers `email` and makes an administrator of its owner.
fn admin(server: &TestServer, email: &str) -> SignedIn {
    let admin = server.register(email);
    server.db.set_user(&admin.user, "role = 'admin'");
    admin
}

fn get(server: &TestServer, by: &SignedIn, path: &str) -> Answer {
    server.get(path).bearer(&by.access).send()
}

fn patch(server: &TestServer, by: &SignedIn, user: &str, body: &Value) -> Answer {
    server.call("PATCH", &format!("/admin/users/{user}")).bearer(&by.access).json(body).send()
}

fn delete(server: &TestServer, by: &SignedIn, user: &str) -> Answer {
    server.delete(&format!("/admin/users/{user}")).bearer(&by.access).send()
}

/// Walks a list to its end, `between` each two pages; the ids in the order they came.
fn walk(
    server: &TestServer,
    by: &SignedIn,
    path: &str,
    list: &str,
    mut between: impl FnMut(),
) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(server, by, &format!("{path}{cursor}")).expect(200).json();
        let rows = page[list].as_array().unwrap();
        ids.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        let Some(next) = page.get("nextCursor") else { return ids };
        assert_eq!(Some(next.as_str().unwrap()), ids.last().map(String::as_str));
        cursor = format!("&cursor={}", next.as_str().unwrap());
        between();
    }
}

on_both_databases! {
    /// Both lists read their query strictly: a filter that is misspelt must not show everything.
    fn a_query_is_read_strictly(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        for path in ["/admin/users", "/admin/events"] {
            for query in ["mail=x", "limit=1&limit=2", "cursor=&cursor=", "Limit=1", "limit[]=1"] {
                let answer = get(&server, &ada, &format!("{path}?{query}"));
                answer.expect_failure(400, "MALFORMED_REQUEST");
            }
            for (query, field) in [
                ("limit=0", "limit"),
                ("limit=201", "limit"),
                ("limit=-1", "limit"),
                ("limit=", "limit"),
                ("limit=1e1", "limit"),
                ("limit=99999999999999999999", "limit"),
                ("cursor=", "cursor"),
                ("cursor=1", "cursor"),
                ("cursor=%00", "cursor"),
            ] {
                let answer = get(&server, &ada, &format!("{path}?{query}"));
                let answer = answer.expect_failure(400, "VALIDATION_FAILED");
                assert_eq!(answer.json()["errors"][0]["field"], field, "{query}");
            }
            for query in ["", "?", "?limit=1", "?limit=200"] {
                get(&server, &ada, &format!("{path}{query}")).expect(200);
            }
        }
        for (path, field) in [
            ("/admin/users?email=", "email"),
            ("/admin/users?email=nobody", "email"),
            ("/admin/users?search=", "search"),
            ("/admin/users?search=%20%20", "search"),
            ("/admin/users?search=a%00", "search"),
            ("/admin/users?search=a%0d%0ab", "search"),
            ("/admin/events?user=ada", "user"),
            ("/admin/events?kind=", "kind"),
            ("/admin/events?kind=Registered", "kind"),
        ] {
            let answer = get(&server, &ada, path).expect_failure(400, "VALIDATION_FAILED");
            assert_eq!(answer.json()["errors"][0]["field"], field, "{path}");
        }
    }
}

/// Security: M8.
#[test]
fn without_its_database_it_is_unavailable() {
    let server = TestServer::start(crate::support::Db::postgres());
    let ada = admin(&server, "ada@example.com");
    server.db.shut_out();
    for path in ["/admin/users", "/admin/users?search=x", "/admin/events", "/admin/stats"] {
        get(&server, &ada, path).expect_failure(503, "UNAVAILABLE");
    }
    let path = format!("/admin/users/{}", ada.user);
    get(&server, &ada, &path).expect_failure(503, "UNAVAILABLE");
    get(&server, &ada, &format!("{path}/sessions")).expect_failure(503, "UNAVAILABLE");
    patch(&server, &ada, &ada.user, &json!({"disabled": true})).expect_failure(503, "UNAVAILABLE");
    delete(&server, &ada, &ada.user).expect_failure(503, "UNAVAILABLE");
}
