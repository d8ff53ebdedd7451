//! What a refused caller is told: the same as by Symbolon itself.

use super::{Service, with_secret};
use crate::support::{Answer, Call, Db, TestServer};

/// An answer but for what names the request: status, code, and the challenge.
fn told(answer: &Answer) -> (u16, String, Option<&str>, Option<&str>) {
    (answer.status, answer.code(), answer.header("www-authenticate"), answer.header("content-type"))
}

on_both_databases! {
    /// Security: A1, A2, A3, A9, A10, A18, K1.
    fn it_is_what_symbolon_itself_says(db) {
        let server = TestServer::start(db);
        let service = Service::start(with_secret(&server));
        let ada = server.register("ada@example.com");
        let good = server.forge_access(&ada.access);
        let expired = good.clone().claim("exp", server.seconds()).sign();
        let tokens = [
            good.sign(),
            expired,
            good.clone().claim("exp", serde_json::Value::Null).sign(),
            good.clone().claim("role", "root").sign(),
            good.clone().claim("sid", "nobody").sign(),
            good.clone().claim("iss", "https://other.test").sign(),
            good.clone().claim("nbf", server.seconds() + 1).sign(),
            good.clone().header("typ", "JWT").sign(),
            good.clone().header("alg", "none").sign(),
            good.clone().header("alg", "HS512").sign(),
            good.clone().header("crit", serde_json::json!(["exp"])).sign(),
            good.clone().key(b"another-secret-of-32-bytes-or-more").sign(),
            ada.refresh.clone(),
            "nonsense".into(),
            "x".repeat(5000),
        ];
        let me = || server.get("/auth/me");
        let other = || service.client.get("/");
        for (number, token) in tokens.iter().enumerate() {
            let (here, there) = (me().bearer(token).send(), other().bearer(token).send());
            if here.status == 200 {
                there.expect(200);
            } else {
                assert_eq!(told(&here), told(&there), "{number}");
            }
        }
        for header in ["", "Bearer", "Bearer ", "Basic YTpi", "bearer", "Bearer a b"] {
            let (here, there) = (
                me().header("authorization", header).send(),
                other().header("authorization", header).send(),
            );
            assert_eq!(told(&here), told(&there), "{header:?}");
        }
        let twice = |call: Call<'_>| call.bearer(&ada.access).bearer(&ada.access).send();
        assert_eq!(told(&twice(me())), told(&twice(other())));
        assert_eq!(told(&me().send()), told(&other().send()));
        let lower = other().header("authorization", &format!("bEARER {}", ada.access)).send();
        lower.expect(200);
        // Nor by the query.
        let query = format!("/?access_token={}&token={}", ada.access, ada.access);
        service.client.get(&query).send().expect(401);
    }
}

#[test]
fn a_refusal_is_not_kept_by_caches() {
    let server = TestServer::start(Db::sqlite());
    let service = Service::start(with_secret(&server));
    let answer = service.ask("nonsense").expect(401);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.json()["type"], "urn:symbolon:problem:TOKEN_INVALID");
    assert_eq!(answer.json()["error"], answer.json()["title"]);
}

/// Whoever forgot to mount the verifier lets nobody in.
#[test]
fn without_a_verifier_nobody_gets_in() {
    use actix_web::http::StatusCode;
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::web::get;
    use symbolon::verifier::Caller;

    actix_web::rt::System::new().block_on(async {
        let handler = async |_: Caller| "in";
        let app = init_service(actix_web::App::new().route("/", get().to(handler))).await;
        let request = TestRequest::get().insert_header(("authorization", "Bearer a.b.c"));
        let answer = call_service(&app, request.to_request()).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    });
}
