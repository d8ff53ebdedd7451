//! `POST /auth/logout`.

use serde_json::json;

use crate::support::{Call, PAST_GRACE, TestServer};

const PATH: &str = "/auth/logout";

on_both_databases! {
    /// Security: B11.
    fn it_takes_both_tokens_of_one_session(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let other = server.login("ada@example.com");
        let answer = server.logout(&ada.access, &ada.refresh).expect(204);
        assert_eq!(answer.text, "");
        assert!(server.db.is_revoked(&ada.session));
        assert_eq!(server.db.audited("signed_out", &ada.session), 1);
        assert_eq!(server.db.audited("refresh_token_reused", &ada.session), 0);
        server.me(&ada.access).expect_failure(401, "SESSION_REVOKED");
        server.refresh(&ada.refresh).expect_failure(401, "SESSION_REVOKED");
        server.logout(&ada.access, &ada.refresh).expect_failure(401, "SESSION_REVOKED");
        assert_eq!(server.db.audited("signed_out", &ada.session), 1);
        // This session alone.
        server.refresh(&other.refresh).expect(200);
    }

    /// Security: B11.
    fn with_one_token_bad_nothing_happens(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let other = server.login("ada@example.com");
        let bob = server.register("bob@example.com");
        let access = server.forge_access(&ada.access);
        let refresh = server.forge_refresh(&ada.refresh);
        let expired_access = access.clone().claim("exp", server.seconds()).sign();
        let forged_access = access.key(b"guessed").sign();
        let expired_refresh = refresh.clone().claim("exp", server.seconds()).sign();
        let forged_refresh = refresh.key(b"guessed").sign();
        let no_token: Option<&str> = None;
        let (good_access, good_refresh) = (Some(&*ada.access), Some(&*ada.refresh));
        let cases = [
            // The access token is judged first.
            (no_token, no_token, "TOKEN_MISSING"),
            (no_token, good_refresh, "TOKEN_MISSING"),
            (Some(&*forged_access), no_token, "TOKEN_INVALID"),
            (Some(&forged_access), good_refresh, "TOKEN_INVALID"),
            (Some(&expired_access), good_refresh, "TOKEN_EXPIRED"),
            (Some(&expired_access), Some(&forged_refresh), "TOKEN_EXPIRED"),
            (good_access, no_token, "REFRESH_TOKEN_MISSING"),
            (good_access, Some(&*forged_refresh), "REFRESH_TOKEN_INVALID"),
            (good_access, Some(&expired_refresh), "REFRESH_TOKEN_EXPIRED"),
            // Good ones, but no pair: of two sessions of one user, and of two users.
            (good_access, Some(&*other.refresh), "REFRESH_TOKEN_INVALID"),
            (good_access, Some(&bob.refresh), "REFRESH_TOKEN_INVALID"),
            (Some(&bob.access), good_refresh, "REFRESH_TOKEN_INVALID"),
        ];
        let before = server.db.dump();
        for (access, refresh, code) in cases {
            let call = access.into_iter().fold(server.post(PATH), Call::bearer);
            let call = refresh.into_iter().fold(call, Call::cookie);
            let answer = call.send().expect_failure(401, code);
            assert!(answer.header("set-cookie").is_none(), "{code}");
            let challenge = answer.header("www-authenticate").unwrap();
            let at_fault = matches!(code, "TOKEN_INVALID" | "TOKEN_EXPIRED");
            assert_eq!(challenge.contains("error="), at_fault, "{code}");
        }
        assert_eq!(server.db.dump(), before);
        for good in [ada, other, bob] {
            server.logout(&good.access, &good.refresh).expect(204);
        }
    }

    /// Security: B10.
    fn by_body_no_cookie_is_read_or_set(db) {
        let server = TestServer::start(db);
        let body = server.register_in_body("body@example.com");
        let cookie = server.register("cookie@example.com");
        let before = server.db.dump();
        let wrong = server.logout(&body.access, &body.refresh);
        wrong.expect_failure(401, "REFRESH_TOKEN_INVALID");
        let in_body = |access: &str, token: &str| {
            server.post(PATH).bearer(access).json(&json!({"refreshToken": token}))
        };
        let wrong = in_body(&cookie.access, &cookie.refresh).send();
        wrong.expect_failure(401, "REFRESH_TOKEN_INVALID");
        let unread = in_body(&cookie.access, "nonsense").cookie(&cookie.refresh).send();
        unread.expect_failure(401, "REFRESH_TOKEN_INVALID");
        let null = server.post(PATH).bearer(&cookie.access).cookie(&cookie.refresh);
        let null = null.json(&json!({"refreshToken": null})).send();
        null.expect_failure(400, "VALIDATION_FAILED");
        assert_eq!(server.db.dump(), before);
        let answer = in_body(&body.access, &body.refresh).cookie(&cookie.refresh).send();
        assert!(answer.expect(204).header("set-cookie").is_none());
        assert!(server.db.is_revoked(&body.session));
        assert!(!server.db.is_revoked(&cookie.session));
    }

    /// Security: B11.
    fn any_generation_will_do_and_an_old_one_is_audited(db) {
        let server = TestServer::start(db);
        // How many rotations, how long ago the last one was, whether that is reuse.
        for (rotations, seconds, reused) in
            [(0, PAST_GRACE, 0), (1, 0.0, 0), (1, 9.0, 0), (1, 10.0, 1), (2, 0.0, 1)]
        {
            let ada = server.register(&format!("ada-{rotations}-{seconds}@example.com"));
            let mut token = ada.refresh.clone();
            for _ in 0..rotations {
                token = server.refresh(&token).expect(200).refresh_token();
            }
            server.clock.step(seconds);
            let answer = server.logout(&ada.access, &ada.refresh).expect(204);
            assert_eq!(answer.cookie(), None);
            assert!(server.db.is_revoked(&ada.session));
            let audited = server.db.audited("refresh_token_reused", &ada.session);
            assert_eq!(audited, reused, "{rotations} {seconds}");
            assert_eq!(server.db.audited("signed_out", &ada.session), 1);
            server.refresh(&token).expect_failure(401, "SESSION_REVOKED");
        }
    }

    fn a_token_newer_than_its_row_will_do(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let live = server.refresh(&ada.refresh).expect(200).refresh_token();
        server.db.set_session(&ada.session, "generation = 0, grace_until = NULL");
        server.logout(&ada.access, &live).expect(204);
        assert_eq!(server.db.audited("refresh_token_reused", &ada.session), 0);
    }

    fn an_access_token_from_before_a_refresh_will_do(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let live = server.refresh(&ada.refresh).expect(200).refresh_token();
        server.logout(&ada.access, &live).expect(204);
    }

    fn the_highest_generation_of_several_cookies_counts(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let live = server.refresh(&ada.refresh).expect(200).refresh_token();
        server.clock.step(PAST_GRACE);
        let two = server.post(PATH).bearer(&ada.access).cookie(&ada.refresh).cookie(&live);
        two.send().expect(204);
        assert_eq!(server.db.audited("refresh_token_reused", &ada.session), 0);
    }
}
