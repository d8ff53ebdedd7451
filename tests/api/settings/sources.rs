//! Where settings come from, and what the start says about them.

use std::fs;

use clap::{Args, Command, FromArgMatches};
use serde_json::json;
use symbolon::settings::ServeArgs;

use super::{SECRET, run};
use crate::support::client::claims;
use crate::support::process::{Process, free_port, on, symbolon};
use crate::support::{Db, PASSWORD};

/// Whether anybody may register at this service.
fn is_open(process: &Process) -> bool {
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let answer = process.post("/auth/register").json(&body).send();
    if answer.status == 403 {
        answer.expect_failure(403, "REGISTRATION_CLOSED");
        return false;
    }
    answer.expect(201);
    true
}

const PRODUCTION: [(&str, &str); 3] =
    [("ENVIRONMENT", "production"), ("PUBLIC_URL", "https://auth.test"), ("JWT_SECRET", SECRET)];

#[test]
fn a_dot_env_is_read_in_development_and_not_in_production() {
    let db = Db::sqlite();
    let dot_env = db.dir.path().join(".env");
    fs::write(&dot_env, "REGISTRATION=closed\n").unwrap();
    assert!(!is_open(&Process::start(&db, free_port(), &[])));
    // What is set counts more than what stands in the file.
    assert!(is_open(&Process::start(&db, free_port(), &[("REGISTRATION", "open")])));

    let db = Db::sqlite();
    fs::write(db.dir.path().join(".env"), "REGISTRATION=closed\n").unwrap();
    assert!(is_open(&Process::start(&db, free_port(), &PRODUCTION)));
}

#[test]
fn a_dot_env_is_not_read_where_a_flag_calls_for_production() {
    let db = Db::sqlite();
    fs::write(db.dir.path().join(".env"), "LOG_FORMAT=xml\n").unwrap();
    let start = |flags: &[&str]| {
        let mut command = on(&db);
        run(command.envs(PRODUCTION[1..].iter().copied()).env("BIND", "203.0.113.1:1").args(flags))
            .failed()
    };
    assert!(start(&[]).contains("LOG_FORMAT"));
    for flags in [
        &["--environment=production"][..],
        &["--environment", "production"],
        &["serve", "--environment", "production"],
    ] {
        let reason = start(flags);
        assert!(reason.contains("cannot listen"), "{flags:?}: {reason}");
    }
}

/// Security: N1.
#[test]
fn secrets_come_from_files_too() {
    let db = Db::sqlite();
    let secret = db.dir.path().join("secret");
    let url = db.dir.path().join("url");
    let clients = db.dir.path().join("clients");
    fs::write(&secret, format!("{SECRET}\r\n")).unwrap();
    fs::write(&clients, "rooms:s3cret\n").unwrap();
    fs::write(&url, format!("sqlite://{}\n", db.dir.path().join("other.db").display())).unwrap();
    let by_files = Process::start(
        &db,
        free_port(),
        &[
            ("DATABASE_URL", ""),
            ("DATABASE_URL_FILE", url.to_str().unwrap()),
            ("JWT_SECRET_FILE", secret.to_str().unwrap()),
            ("INTROSPECTION_CLIENTS_FILE", clients.to_str().unwrap()),
        ],
    );
    let form = by_files.post("/auth/introspect").body(b"token=x");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    form.header("authorization", "Basic cm9vbXM6czNjcmV0").send().expect(200);
    let ada = by_files.register("ada@example.com");
    assert!(db.dir.path().join("other.db").exists());
    assert!(!db.dir.path().join("jwt_secret").exists(), "a secret was given");
    by_files.kill();

    let other = format!("sqlite://{}", db.dir.path().join("other.db").display());
    let direct =
        Process::start(&db, free_port(), &[("DATABASE_URL", &other), ("JWT_SECRET", SECRET)]);
    direct.me(&ada.access).expect(200);
    assert!(!direct.logged().contains("canary"), "{}", direct.logged());
    direct.kill();

    let variables = [
        ("DATABASE_URL", &*other),
        ("JWT_SECRET", "another-Zq8vN2xR7mK4tB9wL1cF6hJ3pD5sG0yA"),
        ("JWT_SECRET_PREVIOUS_FILE", secret.to_str().unwrap()),
    ];
    Process::start(&db, free_port(), &variables).me(&ada.access).expect(200);
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let db = Db::sqlite();
    let port = free_port();
    let serve = ServeArgs::augment_args(Command::new("symbolon"));
    let names = serve.get_arguments().map(|arg| arg.get_env().unwrap().to_str().unwrap());
    let empty: Vec<_> = names.filter(|&name| name != "BIND").map(|name| (name, " ")).collect();
    let process = Process::start(&db, port, &empty);
    let claims = claims(&process.register("ada@example.com").access);
    // The defaults: the public URL is where it listens, the issuer is the public URL.
    assert_eq!(claims["iss"], format!("http://127.0.0.1:{port}"));
    assert_eq!(claims["aud"], claims["iss"]);
    assert!(db.dir.path().join("data/jwt_secret").exists());
    assert!(db.dir.path().join("data/symbolon.db").exists());
    let mut check = symbolon();
    let said = run(check.arg("healthcheck").env("BIND", ""));
    assert!(said.code == Some(0) || said.err.contains("127.0.0.1:8080"), "{said:?}");
}

#[test]
fn grace_is_switched_off_by_a_bare_nought() {
    let db = Db::sqlite();
    let process = Process::start(&db, free_port(), &[("REFRESH_GRACE", "0")]);
    let ada = process.register("ada@example.com");
    process.refresh(&ada.refresh).expect(200);
    process.refresh(&ada.refresh).expect_failure(401, "REFRESH_TOKEN_REUSED");
}

/// Whatever is wrong with it, it may hold secrets.
#[test]
fn a_dot_env_that_cannot_be_read_stops_the_start_and_is_not_repeated() {
    for (text, line) in [
        ("LOG_FORMAT=json\nJWT_SECRET=canary secret\n", 2),
        ("# canary\n\nJWT_SECRET='canary\nLOG_FORMAT=json\n", 3),
        ("canary\n", 1),
    ] {
        let db = Db::sqlite();
        let inner = db.dir.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::write(db.dir.path().join(".env"), text).unwrap();
        for words in [&["serve"][..], &["users", "list"]] {
            let complaint = run(on(&db).current_dir(&inner).args(words)).failed();
            assert!(complaint.contains(&format!("/.env: line {line} ")), "{complaint}");
            assert!(!complaint.contains("canary"), "{complaint}");
        }
    }
}

#[test]
fn settings_that_are_printed_hide_their_secrets() {
    let flags = ["x", "--jwt-secret", SECRET, "--jwt-secret-previous", SECRET, "--database-url"];
    let url = format!("postgres://u:{SECRET}@h/db");
    let command = ServeArgs::augment_args(Command::new("symbolon"));
    let matches = command.get_matches_from(flags.into_iter().chain([&*url]));
    let printed = format!("{:?}", ServeArgs::from_arg_matches(&matches).unwrap());
    assert!(!printed.contains("canary") && printed.contains("***"), "{printed}");
}

#[test]
fn flags_of_the_same_name_count_more_than_variables() {
    let db = Db::sqlite();
    for serve in [&["serve"][..], &[]] {
        let port = free_port();
        let bind = format!("127.0.0.1:{port}");
        let mut child = on(&db)
            .args(serve)
            .args(["--bind", &bind, "--registration", "closed"])
            .env("BIND", "203.0.113.1:1")
            .env("REGISTRATION", "open")
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let client = crate::support::Client::new(format!("http://{bind}"));
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let answer = (0..1000).find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            client.post("/auth/register").json(&body).try_send()
        });
        child.kill().unwrap();
        child.wait().unwrap();
        answer.expect("it listens").expect_failure(403, "REGISTRATION_CLOSED");
    }
}

#[test]
fn variables_of_serve_are_no_conflict_with_a_command() {
    let db = Db::sqlite();
    let mut command = on(&db);
    command.env("BIND", "127.0.0.1:1").env("REGISTRATION", "closed").envs(PRODUCTION);
    run(command.arg("migrate")).done();
}

/// Every variable is explained, and is a flag of the same name; none that holds a secret shows it.
#[test]
fn the_help_documents_every_variable() {
    let secrets = ["JWT_SECRET", "JWT_SECRET_PREVIOUS", "DATABASE_URL", "REDIS_URL"];
    let mut command = symbolon();
    command.args(["serve", "--help"]).envs(secrets.map(|name| (name, SECRET)));
    let help = run(&mut command).done().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!help.contains("canary"), "{help}");
    let serve = ServeArgs::augment_args(Command::new("symbolon"));
    let mut names = Vec::new();
    for argument in serve.get_arguments() {
        let flag = argument.get_long().expect("a flag");
        let variable = argument.get_env().expect(flag).to_str().unwrap();
        assert_eq!(flag, variable.to_lowercase().replace('_', "-"));
        let meaning = argument.get_help().expect(flag).to_string();
        assert!(meaning.len() > 15, "{flag}: {meaning}");
        assert!(
            help.contains(&format!("--{flag} ")) && help.contains(&format!("[env: {variable}"))
        );
        names.push(variable);
    }
    names.sort_unstable();
    let expected = [
        "ACCESS_TOKEN_CLAIMS",
        "ACCESS_TOKEN_TTL",
        "ALLOWED_ORIGINS",
        "AUDIT_RETENTION",
        "BCRYPT_COST",
        "BIND",
        "COOKIE_NAME",
        "COOKIE_PATH",
        "COOKIE_SECURE",
        "DATABASE_POOL_SIZE",
        "DATABASE_URL",
        "DATABASE_URL_FILE",
        "DATA_DIR",
        "ENVIRONMENT",
        "FORGOT_RATE_LIMIT",
        "HOSTED_PAGES",
        "INTROSPECTION_CLIENTS",
        "INTROSPECTION_CLIENTS_FILE",
        "JWT_AUDIENCE",
        "JWT_ISSUER",
        "JWT_SECRET",
        "JWT_SECRET_FILE",
        "JWT_SECRET_PREVIOUS",
        "JWT_SECRET_PREVIOUS_FILE",
        "KEY_ACTIVATION",
        "LOGIN_RATE_LIMIT",
        "LOG_FORMAT",
        "MAIL_FROM",
        "METRICS_BIND",
        "OTLP_ENDPOINT",
        "PASSWORD_HASH_QUEUE",
        "PASSWORD_MIN_LENGTH",
        "PUBLIC_URL",
        "REDIS_URL",
        "REDIS_URL_FILE",
        "REFRESH_GRACE",
        "REFRESH_TOKEN_TTL",
        "REGISTER_RATE_LIMIT",
        "REGISTRATION",
        "REQUIRE_VERIFIED_EMAIL",
        "RUST_LOG",
        "SESSION_TTL",
        "SIGNING_KEYS_DIR",
        "SMTP_URL",
        "SMTP_URL_FILE",
        "TRUSTED_PROXIES",
    ];
    assert_eq!(names, expected);
}

#[test]
fn the_start_says_what_will_bite() {
    let warned = |variables: &[(&str, &str)]| {
        let db = Db::sqlite();
        let port = free_port();
        let process = Process::start(&db, port, variables);
        let log = process.logged();
        log.lines().filter(|line| line.contains("WARN")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(warned(&[]), Vec::<String>::new());
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[("COOKIE_SECURE", "true")], "Safari drops it"),
        (&[("ALLOWED_ORIGINS", "http://localhost:5173")], "different sites"),
        (&[("ALLOWED_ORIGINS", "*")], "every site"),
        (&[("SMTP_URL", "smtp://ada:secret@mail.example.com")], "links unencrypted"),
        (
            &[("PUBLIC_URL", "http://localhost:1"), ("ALLOWED_ORIGINS", "http://127.0.0.1:2")],
            "different sites",
        ),
    ];
    for (variables, words) in cases {
        let warnings = warned(variables);
        assert!(warnings.len() == 1 && warnings[0].contains(words), "{variables:?}: {warnings:?}");
    }
}

on_both_databases! {
    fn the_start_line_says_where_and_what_and_no_password(db) {
        let url = db.url.replace("symbolon@", "symbolon:canary-password@");
        let port = free_port();
        let process = Process::start(&db, port, &[("DATABASE_URL", &url), ("JWT_SECRET", SECRET)]);
        let log = process.logged();
        let line = log.lines().find(|line| line.contains("listening on")).expect("a start line");
        assert!(line.contains(&format!("http://127.0.0.1:{port}, ")), "{line}");
        assert!(line.ends_with("development"), "{line}");
        let place = db.url.rsplit_once('@').map_or(db.url.strip_prefix("sqlite://"), |(_, p)| Some(p));
        assert!(line.contains(place.unwrap()), "{line}");
        assert!(!log.contains("canary") && !log.contains("symbolon@"), "{log}");
    }
}
