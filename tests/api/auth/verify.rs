//! `GET /auth/verify`: forward-auth. `proxies/` asks it through real proxies.

use serde_json::json;

use crate::support::TestServer;

on_both_databases! {
    fn it_says_who_may_pass(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let answer = server.get("/auth/verify").bearer(&ada.access).send().expect(204);
        assert_eq!(answer.text, "");
        assert_eq!(answer.header("x-auth-user"), Some(&*ada.user));
        assert_eq!(answer.header("x-auth-role"), Some("user"));
        assert_eq!(answer.header("x-auth-session"), Some(&*ada.session));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }

    /// Security: A17, I2, I5.
    fn it_refuses_everybody_else_at_once(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let verify = |token: &str| server.get("/auth/verify").bearer(token).send();
        let refused = server.get("/auth/verify").send().expect_failure(401, "TOKEN_MISSING");
        assert_eq!(refused.header("x-auth-user"), None);
        verify("nonsense").expect_failure(401, "TOKEN_INVALID");
        verify(&ada.refresh).expect_failure(401, "TOKEN_INVALID");
        // A cookie is no credential here: pages of other origins could make a browser send it.
        server.get("/auth/verify").cookie(&ada.refresh).send().expect_failure(401, "TOKEN_MISSING");
        let twice = server.get("/auth/verify").bearer(&ada.access).bearer(&ada.access).send();
        twice.expect_failure(400, "MALFORMED_REQUEST");

        server.disable(&ada.user);
        verify(&ada.access).expect_failure(401, "SESSION_REVOKED");
        server.db.set_user(&ada.user, "disabled_at = NULL");
        server.logout(&ada.access, &ada.refresh).expect(204);
        verify(&ada.access).expect_failure(401, "SESSION_REVOKED");
        let bob = server.register("bob@example.com");
        server.clock.step(15.0 * 60.0);
        verify(&bob.access).expect_failure(401, "TOKEN_EXPIRED");
    }

    /// Security: I2, I3, I5.
    fn a_role_is_required_and_read_from_the_table(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let verify = |query: &str| {
            server.get(&format!("/auth/verify{query}")).bearer(&ada.access).send()
        };
        for (role, passes) in [
            ("user", [true, false, false]),
            ("moderator", [true, true, false]),
            ("admin", [true, true, true]),
        ] {
            server.db.set_user(&ada.user, &format!("role = '{role}'"));
            for (required, passes) in ["user", "moderator", "admin"].iter().zip(passes) {
                let answer = verify(&format!("?role={required}"));
                if passes {
                    assert_eq!(answer.expect(204).header("x-auth-role"), Some(role));
                } else {
                    let answer = answer.expect_failure(403, "FORBIDDEN");
                    let challenge = answer.header("www-authenticate").unwrap();
                    assert!(challenge.contains(r#"error="insufficient_scope""#));
                    assert_eq!(answer.header("x-auth-role"), None);
                }
            }
        }
        // An administrator is refused too where nobody can say what is asked for.
        for unknown in ["root", "Admin", "", "admin%20", "user,admin"] {
            verify(&format!("?role={unknown}")).expect_failure(403, "FORBIDDEN");
        }
        for query in ["?rolle=user", "?role=user&role=user", "?role=user&x=1"] {
            verify(query).expect_failure(400, "MALFORMED_REQUEST");
        }
    }

    fn who_has_to_verify_first_does_not_pass(db) {
        let server = TestServer::with(db, &[("--require-verified-email", "true")]);
        let ada = server.register("ada@example.com");
        let verify = || server.get("/auth/verify").bearer(&ada.access).send();
        verify().expect_failure(403, "EMAIL_NOT_VERIFIED");
        let token = server.letter("Verify your e-mail address").token();
        server.post("/auth/verify-email").json(&json!({"token": token})).send().expect(204);
        verify().expect(204);
    }
}
