//! Which pages may read answers.

use crate::cross_site::{ALLOWED, PUBLIC, expect_refusal};
use crate::support::{Answer, TestServer};

on_both_databases! {
    /// Security: D6.
    fn a_preflight_of_an_allowed_page_is_answered(db) {
        let server = TestServer::with(db, &[ALLOWED, PUBLIC]);
        let origin = "https://app.example.com";
        for (path, method) in [("/auth/refresh-token", "POST"), ("/auth/me", "PATCH"),
            ("/auth/me", "DELETE"), ("/auth/sessions", "GET")]
        {
            let wanted = "authorization,content-type,idempotency-key,x-request-id";
            let call = server.call("OPTIONS", path).header("origin", origin);
            let call = call.header("access-control-request-method", method);
            let answer = call.header("access-control-request-headers", wanted).send();
            assert!(matches!(answer.status, 200 | 204), "{}", answer.status);
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
            let allowed = answer.header("access-control-allow-methods").unwrap();
            assert!(allowed.split(',').any(|allowed| allowed.trim() == method), "{allowed}");
            let mut allowed: Vec<_> = answer.header("access-control-allow-headers").unwrap()
                .split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
            allowed.sort_unstable();
            assert_eq!(allowed.join(","), wanted);
            let age: u32 = answer.header("access-control-max-age").unwrap().parse().unwrap();
            assert!(age >= 60);
            assert!(varies_by_origin(&answer));
        }
    }

    /// Security: D6.
    fn a_preflight_of_any_other_page_gets_no_leave(db) {
        let server = TestServer::with(db, &[ALLOWED, PUBLIC]);
        for origin in ["https://evil.example", "null", "https://app.example.com.evil.example"] {
            let call = server.call("OPTIONS", "/auth/refresh-token").header("origin", origin);
            let answer = call.header("access-control-request-method", "POST").send();
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            assert!(varies_by_origin(&answer), "{origin}");
            answer.expect_failure(403, "ORIGIN_REJECTED");
        }
        let call = server.call("OPTIONS", "/auth/me").header("origin", "https://app.example.com");
        let call = call.header("access-control-request-method", "GET");
        let answer = call.header("access-control-request-headers", "x-evil").send();
        assert!(answer.header("access-control-allow-headers").is_none_or(|names| !names.contains("x-evil")));
    }

    /// Security: D6, D7.
    fn answers_can_be_read_by_allowed_pages_only(db) {
        let server = TestServer::with(db, &[ALLOWED, PUBLIC]);
        let ada = server.register("ada@example.com");
        let get = |path: &str, origin: &str| {
            server.get(path).bearer(&ada.access).header("origin", origin).send()
        };
        // Failures, too: a page has to see the code.
        for path in ["/auth/me", "/auth/logout", "/auth/nowhere"] {
            let answer = get(path, "https://app.example.com");
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, Some("https://app.example.com"), "{path}");
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
            let mut exposed: Vec<_> = answer.header("access-control-expose-headers").unwrap()
                .split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
            exposed.sort_unstable();
            let expected =
                ["ratelimit", "ratelimit-policy", "retry-after", "www-authenticate", "x-request-id"];
            assert_eq!(exposed, expected);
            assert!(varies_by_origin(&answer), "{path}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let refused = get(path, "https://evil.example");
            assert_eq!(refused.header("access-control-allow-origin"), None, "{path}");
            assert!(varies_by_origin(&refused), "{path}");
            assert_eq!(refused.status, answer.status);
        }
        let rejected = server.post("/auth/refresh-token").header("origin", "https://evil.example");
        let rejected = expect_refusal(rejected.send());
        assert_eq!(rejected.header("access-control-allow-origin"), None);
    }
}

fn varies_by_origin(answer: &Answer) -> bool {
    let lines = answer.headers.get_all("vary").iter();
    lines
        .flat_map(|line| line.to_str().unwrap().split(','))
        .any(|name| name.trim().eq_ignore_ascii_case("origin"))
}
