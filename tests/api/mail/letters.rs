//! What mails say.

use serde_json::json;

use crate::support::{Letter, PASSWORD, PAST_GRACE, TestServer};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// What every mail is like, whatever it is about.
fn expect_readable(letter: &Letter) {
    let Letter { raw, text, html, .. } = letter;
    for line in raw.split("\r\n") {
        assert!(line.len() <= 998, "RFC 5322, 2.1.1: {line}");
    }
    for header in ["Date: ", "Message-ID: <", "MIME-Version: 1.0", "Auto-Submitted: auto-generated"]
    {
        assert!(
            raw.contains(&format!("\r\n{header}")) || raw.starts_with(header),
            "{header}: {raw}"
        );
    }
    assert!(text.starts_with("Hello,"), "{text}");
    assert!(text.lines().all(|line| line.len() <= 78 || line.starts_with("http")), "{text}");
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("<h1>"), "{html}");
    assert!(html.contains(&letter.subject) && html.contains("lang=\"en\""), "{html}");
    // It loads nothing, so that opening it tells nobody.
    for loaded in ["<img", "<script", "<link", "src=", "url(", "@import"] {
        assert!(!html.contains(loaded), "{loaded}: {html}");
    }
    assert!(html.contains(letter.link()), "what can be done is in both parts: {html}");
}

on_both_databases! {
    fn every_kind_says_what_to_do(db) {
        let server = TestServer::with(db, &[
            ("--public-url", "https://auth.example"),
            ("--mail-from", "Example <hello@auth.example>"),
        ]);
        let ada = server.register("ada@example.com");
        let again = json!({"email": "Ada@example.com", "password": PASSWORD});
        server.post("/auth/register").json(&again).send().expect_failure(409, "EMAIL_TAKEN");
        server.post("/auth/forgot-password").json(&json!({"email": "ada@example.com"})).send().expect(202);
        let change = json!({"newEmail": "new@example.com", "password": PASSWORD});
        server.post("/auth/change-email").bearer(&ada.access).json(&change).send().expect(202);
        let change = json!({"currentPassword": PASSWORD, "newPassword": "another good one"});
        // The mails above were asked for before; a changed password takes their links back.
        let mut letters = server.mail();
        server.post("/auth/change-password").bearer(&ada.access).json(&change).send().expect(204);
        let stolen = ada.refresh.clone();
        let second = server.refresh(&ada.refresh).expect(200).refresh_token();
        server.refresh(&second).expect(200);
        server.clock.step(PAST_GRACE);
        server.refresh(&stolen).expect_failure(401, "REFRESH_TOKEN_REUSED");
        letters.extend(server.mail());

        let mut subjects: Vec<_> = letters.iter().map(|letter| (&*letter.subject, &*letter.to)).collect();
        subjects.sort_unstable();
        let expected = [
            ("A session was ended", "ada@example.com"),
            ("Reset your password", "ada@example.com"),
            ("Verify your e-mail address", "ada@example.com"),
            ("Verify your e-mail address", "new@example.com"),
            ("You already have an account", "ada@example.com"),
            ("Your e-mail address is about to change", "ada@example.com"),
            ("Your password was changed", "ada@example.com"),
        ];
        assert_eq!(subjects, expected);
        for letter in &letters {
            expect_readable(letter);
            assert_eq!(letter.from, "hello@auth.example");
            assert!(letter.text.contains("auth.example"), "{}", letter.text);
            let page = match &*letter.subject {
                "Verify your e-mail address" => "https://auth.example/account/verify#token=",
                "Reset your password" => "https://auth.example/account/reset#token=",
                _ => "https://auth.example/account/forgot",
            };
            assert!(letter.link().starts_with(page), "{}", letter.link());
        }
        let mut ids: Vec<_> = letters.iter().map(|letter| &letter.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), letters.len());
    }

    /// Security: B2.
    fn a_theft_is_told_with_its_time_address_and_device(db) {
        let server = TestServer::with(db, &[("--trusted-proxies", "127.0.0.1")]);
        let ada = server.register("ada@example.com");
        server.mail();
        let second = server.refresh(&ada.refresh).expect(200).refresh_token();
        server.refresh(&second).expect(200);
        server.clock.step(PAST_GRACE);
        let thief = server.post("/auth/refresh-token").cookie(&ada.refresh);
        let thief = thief.header("x-forwarded-for", "203.0.113.9").header("user-agent", FIREFOX);
        thief.send().expect_failure(401, "REFRESH_TOKEN_REUSED");
        // However long it takes to be sent, the time is that of the theft.
        server.clock.step(3_600.0);
        let letter = server.letter("A session was ended");
        for said in ["1 March 2026, 12:00 UTC", "203.0.113.9", "Firefox on Linux"] {
            assert!(letter.text.contains(said) && letter.html.contains(said), "{}", letter.text);
        }
        // Once ended, however often the token is tried.
        server.refresh(&ada.refresh).expect_failure(401, "SESSION_REVOKED");
        assert_eq!(server.mail(), []);
    }

    /// Security: F4, H4. Nothing that a stranger typed becomes a header, a link or markup.
    fn what_strangers_type_is_only_text(db) {
        let server = TestServer::start(db);
        let agents = ["see http://evil.example", "<a href=x>click</a>", "\"><script>"];
        for (number, agent) in agents.iter().enumerate() {
            let email = format!("\"<b>{number}</b>\"@example.com");
            let fallback = format!("a+<b>{number}&{{{{7}}}}@example.com");
            for email in [email, fallback] {
                let body = json!({"email": email, "password": PASSWORD, "name": agent});
                server.post("/auth/register").header("user-agent", agent).json(&body).send();
            }
        }
        server.register("o'hara+tag@example.com");
        let letters = server.mail();
        assert!(!letters.is_empty());
        for letter in letters {
            assert!(!letter.raw.contains("evil") && !letter.text.contains("click"), "{}", letter.raw);
            for markup in ["<b>", "<script>", "<a href=x"] {
                assert!(!letter.html.contains(markup), "{}", letter.html);
            }
            assert!(letter.link().starts_with("http://"), "{}", letter.text);
        }
    }
}
