//! `POST /auth/register`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Answer, Client, PASSWORD, TestServer, at_once};

fn register(server: &Client, email: &str, password: &str) -> Answer {
    server.post("/auth/register").json(&json!({"email": email, "password": password})).send()
}

/// The codes of a validation failure, by field.
fn faults(answer: Answer) -> Vec<(String, String)> {
    let answer = answer.expect_failure(400, "VALIDATION_FAILED");
    assert!(answer.header("set-cookie").is_none());
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let fault = |error: &Value| {
        assert_eq!(error.as_object().unwrap().len(), 3);
        assert!(error["message"].as_str().unwrap().ends_with('.'));
        (text(&error["field"]), text(&error["code"]))
    };
    errors.iter().map(fault).collect()
}

on_both_databases! {
    fn it_opens_an_account_and_a_session(db) {
        let server = TestServer::start(db);
        let body = json!({"email": "Ada@Example.com", "password": PASSWORD, "name": " Ada "});
        let answer = server.post("/auth/register").json(&body).send().expect(201);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let tokens = answer.json();
        let names: BTreeSet<_> = tokens.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(["accessToken", "expiresIn", "refreshExpiresIn",
            "sessionExpiresIn", "tokenType", "user"]));
        assert_eq!(tokens["tokenType"], "Bearer");
        assert_eq!(tokens["expiresIn"], 900);
        assert_eq!(tokens["refreshExpiresIn"], 604_800);
        assert_eq!(tokens["sessionExpiresIn"], 2_592_000);
        let ada = answer.signed_in();
        assert_eq!(tokens["user"], json!({
            "id": ada.user,
            "email": "Ada@Example.com",
            "name": "Ada",
            "role": "user",
            "emailVerified": false,
            "createdAt": "2026-03-01T12:00:00.25Z",
        }));
        // UUIDv7: they sort by the time of their making.
        for id in [&ada.user, &ada.session] {
            assert_eq!((id.len(), &id[14..15]), (36, "7"));
        }
        server.me(&ada.access).expect(200);
        server.refresh(&ada.refresh).expect(200);
        assert!(server.db.password_hash(&ada.user).starts_with("$bcrypt-sha256$v=2,t=2b,r=10$"));
    }

    fn a_name_is_optional(db) {
        let server = TestServer::start(db);
        for (number, name) in [json!(null), json!(""), json!("  ")].into_iter().enumerate() {
            let email = format!("ada{number}@example.com");
            let body = json!({"email": email, "password": PASSWORD, "name": name});
            let answer = server.post("/auth/register").json(&body).send().expect(201);
            assert_eq!(answer.json()["user"]["name"], json!(null));
        }
    }

    fn an_address_is_taken_once(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.register("ada@bücher.example");
        for taken in ["ada@example.com", "ADA@example.com", "Ada@EXAMPLE.Com", "ada@BÜCHER.example",
            "ada@xn--bcher-kva.example"]
        {
            let answer = register(&server, taken, PASSWORD).expect_failure(409, "EMAIL_TAKEN");
            assert!(answer.header("set-cookie").is_none());
        }
        for free in ["ada.@example.org", "a.da@example.com", "ada+tag@example.com"] {
            let answer = register(&server, free, PASSWORD);
            assert!(matches!(answer.status, 201 | 400), "{free}");
        }
        // Whoever tried has not touched the account.
        server.me(&ada.access).expect(200);
        server.login("ada@example.com");
    }

    /// Security: F3.
    fn of_many_at_once_one_wins(db) {
        let server = TestServer::start(db);
        let answers = at_once(20, |number| {
            let spelled: String = "ada@example.com".chars().enumerate().map(|(at, c)| {
                if at < 3 && number >> at & 1 == 1 || at > 3 && number >> 3 & 1 == 1 {
                    c.to_ascii_uppercase()
                } else {
                    c
                }
            }).collect();
            register(&server, &spelled, PASSWORD)
        });
        let (won, lost): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!((won.len(), lost.len()), (1, 19));
        for answer in lost {
            answer.expect_failure(409, "EMAIL_TAKEN");
        }
        assert_eq!(server.db.number("SELECT COUNT(*) FROM users"), 1);
        assert_eq!(server.db.sessions(), 1);
        server.me(&won[0].access_token()).expect(200);
    }

    /// Security: F4.
    fn what_is_no_address_is_refused(db) {
        let server = TestServer::start(db);
        let before = server.db.dump();
        let long = format!("{}@example.com", "a".repeat(243));
        assert_eq!(long.len(), 255);
        for email in ["", "ada", "@example.com", "ada@", "ada@localhost", "a b@example.com",
            "ada@example.com ", " ada@example.com", "ada@example.com\r\nBcc: eve@example.com",
            "ada\u{0}@example.com", "ada@example.com\u{0}", "ada\u{7f}@example.com",
            "ada\u{85}@example.com", "ada\u{2028}@example.com", "Ada <ada@example.com>",
            "ada@[127.0.0.1]", "ada@example.com,eve@example.com", "ada@exa_mple.com", &long]
        {
            let found = faults(register(&server, email, PASSWORD));
            assert_eq!(found, [("email".into(), "NO_ADDRESS".into())], "{email:?}");
        }
        assert_eq!(server.db.dump(), before);
    }

    fn every_fault_is_told_at_once(db) {
        let server = TestServer::start(db);
        let send = |body: Value| faults(server.post("/auth/register").json(&body).send());
        let fault = |field: &str, code: &str| (field.to_owned(), code.to_owned());
        assert_eq!(send(json!({})), [fault("email", "REQUIRED"), fault("password", "REQUIRED")]);
        let all = send(json!({"email": "ada", "password": "short", "name": "x".repeat(101)}));
        let expected = BTreeSet::from(
            [fault("email", "NO_ADDRESS"), fault("password", "TOO_SHORT"), fault("name", "TOO_LONG")]);
        assert_eq!(BTreeSet::from_iter(all), expected);
        let with = |field: &str, value: Value| {
            let mut body = json!({"email": "ada@example.com", "password": PASSWORD});
            body[field] = value;
            send(body)
        };
        for value in [json!(1), json!(true), json!([]), json!({}), json!(["a"]), json!({"$ne": 1}),
            json!({"body": null})] {
            for field in ["email", "password", "name", "refreshTransport"] {
                let found = with(field, value.clone());
                assert_eq!(found[0].0, field, "{value}");
                assert_eq!(found.len(), 1);
            }
        }
        let unknown = with("refreshTransport", json!("carrier pigeon"));
        assert_eq!(unknown, [fault("refreshTransport", "UNKNOWN_VALUE")]);
        assert_eq!(server.db.number("SELECT COUNT(*) FROM users"), 0);
    }

    /// Security: F5.
    fn nobody_makes_oneself_somebody(db) {
        let server = TestServer::start(db);
        for (field, value) in [
            ("role", json!("admin")),
            ("id", json!("01890000-0000-7000-8000-000000000000")),
            ("emailVerified", json!(true)),
            ("email_verified", json!(true)),
            ("disabled", json!(false)),
            ("createdAt", json!("2020-01-01T00:00:00Z")),
            ("passwordHash", json!("$2b$10$abc")),
            ("Role", json!("admin")),
            ("__proto__", json!({"role": "admin"})),
            ("constructor", json!({})),
        ] {
            for path in ["/auth/register", "/auth/login"] {
                let mut body = json!({"email": "ada@example.com", "password": PASSWORD});
                body[field] = value.clone();
                let answer = server.post(path).json(&body).send();
                answer.expect_failure(400, "MALFORMED_REQUEST");
            }
        }
        let twice = br#"{"email": "ada@example.com", "password": "correct horse", "email": "x@y.example"}"#;
        let twice = server.post("/auth/register").body(twice).header("content-type", "application/json");
        twice.send().expect_failure(400, "MALFORMED_REQUEST");
        assert_eq!(server.db.number("SELECT COUNT(*) FROM users"), 0);
    }

    /// Security: F7.
    fn text_is_only_text(db) {
        let server = TestServer::start(db);
        let corpus = [
            "Robert'); DROP TABLE users;--",
            "' OR '1'='1",
            "\" OR 1=1 --",
            "1; UPDATE users SET role='admin'",
            "\\'; SELECT pg_sleep(5); --",
            "$(reboot) `id` ${7*7} {{7*7}} <%= 7*7 %>",
            "<script>alert(1)</script>",
            "../../../../etc/passwd",
            "%00%0d%0a%s%n",
            "*)(uid=*))(|(uid=*",
            "\u{202e}nimda\u{feff}",
        ];
        for (number, text) in corpus.into_iter().enumerate() {
            let email = format!("ada{number}@example.com");
            let body = json!({"email": email, "password": format!("{text} and more"), "name": text});
            let call = server.post("/auth/register").json(&body);
            // A header field can hold less.
            let agent: String = text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
            let ada = call.header("user-agent", &agent).send().expect(201);
            assert_eq!(ada.json()["user"]["name"], text.trim());
            assert_eq!(ada.json()["user"]["role"], "user");
            let sessions = server.get("/auth/sessions").bearer(&ada.access_token()).send().expect(200);
            assert_eq!(sessions.json()["sessions"][0]["userAgent"], agent.trim());
            for (email, password) in [(text, PASSWORD), (&email, text)] {
                let body = json!({"email": email, "password": password});
                let answer = server.post("/auth/login").json(&body).send();
                answer.expect_failure(401, "INVALID_CREDENTIALS");
            }
            let id = "SELECT COUNT(*) FROM users WHERE role <> 'user'";
            assert_eq!(server.db.number(id), 0);
        }
        assert_eq!(server.db.number("SELECT COUNT(*) FROM users"), 11);
        let quoted = register(&server, "o'brien@example.com", PASSWORD).expect(201);
        assert_eq!(quoted.json()["user"]["email"], "o'brien@example.com");
    }

    /// Security: E1, E7.
    fn a_password_is_long_and_not_to_be_guessed(db) {
        let server = TestServer::start(db);
        let (crab, composed) = ("🦀", "e\u{301}");
        let send = |password: &str| {
            let body = json!({"email": "grace.hopper@example.com", "password": password,
                "name": "Rear Admiral"});
            server.post("/auth/register").json(&body).send()
        };
        let (seven, four, long) = (crab.repeat(7), composed.repeat(4), "xy".repeat(128) + "z");
        for (password, code) in [
            ("", "TOO_SHORT"),
            ("hq7-pz9", "TOO_SHORT"),
            (&*seven, "TOO_SHORT"),
            // Eight characters as sent, four after NFC.
            (&four, "TOO_SHORT"),
            (&long, "TOO_LONG"),
            ("password123", "TOO_COMMON"),
            ("PASSWORD123", "TOO_COMMON"),
            ("Grace.Hopper@Example.com", "TOO_PERSONAL"),
            ("grace.hopper", "TOO_PERSONAL"),
            ("GRACE.HOPPER2026", "TOO_PERSONAL"),
            ("rear admiral!!", "TOO_PERSONAL"),
        ] {
            let answer = send(password);
            assert!(password.is_empty() || !answer.text.contains(password));
            assert_eq!(faults(answer), [("password".into(), code.into())], "{password}");
        }
        assert_eq!(server.db.number("SELECT COUNT(*) FROM users"), 0);
        for (number, password) in [crab.repeat(8), "hq7-pz9w".into(), crab.repeat(256), composed.repeat(256)]
            .iter().enumerate()
        {
            let email = format!("ada{number}@example.com");
            register(&server, &email, password).expect(201);
        }
    }

    fn the_shortest_password_is_a_setting(db) {
        let server = TestServer::with(db, &[("--password-min-length", "12")]);
        let found = faults(register(&server, "ada@example.com", "hq7-pz9w-4k"));
        assert_eq!(found, [("password".into(), "TOO_SHORT".into())]);
        register(&server, "ada@example.com", "hq7-pz9w-4kx").expect(201);
    }

    fn it_can_be_closed(db) {
        let server = TestServer::start(db);
        server.register("ada@example.com");
        let closed = [("--registration", "closed")];
        let closed = TestServer::on(server.db.clone(), server.clock.clone(), &closed);
        for email in ["new@example.com", "ada@example.com", "no address"] {
            register(&closed, email, PASSWORD).expect_failure(403, "REGISTRATION_CLOSED");
        }
        assert_eq!(server.db.number("SELECT COUNT(*) FROM users"), 1);
        closed.login("ada@example.com");
    }

    /// Security: B8.
    fn it_ends_the_session_whose_cookie_it_overwrites(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let with = |email: &str, transport: &str| {
            let body = json!({"email": email, "password": PASSWORD, "refreshTransport": transport});
            server.post("/auth/register").json(&body).cookie(&ada.refresh).send()
        };
        // A refusal changes nothing: account and end are one transaction.
        with("ada@example.com", "cookie").expect_failure(409, "EMAIL_TAKEN");
        with("no address", "cookie").expect_failure(400, "VALIDATION_FAILED");
        // By body no cookie is set, so none is overwritten.
        with("phone@example.com", "body").expect(201);
        server.me(&ada.access).expect(200);
        let bob = with("bob@example.com", "cookie").expect(201);
        server.me(&ada.access).expect_failure(401, "SESSION_REVOKED");
        assert_eq!(server.db.audited("session_revoked", &ada.session), 1);
        server.me(&bob.access_token()).expect(200);
    }
}
