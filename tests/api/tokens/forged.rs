//! What is not taken for a token: each forgery is a good one but for one change.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::TestServer;
use crate::support::client::claims;
use crate::support::forge::Forgery;

type MakeValue = fn() -> Value;

/// What each claim of both kinds must not be.
const MISTYPED: [(&str, MakeValue); 14] = [
    ("exp", || json!("1772367300")),
    ("exp", || json!(true)),
    ("iat", || json!("1772366400")),
    ("iat", || json!([1_772_366_400])),
    ("iss", || json!(1)),
    ("iss", || json!("https://other.test")),
    ("iss", || json!("https://auth.test/")),
    ("iss", || json!(["https://auth.test"])),
    ("aud", || json!(1)),
    ("aud", || json!("https://other.test")),
    ("aud", || json!([])),
    ("sub", || json!(1)),
    ("sub", || json!("ada")),
    ("sid", || json!("not-an-id")),
];

/// Each way of a token to be another one than we would sign.
fn bad(good: &Forgery, required: &[&'static str], other_typ: &str) -> Vec<(String, String)> {
    let mut bad = Vec::new();
    let mut add = |why: String, forged: Forgery| bad.push((why, forged.sign()));
    for name in required {
        add(format!("no {name}"), good.clone().claim(name, Value::Null));
    }
    for (name, value) in MISTYPED {
        add(format!("{name} = {}", value()), good.clone().claim(name, value()));
    }
    for typ in [json!(null), json!("JWT"), json!("jwt"), json!(other_typ), json!(1), json!("")] {
        add(format!("typ {typ}"), good.clone().header("typ", typ));
    }
    let typ = good.header["typ"].as_str().unwrap();
    for typ in [typ.to_uppercase(), format!("application/{typ}"), format!("{typ} ")] {
        add(format!("typ {typ:?}"), good.clone().header("typ", typ));
    }
    for alg in ["none", "None", "HS384", "HS512", "RS256", "ES256", "EdDSA", "", "hs256"] {
        add(format!("alg {alg}"), good.clone().header("alg", alg));
    }
    add("no alg".into(), good.clone().header("alg", Value::Null));
    for crit in [json!(["exp"]), json!([]), json!(["b64"])] {
        add(format!("crit {crit}"), good.clone().header("crit", crit));
    }
    add("another key".into(), good.clone().key(b"another-secret-of-32-bytes-or-more"));
    add("no key".into(), good.clone().key(b""));
    // The attacker's own key, and where to find it.
    let own = good.clone().key(b"another-secret-of-32-bytes-or-more");
    let jwk =
        json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode("another-secret-of-32-bytes-or-more")});
    add("own jwk".into(), own.clone().header("jwk", jwk));
    add("own jku".into(), own.clone().header("jku", "https://evil.example/keys"));
    add("own x5u".into(), own.clone().header("x5u", "https://evil.example/cert"));
    add("own kid".into(), own.header("kid", "../../dev/null"));
    add("too large".into(), good.clone().claim("pad", "x".repeat(4096)));
    let token = good.sign();
    let [head, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let mut flat = |why: &str, token: String| bad.push((why.to_owned(), token));
    flat("no signature", format!("{head}.{payload}."));
    flat("two parts", format!("{head}.{payload}"));
    flat("five parts", format!("{head}.{payload}.{signature}.a.b"));
    flat("another payload", format!("{head}.{payload}A.{signature}"));
    flat("cut", token[..token.len() - 1].to_owned());
    flat("lengthened", format!("{token}A"));
    flat("padded", format!("{token}="));
    let json =
        format!(r#"{{"payload":"{payload}","protected":"{head}","signature":"{signature}"}}"#);
    flat("the JSON form", json.replace('"', "%22"));
    bad
}

on_both_databases! {
    /// Security: A1, A2, A3, A4, A5, A9, A10, A11.
    fn only_what_we_would_sign_is_an_access_token(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let good = server.forge_access(&ada.access);
        // The forgery itself is faithful, so that what follows is refused for what it changes.
        server.me(&good.sign()).expect(200);
        let required = ["exp", "iss", "aud", "sub", "iat", "jti", "sid", "role"];
        let mut bad = bad(&good, &required, "rt+jwt");
        let refresh_audience = claims(&ada.refresh)["aud"].clone();
        let mut add = |why: &str, forged: Forgery| bad.push((why.to_owned(), forged.sign()));
        add("jti 1", good.clone().claim("jti", 1));
        add("role 1", good.clone().claim("role", 1));
        add("role root", good.clone().claim("role", "root"));
        add("role Admin", good.clone().claim("role", "Admin"));
        add("the refresh token's aud", good.clone().claim("aud", refresh_audience.clone()));
        add("both auds", good.clone().claim("aud", json!([good.claims["aud"], refresh_audience])));
        add("the refresh key", good.clone().key(&server.forge_refresh(&ada.refresh).key));
        add("another's session", good.clone().claim("sub", "01890000-0000-7000-8000-000000000000"));
        for (why, token) in bad {
            let answer = server.me(&token);
            assert_eq!((answer.status, &*answer.code()), (401, "TOKEN_INVALID"), "{why}");
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(challenge.contains(r#"error="invalid_token""#), "{why}");
        }
    }

    /// Security: A1, A2, A3, A4, A5, A9, A10, A11.
    fn only_what_we_would_sign_is_a_refresh_token(db) {
        let server = TestServer::start(db);
        let ada = server.register_in_body("ada@example.com");
        let cookie = server.register("cookie@example.com");
        let good = server.forge_refresh(&ada.refresh);
        let before = server.db.dump();
        let required = ["exp", "iss", "aud", "sub", "iat", "sid", "gen"];
        let mut bad = bad(&good, &required, "at+jwt");
        let access = server.forge_access(&ada.access);
        let mut add = |why: &str, forged: Forgery| bad.push((why.to_owned(), forged.sign()));
        for generation in [json!(-1), json!("0"), json!(0.5), json!(1e30)] {
            add(&format!("gen {generation}"), good.clone().claim("gen", generation));
        }
        add("the access token's aud", good.clone().claim("aud", access.claims["aud"].clone()));
        add("the access key", good.clone().key(&access.key));
        let of_cookie = server.forge_refresh(&cookie.refresh);
        for (why, token) in bad {
            let answer = server.refresh_in_body(&token);
            assert_eq!((answer.status, &*answer.code()), (401, "REFRESH_TOKEN_INVALID"), "{why}");
            // RFC 6750, 3: no access token was presented, so none is at fault.
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(!challenge.contains("error"), "{why}");
        }
        server.refresh(&of_cookie.clone().claim("gen", -1).sign())
            .expect_failure(401, "REFRESH_TOKEN_INVALID");
        assert_eq!(server.db.dump(), before);
        server.refresh_in_body(&good.sign()).expect(200);
    }

    /// Security: A9.
    fn headers_that_name_keys_are_passed_over(db) {
        let server = TestServer::start(db);
        let ada = server.register("ada@example.com");
        let good = server.forge_access(&ada.access);
        for (name, value) in [
            ("kid", json!("../../dev/null")),
            ("jku", json!("http://127.0.0.1:1/keys")),
            ("x5u", json!("http://127.0.0.1:1/cert")),
            ("x5c", json!(["MIIB"])),
            ("x5t", json!("dGh1bWI")),
            ("cty", json!("JWT")),
        ] {
            server.me(&good.clone().header(name, value).sign()).expect(200);
        }
    }

    /// Each kind of token, in each place where a token may be.
    ///
    /// Security: A13.
    fn no_kind_of_token_passes_for_another(db) {
        let server = TestServer::start(db);
        let cookie = server.register("cookie@example.com");
        let body = server.register_in_body("body@example.com");
        for person in [&cookie, &body] {
            server.me(&person.access).expect(200);
            server.me(&person.refresh).expect_failure(401, "TOKEN_INVALID");
            server.refresh(&person.access).expect_failure(401, "REFRESH_TOKEN_INVALID");
            server.refresh_in_body(&person.access).expect_failure(401, "REFRESH_TOKEN_INVALID");
            let swapped = server.logout(&person.refresh, &person.access);
            swapped.expect_failure(401, "TOKEN_INVALID");
            let twice = server.logout(&person.access, &person.access);
            twice.expect_failure(401, "REFRESH_TOKEN_INVALID");
        }
        // Dressed up as the other kind, under its own key.
        let dressed = server.forge_refresh(&cookie.refresh).header("typ", "at+jwt");
        let dressed = dressed.claim("aud", claims(&cookie.access)["aud"].clone());
        let dressed = dressed.claim("jti", "x").claim("role", "admin").sign();
        server.me(&dressed).expect_failure(401, "TOKEN_INVALID");
        let dressed = server.forge_access(&cookie.access).header("typ", "rt+jwt").claim("gen", 0);
        let dressed = dressed.claim("aud", claims(&cookie.refresh)["aud"].clone()).sign();
        server.refresh(&dressed).expect_failure(401, "REFRESH_TOKEN_INVALID");
        server.refresh(&cookie.refresh).expect(200);
        server.refresh_in_body(&body.refresh).expect(200);
    }
}
