//! `Idempotency-Key`: who made the live token may ask for it again.

use crate::support::client::claims;
use crate::support::{PAST_GRACE, TestServer, WITHIN_GRACE};

on_both_databases! {
    fn the_key_that_made_the_live_token_forgives_later_and_grace_starts_anew(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let live = server.refresh_with_key(&ada.refresh, "k-1").expect(200).refresh_token();
        server.clock.step(3600.0);
        // The answer got lost in a tunnel; an hour later the phone asks again.
        let again = server.refresh_with_key(&ada.refresh, "k-1").expect(200).refresh_token();
        assert_eq!(again, live);
        server.clock.step(WITHIN_GRACE);
        assert_eq!(server.refresh(&ada.refresh).expect(200).refresh_token(), live);
        server.clock.step(1.0);
        server.refresh(&ada.refresh).expect_failure(401, "REFRESH_TOKEN_REUSED");
    }

    fn another_key_forgives_nothing(db) {
        let server = TestServer::start(db);
        let keyed = server.register("keyed@example.com");
        let plain = server.register("plain@example.com");
        server.refresh_with_key(&keyed.refresh, "k-1").expect(200);
        server.refresh(&plain.refresh).expect(200);
        server.clock.step(PAST_GRACE);
        for token in [&keyed.refresh, &plain.refresh] {
            let answer = server.refresh_with_key(token, "k-2");
            answer.expect_failure(401, "REFRESH_TOKEN_REUSED");
        }
    }

    fn a_key_forgives_the_previous_generation_only(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let first = server.refresh_with_key(&ada.refresh, "k").expect(200).refresh_token();
        server.refresh_with_key(&first, "k").expect(200);
        let answer = server.refresh_with_key(&ada.refresh, "k");
        answer.expect_failure(401, "REFRESH_TOKEN_REUSED");
    }

    fn without_grace_nothing_is_forgiven_but_by_key(db) {
        let server = TestServer::with(db, &[("--refresh-grace", "0s")]);
        let ada = server.register("ada@example.com");
        let live = server.refresh_with_key(&ada.refresh, "k").expect(200).refresh_token();
        let again = server.refresh_with_key(&ada.refresh, "k").expect(200).refresh_token();
        assert_eq!(again, live);
        // Tabs get a new token each, too.
        let next = server.refresh_in_browser(&live).expect(200).refresh_token();
        assert_eq!(claims(&next)["gen"], 2);
        server.refresh(&live).expect_failure(401, "REFRESH_TOKEN_REUSED");
    }

    fn a_key_is_the_same_quoted_or_bare(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let longest = "k".repeat(255);
        let live = server.refresh_with_key(&ada.refresh, &longest).expect(200).refresh_token();
        server.clock.step(PAST_GRACE);
        let quoted = format!("\"{longest}\"");
        let again = server.refresh_with_key(&ada.refresh, &quoted).expect(200).refresh_token();
        assert_eq!(again, live);
    }

    fn what_is_no_key_is_refused_before_anything_happens(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let before = server.db.dump();
        let long = "k".repeat(256);
        let long_quoted = format!("\"{long}\"");
        for key in ["", "\"\"", "two words", "tab\tbed", &long, &long_quoted] {
            let answer = server.refresh_with_key(&ada.refresh, key);
            answer.expect_failure(400, "MALFORMED_REQUEST");
        }
        let twice = server.post("/auth/refresh-token").cookie(&ada.refresh);
        let twice = twice.header("idempotency-key", "k").header("idempotency-key", "k").send();
        twice.expect_failure(400, "MALFORMED_REQUEST");
        assert_eq!(server.db.dump(), before);
    }
}
