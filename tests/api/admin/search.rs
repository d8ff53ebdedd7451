//! `GET /admin/users?search=…`.

use serde_json::json;
use url::form_urlencoded::byte_serialize;

use super::{admin, get, walk};
use crate::support::{PASSWORD, SignedIn, TestServer};

fn path(text: &str) -> String {
    let text: String = byte_serialize(text.as_bytes()).collect();
    format!("/admin/users?search={text}")
}

/// The addresses of those who are found, the newest first.
fn found(server: &TestServer, by: &SignedIn, text: &str) -> Vec<String> {
    let users = get(server, by, &path(text)).expect(200).json()["users"].clone();
    let emails = users.as_array().unwrap().iter();
    emails.map(|user| user["email"].as_str().unwrap().to_owned()).collect()
}

fn register(server: &TestServer, email: &str, name: &str) {
    server.clock.step(0.001);
    let body = json!({"email": email, "password": PASSWORD, "name": name});
    server.post("/auth/register").json(&body).send().expect(201);
}

on_both_databases! {
    fn a_part_of_the_address_or_the_name_is_enough(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        register(&server, "Grace.Hopper@Example.com", "Rear Admiral");
        register(&server, "emile@b\u{fc}cher.example", "\u{c9}mile Zola");
        register(&server, "jose\u{301}@example.com", "");
        let [grace, emile, jose] =
            ["Grace.Hopper@Example.com", "emile@b\u{fc}cher.example", "jose\u{301}@example.com"];
        let cases: &[(&str, &[&str])] = &[
            ("hopper", &[grace]),
            ("HOPPER@EXAMPLE", &[grace]),
            ("Grace.Hopper@Example.com", &[grace]),
            ("example.com", &[jose, grace, "ada@example.com"]),
            ("  hopper ", &[grace]),
            ("admiral", &[grace]),
            ("REAR ADM", &[grace]),
            ("rear  adm", &[]),
            ("zola", &[emile]),
            ("\u{c9}mile", &[emile]),
            ("E\u{301}mile", &[emile]),
            ("mile", &[emile]),
            // As it was typed, and as it is compared.
            ("b\u{fc}cher", &[emile]),
            ("xn--bcher", &[emile]),
            ("jos\u{e9}", &[jose]),
            ("jose\u{301}@", &[jose]),
            ("nobody", &[]),
            ("@", &[jose, emile, grace, "ada@example.com"]),
        ];
        for (text, expected) in cases {
            assert_eq!(found(&server, &ada, text), *expected, "{text}");
        }
        // The case of other letters counts on both, whatever the database would make of it.
        assert_eq!(found(&server, &ada, "\u{e9}mile"), Vec::<String>::new());
    }

    /// Security: F7.
    fn a_search_is_only_text(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        register(&server, "percent@example.com", "100% Sure");
        register(&server, "under_score@example.com", "Plain");
        register(&server, "slash@example.com", r"Back\slash");
        register(&server, "quote@example.com", "O'Hara \"Bo\" -- ; DROP");
        let before = server.db.dump();
        let cases: &[(&str, &[&str])] = &[
            ("%", &["percent@example.com"]),
            ("100%", &["percent@example.com"]),
            ("%%", &[]),
            ("1%0", &[]),
            ("_", &["under_score@example.com"]),
            ("r_s", &["under_score@example.com"]),
            ("d_a", &[]),
            ("a_a", &[]),
            (r"\", &["slash@example.com"]),
            (r"k\s", &["slash@example.com"]),
            (r"\\", &[]),
            (r"\%", &[]),
            (r"\_", &[]),
            ("'", &["quote@example.com"]),
            ("o'hara \"bo\"", &["quote@example.com"]),
            ("-- ; drop", &["quote@example.com"]),
            ("' OR '1'='1", &[]),
            ("x'; DROP TABLE users; --", &[]),
            ("*", &[]),
            ("[a-z]", &[]),
            ("\u{1f980}", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(found(&server, &ada, text), *expected, "{text}");
        }
        assert_eq!(server.db.dump(), before);
    }

    fn what_is_found_comes_in_pages(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        let mut expected = Vec::new();
        for number in 0..7 {
            server.clock.step(0.001);
            expected.push(server.register(&format!("found{number}@example.com")).user);
            server.clock.step(0.001);
            server.register(&format!("other{number}@example.com"));
        }
        expected.reverse();
        for limit in [1, 2, 6, 7, 8] {
            let path = format!("{}&limit={limit}", path("FOUND"));
            assert_eq!(walk(&server, &ada, &path, "users", || {}), expected, "{limit} a page");
        }
        // Both have to be so.
        for (email, count) in [("found3@example.com", 1), ("other3@example.com", 0)] {
            let both = get(&server, &ada, &format!("{}&email={email}", path("found"))).expect(200);
            assert_eq!(both.json()["users"].as_array().unwrap().len(), count, "{email}");
        }
    }

    fn a_text_has_a_length(db) {
        let server = TestServer::start(db);
        let ada = admin(&server, "ada@example.com");
        assert_eq!(found(&server, &ada, &"\u{e9}".repeat(254)), Vec::<String>::new());
        let longer = get(&server, &ada, &path(&"x".repeat(255)));
        let errors = longer.expect_failure(400, "VALIDATION_FAILED").json()["errors"].clone();
        assert_eq!((&errors[0]["field"], &errors[0]["code"]), (&json!("search"), &json!("TOO_LONG")));
    }
}
