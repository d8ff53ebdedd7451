//! Who does not get through, on any path and by any method.

use crate::support::Client;
use crate::support::client::claims;

const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "DELETE", "OPTIONS"];

/// Ways to a closed path by way of an open one.
const DETOURS: [&str; 7] = [
    "/public/../private",
    "/public/%2e%2e/private",
    "/public/..%2fprivate",
    "/public/.//../private",
    "/public%2f../private",
    "//public/../private",
    "/auth/../private",
];

/// Ways to a path for administrators by way of one for everybody who is signed in.
const STAFF_DETOURS: [&str; 6] = [
    "//staff/x",
    "/./staff/x",
    "/page/../staff/x",
    "/%73taff/x",
    "/staff%2fx",
    "/page/..%2fstaff/x",
];

/// What a path is answered with, sent as it is: clients tidy paths up.
fn status(client: &Client, path: &str, token: &str) -> String {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: site.test\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\n\r\n"
    );
    let answer = client.raw(request.as_bytes());
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

behind_each_proxy! {
    fn nobody_passes_without_a_token(site) {
        for method in METHODS {
            let answer = site.client.call(method, "/private?a=b").send();
            assert!(!answer.refused(401, "realm").header("www-authenticate").unwrap().contains("error"));
        }
        let posted = site.client.post("/private").body(b"something").send();
        posted.refused(401, "realm");
        for path in ["/", "/staff/", "/staff/x?role=user", "/publicly"] {
            site.get(path).send().refused(401, "realm");
        }
        assert_eq!(site.app.requests(), 0);
        site.get("/public/page").send().expect(200);
        assert_eq!(site.app.requests(), 1);
    }

    /// Security: A13, A18.
    fn nobody_passes_with_a_token_that_is_no_good(site) {
        let ada = site.server().register("ada@example.com");
        let forged = site.server().forge_access(&ada.access).key(b"guessed").sign();
        let expired = site.server().forge_access(&ada.access).claim("exp", 1).sign();
        for token in [&*forged, &expired, &ada.refresh, "x"] {
            site.get("/private").bearer(token).send().refused(401, r#"error="invalid_token""#);
        }
        // Neither by the address nor by a cookie.
        site.get(&format!("/private?access_token={}", ada.access)).send().refused(401, "realm");
        site.get("/private").cookie(&ada.refresh).send().refused(401, "realm");
        assert_eq!(site.app.requests(), 0);
    }

    /// Of two tokens the app might believe the other one.
    ///
    /// Security: A18.
    fn nobody_passes_with_two_tokens(site) {
        let ada = site.server().register("ada@example.com");
        let bob = site.server().register("bob@example.com");
        let both = site.get("/private").bearer(&ada.access).bearer(&bob.access).send();
        assert!(both.status >= 400, "{}", both.text);
        assert_eq!(site.app.requests(), 0);
    }

    fn no_detour_leads_past_the_guard(site) {
        let ada = site.server().register("ada@example.com");
        for path in DETOURS {
            let status = status(&site.client, path, "");
            assert!(["400", "401", "404"].contains(&&*status), "{path}: {status}");
        }
        for path in STAFF_DETOURS {
            let status = status(&site.client, path, &ada.access);
            assert!(["400", "403"].contains(&&*status), "{path}: {status}");
        }
        assert_eq!(site.app.requests(), 0);
    }

    /// Security: A6, A17.
    fn a_session_that_has_ended_ends_at_once(site) {
        let ada = site.client.register("ada@example.com");
        let private = || site.get("/private").bearer(&ada.access).send();
        private().expect(200);
        site.client.logout(&ada.access, &ada.refresh).expect(204);
        private().refused(401, r#"error="invalid_token""#);

        let again = site.client.login("ada@example.com");
        let private = || site.get("/private").bearer(&again.access).send();
        private().expect(200);
        let left = claims(&again.access)["exp"].as_i64().unwrap() - site.server().seconds();
        site.server().clock.step(f64::from(i32::try_from(left).unwrap()));
        private().refused(401, r#"error="invalid_token""#);
    }

    /// Security: I2, I5.
    fn a_path_for_administrators_is_for_them_alone(site) {
        let ada = site.server().register("ada@example.com");
        let staff = || site.get("/staff/list").bearer(&ada.access).send();
        staff().refused(403, r#"error="insufficient_scope""#);
        // Whatever the client's own query says.
        site.get("/staff/list?role=user").bearer(&ada.access).send().refused(403, "scope");
        assert_eq!(site.app.requests(), 0);
        site.server().db.set_user(&ada.user, "role = 'admin'");
        assert!(staff().expect(200).text.contains("x-auth-role: admin\n"));
        site.server().db.set_user(&ada.user, "role = 'moderator'");
        staff().refused(403, "insufficient_scope");
    }
}
