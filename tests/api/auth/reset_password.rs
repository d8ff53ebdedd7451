//! `POST /auth/forgot-password`, `POST /auth/reset-password`.

use serde_json::json;
use symbolon::background::Stop;

use crate::support::{Answer, Client, Letter, PASSWORD, SmtpServer, TestServer, at_once};

const NEW: &str = "wrong donkey charger";

fn forgot(client: &Client, email: &str) -> Answer {
    client.post("/auth/forgot-password").json(&json!({"email": email})).send()
}

fn reset(client: &Client, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "newPassword": password});
    client.post("/auth/reset-password").json(&body).send()
}

fn login(client: &Client, password: &str) -> Answer {
    let body = json!({"email": "ada@example.com", "password": password});
    client.post("/auth/login").json(&body).send()
}

/// The mail that `forgot-password` brings to the address.
#[track_caller]
fn asked(server: &TestServer, email: &str) -> Letter {
    // Of two that are asked for within one millisecond, either is the later.
    server.clock.step(0.001);
    assert_eq!(forgot(server, email).expect(202).json(), json!({}));
    server.letter("Reset your password")
}

on_both_databases! {
    /// Security: H7.
    fn the_link_sets_a_password_ends_every_session_and_signs_nobody_in(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let phone = server.register_in_body("other@example.com");
        server.mail();
        let letter = asked(&server, "ada@example.com");
        assert_eq!(letter.to, "ada@example.com");
        let answer = reset(&server, &letter.token(), NEW).expect(204);
        assert!(answer.text.is_empty() && answer.header("set-cookie").is_none());
        server.refresh(&ada.refresh).expect_failure(401, "SESSION_REVOKED");
        server.me(&ada.access).expect_failure(401, "SESSION_REVOKED");
        server.me(&phone.access).expect(200);
        login(&server, PASSWORD).expect_failure(401, "INVALID_CREDENTIALS");
        let again = login(&server, NEW).expect(200);
        assert_eq!(again.json()["user"]["emailVerified"], true, "whoever has the link has the address");
        let notice = server.letter("Your password was changed");
        assert_eq!(notice.to, "ada@example.com");
        for kind in ["password_reset_asked", "password_reset", "email_verified"] {
            let user = server.db.id(&ada.user);
            let of_ada = format!("kind = '{kind}' AND user_id = {user}");
            let count = server.db.number(&format!("SELECT COUNT(*) FROM audit_events WHERE {of_ada}"));
            assert_eq!(count, 1, "{kind}");
        }
    }

    /// Security: H2.
    fn the_link_is_good_once_for_half_an_hour_until_the_next(db) {
        let server = TestServer::start(db);
        server.register("ada@example.com");
        server.mail();
        let first = asked(&server, "ada@example.com").token();
        let second = asked(&server, "ada@example.com").token();
        assert_ne!(first, second);
        reset(&server, &first, NEW).expect_failure(400, "TOKEN_INVALID");
        server.clock.step(1799.9);
        reset(&server, &second, NEW).expect(204);
        reset(&server, &second, NEW).expect_failure(400, "TOKEN_INVALID");
        let third = asked(&server, "ada@example.com").token();
        server.clock.step(1800.0);
        reset(&server, &third, PASSWORD).expect_failure(400, "TOKEN_INVALID");
        login(&server, NEW).expect(200);
    }

    /// Two requests before the mail is sent are one link, the later one's.
    fn two_requests_at_once_leave_one_good_link(db) {
        let server = TestServer::start(db);
        server.register("ada@example.com");
        server.mail();
        at_once(8, |_| forgot(&server, "ada@example.com").expect(202));
        let tokens: Vec<_> = server.mail().iter().map(Letter::token).collect();
        assert!(!tokens.is_empty());
        let answers = tokens.iter().map(|token| reset(&server, token, NEW).status);
        assert_eq!(answers.filter(|&status| status == 204).count(), 1);
    }

    /// Security: H2.
    fn of_many_at_once_one_redeems_it(db) {
        let server = TestServer::start(db);
        server.register("ada@example.com");
        server.mail();
        let token = asked(&server, "ada@example.com").token();
        let password = |number| format!("wrong donkey charger {number}");
        let answers = at_once(12, |number| reset(&server, &token, &password(number)));
        let won: Vec<_> = (0..12).filter(|&number| answers[number].status == 204).collect();
        assert_eq!(won.len(), 1);
        for (number, answer) in answers.into_iter().enumerate() {
            if number != won[0] {
                answer.expect_failure(400, "TOKEN_INVALID");
            }
            let expected = if number == won[0] { 200 } else { 401 };
            login(&server, &password(number)).expect(expected);
        }
        let changed = server.mail();
        assert_eq!(changed.len(), 1, "{changed:#?}");
    }

    /// Security: H3. Whoever has the address, one row is written and nothing more.
    fn the_answer_tells_nobody_who_has_an_account(db) {
        let server = TestServer::start(db);
        server.register("ada@example.com");
        let gone = server.register("gone@example.com");
        server.disable(&gone.user);
        server.mail();
        let describe = |email: &str| {
            let before = (server.db.waiting(), server.db.dump());
            let answer = forgot(&server, email).expect(202);
            let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
            names.sort();
            let added = server.db.waiting() - before.0;
            (answer.text, names, added, server.db.dump() == before.1)
        };
        let known = describe("ada@example.com");
        assert_eq!((known.2, known.3), (1, true));
        for email in ["nobody@example.com", "gone@example.com", "ADA@EXAMPLE.COM"] {
            assert_eq!(describe(email), known, "{email}");
        }
        // The two requests for Ada's address are one link; of nobody else there is anything.
        let letters = server.mail();
        let tos: Vec<_> = letters.iter().map(|letter| &*letter.to).collect();
        assert!(tos.iter().all(|to| *to == "ada@example.com"), "{tos:?}");
        assert_eq!(server.db.waiting(), 0);
    }

    /// Security: H5.
    fn it_goes_to_the_address_that_is_stored(db) {
        let server = TestServer::start(db);
        server.register("Ada@example.com");
        server.mail();
        let letter = asked(&server, "aDA@EXAMPLE.com");
        assert_eq!(letter.to, "Ada@example.com");
        reset(&server, &letter.token(), NEW).expect(204);
    }

    /// Security: H5. Also if the first attempt to send it fails.
    fn it_goes_to_the_address_that_is_stored_whenever_that_succeeds(db) {
        let mut smtp = SmtpServer::start(&[]);
        let server = TestServer::with(db, &[("--smtp-url", &smtp.url())]);
        server.register("ada@example.com");
        let deliver = || server.app.outbox.deliver(&Stop::default()).unwrap();
        assert!(deliver());
        smtp.stop();
        forgot(&server, "ADA@example.com").expect(202);
        assert!(!deliver());
        smtp.start_again(&[]);
        server.clock.step(5.0);
        assert!(deliver());
        let letters = smtp.wait_for(2);
        assert_eq!((&*letters[1].subject, &*letters[1].to), ("Reset your password", "ada@example.com"));
        reset(&server, &letters[1].token(), NEW).expect(204);
    }

    /// Security: H8.
    fn a_disabled_account_stays_disabled(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.mail();
        let before = asked(&server, "ada@example.com").token();
        server.disable(&ada.user);
        reset(&server, &before, NEW).expect_failure(400, "TOKEN_INVALID");
        forgot(&server, "ada@example.com").expect(202);
        assert_eq!(server.mail(), []);
        login(&server, NEW).expect(401);
        login(&server, PASSWORD).expect(401);
    }

    /// Security: H6.
    fn only_a_post_uses_it_up(db) {
        let server = TestServer::start(db);
        server.register("ada@example.com");
        server.mail();
        let token = asked(&server, "ada@example.com").token();
        for method in ["GET", "HEAD"] {
            for path in ["/auth/reset-password", "/auth/verify-email"] {
                server.call(method, &format!("{path}?token={token}")).send().expect(405);
            }
        }
        reset(&server, &token, NEW).expect(204);
    }

    /// Security: H4.
    fn a_forged_host_changes_no_link(db) {
        let server = TestServer::with(db, &[("--public-url", "https://auth.example")]);
        server.register("ada@example.com");
        server.mail();
        let forged = ["x-forwarded-host", "x-original-host", "forwarded", "x-forwarded-proto"];
        let mut call = server.post("/auth/forgot-password").header("host", "evil.example");
        for name in forged {
            call = call.header(name, "host=evil.example");
        }
        call.json(&json!({"email": "ada@example.com"})).send().expect(202);
        let letter = server.letter("Reset your password");
        let start = "https://auth.example/account/reset#token=";
        assert!(letter.link().starts_with(start), "{}", letter.link());
        assert!(!letter.raw.contains("evil"), "{}", letter.raw);
    }

    /// A link that a form has refused for its password can still be used.
    fn a_password_that_is_not_good_enough_uses_nothing_up(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.mail();
        let token = asked(&server, "ada@example.com").token();
        for bad in ["short", "password1234", "ada@example.com", &"x".repeat(257)] {
            let answer = reset(&server, &token, bad).expect_failure(400, "VALIDATION_FAILED");
            assert_eq!(answer.json()["errors"][0]["field"], "newPassword", "{bad}");
        }
        server.me(&ada.access).expect(200);
        for body in [json!({"token": token}), json!({"newPassword": NEW}), json!({})] {
            let answer = server.post("/auth/reset-password").json(&body).send();
            answer.expect_failure(400, "VALIDATION_FAILED");
        }
        reset(&server, &token, NEW).expect(204);
    }

    /// Security: A13, H2. Nor is anything that is no token, or a token for something else.
    fn what_was_not_made_for_it_is_refused(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let verification = server.letter("Verify your e-mail address").token();
        let token = asked(&server, "ada@example.com").token();
        let before = server.db.dump();
        let cut = &token[..token.len() - 1];
        let longer = format!("{token}A");
        for bad in ["", "x", "\u{1f980}", cut, &longer, &verification, &ada.access, &ada.refresh] {
            reset(&server, bad, NEW).expect_failure(400, "TOKEN_INVALID");
        }
        let verify = |token: &str| {
            server.post("/auth/verify-email").json(&json!({"token": token})).send()
        };
        for bad in [&*token, &ada.access, &ada.refresh, ""] {
            verify(bad).expect_failure(400, "TOKEN_INVALID");
        }
        for bad in [&token, &verification] {
            server.me(bad).expect_failure(401, "TOKEN_INVALID");
            server.refresh(bad).expect_failure(401, "REFRESH_TOKEN_INVALID");
        }
        assert_eq!(server.db.dump(), before);
        verify(&verification).expect(204);
        reset(&server, &token, NEW).expect(204);
    }

    /// Security: H7. Changed by one who knew it: links that were mailed before are worth nothing.
    fn a_changed_password_takes_links_back(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.mail();
        let token = asked(&server, "ada@example.com").token();
        let change = json!({"currentPassword": PASSWORD, "newPassword": "another good one"});
        server.post("/auth/change-password").bearer(&ada.access).json(&change).send().expect(204);
        reset(&server, &token, NEW).expect_failure(400, "TOKEN_INVALID");
        server.letter("Your password was changed");
    }

    /// Deleting an account takes its links and its mail along.
    fn a_deleted_account_has_no_links(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let verification = server.letter("Verify your e-mail address").token();
        let token = asked(&server, "ada@example.com").token();
        forgot(&server, "ada@example.com").expect(202);
        let delete = server.delete("/auth/me").bearer(&ada.access);
        delete.json(&json!({"password": PASSWORD})).send().expect(204);
        reset(&server, &token, NEW).expect_failure(400, "TOKEN_INVALID");
        let answer = server.post("/auth/verify-email").json(&json!({"token": verification})).send();
        answer.expect_failure(400, "TOKEN_INVALID");
        assert_eq!(server.mail(), []);
        assert_eq!(server.db.number("SELECT COUNT(*) FROM one_time_tokens"), 0);
    }
}
