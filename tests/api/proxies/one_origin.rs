//! Symbolon itself, through the proxy.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Answer, PASSWORD};

/// A call that comes from `address`, which curl can do.
fn post_from(address: &str, url: &str, body: &Value) -> Value {
    let forged = ["-H", "X-Forwarded-For: 192.0.2.66", "-H", "Forwarded: for=192.0.2.66"];
    let output = Command::new("curl")
        .args(["-sS", "--interface", address, "-H", "Content-Type: application/json"])
        .args(forged)
        .args(["-d", &body.to_string(), url])
        .output()
        .expect("curl is installed by scripts/install");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// As a browser's page of the same origin sends it.
fn in_page(call: crate::support::Call, origin: &str) -> Answer {
    call.header("origin", origin).header("sec-fetch-site", "same-origin").send()
}

behind_each_proxy! {
    fn somebody_signs_in_and_out_under_the_apps_origin(site) {
        let origin = &site.client.base;
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let ada = in_page(site.client.post("/auth/register").json(&body), origin).expect(201);
        let ada = ada.signed_in();
        // Without what newer browsers add, the page's origin is judged.
        let older = site.client.post("/auth/login").json(&body).header("origin", origin).send();
        older.expect(200);
        site.get("/private").bearer(&ada.access).send().expect(200);
        let refreshed = site.client.post("/auth/refresh-token").cookie(&ada.refresh);
        let refreshed = in_page(refreshed, origin).expect(200);
        let access = refreshed.access_token();
        assert!(refreshed.header("set-cookie").unwrap().contains("Path=/auth;"));
        let out = site.client.post("/auth/logout").bearer(&access);
        in_page(out.cookie(&refreshed.refresh_token()), origin).expect(204);
        site.get("/private").bearer(&access).send().refused(401, "invalid_token");
        let elsewhere = site.client.post("/auth/login").json(&body);
        let elsewhere = elsewhere.header("origin", "https://evil.example").send();
        elsewhere.expect_failure(403, "ORIGIN_REJECTED");
    }

    fn what_others_need_of_it_is_there_and_no_more(site) {
        let metadata = site.get("/.well-known/oauth-authorization-server").send().expect(200).json();
        assert_eq!(metadata["jwks_uri"], format!("{}/.well-known/jwks.json", site.client.base));
        site.get("/.well-known/jwks.json").send().expect(200);
        let ada = site.server().register("ada@example.com");
        site.server().db.set_user(&ada.user, "role = 'admin'");
        // The app's own path of that name.
        let admin = site.get("/admin/users").bearer(&ada.access).send().expect(200);
        assert!(admin.text.starts_with("GET /admin/users"));
    }

    /// Links in mail lead to them.
    fn its_pages_are_there(site) {
        for page in ["/account", "/account/verify", "/account/sign-in?return_to=/private"] {
            let page = site.get(page).send().expect(200);
            assert!(page.header("content-security-policy").unwrap().contains("script-src 'self'"));
            assert_eq!(page.header("cache-control"), Some("no-store"));
        }
        site.get("/account/assets/account.js").send().expect(200);
        let to_change = site.get("/.well-known/change-password").send().expect(302);
        assert_eq!(to_change.header("location"), Some("/account/password"));
        // The app's own.
        for path in ["/", "/admin", "/accounts"] {
            site.get(path).send().refused(401, "realm");
        }
    }

    /// Security: G4.
    fn the_clients_address_is_the_proxys_word(site) {
        let url = |path: &str| format!("{}{path}", site.client.base);
        let body = json!({"email": "ada@example.com", "password": PASSWORD, "refreshTransport": "body"});
        post_from("127.0.0.5", &url("/auth/register"), &body);
        let signed_in = post_from("127.0.0.6", &url("/auth/login"), &body);
        let access = signed_in["accessToken"].as_str().unwrap();
        let sessions = site.get("/auth/sessions").bearer(access).send().expect(200).json();
        let addresses = sessions["sessions"].as_array().unwrap().iter();
        let mut addresses: Vec<&str> = addresses.map(|s| s["ip"].as_str().unwrap()).collect();
        addresses.sort_unstable();
        assert_eq!(addresses, ["127.0.0.5", "127.0.0.6"]);

        let seen = site.get("/private").bearer(access).header("x-forwarded-for", "192.0.2.66");
        let seen = seen.header("forwarded", "for=192.0.2.66").send().expect(200);
        assert!(seen.text.contains("x-forwarded-for: 127.0.0.1\n"), "{}", seen.text);
        assert!(!seen.text.contains("192.0.2.66"), "{}", seen.text);
    }

    /// Security: L2.
    fn no_token_is_logged(site) {
        let ada = site.client.register("ada@example.com");
        let path = format!("/page?token={}", ada.access);
        let referer = format!("{}{path}", site.client.base);
        site.get(&path).bearer(&ada.access).header("referer", &referer).send().expect(200);
        site.get(&path).send().refused(401, "realm");
        site.client.refresh(&ada.refresh).expect(200);
        site.get("/public/last").send().expect(200);
        let logged = site.proxy.wait_for_log("/public/last");
        assert!(logged.contains("/page") && logged.contains("/auth/refresh-token"), "{logged}");
        for token in [&ada.access, &ada.refresh] {
            assert!(!logged.contains(token.rsplit('.').next().unwrap()), "{logged}");
        }
    }
}
