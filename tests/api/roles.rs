//! Who may call what: every route, for everybody.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::{Answer, SignedIn, TestServer};

/// What a call gets that holds an access token, or none, and the body `{}` where its method has one.
#[derive(Debug, Clone, Copy)]
pub enum Gets {
    /// Whoever calls, the same.
    Everybody(u16, &'static str),
    /// Whoever is signed in; `TOKEN_MISSING` who is not.
    SignedIn(u16, &'static str),
    /// Administrators; others `FORBIDDEN`, and `TOKEN_MISSING` who is not signed in.
    Administrators(u16, &'static str),
}

use Gets::{Administrators, Everybody, SignedIn as SignedInUsers};

const INVALID: &str = "VALIDATION_FAILED";

/// Every method of every resource, as mounted. What deletes comes last of its kind.
pub const ROUTES: &[(&str, &str, Gets)] = &[
    ("GET", "/healthz", Everybody(200, "")),
    ("HEAD", "/healthz", Everybody(200, "")),
    ("GET", "/readyz", Everybody(200, "")),
    ("HEAD", "/readyz", Everybody(200, "")),
    ("GET", "/.well-known/jwks.json", Everybody(200, "")),
    ("HEAD", "/.well-known/jwks.json", Everybody(200, "")),
    ("GET", "/.well-known/oauth-authorization-server", Everybody(200, "")),
    ("HEAD", "/.well-known/oauth-authorization-server", Everybody(200, "")),
    ("GET", "/", Everybody(303, "")),
    ("HEAD", "/", Everybody(303, "")),
    ("GET", "/.well-known/change-password", Everybody(302, "")),
    ("HEAD", "/.well-known/change-password", Everybody(302, "")),
    // Pages are the same for everybody: what they show comes from the calls below.
    ("GET", "/account", Everybody(200, "")),
    ("HEAD", "/account", Everybody(200, "")),
    ("GET", "/account/sign-in", Everybody(200, "")),
    ("HEAD", "/account/sign-in", Everybody(200, "")),
    ("GET", "/account/register", Everybody(200, "")),
    ("HEAD", "/account/register", Everybody(200, "")),
    ("GET", "/account/forgot", Everybody(200, "")),
    ("HEAD", "/account/forgot", Everybody(200, "")),
    ("GET", "/account/reset", Everybody(200, "")),
    ("HEAD", "/account/reset", Everybody(200, "")),
    ("GET", "/account/verify", Everybody(200, "")),
    ("HEAD", "/account/verify", Everybody(200, "")),
    ("GET", "/account/password", Everybody(200, "")),
    ("HEAD", "/account/password", Everybody(200, "")),
    ("GET", "/account/devices", Everybody(200, "")),
    ("HEAD", "/account/devices", Everybody(200, "")),
    ("GET", "/account/assets/{name:.*}", Everybody(200, "")),
    ("HEAD", "/account/assets/{name:.*}", Everybody(200, "")),
    ("GET", "/admin", Everybody(200, "")),
    ("HEAD", "/admin", Everybody(200, "")),
    ("GET", "/openapi.json", Everybody(200, "")),
    ("HEAD", "/openapi.json", Everybody(200, "")),
    ("GET", "/docs", Everybody(302, "")),
    ("HEAD", "/docs", Everybody(302, "")),
    ("GET", "/docs/{file:.*}", Everybody(200, "")),
    ("HEAD", "/docs/{file:.*}", Everybody(200, "")),
    // For clients with credentials of their own, whoever else they are.
    ("POST", "/auth/introspect", Everybody(401, "INVALID_CLIENT")),
    ("POST", "/auth/register", Everybody(400, INVALID)),
    ("POST", "/auth/login", Everybody(400, INVALID)),
    ("POST", "/auth/refresh-token", Everybody(401, "REFRESH_TOKEN_MISSING")),
    ("POST", "/auth/forgot-password", Everybody(400, INVALID)),
    ("POST", "/auth/reset-password", Everybody(400, INVALID)),
    ("POST", "/auth/verify-email", Everybody(400, INVALID)),
    ("POST", "/auth/logout", SignedInUsers(401, "REFRESH_TOKEN_MISSING")),
    ("POST", "/auth/resend-verification", SignedInUsers(202, "")),
    ("POST", "/auth/change-password", SignedInUsers(400, INVALID)),
    ("POST", "/auth/change-email", SignedInUsers(400, INVALID)),
    ("GET", "/auth/me", SignedInUsers(200, "")),
    ("PATCH", "/auth/me", SignedInUsers(400, INVALID)),
    ("DELETE", "/auth/me", SignedInUsers(400, INVALID)),
    ("GET", "/auth/verify", SignedInUsers(204, "")),
    ("GET", "/auth/sessions", SignedInUsers(200, "")),
    // Another user's.
    ("DELETE", "/auth/sessions/{id}", SignedInUsers(404, "NOT_FOUND")),
    ("DELETE", "/auth/sessions", SignedInUsers(204, "")),
    ("GET", "/admin/users", Administrators(200, "")),
    ("GET", "/admin/events", Administrators(200, "")),
    ("GET", "/admin/stats", Administrators(200, "")),
    ("GET", "/admin/users/{id}", Administrators(200, "")),
    ("PATCH", "/admin/users/{id}", Administrators(400, INVALID)),
    ("GET", "/admin/users/{id}/sessions", Administrators(200, "")),
    ("DELETE", "/admin/users/{id}/sessions", Administrators(204, "")),
    ("DELETE", "/admin/users/{id}", Administrators(204, "")),
];

/// Everybody who can be.
const CALLERS: [Option<&str>; 4] = [None, Some("user"), Some("moderator"), Some("admin")];

impl Gets {
    fn of(self, caller: Option<&str>) -> (u16, &'static str) {
        match (self, caller) {
            (Everybody(status, code), _)
            | (SignedInUsers(status, code), Some(_))
            | (Administrators(status, code), Some("admin")) => (status, code),
            (SignedInUsers(..) | Administrators(..), None) => (401, "TOKEN_MISSING"),
            (Administrators(..), Some(_)) => (403, "FORBIDDEN"),
        }
    }
}

fn call(server: &TestServer, method: &str, path: &str, by: Option<&SignedIn>) -> Answer {
    let call = server.call(method, path);
    let call = by.iter().fold(call, |call, by| call.bearer(&by.access));
    let has_body = matches!(method, "POST" | "PATCH" | "DELETE");
    if has_body { call.json(&json!({})).send() } else { call.send() }
}

on_both_databases! {
    /// Security: I1, I5.
    fn every_route_is_for_whom_it_is(db) {
        let server = TestServer::start(db);
        let target = server.register("target@example.com");
        for caller in CALLERS {
            let email = format!("{}@example.com", caller.unwrap_or("nobody"));
            let mut signed_in = caller.map(|role| {
                let user = server.register(&email);
                server.db.set_user(&user.user, &format!("role = '{role}'"));
                user
            });
            for (method, path, gets) in ROUTES {
                let id = if path.starts_with("/admin") { &target.user } else { &target.session };
                let concrete = path.replace("{id}", id).replace("{name:.*}", "style.css").replace("{file:.*}", "");
                let answer = call(&server, method, &concrete, signed_in.as_ref());
                let who = caller.unwrap_or("nobody");
                let expected = gets.of(caller);
                assert_eq!((answer.status, &*answer.code()), expected, "{method} {path} by {who}");
                let challenge = answer.header("www-authenticate");
                match answer.status {
                    401 if answer.code() == "INVALID_CLIENT" => {
                        assert_eq!(challenge, Some(r#"Basic realm="symbolon", charset="UTF-8""#));
                    }
                    401 => assert_eq!(challenge, Some(r#"Bearer realm="symbolon""#)),
                    403 => assert_eq!(
                        challenge,
                        Some(r#"Bearer realm="symbolon", error="insufficient_scope""#)
                    ),
                    _ => assert_eq!(challenge, None),
                }
                if (*method, *path) == ("DELETE", "/auth/sessions") && caller.is_some() {
                    signed_in = Some(server.login(&email));
                }
            }
        }
    }
}

/// Security: I1. The table has every route that the source mounts, and none that it does not.
#[test]
fn the_table_has_every_route() {
    let mut mounted = BTreeSet::new();
    for text in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        for other in [".route(", "web::scope(", "#[get(", "#[post(", "#[delete(", "#[patch("] {
            assert!(!text.contains(other), "routes are mounted as `web::resource`, not `{other}`");
        }
        mounted.extend(routes(&text));
    }
    // On a listener of its own, which knows no roles.
    for method in ["GET", "HEAD"] {
        assert!(mounted.remove(&(method.to_owned(), "/metrics".to_owned())));
    }
    let listed: BTreeSet<(String, String)> =
        ROUTES.iter().map(|(method, path, _)| ((*method).into(), (*path).into())).collect();
    assert_eq!(listed.len(), ROUTES.len(), "a route is listed twice");
    let missing: Vec<_> = mounted.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&mounted).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not listed: {missing:?}, gone: {gone:?}");
}

/// The text of every Rust file below `folder`, without what only documents it.
fn sources(folder: &Path) -> Vec<String> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        if path.is_dir() {
            sources(&path)
        } else {
            path.extension()
                .filter(|extension| *extension == "rs")
                .map(|_| fs::read_to_string(&path).unwrap())
                .map(|text| text.split_inclusive('\n').filter(is_code).collect())
                .into_iter()
                .collect()
        }
    };
    paths.flat_map(read).collect()
}

fn is_code(line: &&str) -> bool {
    !line.trim_start().starts_with("//")
}

/// What `web::resource("…").get(…).delete(…)` mounts, wherever it stands in `text`.
fn routes(text: &str) -> Vec<(String, String)> {
    let mut routes = Vec::new();
    for found in text.split("web::resource(").skip(1) {
        let quoted = found.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let (path, rest) = quoted.unwrap_or_else(|| panic!("no literal path: {found:.40}"));
        let mut rest = rest.trim_start().strip_prefix([',', ')']).unwrap().trim_start();
        rest = rest.strip_prefix(')').unwrap_or(rest).trim_start();
        while let Some(called) = rest.strip_prefix('.') {
            let (method, arguments) = called.split_once('(').unwrap();
            routes.push((method.to_uppercase(), path.to_owned()));
            rest = arguments.split_once(')').unwrap().1.trim_start();
        }
    }
    routes
}

#[test]
fn a_mounted_route_is_seen_however_it_is_written() {
    let text = r#"
        .service(web::resource("/a").post(one))
        .service(
            web::resource("/b/{id}")
                .get(two)
                .delete(three),
        );"#;
    let route = |method: &str, path: &str| (method.to_owned(), path.to_owned());
    assert_eq!(
        routes(text),
        [route("POST", "/a"), route("GET", "/b/{id}"), route("DELETE", "/b/{id}")]
    );
}
