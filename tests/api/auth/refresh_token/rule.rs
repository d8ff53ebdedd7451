//! What a presented token gets: the contract's table, case by case.

use serde_json::json;

use crate::support::client::claims;
use crate::support::{PAST_GRACE, TestServer, WITHIN_GRACE};

on_both_databases! {
    /// Security: B1, B6.
    fn the_live_token_is_rotated(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.clock.step(60.0);
        let answer = server.refresh(&ada.refresh).expect(200);
        let (old, new) = (claims(&ada.refresh), claims(&answer.refresh_token()));
        assert_eq!((&old["gen"], &new["gen"]), (&json!(0), &json!(1)));
        assert_eq!(new["iat"], server.seconds());
        for same in ["iss", "aud", "sub", "sid"] {
            assert_eq!(old[same], new[same], "{same}");
        }
        assert_ne!(answer.access_token(), ada.access);
        server.me(&answer.access_token()).expect(200);
        // An earlier access token lives on to its `exp`.
        server.me(&ada.access).expect(200);
        let tokens = answer.json();
        assert_eq!(tokens["tokenType"], "Bearer");
        assert_eq!(tokens["expiresIn"], 15 * 60);
        assert_eq!(tokens["refreshExpiresIn"], 7 * 24 * 3600);
        assert_eq!(tokens["sessionExpiresIn"], 30 * 24 * 3600 - 60);
        assert_eq!(tokens["user"]["id"], *ada.user);
        assert_eq!(server.db.sessions(), 1);
    }

    fn whoever_is_no_browser_gets_a_new_token_on_every_refresh(db) {
        let server = TestServer::start(db);
        let mut token = server.register("ada@example.com").refresh;
        for generation in 1..=5 {
            token = server.refresh(&token).expect(200).refresh_token();
            assert_eq!(claims(&token)["gen"], generation);
        }
    }

    fn a_browser_gets_the_live_token_again_until_grace_is_over(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        // There was no rotation yet, so there is nothing to wait for.
        let first = server.refresh_in_browser(&ada.refresh).expect(200).refresh_token();
        assert_eq!(claims(&first)["gen"], 1);
        server.clock.step(WITHIN_GRACE);
        let again = server.refresh_in_browser(&first).expect(200);
        assert_eq!(again.refresh_token(), first);
        assert_ne!(again.access_token(), ada.access);
        // Before `grace_until` counts as within: at 10 s it is over.
        server.clock.step(1.0);
        let second = server.refresh_in_browser(&first).expect(200).refresh_token();
        assert_eq!(claims(&second)["gen"], 2);
    }

    fn the_previous_token_is_forgiven_until_grace_is_over(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let live = server.refresh(&ada.refresh).expect(200).refresh_token();
        for _ in 0..3 {
            server.clock.step(3.0);
            assert_eq!(server.refresh(&ada.refresh).expect(200).refresh_token(), live);
            assert_eq!(server.refresh_in_browser(&ada.refresh).expect(200).refresh_token(), live);
        }
        // Nine seconds of replays have not moved the end of the grace.
        server.clock.step(0.999);
        assert_eq!(server.refresh(&ada.refresh).expect(200).refresh_token(), live);
        server.clock.step(0.001);
        server.refresh(&ada.refresh).expect_failure(401, "REFRESH_TOKEN_REUSED");
    }

    /// Security: B2.
    fn theft_ends_the_session_and_its_live_successor(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let other = server.login("ada@example.com");
        let successor = server.refresh(&ada.refresh).expect(200);
        server.clock.step(PAST_GRACE);
        server.refresh(&ada.refresh).expect_failure(401, "REFRESH_TOKEN_REUSED");
        // Committed although the request failed.
        assert!(server.db.is_revoked(&ada.session));
        assert_eq!(server.db.audited("refresh_token_reused", &ada.session), 1);
        server.refresh(&successor.refresh_token()).expect_failure(401, "SESSION_REVOKED");
        server.refresh(&ada.refresh).expect_failure(401, "SESSION_REVOKED");
        server.me(&successor.access_token()).expect_failure(401, "SESSION_REVOKED");
        assert_eq!(server.db.audited("refresh_token_reused", &ada.session), 1);
        // This session alone.
        server.refresh(&other.refresh).expect(200);
    }

    fn an_older_token_is_theft_even_within_grace(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let first = server.refresh(&ada.refresh).expect(200).refresh_token();
        server.refresh(&first).expect(200);
        server.refresh(&ada.refresh).expect_failure(401, "REFRESH_TOKEN_REUSED");
        assert!(server.db.is_revoked(&ada.session));
    }

    fn a_row_that_lost_a_rotation_goes_on_from_the_token(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let mut token = ada.refresh.clone();
        for _ in 0..3 {
            server.clock.step(3600.0);
            token = server.refresh(&token).expect(200).refresh_token();
        }
        // A restored backup: generation 0 again, and idle for longer than it may be.
        let past = server.db.moment((server.seconds() - 1) * 1_000_000);
        let restored = format!("generation = 0, grace_until = NULL, expires_at = {past}");
        server.db.set_session(&ada.session, &restored);
        let answer = server.refresh(&token).expect(200);
        assert_eq!(claims(&answer.refresh_token())["gen"], 4);
        assert_eq!(server.db.generation(&ada.session), 4);
        assert_eq!(server.db.audited("rotation_recovered", &ada.session), 1);
        server.refresh(&answer.refresh_token()).expect(200);
        assert_eq!(server.db.audited("rotation_recovered", &ada.session), 1);
    }

    fn a_lost_rotation_outlives_neither_the_session_nor_the_token(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let token = server.refresh(&ada.refresh).expect(200).refresh_token();
        let end = server.db.moment((server.seconds() + 60) * 1_000_000);
        server.db.set_session(&ada.session, &format!("generation = 0, ends_at = {end}"));
        server.clock.step(60.0);
        server.refresh(&token).expect_failure(401, "REFRESH_TOKEN_EXPIRED");
        server.db.set_session(&ada.session, "revoked_at = created_at");
        server.refresh(&token).expect_failure(401, "SESSION_REVOKED");
        server.clock.step(7.0 * 86400.0);
        server.refresh(&token).expect_failure(401, "REFRESH_TOKEN_EXPIRED");
    }

    fn an_unknown_session_is_no_session(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.db.execute("DELETE FROM refresh_tokens");
        server.refresh(&ada.refresh).expect_failure(401, "REFRESH_TOKEN_INVALID");
    }

    /// Security: B17.
    fn revocation_wins_over_grace(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let live = server.refresh_with_key(&ada.refresh, "k").expect(200);
        server.delete("/auth/sessions").bearer(&ada.access).send().expect(204);
        for token in [&ada.refresh, &live.refresh_token()] {
            server.refresh(token).expect_failure(401, "SESSION_REVOKED");
            server.refresh_in_browser(token).expect_failure(401, "SESSION_REVOKED");
            server.refresh_with_key(token, "k").expect_failure(401, "SESSION_REVOKED");
        }
        assert_eq!(server.db.audited("refresh_token_reused", &ada.session), 0);
    }

    /// Security: B9.
    fn a_disabled_user_is_refused(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.disable(&ada.user);
        server.refresh(&ada.refresh).expect_failure(401, "SESSION_REVOKED");
        assert_eq!(server.db.generation(&ada.session), 0);
        // Not even for a stolen token is anything written.
        server.db.set_user(&ada.user, "disabled_at = NULL");
        server.refresh(&ada.refresh).expect(200);
    }

    /// Security: B9.
    fn a_deleted_user_is_refused(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.db.execute("DELETE FROM users");
        server.refresh(&ada.refresh).expect_failure(401, "SESSION_REVOKED");
        server.me(&ada.access).expect_failure(401, "SESSION_REVOKED");
    }

    /// Security: B9.
    fn a_refresh_reads_the_role_afresh(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        for role in ["admin", "moderator", "user"] {
            server.db.set_user(&ada.user, &format!("role = '{role}'"));
            // A replay does so, too.
            let answer = server.refresh(&ada.refresh).expect(200);
            assert_eq!(claims(&answer.access_token())["role"], role);
            assert_eq!(answer.json()["user"]["role"], role);
        }
    }

    /// Security: B5.
    fn a_token_unused_for_seven_days_has_expired(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        server.clock.step(7.0 * 86400.0 - 1.0);
        let live = server.refresh(&ada.refresh).expect(200).refresh_token();
        server.clock.step(7.0 * 86400.0 - 0.25);
        server.refresh(&live).expect_failure(401, "REFRESH_TOKEN_EXPIRED");
        // So has one that a thief comes with: no alarm for what is worth nothing.
        server.refresh(&ada.refresh).expect_failure(401, "REFRESH_TOKEN_EXPIRED");
        assert!(!server.db.is_revoked(&ada.session));
    }

    fn the_row_can_shorten_a_tokens_life(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let now = server.now();
        server.db.set_session(&ada.session, &format!("expires_at = {now}"));
        server.refresh(&ada.refresh).expect_failure(401, "REFRESH_TOKEN_EXPIRED");
        assert_eq!(server.db.generation(&ada.session), 0);
    }

    /// Security: B4.
    fn no_rotation_passes_the_sessions_end(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let end = claims(&ada.refresh)["iat"].as_i64().unwrap() + 30 * 86400;
        let mut token = ada.refresh;
        for _ in 0..5 {
            server.clock.step(5.0 * 86400.0);
            let answer = server.refresh(&token).expect(200);
            token = answer.refresh_token();
            let expires = claims(&token)["exp"].as_i64().unwrap();
            assert_eq!(expires, end.min(server.seconds() + 7 * 86400));
            assert_eq!(answer.json()["refreshExpiresIn"], expires - server.seconds());
            assert_eq!(answer.json()["sessionExpiresIn"], end - server.seconds());
        }
        server.clock.step(5.0 * 86400.0 - 1.0);
        let last = server.refresh(&token).expect(200);
        assert_eq!(last.json()["refreshExpiresIn"], 1);
        server.clock.step(1.0);
        server.refresh(&last.refresh_token()).expect_failure(401, "REFRESH_TOKEN_EXPIRED");
        server.me(&last.access_token()).expect_failure(401, "SESSION_REVOKED");
    }

    fn a_replay_from_elsewhere_is_audited(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let refresh = |agent| {
            let call = server.post("/auth/refresh-token").cookie(&ada.refresh);
            call.header("user-agent", agent).send().expect(200)
        };
        refresh("Firefox/140.0");
        refresh("Firefox/140.0");
        assert_eq!(server.db.audited("replayed_elsewhere", &ada.session), 0);
        refresh("curl/8.0");
        assert_eq!(server.db.audited("replayed_elsewhere", &ada.session), 1);
    }

    fn a_replay_from_another_address_is_audited(db) {
        let server = TestServer::with(db, &[("--trusted-proxies", "127.0.0.1")]);
        let ada = server.register("ada@example.com");
        let refresh = |address| {
            let call = server.post("/auth/refresh-token").cookie(&ada.refresh);
            call.header("x-forwarded-for", address).send().expect(200)
        };
        refresh("203.0.113.7");
        refresh("203.0.113.7");
        assert_eq!(server.db.audited("replayed_elsewhere", &ada.session), 0);
        refresh("203.0.113.8");
        assert_eq!(server.db.audited("replayed_elsewhere", &ada.session), 1);
    }

    fn a_new_secret_goes_along_with_the_old_one_and_then_without(db) {
        let (old, new) = ("an-old-secret-of-32-bytes-or-more!", "a-new-secret-of-32-bytes-or-more!!");
        let server = TestServer::with(db, &[("--jwt-secret", old)]);
        let ada = server.register("ada@example.com");
        let on = |flags: &[(&str, &str)]| TestServer::on(server.db.clone(), server.clock.clone(), flags);
        let both = on(&[("--jwt-secret", new), ("--jwt-secret-previous", old)]);
        both.me(&ada.access).expect(200);
        let live = both.refresh(&ada.refresh).expect(200);
        let alone = on(&[("--jwt-secret", new)]);
        alone.me(&ada.access).expect_failure(401, "TOKEN_INVALID");
        alone.refresh(&ada.refresh).expect_failure(401, "REFRESH_TOKEN_INVALID");
        // The earlier secret verifies and never signs.
        alone.me(&live.access_token()).expect(200);
        alone.refresh(&live.refresh_token()).expect(200);
    }
}
