//! Which passwords let somebody in, how their hashes are kept, and what checking them costs.

use std::time::{Duration, Instant};

use serde_json::json;

use super::login;
use crate::support::{Client, PASSWORD, TestServer, at_once};

fn register(server: &Client, email: &str, password: &str) -> String {
    let body = json!({"email": email, "password": password});
    server.post("/auth/register").json(&body).send().expect(201).signed_in().user
}

const OURS: &str = "$bcrypt-sha256$v=2,t=2b,r=10$";

on_both_databases! {
    /// Security: E2, E3, E4, E5.
    fn every_byte_of_a_password_counts(db) {
        let server = TestServer::start(db);
        let crabs = |last: &str| "🦀".repeat(63) + last;
        let long = |length: usize| "abcdefgh".repeat(10)[..length].to_owned();
        let cases = [
            (crabs("🦀"), vec![crabs("🦞"), crabs("")]),
            (long(71), vec![long(72), long(70)]),
            (long(72), vec![long(71), long(73)]),
            (long(73), vec![long(72), long(72) + "x"]),
            ("hq7-pz9w".into(), vec!["hq7-pz9w\0hq7-pz9w".into(), "hq7-pz9w\0".into()]),
            ("hq7-pz9w\0x".into(), vec!["hq7-pz9w".into(), "hq7-pz9w\0y".into()]),
            (" Hq7-Pz9w ".into(), vec!["Hq7-Pz9w".into(), " hq7-pz9w ".into(), "Hq7-Pz9w ".into()]),
        ];
        for (number, (password, others)) in cases.iter().enumerate() {
            let email = format!("ada{number}@example.com");
            register(&server, &email, password);
            login(&server, &email, password).expect(200);
            for other in others {
                let answer = login(&server, &email, other);
                assert_eq!(answer.status, 401, "{password:?} {other:?}");
            }
        }
    }

    /// Security: E6.
    fn a_password_is_the_same_composed_and_decomposed(db) {
        let server = TestServer::start(db);
        let (composed, decomposed) = ("caf\u{e9} cr\u{e8}me", "cafe\u{301} cre\u{300}me");
        register(&server, "ada@example.com", composed);
        register(&server, "bob@example.com", decomposed);
        for email in ["ada@example.com", "bob@example.com"] {
            login(&server, email, composed).expect(200);
            login(&server, email, decomposed).expect(200);
            login(&server, email, "cafe creme").expect_failure(401, "INVALID_CREDENTIALS");
        }
    }

    /// Security: E4, E9.
    fn an_imported_hash_is_replaced_at_the_next_login(db) {
        let server = TestServer::start(db);
        for version in ["$2a$", "$2b$", "$2y$"] {
            let email = format!("ada{}@example.com", &version[1..3]);
            let user = register(&server, &email, "to be replaced");
            let plain = bcrypt::hash(PASSWORD, 4).unwrap().replacen("$2b$", version, 1);
            server.db.set_user(&user, &format!("password_hash = '{plain}'"));
            // Not by failing.
            for wrong in ["another horse", &format!("{PASSWORD}\0{PASSWORD}")] {
                login(&server, &email, wrong).expect_failure(401, "INVALID_CREDENTIALS");
            }
            assert_eq!(server.db.password_hash(&user), plain);
            login(&server, &email, PASSWORD).expect(200);
            let ours = server.db.password_hash(&user);
            assert!(ours.starts_with(OURS), "{ours}");
            login(&server, &email, PASSWORD).expect(200);
            // A current one stays as it is.
            assert_eq!(server.db.password_hash(&user), ours);
        }
    }

    /// Security: E9.
    fn a_hash_of_another_cost_is_replaced_at_the_next_login(db) {
        let dear = TestServer::with(db, &[("--bcrypt-cost", "11")]);
        let user = register(&dear, "ada@example.com", PASSWORD);
        assert!(dear.db.password_hash(&user).starts_with("$bcrypt-sha256$v=2,t=2b,r=11$"));
        let server = TestServer::on(dear.db.clone(), dear.clock.clone(), &[]);
        login(&server, "ada@example.com", PASSWORD).expect(200);
        assert!(server.db.password_hash(&user).starts_with(OURS));
    }

    /// Security: E9.
    fn a_disabled_users_hash_stays(db) {
        let server = TestServer::start(db);
        let user = register(&server, "ada@example.com", PASSWORD);
        let plain = bcrypt::hash(PASSWORD, 4).unwrap();
        server.db.set_user(&user, &format!("password_hash = '{plain}'"));
        server.disable(&user);
        login(&server, "ada@example.com", PASSWORD).expect_failure(401, "INVALID_CREDENTIALS");
        assert_eq!(server.db.password_hash(&user), plain);
    }

    /// The right password is right, although another sign-in has just replaced its hash.
    ///
    /// Security: E9.
    fn sign_ins_of_an_imported_user_at_once_all_succeed(db) {
        let server = TestServer::start(db);
        let user = register(&server, "ada@example.com", "to be replaced");
        let plain = bcrypt::hash(PASSWORD, 4).unwrap();
        server.db.set_user(&user, &format!("password_hash = '{plain}'"));
        for answer in at_once(6, |_| login(&server, "ada@example.com", PASSWORD)) {
            answer.expect(200);
        }
        assert!(server.db.password_hash(&user).starts_with(OURS));
    }

    /// The least of many turns, taken one after another: what else the machine does only adds to it.
    ///
    /// Security: E10.
    fn every_failure_takes_as_long(db) {
        let server = TestServer::start(db);
        register(&server, "ada@example.com", PASSWORD);
        let off = register(&server, "off@example.com", PASSWORD);
        server.disable(&off);
        // Imported: with a hash that is cheaper to check, with none.
        let cheap = register(&server, "cheap@example.com", PASSWORD);
        let plain = bcrypt::hash(PASSWORD, 4).unwrap();
        server.db.set_user(&cheap, &format!("password_hash = '{plain}'"));
        let unset = register(&server, "unset@example.com", PASSWORD);
        server.db.set_user(&unset, "password_hash = '!'");
        let attempts = [
            ("ada@example.com", "another horse"),
            ("cheap@example.com", "another horse"),
            ("unset@example.com", PASSWORD),
            ("nobody@example.com", PASSWORD),
            ("off@example.com", PASSWORD),
            ("no address", PASSWORD),
        ];
        // One bcrypt more or less would be twice or a tenth of the time, every time: a busy machine
        // is given more turns.
        let mut least = [Duration::MAX; 6];
        let are_alike = (0..10).any(|_| {
            take_turns(&server, &attempts, &mut least);
            *least.iter().max().unwrap() < least.iter().min().unwrap().mul_f64(1.25)
        });
        assert!(are_alike, "some failure takes longer than another: {least:?}");
    }

    /// Security: E11.
    fn a_flood_is_shed_and_disturbs_nobody_else(db) {
        let flags = [("--password-hash-queue", "1"), ("--bcrypt-cost", "12")];
        let server = TestServer::with(db, &flags);
        let ada = server.register("ada@example.com");
        let started = Instant::now();
        let answers = at_once(24, |number| match number % 4 {
            0 => {
                let body = json!({"email": format!("new{number}@example.com"), "password": PASSWORD});
                server.post("/auth/register").json(&body).send()
            }
            1 => {
                server.get("/healthz").send().expect(200);
                server.me(&ada.access)
            }
            _ => login(&server, "nobody@example.com", PASSWORD),
        });
        let (mut shed, mut refused) = (0, 0);
        for answer in answers {
            match answer.status {
                503 => {
                    shed += 1;
                    let answer = answer.expect_failure(503, "UNAVAILABLE");
                    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
                    assert!(seconds >= 1);
                }
                401 => {
                    refused += 1;
                    answer.expect_failure(401, "INVALID_CREDENTIALS");
                }
                status => assert!(matches!(status, 200 | 201), "{}", answer.text),
            }
        }
        // There is room for one a thread and one that waits; 18 came at once.
        assert!(shed >= 8 && refused + shed <= 18, "{shed} {refused}");
        assert!(started.elapsed() < Duration::from_secs(30));
        // It is over as soon as it is over.
        server.login("ada@example.com");
    }
}

/// Has each attempt made nine times, and keeps the least time that each took.
fn take_turns(server: &Client, attempts: &[(&str, &str)], least: &mut [Duration]) {
    for _ in 0..9 {
        for ((email, password), least) in attempts.iter().zip(&mut *least) {
            let started = Instant::now();
            login(server, email, password).expect(401);
            *least = started.elapsed().min(*least);
        }
    }
}
