//! What is not taken for a token where keys sign: each forgery is a good one but for one change.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use symbolon::clock::Clock;
use symbolon::signing::key_file::KeyAlgorithm::{EdDsa, Es256};

use crate::support::TestServer;
use crate::support::client::claims;
use crate::support::keys::{kid, make_key};

/// Signs `claims` as `header` says, which may be anything that the crate signs.
fn sign(header: &Header, claims: &Value, key: &EncodingKey) -> String {
    jsonwebtoken::encode(header, claims, key).unwrap()
}

/// The token of this header and these claims, with any signature.
fn assemble(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

fn header(algorithm: Algorithm, kid: Option<&str>) -> Header {
    let mut header = Header::new(algorithm);
    header.typ = Some("at+jwt".into());
    header.kid = kid.map(str::to_owned);
    header
}

on_both_databases! {
    /// Security: A1, A2, A9, A10, A13.
    fn only_what_a_published_key_has_signed_is_an_access_token(db) {
        let server = TestServer::with_keys(db, &[]);
        let ec = make_key(&server.db.keys_dir(), Es256, server.clock.now());
        server.notice_keys();
        server.clock.step(1.0);
        let ed = make_key(&server.db.keys_dir(), EdDsa, server.clock.now());
        server.notice_keys();
        let ada = server.register("ada@example.com");
        let said = claims(&ada.access);
        assert_eq!(kid(&ada.access), ec.kid());

        // The forgeries are faithful, so that what follows is refused for what it changes.
        let es256 = |kid: Option<&str>| header(Algorithm::ES256, kid);
        server.me(&sign(&es256(Some(ec.kid())), &said, &ec.private)).expect(200);
        let by_ed = sign(&header(Algorithm::EdDSA, Some(ed.kid())), &said, &ed.private);
        server.me(&by_ed).expect(200);

        let stranger = make_key(&server.db.dir.path().join("other"), Es256, server.clock.now());
        let public = server.get("/.well-known/jwks.json").send().text;
        let secret = EncodingKey::from_secret(server.app.settings.tokens.secret.expose().as_bytes());
        let hs256 = |kid| header(Algorithm::HS256, kid);
        let mut own_jwk = es256(Some(ec.kid()));
        own_jwk.jwk = Some(stranger.public.clone());
        let mut own_jku = es256(Some(stranger.kid()));
        own_jku.jku = Some("https://evil.example/jwks.json".into());
        let typed = |typ: Option<&str>| {
            let mut header = es256(Some(ec.kid()));
            header.typ = typ.map(str::to_owned);
            sign(&header, &said, &ec.private)
        };
        let x = ec.public.clone();
        let x = serde_json::to_value(x).unwrap()["x"].as_str().unwrap().to_owned();
        let parts: Vec<&str> = ada.access.split('.').collect();
        let hmac = |key: &[u8], kid| sign(&hs256(Some(kid)), &said, &EncodingKey::from_secret(key));
        for (why, token) in [
            ("no kid", sign(&es256(None), &said, &ec.private)),
            ("an unknown kid", sign(&es256(Some("nobody")), &said, &ec.private)),
            ("the kid of another algorithm", sign(&es256(Some(ed.kid())), &said, &ec.private)),
            ("a stranger's key under our kid", sign(&es256(Some(ec.kid())), &said, &stranger.private)),
            ("a stranger's key under its own kid", sign(&es256(Some(stranger.kid())), &said, &stranger.private)),
            ("a stranger's key in the header", sign(&own_jwk, &said, &stranger.private)),
            ("a stranger's key elsewhere", sign(&own_jku, &said, &stranger.private)),
            ("HS256 with the secret", sign(&hs256(None), &said, &secret)),
            ("HS256 with the secret, under our kid", sign(&hs256(Some(ec.kid())), &said, &secret)),
            ("HS256 with what is published", hmac(public.as_bytes(), ec.kid())),
            ("HS256 with the public coordinate", hmac(x.as_bytes(), ec.kid())),
            ("alg none", assemble(&json!({"alg": "none", "typ": "at+jwt", "kid": ec.kid()}), &said, "")),
            ("no signature", assemble(&json!({"alg": "ES256", "typ": "at+jwt", "kid": ec.kid()}), &said, "")),
            ("a signature of zeros", format!("{}.{}.{}", parts[0], parts[1], "A".repeat(86))),
            ("another payload", assemble(&json!({"alg": "ES256", "typ": "at+jwt", "kid": ec.kid()}), &said, parts[2])),
            ("typ JWT", typed(Some("JWT"))),
            ("typ rt+jwt", typed(Some("rt+jwt"))),
            ("no typ", typed(None)),
            ("a refresh token", ada.refresh.clone()),
        ] {
            let answer = server.me(&token);
            assert_eq!((answer.status, &*answer.code()), (401, "TOKEN_INVALID"), "{why}");
        }
        // A signing key signs no refresh token.
        let mut refreshing = es256(Some(ec.kid()));
        refreshing.typ = Some("rt+jwt".into());
        let forged = sign(&refreshing, &claims(&ada.refresh), &ec.private);
        server.refresh(&forged).expect_failure(401, "REFRESH_TOKEN_INVALID");
    }
}
