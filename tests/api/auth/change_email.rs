//! `POST /auth/change-email`.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Letter, PASSWORD, SignedIn, TestServer, at_once};

fn change(client: &Client, access: &str, body: &Value) -> Answer {
    client.post("/auth/change-email").bearer(access).json(body).send()
}

fn verify(client: &Client, token: &str) -> Answer {
    client.post("/auth/verify-email").json(&json!({"token": token})).send()
}

/// Asks for `new` and returns the mails that go to the new and to the old address.
#[track_caller]
fn asked(server: &TestServer, user: &SignedIn, new: &str) -> (Letter, Letter) {
    let body = json!({"newEmail": new, "password": PASSWORD});
    assert_eq!(change(server, &user.access, &body).expect(202).json(), json!({}));
    let letters = server.mail();
    assert_eq!(letters.len(), 2, "{letters:#?}");
    let (link, notice) = letters.into_iter().partition::<Vec<_>, _>(|letter| letter.to == new);
    (link[0].clone(), notice[0].clone())
}

fn email_of(server: &TestServer, user: &SignedIn) -> Value {
    let user = server.me(&user.access).expect(200).json();
    json!([user["email"], user["emailVerified"]])
}

on_both_databases! {
    /// Security: H5. Nothing changes before the new address is proven, and the old one is told.
    fn the_new_address_is_proven_and_the_old_one_told(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.mail();
        let (link, notice) = asked(&server, &ada, "New@example.com");
        assert_eq!((&*link.to, &*notice.to), ("New@example.com", "ada@example.com"));
        assert_eq!(link.subject, "Verify your e-mail address");
        assert!(notice.text.contains("New@example.com") && !notice.text.contains("#token="));
        assert_eq!(email_of(&server, &ada), json!(["ada@example.com", false]));
        server.login("ada@example.com");
        verify(&server, &link.token()).expect(204);
        assert_eq!(email_of(&server, &ada), json!(["New@example.com", true]));
        verify(&server, &link.token()).expect_failure(400, "TOKEN_INVALID");
        server.login("new@example.com");
        let old = json!({"email": "ada@example.com", "password": PASSWORD});
        server.post("/auth/login").json(&old).send().expect_failure(401, "INVALID_CREDENTIALS");
        server.refresh(&ada.refresh).expect(200);
        for kind in ["email_change_asked", "email_changed"] {
            let count = format!("SELECT COUNT(*) FROM audit_events WHERE kind = '{kind}'");
            assert_eq!(server.db.number(&count), 1, "{kind}");
        }
    }

    fn it_needs_the_password_and_another_address(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.mail();
        let before = server.db.dump();
        let wrong = json!({"newEmail": "new@example.com", "password": "wrong donkey"});
        change(&server, &ada.access, &wrong).expect_failure(401, "INVALID_CREDENTIALS");
        for new in ["", "new", "new@", "a\r\nBcc: eve@example.com@example.com", "ada@example.com"] {
            let body = json!({"newEmail": new, "password": PASSWORD});
            change(&server, &ada.access, &body).expect_failure(400, "VALIDATION_FAILED");
        }
        for body in [json!({"newEmail": "new@example.com"}), json!({"password": PASSWORD})] {
            change(&server, &ada.access, &body).expect_failure(400, "VALIDATION_FAILED");
        }
        assert_eq!((server.db.dump(), server.db.waiting()), (before, 0));
        // In other letters it is the same address, as its owner wants to read it.
        let (link, _) = asked(&server, &ada, "Ada@example.com");
        verify(&server, &link.token()).expect(204);
        assert_eq!(email_of(&server, &ada), json!(["Ada@example.com", true]));
    }

    /// Whether somebody has the address is told to nobody but who can read its mail.
    fn an_address_that_is_taken_is_refused_at_the_end(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.register("bob@example.com");
        server.mail();
        let (link, _) = asked(&server, &ada, "BOB@example.com");
        verify(&server, &link.token()).expect_failure(409, "EMAIL_TAKEN");
        assert_eq!(email_of(&server, &ada), json!(["ada@example.com", false]));
        server.login("bob@example.com");
        // The link is not used up by that: once the address is free, it is good.
        verify(&server, &link.token()).expect_failure(409, "EMAIL_TAKEN");
    }

    /// Of an account and a change that want the same address at once, one gets it.
    fn one_address_has_one_owner(db) {
        let server = TestServer::start(db);
        let users: Vec<_> =
            (0..6).map(|number| server.register(&format!("user{number}@example.com"))).collect();
        server.mail();
        let tokens: Vec<_> =
            users.iter().map(|user| asked(&server, user, "one@example.com").0.token()).collect();
        let statuses = at_once(7, |number| {
            if let Some(token) = tokens.get(number) {
                return verify(&server, token).status;
            }
            let body = json!({"email": "One@example.com", "password": PASSWORD});
            server.post("/auth/register").json(&body).send().status
        });
        let won = statuses.iter().filter(|&&status| matches!(status, 201 | 204)).count();
        let lost = statuses.iter().filter(|&&status| status == 409).count();
        assert_eq!((won, lost), (1, 6), "{statuses:?}");
        let owners = "SELECT COUNT(*) FROM users WHERE email_canonical = 'one@example.com'";
        assert_eq!(server.db.number(owners), 1);
    }

    /// Security: H2, H7.
    fn links_die_with_what_they_rest_on(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let verification = server.letter("Verify your e-mail address").token();
        server.post("/auth/forgot-password").json(&json!({"email": "ada@example.com"})).send();
        let reset = server.letter("Reset your password").token();
        let (first, _) = asked(&server, &ada, "first@example.com");
        let (second, _) = asked(&server, &ada, "second@example.com");
        verify(&server, &first.token()).expect_failure(400, "TOKEN_INVALID");
        verify(&server, &second.token()).expect(204);
        // What was mailed to the old address proves nothing of the new one.
        verify(&server, &verification).expect_failure(400, "TOKEN_INVALID");
        let body = json!({"token": reset, "newPassword": "wrong donkey charger"});
        let answer = server.post("/auth/reset-password").json(&body).send();
        answer.expect_failure(400, "TOKEN_INVALID");
        // A changed password stops a change that somebody else may have asked for.
        let (third, _) = asked(&server, &ada, "third@example.com");
        let body = json!({"currentPassword": PASSWORD, "newPassword": "another good one"});
        server.post("/auth/change-password").bearer(&ada.access).json(&body).send().expect(204);
        verify(&server, &third.token()).expect_failure(400, "TOKEN_INVALID");
        assert_eq!(email_of(&server, &ada), json!(["second@example.com", true]));
    }
}
