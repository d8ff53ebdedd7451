//! What the example's settings may be.

use super::house::rooms;

#[test]
fn help_names_every_setting_and_shows_no_secret() {
    let said = rooms().arg("--help").env("JWT_SECRET", "canary").output().unwrap();
    assert!(said.status.success());
    // Lines are broken anywhere.
    let help = String::from_utf8(said.stdout).unwrap();
    let help = help.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    for name in [
        "BIND",
        "AUTH_URL",
        "JWT_SECRET",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "INTROSPECTION_CLIENT",
        "ALLOWED_ORIGINS",
        "PING_INTERVAL",
        "MESSAGE_RATE",
        "RUST_LOG",
    ] {
        assert!(help.contains(&format!("[env: {name}")), "{name}: {help}");
    }
    assert!(!help.contains("canary"), "{help}");
}

#[test]
fn every_fault_is_named_at_once_and_no_secret() {
    let faulty = [
        ("BIND", "nowhere"),
        ("AUTH_URL", "auth.example.com"),
        ("JWT_SECRET", "canary"),
        ("INTROSPECTION_CLIENT", "canary"),
        ("ALLOWED_ORIGINS", "https://app.test, *, https://app.test/path"),
        ("PING_INTERVAL", "soon"),
        ("MESSAGE_RATE", "0"),
        ("RUST_LOG", "rooms=loud"),
    ];
    let said = rooms().envs(faulty).output().unwrap();
    assert_eq!(said.status.code(), Some(2));
    let complaint = String::from_utf8(said.stderr).unwrap();
    assert!(complaint.starts_with("the settings have faults:\n"), "{complaint}");
    let named: Vec<&str> =
        complaint.lines().skip(1).map(|line| line.trim().split(':').next().unwrap()).collect();
    let mut expected: Vec<&str> = faulty.iter().map(|(name, _)| *name).collect();
    expected.insert(5, "ALLOWED_ORIGINS");
    assert_eq!(named, expected, "{complaint}");
    assert!(!complaint.contains("canary"), "{complaint}");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = taken.local_addr().unwrap().to_string();
    let said = rooms().env("BIND", &bind).output().unwrap();
    assert_eq!(said.status.code(), Some(1));
    let complaint = String::from_utf8(said.stderr).unwrap();
    assert!(complaint.contains(&format!("cannot listen on {bind}")), "{complaint}");
}
