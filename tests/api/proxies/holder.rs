//! What the app is told of who is calling, and that only Symbolon tells it.

use crate::support::{Answer, SignedIn};

/// An identity that a client brings along, in every way that an app may read one.
const FORGED: [(&str, &str); 7] = [
    ("X-Auth-User", "forged"),
    ("x-auth-role", "forged"),
    ("X-AUTH-SESSION", "forged"),
    ("X_Auth_User", "forged"),
    ("X-Auth_Role", "forged"),
    ("x_auth_session", "forged"),
    ("X-Auth-Anything", "forged"),
];

/// The names by which apps of all kinds read a header: many take `_` for `-`.
fn told(answer: &Answer, name: &str) -> Vec<String> {
    let lines = answer.text.lines().filter_map(|line| line.split_once(": "));
    let named = lines.filter(|(header, _)| header.replace('_', "-") == name);
    named.map(|(_, value)| value.to_owned()).collect()
}

#[track_caller]
fn is_told_of(answer: &Answer, person: &SignedIn) {
    assert_eq!(told(answer, "x-auth-user"), [&*person.user]);
    assert_eq!(told(answer, "x-auth-role"), ["user"]);
    assert_eq!(told(answer, "x-auth-session"), [&*person.session]);
}

behind_each_proxy! {
    fn the_app_is_told_who_is_calling(site) {
        let ada = site.server().register("ada@example.com");
        let call = |method: &str| site.client.call(method, "/page?x=1&y=%2F").bearer(&ada.access);
        let answer = call("GET").send().expect(200);
        assert!(answer.text.starts_with("GET /page?x=1&y=%2F HTTP/1.1"), "{}", answer.text);
        is_told_of(&answer, &ada);

        let body = "x".repeat(100_000);
        let posted = call("POST").header("content-type", "text/plain").body(body.as_bytes());
        let posted = posted.send().expect(200);
        assert!(posted.text.ends_with(&body) && posted.text.starts_with("POST /page?"));
        assert_eq!(told(&posted, "content-type"), ["text/plain"]);
        is_told_of(&posted, &ada);

        let head = call("HEAD").send().expect(200);
        assert!(head.text.is_empty());
        assert_ne!(head.header("content-length"), Some("0"));
        // The query is the app's, whatever it says to Symbolon.
        let own = site.get("/page?role=admin").bearer(&ada.access).send().expect(200);
        is_told_of(&own, &ada);
        assert_eq!(site.app.requests(), 4);
    }

    fn nobody_brings_an_identity_along(site) {
        let ada = site.server().register("ada@example.com");
        let forge = |path: &str| {
            let call = site.get(path);
            FORGED.iter().fold(call, |call, (name, value)| call.header(name, value))
        };
        for path in ["/page", "/public/page"] {
            let answer = forge(path).bearer(&ada.access).send().expect(200);
            for name in ["x-auth-user", "x-auth-role", "x-auth-session"] {
                assert!(!told(&answer, name).contains(&"forged".to_owned()), "{}", answer.text);
            }
        }
        is_told_of(&forge("/page").bearer(&ada.access).send().expect(200), &ada);
        let public = forge("/public/page").send().expect(200);
        for name in ["x-auth-user", "x-auth-role", "x-auth-session"] {
            assert!(told(&public, name).is_empty(), "{}", public.text);
        }
        forge("/page").send().refused(401, "realm");
        forge("/staff/").bearer(&ada.access).send().refused(403, "insufficient_scope");
        // Nor does an open path say who is calling, where nobody has checked.
        let open = site.get("/public/page").bearer(&ada.access).send().expect(200);
        assert!(told(&open, "x-auth-user").is_empty(), "{}", open.text);
    }
}
