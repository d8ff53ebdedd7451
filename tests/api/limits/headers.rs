//! `RateLimit` and `RateLimit-Policy`, as draft-ietf-httpapi-ratelimit-headers says.

use serde_json::json;

use super::{LOGIN, PROXY, address, guess, login, login_from};
use crate::support::{Answer, Db, PASSWORD, TestServer};

fn fields(answer: &Answer) -> (&str, &str) {
    let field = |name| answer.header(name).expect(name);
    (field("ratelimit-policy"), field("ratelimit"))
}

/// Security: G6.
#[test]
fn every_answer_of_a_limited_call_says_how_it_stands() {
    let server = TestServer::with(Db::sqlite(), &[LOGIN]);
    server.register("ada@example.com");
    let policy = r#""login";q=5;w=60"#;
    let answer = login(&server, "ada@example.com", PASSWORD).expect(200);
    assert_eq!(fields(&answer), (policy, r#""login";r=4;t=60"#));
    server.clock.step(18.5);
    let answer = login(&server, "ada@example.com", "not the password").expect(401);
    assert_eq!(fields(&answer), (policy, r#""login";r=3;t=42"#));
    for left in [2, 1, 0] {
        let answer = login(&server, "ada@example.com", PASSWORD).expect(200);
        assert_eq!(fields(&answer), (policy, &*format!(r#""login";r={left};t=42"#)));
    }
    let answer = login(&server, "ada@example.com", PASSWORD).expect_failure(429, "RATE_LIMITED");
    assert_eq!(fields(&answer), (policy, r#""login";r=0;t=42"#));
    assert_eq!(answer.header("retry-after"), Some("42"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.json()["detail"].as_str().unwrap().contains("42 seconds"));
    // A page of an allowed origin can read them.
    let origin = server.base.clone();
    let call = server.post("/auth/login").header("origin", &origin);
    let answer = call.json(&json!({"email": "a@example.com", "password": PASSWORD})).send();
    let exposed =
        answer.expect(429).header("access-control-expose-headers").unwrap().to_lowercase();
    assert!(exposed.contains("ratelimit-policy") && exposed.contains("retry-after"), "{exposed}");
}

#[test]
fn each_policy_of_a_call_is_listed() {
    let server = TestServer::with(Db::sqlite(), &[("--forgot-rate-limit", "3/1h")]);
    let body = json!({"email": "ada@example.com"});
    let answer = server.post("/auth/forgot-password").json(&body).send().expect(202);
    let policies = r#""forgot";q=3;w=3600, "forgot-network";q=60;w=3600"#;
    let standings = r#""forgot";r=2;t=3600, "forgot-network";r=59;t=3600"#;
    assert_eq!(fields(&answer), (policies, standings));
}

/// What an account waits for is no quota, and other calls have no limits.
#[test]
fn only_quotas_are_listed() {
    let server = TestServer::with(Db::sqlite(), &[LOGIN, PROXY]);
    for number in 0..10 {
        guess(&server, &address(number), "ada@example.com").unwrap();
    }
    let refused = login_from(&server, "198.51.100.1", "ada@example.com", PASSWORD);
    let refused = refused.expect_failure(429, "RATE_LIMITED");
    assert_eq!(refused.header("retry-after"), Some("1"));
    // It was counted by neither.
    assert_eq!(fields(&refused), (r#""login";q=5;w=60"#, r#""login";r=5;t=1"#));
    for path in ["/healthz", "/auth/me"] {
        assert!(server.get(path).send().header("ratelimit").is_none());
    }
}
