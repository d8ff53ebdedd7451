//! `POST /auth/change-password`.

use serde_json::{Value, json};

use crate::support::{Answer, Client, PASSWORD, TestServer, at_once};

const NEW: &str = "wrong donkey charger";

fn change(server: &Client, access: &str, body: &Value) -> Answer {
    server.post("/auth/change-password").bearer(access).json(body).send()
}

fn login(server: &Client, email: &str, password: &str) -> Answer {
    server.post("/auth/login").json(&json!({"email": email, "password": password})).send()
}

on_both_databases! {
    /// Security: H9.
    fn it_ends_every_other_session_and_keeps_this_one(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let others = [server.login("ada@example.com"), server.login("ada@example.com")];
        let bob = server.register("bob@example.com");
        let body = json!({"currentPassword": PASSWORD, "newPassword": NEW});
        let answer = change(&server, &ada.access, &body).expect(204);
        assert!(answer.text.is_empty() && answer.header("set-cookie").is_none());
        for other in &others {
            server.refresh(&other.refresh).expect_failure(401, "SESSION_REVOKED");
            server.me(&other.access).expect_failure(401, "SESSION_REVOKED");
        }
        server.me(&ada.access).expect(200);
        server.refresh(&ada.refresh).expect(200);
        server.me(&bob.access).expect(200);
        assert_eq!(server.db.audited("password_changed", &ada.session), 1);
        login(&server, "ada@example.com", PASSWORD).expect_failure(401, "INVALID_CREDENTIALS");
        login(&server, "ada@example.com", NEW).expect(200);
        login(&server, "bob@example.com", PASSWORD).expect(200);
    }

    /// Security: H9.
    fn it_needs_the_current_password(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let other = server.login("ada@example.com");
        let before = server.db.dump();
        let upper = PASSWORD.to_uppercase();
        for wrong in ["another horse", "", &upper, NEW] {
            let body = json!({"currentPassword": wrong, "newPassword": NEW});
            let answer = change(&server, &ada.access, &body);
            let answer = answer.expect_failure(401, "INVALID_CREDENTIALS");
            assert!(!answer.header("www-authenticate").unwrap().contains("error="));
        }
        let body = json!({"currentPassword": PASSWORD, "newPassword": NEW});
        let none = server.post("/auth/change-password").cookie(&ada.refresh).json(&body).send();
        none.expect_failure(401, "TOKEN_MISSING");
        assert_eq!(server.db.dump(), before);
        server.me(&other.access).expect(200);
    }

    /// Security: E7, H9.
    fn the_new_password_has_to_be_good(db) {
        let server = TestServer::start(db);
        let body = json!({"email": "ada.lovelace@example.com", "password": PASSWORD, "name": "Countess Ada"});
        let ada = server.post("/auth/register").json(&body).send().expect(201);
        let before = server.db.dump();
        for (new, code) in [
            ("1234567", "TOO_SHORT"),
            ("password1", "TOO_COMMON"),
            ("Ada.Lovelace", "TOO_PERSONAL"),
            ("countess ada 1", "TOO_PERSONAL"),
        ] {
            let body = json!({"currentPassword": PASSWORD, "newPassword": new});
            let answer = change(&server, &ada.access_token(), &body);
            let answer = answer.expect_failure(400, "VALIDATION_FAILED");
            assert_eq!(answer.json()["errors"][0]["field"], "newPassword");
            assert_eq!(answer.json()["errors"][0]["code"], code, "{new}");
            // The reason, but never the password.
            assert!(!answer.text.contains(new));
        }
        for body in [json!({}), json!({"newPassword": NEW}), json!({"currentPassword": PASSWORD}),
            json!({"currentPassword": PASSWORD, "newPassword": 12_345_678})]
        {
            let answer = change(&server, &ada.access_token(), &body);
            answer.expect_failure(400, "VALIDATION_FAILED");
        }
        for field in ["role", "email", "userId", "keep"] {
            let body = json!({"currentPassword": PASSWORD, "newPassword": NEW, field: "x"});
            let answer = change(&server, &ada.access_token(), &body);
            answer.expect_failure(400, "MALFORMED_REQUEST");
        }
        assert_eq!(server.db.dump(), before);
    }

    /// Whoever signs in with the old password either comes too late or is sent away again.
    ///
    /// Security: H9.
    fn no_sign_in_with_the_old_password_survives(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let mut passwords = [PASSWORD, NEW, "third time lucky", "four candles fork"].windows(2);
        while let Some([old, new]) = passwords.next() {
            let answers = at_once(7, |number| match number {
                3 => {
                    let body = json!({"currentPassword": old, "newPassword": new});
                    change(&server, &ada.access, &body)
                }
                _ => login(&server, "ada@example.com", old),
            });
            for (number, answer) in answers.into_iter().enumerate() {
                match answer.status {
                    204 => assert_eq!(number, 3),
                    200 => {
                        let intruder = answer.signed_in();
                        server.me(&intruder.access).expect_failure(401, "SESSION_REVOKED");
                        server.refresh(&intruder.refresh).expect_failure(401, "SESSION_REVOKED");
                    }
                    _ => drop(answer.expect_failure(401, "INVALID_CREDENTIALS")),
                }
            }
            server.me(&ada.access).expect(200);
        }
    }

    /// A session that is ended while the password is being hashed changes nothing any more.
    fn an_ended_session_changes_nothing(db) {
        // Dear enough to be overtaken.
        let server = TestServer::with(db, &[("--bcrypt-cost", "13")]);
        let ada = server.register("ada@example.com");
        let other = server.login("ada@example.com");
        let body = json!({"currentPassword": PASSWORD, "newPassword": NEW});
        std::thread::scope(|scope| {
            let changing = scope.spawn(|| change(&server, &ada.access, &body));
            // It has been let in by then, and is hashing for half a second and more.
            std::thread::sleep(std::time::Duration::from_millis(250));
            let path = format!("/auth/sessions/{}", ada.session);
            server.delete(&path).bearer(&other.access).send().expect(204);
            changing.join().unwrap().expect_failure(401, "SESSION_REVOKED");
        });
        server.me(&other.access).expect(200);
        login(&server, "ada@example.com", PASSWORD).expect(200);
    }

    /// Of two changes at once one wins, and the account has its password.
    fn two_changes_at_once_are_one(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let new = ["wrong donkey charger", "third time lucky"];
        let answers = at_once(2, |number| {
            let body = json!({"currentPassword": PASSWORD, "newPassword": new[number]});
            change(&server, &ada.access, &body)
        });
        let won: Vec<_> = (0..2).filter(|&number| answers[number].status == 204).collect();
        let [winner] = won[..] else { panic!("{answers:?}") };
        answers[1 - winner].clone().expect_failure(401, "INVALID_CREDENTIALS");
        login(&server, "ada@example.com", new[winner]).expect(200);
        login(&server, "ada@example.com", new[1 - winner])
            .expect_failure(401, "INVALID_CREDENTIALS");
    }
}
