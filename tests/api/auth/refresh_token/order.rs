//! The order of checks: of two faults the earlier one is told, and nothing happens.

use serde_json::{Value, json};

use crate::support::{Answer, PAST_GRACE, TestServer};

const PATH: &str = "/auth/refresh-token";

on_both_databases! {
    /// Security: A3, D5.
    fn each_check_comes_before_the_next(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let good = server.forge_refresh(&ada.refresh);
        server.refresh(&ada.refresh).expect(200);
        server.clock.step(PAST_GRACE);
        // What each line is wrong in, all the lines below it are wrong in, too.
        server.disable(&ada.user);
        server.db.set_session(&ada.session, "revoked_at = created_at, ends_at = created_at");
        let evil = |call: crate::support::Call<'_>| call.header("origin", "https://evil.example").send();
        let forged = good.clone().key(b"guessed").claim("exp", 1).claim("sid", unknown()).sign();
        let expired = good.clone().claim("exp", server.seconds()).claim("sid", unknown()).sign();
        let unknown = good.claim("sid", unknown()).sign();
        let before = server.db.dump();

        let put = server.call("PUT", PATH).body(b"{").header("content-type", "text/plain");
        let put = evil(put).expect_failure(405, "METHOD_NOT_ALLOWED");
        assert_eq!(put.header("allow"), Some("POST"));
        let text = server.post(PATH).body(b"{").header("content-type", "text/plain");
        evil(text).expect_failure(415, "UNSUPPORTED_MEDIA_TYPE");
        let brace = server.post(PATH).body(b"{").header("content-type", "application/json");
        evil(brace).expect_failure(400, "MALFORMED_REQUEST");
        evil(server.post(PATH)).expect_failure(403, "ORIGIN_REJECTED");
        evil(server.post(PATH).cookie(&forged)).expect_failure(403, "ORIGIN_REJECTED");
        let fails = |answer: Answer, code| drop(answer.expect_failure(401, code));
        fails(server.post(PATH).send(), "REFRESH_TOKEN_MISSING");
        fails(server.refresh_in_body(&forged), "REFRESH_TOKEN_INVALID");
        fails(server.refresh_in_body(&expired), "REFRESH_TOKEN_EXPIRED");
        fails(server.refresh_in_body(&unknown), "REFRESH_TOKEN_INVALID");
        // The wrong transport, then revoked, then the user, then the time, then the generation.
        fails(server.refresh_in_body(&ada.refresh), "REFRESH_TOKEN_INVALID");
        fails(server.refresh(&ada.refresh), "SESSION_REVOKED");
        assert_eq!(server.db.dump(), before);
        server.db.set_session(&ada.session, "revoked_at = NULL");
        fails(server.refresh(&ada.refresh), "SESSION_REVOKED");
        server.db.set_user(&ada.user, "disabled_at = NULL");
        fails(server.refresh(&ada.refresh), "REFRESH_TOKEN_EXPIRED");
        let end = server.db.moment((server.seconds() + 60) * 1_000_000);
        server.db.set_session(&ada.session, &format!("ends_at = {end}"));
        fails(server.refresh(&ada.refresh), "REFRESH_TOKEN_REUSED");
    }

    /// Security: B6.
    fn a_token_is_known_by_what_it_says_not_by_its_bytes(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        // The same claims in another order, signed by us: another text, the same token.
        let forged = server.forge_refresh(&ada.refresh).header("kid", "x").sign();
        assert_ne!(forged, ada.refresh);
        server.refresh(&forged).expect(200);
        assert_eq!(server.db.generation(&ada.session), 1);
    }

    fn other_bodies_are_refused(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let before = server.db.dump();
        let malformed = [
            r#"{"refreshToken": "x", "refreshToken": "y"}"#,
            r#"{"refreshtoken": "x"}"#,
            r#"{"token": "x"}"#,
            r#"["x"]"#,
            r"[]",
            r"null",
            r#""x""#,
            r"{} {}",
            "{\"refreshToken\": \"\u{0}\"}",
        ];
        for body in malformed {
            let call = server.post(PATH).cookie(&ada.refresh).body(body.as_bytes());
            let answer = call.header("content-type", "application/json").send();
            answer.expect_failure(400, "MALFORMED_REQUEST");
        }
        let bad_utf8 = server.post(PATH).cookie(&ada.refresh).body(b"{\"refreshToken\": \"\xff\"}");
        let bad_utf8 = bad_utf8.header("content-type", "application/json").send();
        bad_utf8.expect_failure(400, "MALFORMED_REQUEST");
        let large = Value::from("x".repeat(16 * 1024));
        let large = server.post(PATH).cookie(&ada.refresh).json(&json!({"refreshToken": large}));
        large.send().expect_failure(413, "PAYLOAD_TOO_LARGE");
        assert_eq!(server.db.dump(), before);
        // A Content-Type with nothing behind it is harmless.
        let empty = server.post(PATH).cookie(&ada.refresh).header("content-type", "application/json");
        empty.send().expect(200);
    }
}

fn unknown() -> &'static str {
    "01890000-0000-7000-8000-000000000000"
}
