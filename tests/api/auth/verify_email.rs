//! `POST /auth/verify-email`, `POST /auth/resend-verification`, `REQUIRE_VERIFIED_EMAIL`.

use serde_json::json;

use crate::support::{Answer, Client, PASSWORD, TestServer, at_once};

const SUBJECT: &str = "Verify your e-mail address";
const DAY: f64 = 86_400.0;

fn verify(client: &Client, token: &str) -> Answer {
    client.post("/auth/verify-email").json(&json!({"token": token})).send()
}

fn resend(client: &Client, access: &str) -> Answer {
    client.post("/auth/resend-verification").bearer(access).send()
}

on_both_databases! {
    fn registering_mails_a_link_that_proves_the_address(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let is_verified = || server.me(&ada.access).expect(200).json()["emailVerified"].clone();
        let letter = server.letter(SUBJECT);
        assert_eq!(letter.to, "ada@example.com");
        assert!(letter.link().contains("/account/verify#token="), "{}", letter.link());
        assert_eq!(is_verified(), false);
        assert!(verify(&server, &letter.token()).expect(204).text.is_empty());
        assert_eq!(is_verified(), true);
        verify(&server, &letter.token()).expect_failure(400, "TOKEN_INVALID");
        server.refresh(&ada.refresh).expect(200);
        let events = "SELECT COUNT(*) FROM audit_events WHERE kind = 'email_verified'";
        assert_eq!(server.db.number(events), 1);
    }

    /// Security: H2.
    fn the_link_is_good_for_a_day_until_the_next(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let first = server.letter(SUBJECT).token();
        assert_eq!(resend(&server, &ada.access).expect(202).json(), json!({}));
        let second = server.letter(SUBJECT).token();
        verify(&server, &first).expect_failure(400, "TOKEN_INVALID");
        server.clock.step(DAY);
        verify(&server, &second).expect_failure(400, "TOKEN_INVALID");
        let again = server.login("ada@example.com");
        resend(&server, &again.access).expect(202);
        let third = server.letter(SUBJECT).token();
        server.clock.step(DAY - 0.1);
        let answers = at_once(10, |_| verify(&server, &third).status);
        assert_eq!(answers.iter().filter(|&&status| status == 204).count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|&&status| status == 400).count(), 9, "{answers:?}");
        // Nothing is left to prove, so nothing is mailed.
        let again = server.login("ada@example.com");
        resend(&server, &again.access).expect(202);
        assert_eq!(server.mail(), []);
    }

    /// What counts is when the mail is sent, which may be long after it was asked for.
    fn its_day_begins_when_it_is_mailed(db) {
        let server = TestServer::start(db);
        server.register("ada@example.com");
        server.clock.step(DAY * 0.9);
        let token = server.letter(SUBJECT).token();
        server.clock.step(DAY * 0.9);
        verify(&server, &token).expect(204);
    }

    fn resending_needs_an_access_token(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let none = server.post("/auth/resend-verification").cookie(&ada.refresh).send();
        none.expect_failure(401, "TOKEN_MISSING");
        let field = server.post("/auth/resend-verification").bearer(&ada.access);
        field.json(&json!({"email": "eve@example.com"})).send().expect(400);
        let empty = server.post("/auth/resend-verification").bearer(&ada.access);
        empty.json(&json!({})).send().expect(202);
    }

    /// Of the calls that need an access token, these are what a user may make who is to prove the
    /// address first: leaving, staying signed in, and asking for the mail.
    fn an_address_that_has_to_be_proven_first(db) {
        let server = TestServer::with(db, &[("--require-verified-email", "true")]);
        let ada = server.register("ada@example.com");
        let token = server.letter(SUBJECT).token();
        let again = server.login("ada@example.com");
        let change = json!({"currentPassword": PASSWORD, "newPassword": "another good one"});
        let email = json!({"newEmail": "new@example.com", "password": PASSWORD});
        let calls = || [
            server.get("/auth/me"),
            server.call("PATCH", "/auth/me").json(&json!({"name": "Ada"})),
            server.get("/auth/sessions"),
            server.delete("/auth/sessions"),
            server.delete(&format!("/auth/sessions/{}", ada.session)),
            server.post("/auth/change-password").json(&change),
            server.post("/auth/change-email").json(&email),
            server.delete("/auth/me").json(&json!({"password": PASSWORD})),
        ];
        let before = server.db.dump();
        for call in calls() {
            call.bearer(&ada.access).send().expect_failure(403, "EMAIL_NOT_VERIFIED");
        }
        assert_eq!(server.db.dump(), before);
        let renewed = server.refresh(&ada.refresh).expect(200);
        assert_eq!(renewed.json()["user"]["emailVerified"], false);
        server.logout(&again.access, &again.refresh).expect(204);
        resend(&server, &ada.access).expect(202);
        verify(&server, &token).expect_failure(400, "TOKEN_INVALID");
        verify(&server, &server.letter(SUBJECT).token()).expect(204);
        // The same access token is good from the next request on.
        server.me(&ada.access).expect(200);
    }
}
