//! What is logged, and above all what is not.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use symbolon::clock::{Clock, SharedClock};
use symbolon::signing::key_file::KeyAlgorithm;

use super::support::keys::make_key;
use super::support::process::{Process, free_port};
use super::support::{Db, PASSWORD};

/// A client that introspects, with a canary for its secret.
const CLIENT: &str = "rooms:canary-client-Zq8vN2xR7mK4tB9wL1cF6hJ3pD5sG";

/// Stops it and returns all that it has logged.
fn log_of(process: Process) -> String {
    let log = process.log.clone();
    process.terminate();
    assert!(process.wait().success());
    // The last lines are read by another thread.
    let began = Instant::now();
    while !log.lock().unwrap().contains("stopped") {
        assert!(began.elapsed() < Duration::from_secs(5), "{}", log.lock().unwrap());
        std::thread::sleep(Duration::from_millis(5));
    }
    let log = log.lock().unwrap();
    log.clone()
}

/// The lines of a log in JSON.
fn lines(log: &str) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?}"));
    log.lines().map(line).collect()
}

const PRODUCTION: [(&str, &str); 3] = [
    ("ENVIRONMENT", "production"),
    ("PUBLIC_URL", "https://auth.test"),
    ("JWT_SECRET", "canary-secret-Zq8vN2xR7mK4tB9wL1cF6hJ3pD5sG0yA"),
];

on_both_databases! {
    /// Security: L1. And each line says which request it belongs to.
    fn every_kind_of_event_has_its_line(db) {
        let variables = [&PRODUCTION[..], &[("RUST_LOG", "symbolon=debug")]].concat();
        let process = Process::start(&db, free_port(), &variables);
        let send = |id: &str, path: &str, tokens: Option<(&str, &str)>, body: Value| {
            let mut call = process.post(path).header("x-request-id", id);
            if let Some((access, refresh)) = tokens {
                call = call.bearer(access).cookie(refresh);
            }
            if body.is_null() { call.send() } else { call.json(&body).send() }
        };
        let who = |password: &str| json!({"email": "ada@example.com", "password": password});
        let ada = send("register", "/auth/register", None, who(PASSWORD)).expect(201).signed_in();
        send("wrong", "/auth/login", None, who("not the password")).expect(401);
        let nobody = json!({"email": "nobody@example.com", "password": PASSWORD});
        send("unknown", "/auth/login", None, nobody).expect(401);
        let phone = send("login", "/auth/login", None, who(PASSWORD)).expect(200).signed_in();
        let renewed = send("refresh", "/auth/refresh-token", Some(("", &phone.refresh)), Value::Null)
            .expect(200)
            .signed_in();
        let change = json!({"currentPassword": PASSWORD, "newPassword": "another good one"});
        send("change", "/auth/change-password", Some((&renewed.access, "")), change).expect(204);
        send("revoked", "/auth/refresh-token", Some(("", &ada.refresh)), Value::Null).expect(401);
        let mut foreign = process.post("/auth/logout").header("x-request-id", "origin");
        foreign = foreign.header("origin", "https://evil.example");
        foreign.bearer(&renewed.access).cookie(&renewed.refresh).send().expect(403);
        let tokens = Some((&*renewed.access, &*renewed.refresh));
        send("logout", "/auth/logout", tokens, Value::Null).expect(204);
        let third = send("third", "/auth/login", None, who("another good one")).expect(200).signed_in();
        let fourth = send("fourth", "/auth/refresh-token", Some(("", &third.refresh)), Value::Null);
        send("fifth", "/auth/refresh-token", Some(("", &fourth.expect(200).refresh_token())), Value::Null)
            .expect(200);
        send("reuse", "/auth/refresh-token", Some(("", &third.refresh)), Value::Null).expect(401);

        let log = log_of(process);
        let lines = lines(&log);
        let expect = |id: &str, level: &str, message: &str| -> &Value {
            lines
                .iter()
                .find(|line| line["span"]["id"] == id && line["message"] == message)
                .filter(|line| line["level"] == level)
                .unwrap_or_else(|| panic!("no {level} line {message:?} of {id}: {log}"))
        };
        assert_eq!(expect("register", "INFO", "registered")["user"], ada.user);
        assert_eq!(expect("wrong", "INFO", "login refused")["user"], ada.user);
        assert!(expect("unknown", "INFO", "login refused")["user"].is_null());
        let line = expect("login", "INFO", "login");
        assert_eq!((&line["user"], &line["session"]), (&json!(ada.user), &json!(phone.session)));
        assert_eq!(expect("refresh", "DEBUG", "refresh")["session"], phone.session);
        assert_eq!(expect("change", "INFO", "password changed")["user"], ada.user);
        assert_eq!(expect("revoked", "INFO", "refresh refused")["session"], ada.session);
        assert!(expect("origin", "INFO", "origin refused")["origin"].to_string().contains("evil"));
        assert_eq!(expect("logout", "INFO", "logout")["session"], phone.session);
        let reuse = expect("reuse", "WARN", "refresh token reused: session ended");
        assert_eq!(reuse["session"], third.session);
        for (id, status) in [("login", 200), ("wrong", 401), ("logout", 204), ("origin", 403)] {
            let level = if status < 400 { "DEBUG" } else { "INFO" };
            assert_eq!(expect(id, level, "answered")["status"], status);
        }
        for start in ["listening on", "told to stop", "stopped"] {
            let has = |line: &Value| line["message"].as_str().unwrap().starts_with(start);
            assert_eq!(lines.iter().filter(|line| has(line)).count(), 1, "{start}");
        }
        // What happens outside of any request: the start, the end, the pruning, the mail.
        for line in lines.iter().filter(|line| line["span"]["id"].is_null()) {
            let target = line["target"].as_str().unwrap();
            let outside = ["symbolon::cli", "symbolon::server", "symbolon::prune", "symbolon::mail", "symbolon::db"];
            assert!(outside.iter().any(|module| target.starts_with(module)), "{line}");
        }
    }

    /// Security: L1. Who did it to whom; and who tried to.
    fn what_administrators_do_has_its_line(db) {
        let process = Process::start(&db, free_port(), &[("LOG_FORMAT", "json")]);
        let ada = process.register("ada@example.com");
        let grace = process.register("grace@example.com");
        let call = |id: &str, method: &str, path: &str| {
            let path = format!("/admin/users/{}{path}", grace.user);
            let call = process.call(method, &path).header("x-request-id", id).bearer(&ada.access);
            let body = json!({"disabled": true});
            if method == "PATCH" { call.json(&body).send() } else { call.send() }
        };
        call("refused", "DELETE", "").expect(403);
        db.set_user(&ada.user, "role = 'admin'");
        call("sessions", "DELETE", "/sessions").expect(204);
        call("change", "PATCH", "").expect(200);
        call("delete", "DELETE", "").expect(204);
        let lines = lines(&log_of(process));
        let line = |id: &str, message: &str| {
            let is_it = |line: &&Value| line["span"]["id"] == id && line["message"] == message;
            lines.iter().find(is_it).unwrap_or_else(|| panic!("no line of {id}: {lines:?}"))
        };
        assert_eq!(line("refused", "refused: no administrator")["user"], ada.user);
        for (id, message) in [
            ("sessions", "sessions revoked by an administrator"),
            ("change", "user set by an administrator"),
            ("delete", "account deleted by an administrator"),
        ] {
            let line = line(id, message);
            assert_eq!((&line["admin"], &line["user"]), (&json!(ada.user), &json!(grace.user)));
        }
    }

    /// Security: L2. At the most talkative, with a canary in everything that is secret.
    fn no_secret_is_ever_logged(db) {
        let url = db.url.replace("symbolon@", "symbolon:canary-database@");
        let keys = db.keys_dir();
        let key = make_key(&keys, KeyAlgorithm::EdDsa, SharedClock::default().now());
        let variables = [&PRODUCTION[..], &[
            ("RUST_LOG", "trace"),
            ("DATABASE_URL", &url),
            ("JWT_SECRET_PREVIOUS", "canary-previous-Zq8vN2xR7mK4tB9wL1cF6hJ3pD5"),
            ("INTROSPECTION_CLIENTS", CLIENT),
            ("SIGNING_KEYS_DIR", keys.to_str().unwrap()),
        ]].concat();
        let process = Process::start(&db, free_port(), &variables);
        let private_part = key.private.as_bytes()[18..48].to_owned();
        let basic = [CLIENT, "rooms:canary-guess"].map(|client| STANDARD.encode(client));
        let mut secrets = vec!["canary".to_owned(), STANDARD.encode(private_part)];
        secrets.extend(basic.iter().map(|basic| basic["rooms:".len() / 3 * 4..].to_owned()));
        let mut note = |token: &str| {
            // A token is no less one without its last characters.
            secrets.extend(token.split('.').skip(1).map(|part| part[..20].to_owned()));
        };
        let with = |path: &str| format!("{path}?token=canary-query");
        let who = |password: &str| json!({"email": "ada@example.com", "password": password});
        let post = |path: &str, body: &Value| process.post(&with(path)).json(body);

        let ada = post("/auth/register", &who("canary-password")).send().expect(201).signed_in();
        note(&ada.access);
        note(&ada.refresh);
        post("/auth/register", &who("canary-password")).send().expect(409);
        post("/auth/register", &who("canary")).send().expect(400);
        post("/auth/login", &who("canary-wrong")).send().expect(401);
        post("/auth/login", &json!({"email": "canary@", "password": ["canary"]})).send().expect(400);
        post("/auth/login", &json!({"canary": "canary"})).send().expect(400);
        let json = |body: &str| {
            let call = process.post("/auth/login").header("content-type", "application/json");
            call.body(body.as_bytes()).send()
        };
        json(r#"{"password":"canary" canary"#).expect(400);
        json("canary").expect(400);
        let phone = json!({"email": "ada@example.com", "password": "canary-password",
                           "refreshTransport": "body"});
        let phone = post("/auth/login", &phone).send().expect(200).signed_in();
        note(&phone.access);
        note(&phone.refresh);
        let refresh = |token: &str| {
            let call = process.post(&with("/auth/refresh-token")).cookie(token);
            call.header("idempotency-key", "canary-key").send()
        };
        let renewed = refresh(&ada.refresh).expect(200).signed_in();
        note(&renewed.access);
        note(&renewed.refresh);
        let renewed = refresh(&renewed.refresh).expect(200).signed_in();
        note(&renewed.access);
        note(&renewed.refresh);
        for bad in ["canary", "canary.canary.canary", &format!("{}canary", ada.refresh)] {
            refresh(bad).expect(401);
            process.me(bad).expect(401);
        }
        process.get("/auth/me").header("authorization", "Basic canary").send().expect(401);
        for (basic, status) in basic.iter().zip([200, 401]) {
            let basic = format!("Basic {basic}");
            let form = process.post(&with("/auth/introspect")).header("authorization", &basic);
            let form = form.header("content-type", "application/x-www-form-urlencoded");
            form.body(format!("token={}", renewed.access).as_bytes()).send().expect(status);
        }
        process.get(&with("/auth/verify")).bearer(&renewed.access).send().expect(400);
        process.get("/auth/verify").bearer(&renewed.access).send().expect(204);
        process.post(&with("/auth/refresh-token")).json(&json!({"refreshToken": phone.refresh}))
            .send().expect(200);
        let change = json!({"currentPassword": "canary-password", "newPassword": "canary-new-one"});
        let changed = post("/auth/change-password", &change).bearer(&renewed.access).send();
        changed.expect(204);
        process.get(&with("/auth/sessions")).bearer(&renewed.access).send().expect(200);
        refresh(&ada.refresh).expect(401);
        process.raw(b"GET /healthz?canary HTTP/1.1\r\nHost: canary\r\ncanary\r\n\r\n");
        let large = "canary".repeat(50_000);
        process.raw(format!("GET /{large} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        let third = post("/auth/login", &who("canary-new-one")).send().expect(200).signed_in();
        note(&third.access);
        note(&third.refresh);
        process.logout(&third.access, &third.refresh).expect(204);

        let log = log_of(process);
        assert!(log.contains(r#""level":"TRACE""#), "nothing is traced: this proves nothing");
        for secret in secrets {
            let leak = log.lines().find(|line| line.contains(&secret));
            assert!(leak.is_none(), "{secret} in {leak:?}");
        }
    }
}

/// Security: L4. Nobody writes lines or colours into the log from outside.
#[test]
fn control_characters_do_not_reach_the_log() {
    for format in ["pretty", "json"] {
        let db = Db::sqlite();
        let process =
            Process::start(&db, free_port(), &[("LOG_FORMAT", format), ("RUST_LOG", "trace")]);
        // C1 controls in UTF-8 and bare, besides what no header may hold at all.
        let nasty = "x\u{9b}31m\u{85}FORGED";
        for value in [nasty, "\u{1b}[31mFORGED", "x\rFORGED", "x\nFORGED: y", "\u{202e}FORGED"] {
            for name in ["User-Agent", "Origin", "X-Request-Id", "X-Forwarded-For", "Cookie"] {
                let request = format!(
                    "POST /auth/logout HTTP/1.1\r\nHost: x\r\n{name}: {value}\r\n\
                     Connection: close\r\n\r\n"
                );
                process.raw(request.as_bytes());
            }
            process.raw(
                format!("GET /{value} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes(),
            );
        }
        for path in ["/%0d%0aFORGED", "/%1b[31mFORGED", "/auth/sessions/%0aFORGED"] {
            process.delete(path).send();
        }
        let forged = "a\r\nFORGED\u{1b}[31m@example.com";
        for path in ["/auth/login", "/auth/register"] {
            let body = json!({"email": forged, "password": PASSWORD, "name": forged});
            process.post(path).json(&body).send();
            let body = json!({"email": forged, "password": PASSWORD});
            process.post(path).json(&body).send();
        }
        let body = json!({"email": "ada@example.com", "password": PASSWORD, "name": "A\nFORGED"});
        process.post("/auth/register").json(&body).send().expect(400);

        let log = log_of(process);
        let loose = log.chars().find(|c| c.is_control() && *c != '\n');
        assert!(loose.is_none(), "{format}: {loose:?} in {log}");
        let forged = log.lines().find(|line| line.trim_start().starts_with("FORGED"));
        assert!(forged.is_none(), "{format}: {forged:?}");
        assert!(log.contains("FORGED"), "nothing of it was logged: this proves nothing");
        if format == "json" {
            lines(&log);
        }
    }
}

/// A database that is away is no fault of the service's, and one line a request is enough.
#[test]
fn a_503_is_one_warning_with_its_reason() {
    let db = Db::postgres();
    let process = Process::start(&db, free_port(), &[("LOG_FORMAT", "json")]);
    db.shut_out();
    let ask = |id: &str| process.get("/readyz").header("x-request-id", id).send();
    // The first may be told by a connection that has just broken.
    ask("first").expect(503);
    ask("second").expect(503);
    let log = lines(&log_of(process));
    let of_second = log.iter().filter(|line| line["span"]["id"] == "second");
    let levels: Vec<_> = of_second.map(|line| (&line["level"], &line["message"])).collect();
    assert_eq!(levels, [(&json!("WARN"), &json!("answered 503"))]);
}

#[test]
fn the_format_follows_the_environment_unless_it_is_set() {
    let db = Db::sqlite();
    let first = |variables: &[(&str, &str)]| {
        let process = Process::start(&db, free_port(), variables);
        log_of(process).lines().last().unwrap().to_owned()
    };
    assert!(first(&[]).contains(" INFO symbolon::"));
    assert!(first(&[("LOG_FORMAT", "json")]).starts_with('{'));
    assert!(first(&PRODUCTION).starts_with('{'));
    assert!(first(&[&PRODUCTION[..], &[("LOG_FORMAT", "pretty")]].concat()).contains(" INFO symb"));
}
