//! What is refused at start: everything at once, and no secret in the complaint.

use tempfile::TempDir;

use super::{SECRET, run};
use crate::support::process::symbolon;

/// Variables, and those of them that are to be named as faulty.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

/// The complaint of a start with these variables in an empty folder.
#[track_caller]
fn complaint(variables: &[(&str, &str)]) -> String {
    let folder = TempDir::new().unwrap();
    let said = run(symbolon().current_dir(&folder).envs(variables.iter().copied()));
    let complaint = said.failed();
    assert!(complaint.starts_with("symbolon: the settings have faults:\n"), "{complaint}");
    complaint
}

/// The variables that a complaint names, in its order.
fn named(complaint: &str) -> Vec<&str> {
    complaint.lines().skip(1).map(|line| line.trim_start().split(':').next().unwrap()).collect()
}

/// The settings that production needs and these.
fn production<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut variables = vec![
        ("ENVIRONMENT", "production"),
        ("PUBLIC_URL", "https://auth.example.com"),
        ("JWT_SECRET", SECRET),
        // Whoever gets past the settings gets no further.
        ("BIND", "203.0.113.1:1"),
    ];
    variables.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    variables.extend(more);
    variables
}

#[test]
fn production_needs_a_secret_and_an_address() {
    let complaint = complaint(&[("ENVIRONMENT", "production")]);
    assert_eq!(named(&complaint), ["PUBLIC_URL", "JWT_SECRET"]);
    // What these tests call valid is.
    let folder = TempDir::new().unwrap();
    let said = run(symbolon().current_dir(&folder).envs(production(&[])));
    let reason = said.failed();
    assert!(reason.contains("symbolon: cannot listen on 203.0.113.1:1"), "{reason}");
}

/// Security: A12, C2, E8.
#[test]
fn every_fault_is_named_at_once() {
    let complaint = complaint(&[
        ("ENVIRONMENT", "production"),
        ("BIND", "nowhere"),
        ("PUBLIC_URL", "http://auth.example.com"),
        ("ALLOWED_ORIGINS", "https://app.example.com, *, https://app.example.com/path, app"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, 10.0.0.0/99"),
        ("COOKIE_NAME", "__Host-refreshToken"),
        ("COOKIE_SECURE", "false"),
        ("HOSTED_PAGES", "maybe"),
        ("DATABASE_URL", "mysql://canary:canary@db/x"),
        ("DATABASE_POOL_SIZE", "0"),
        ("AUDIT_RETENTION", "0d"),
        ("JWT_SECRET", "canary-short"),
        ("ACCESS_TOKEN_TTL", "soon"),
        ("REFRESH_TOKEN_TTL", "7 d"),
        ("SESSION_TTL", "-1d"),
        ("REFRESH_GRACE", "10"),
        ("ACCESS_TOKEN_CLAIMS", "email,phone"),
        ("SIGNING_KEYS_DIR", "/dev/null"),
        ("KEY_ACTIVATION", "soon"),
        ("INTROSPECTION_CLIENTS", "canary"),
        ("BCRYPT_COST", "9"),
        ("PASSWORD_MIN_LENGTH", "7"),
        ("PASSWORD_HASH_QUEUE", "many"),
        ("REGISTRATION", "maybe"),
        ("REQUIRE_VERIFIED_EMAIL", "perhaps"),
        ("SMTP_URL", "http://canary:canary@mail.example.com"),
        ("MAIL_FROM", "Example <no address>"),
        ("LOGIN_RATE_LIMIT", "5"),
        ("REGISTER_RATE_LIMIT", "0/1h"),
        ("FORGOT_RATE_LIMIT", "3/hour"),
        ("REDIS_URL", "http://canary:canary@cache"),
        ("METRICS_BIND", "9090"),
        ("OTLP_ENDPOINT", "http://canary:canary@collector:4318"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "symbolon=loud"),
    ]);
    let mut names = named(&complaint);
    names.sort_unstable();
    names.dedup();
    let expected = [
        "ACCESS_TOKEN_CLAIMS",
        "ACCESS_TOKEN_TTL",
        "ALLOWED_ORIGINS",
        "AUDIT_RETENTION",
        "BCRYPT_COST",
        "BIND",
        "COOKIE_NAME",
        "COOKIE_SECURE",
        "DATABASE_POOL_SIZE",
        "DATABASE_URL",
        "FORGOT_RATE_LIMIT",
        "HOSTED_PAGES",
        "INTROSPECTION_CLIENTS",
        "JWT_SECRET",
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
        "REFRESH_GRACE",
        "REFRESH_TOKEN_TTL",
        "REGISTER_RATE_LIMIT",
        "REGISTRATION",
        "REQUIRE_VERIFIED_EMAIL",
        "RUST_LOG",
        "SESSION_TTL",
        "SIGNING_KEYS_DIR",
        "SMTP_URL",
        "TRUSTED_PROXIES",
    ];
    assert_eq!(names, expected, "{complaint}");
    assert_eq!(complaint.matches("ALLOWED_ORIGINS:").count(), 3, "{complaint}");
    assert!(!complaint.contains("canary"), "{complaint}");
}

#[test]
fn an_unknown_environment_is_held_to_the_rules_of_production() {
    let complaint = complaint(&[("ENVIRONMENT", "prod")]);
    assert_eq!(named(&complaint), ["ENVIRONMENT", "PUBLIC_URL", "JWT_SECRET"]);
}

/// Security: A12, N1.
#[test]
fn a_secret_that_can_be_guessed_is_refused_everywhere() {
    let weak = [
        ("short-canary", "shorter than 32 bytes"),
        ("1234567890123456789012345678901", "shorter than 32 bytes"),
        ("your-256-bit-secret-canary-canary-canary", "tutorials"),
        ("CHANGE_ME_canary_CHANGE_ME_canary_x", "tutorials"),
        ("my super-secret canary key for signing tokens", "tutorials"),
        ("abcabcabcabcabcabcabcabcabcabcabcabc", "repeats"),
        ("00000000000000000000000000000000000000", "repeats"),
    ];
    for (secret, reason) in weak {
        for environment in ["development", "production"] {
            let complaint = complaint(&[
                ("ENVIRONMENT", environment),
                ("PUBLIC_URL", "https://auth.example.com"),
                ("JWT_SECRET", secret),
            ]);
            assert_eq!(named(&complaint), ["JWT_SECRET"]);
            assert!(complaint.contains(reason), "{secret}: {complaint}");
            assert!(!complaint.contains(secret) && !complaint.contains("canary"), "{complaint}");
        }
    }
}

/// After the next change of secrets it has to stand in a list.
#[test]
fn a_secret_that_could_not_be_listed_later_is_refused() {
    for (secret, reason) in [
        ("canary,Zq8vN2xR7mK4tB9wL1cF6hJ3pD5sG0yA", "comma"),
        (" canary-Zq8vN2xR7mK4tB9wL1cF6hJ3pD5sG0yA", "white space"),
        ("canary-Zq8vN2xR7mK4tB9wL1cF6hJ3pD5sG0yA\t", "white space"),
    ] {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, format!("{secret}\n")).unwrap();
        for variable in [("JWT_SECRET", secret), ("JWT_SECRET_FILE", file.to_str().unwrap())] {
            let complaint = complaint(&[variable]);
            assert_eq!(named(&complaint), ["JWT_SECRET"]);
            assert!(complaint.contains(reason) && !complaint.contains("canary"), "{complaint}");
        }
    }
}

/// Security: C2, C3.
#[test]
fn a_cookie_that_browsers_would_drop_or_leak_is_refused() {
    let cases: [Case; 9] = [
        (&[("COOKIE_SECURE", "false")], &["COOKIE_SECURE"]),
        (&[("COOKIE_SECURE", "sometimes")], &["COOKIE_SECURE"]),
        (&[("COOKIE_NAME", "__Host-x")], &["COOKIE_NAME"]),
        (&[("COOKIE_NAME", "__HOST-x"), ("COOKIE_PATH", "/auth")], &["COOKIE_NAME"]),
        (&[("COOKIE_NAME", "a b")], &["COOKIE_NAME"]),
        (&[("COOKIE_NAME", "a=b")], &["COOKIE_NAME"]),
        (&[("COOKIE_PATH", "auth")], &["COOKIE_PATH"]),
        (&[("COOKIE_PATH", "/; Domain=example.com")], &["COOKIE_PATH"]),
        (&[("COOKIE_PATH", "/api")], &["COOKIE_PATH"]),
    ];
    for (variables, names) in cases {
        let complaint = complaint(&production(variables));
        assert_eq!(named(&complaint), names, "{complaint}");
    }
    let host = [("COOKIE_NAME", "__Host-refreshToken"), ("COOKIE_PATH", "/")];
    let folder = TempDir::new().unwrap();
    let said = run(symbolon().current_dir(&folder).envs(production(&host)));
    assert!(said.failed().contains("cannot listen"), "the __Host- profile is valid");
    let insecure = complaint(&[host[0], host[1]]);
    assert_eq!(named(&insecure), ["COOKIE_NAME"], "development is not Secure by itself");
}

/// Security: N1.
#[test]
fn a_secret_comes_from_one_place_that_can_be_read() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, SECRET).unwrap();
    let file = file.to_str().unwrap();

    let both = complaint(&[("JWT_SECRET", SECRET), ("JWT_SECRET_FILE", file)]);
    assert_eq!(named(&both), ["JWT_SECRET"]);
    assert!(both.contains("not both") && !both.contains("canary"), "{both}");

    let both = complaint(&[("DATABASE_URL", "sqlite://canary"), ("DATABASE_URL_FILE", file)]);
    assert_eq!(named(&both), ["DATABASE_URL"]);
    assert!(!both.contains("canary"), "{both}");

    let gone = complaint(&[("JWT_SECRET_FILE", "/nowhere/secret"), ("DATABASE_URL_FILE", "/")]);
    assert_eq!(named(&gone), ["DATABASE_URL_FILE", "JWT_SECRET_FILE"]);
    assert!(gone.contains("/nowhere/secret"), "{gone}");
}

/// The URL may hold a password, so no complaint repeats it.
#[test]
fn a_database_url_that_cannot_be_is_refused_without_repeating_it() {
    for url in
        ["canary", "sqlite://", "sqlite://:memory:", "sqlite://canary?mode=ro", "http://canary"]
    {
        let complaint = complaint(&[("DATABASE_URL", url)]);
        assert_eq!(named(&complaint), ["DATABASE_URL"]);
        assert!(!complaint.contains("canary"), "{complaint}");
    }
}

#[test]
fn a_limit_is_so_many_within_so_long_or_off() {
    let too_many = format!("{}/1m", u64::MAX);
    let wrong = ["5", "5/", "/1m", "5/1", "0/1m", "-1/1m", "5/0", "5/0s", "5/8d", "1001/1m"];
    for text in wrong.into_iter().chain(["5/1m/1m", "OFF", "none", &too_many]) {
        let complaint = complaint(&[("LOGIN_RATE_LIMIT", text)]);
        assert_eq!(named(&complaint), ["LOGIN_RATE_LIMIT"], "{text}");
    }
}

/// The URL may hold a password, so no complaint repeats it.
#[test]
fn a_redis_url_that_cannot_be_is_refused_without_repeating_it() {
    for url in [
        "canary",
        "http://canary",
        "redis://",
        "redis://:canary@h/x",
        "unix:///canary",
        "rediss:canary",
    ] {
        let complaint = complaint(&[("REDIS_URL", url)]);
        assert_eq!(named(&complaint), ["REDIS_URL"], "{url}");
        assert!(!complaint.contains("canary"), "{complaint}");
    }
}

/// Security: N1. No complaint repeats what may be a secret.
#[test]
fn clients_that_introspect_have_an_id_and_a_good_secret() {
    let good = "canary-Tq8vN2xR7mK4tB9wL1cF6hJ3pD5sG0yA";
    for (clients, reason) in [
        ("canary".to_owned(), "client 1 is not written as id:secret"),
        (format!("rooms:{good}, :canary"), "client 2 is not written as id:secret"),
        ("rooms:".to_owned(), "`rooms` has no secret"),
        (format!("rooms:{good}, rooms:{good}x"), "`rooms` is there twice"),
        ("rooms:short-canary".to_owned(), "the secret of `rooms` is shorter than 32 bytes"),
    ] {
        let complaint = complaint(&production(&[("INTROSPECTION_CLIENTS", &clients)]));
        assert_eq!(named(&complaint), ["INTROSPECTION_CLIENTS"]);
        assert!(complaint.contains(reason) && !complaint.contains("canary"), "{complaint}");
    }
    let folder = TempDir::new().unwrap();
    let clients = [("INTROSPECTION_CLIENTS", &*format!("rooms:{good}"))];
    let said = run(symbolon().current_dir(&folder).envs(production(&clients)));
    assert!(said.failed().contains("cannot listen"));
}

/// A key that cannot be used is found at start, not when it is to sign.
#[test]
fn signing_keys_that_cannot_be_used_are_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let key = folder.path().join("key.pem");
    let keys = [("SIGNING_KEYS_DIR", folder.path().to_str().unwrap())];
    for text in ["", "canary", "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----"] {
        std::fs::write(&key, text).unwrap();
        let complaint = complaint(&keys);
        assert_eq!(named(&complaint), ["SIGNING_KEYS_DIR"]);
        assert!(complaint.contains("key.pem holds no private key"), "{complaint}");
        assert!(!complaint.contains("canary"), "{complaint}");
    }
    // In production going on without would refuse every token that is about.
    std::fs::remove_file(&key).unwrap();
    for folder in [folder.path().to_str().unwrap(), "/nowhere/keys"] {
        let complaint = complaint(&production(&[("SIGNING_KEYS_DIR", folder)]));
        assert_eq!(named(&complaint), ["SIGNING_KEYS_DIR"]);
        assert!(complaint.contains("holds no key; make one"), "{complaint}");
    }
}

#[test]
fn a_flag_that_does_not_exist_is_a_wrong_call() {
    let said = run(symbolon().args(["serve", "--jwt-sekret", SECRET]));
    assert_eq!((said.code, &*said.out), (Some(2), ""));
    let said = run(symbolon().arg("explode"));
    assert_eq!((said.code, &*said.out), (Some(2), ""));
}
