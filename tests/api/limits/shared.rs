//! Limits that several instances count together, in Redis.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use symbolon::db::Moment;
use symbolon::limits::log::Rate;
use symbolon::limits::memory::Memory;
use symbolon::limits::shared::Shared;
use symbolon::limits::{Limit, Rule};
use symbolon::settings::Secret;

use super::{LOGIN, PROXY, address, guess, login, login_from, retry_after};
use crate::support::process::{Process, free_port};
use crate::support::redis::Redis;
use crate::support::{Db, PASSWORD, TestServer, at_once};

/// Two instances on one database, one clock and one Redis.
fn two(db: Db, redis: &Redis) -> (TestServer, TestServer) {
    let flags = [LOGIN, PROXY, ("--redis-url", &redis.url)];
    let first = TestServer::with(db, &flags);
    let second = TestServer::on(Arc::clone(&first.db), Arc::clone(&first.clock), &flags);
    (first, second)
}

on_both_databases! {
    /// Two processes, as they are started for real.
    ///
    /// Security: G1, G8.
    fn the_sixth_sign_in_of_a_minute_is_refused_by_whichever_instance(db) {
        let redis = Redis::start();
        let variables = [("LOGIN_RATE_LIMIT", "5/1m"), ("REDIS_URL", &*redis.url)];
        let one = Process::start(&db, free_port(), &variables);
        let other = Process::start(&db, free_port(), &variables);
        one.register("ada@example.com");
        for server in [&one, &other, &one, &other, &one] {
            login(server, "ada@example.com", PASSWORD).expect(200);
        }
        for server in [&other, &one] {
            let refused = login(server, "ada@example.com", PASSWORD);
            let wait = retry_after(&refused.expect_failure(429, "RATE_LIMITED"));
            assert!((1..=60).contains(&wait), "{wait}");
            let ready = server.get("/readyz").send().expect(200);
            assert_eq!(ready.json()["limits"], "redis");
        }
    }

    /// Security: G1, G6, G8.
    fn instances_share_one_log(db) {
        let redis = Redis::start();
        let (one, other) = two(db, &redis);
        for server in [&one, &other, &one, &other, &one] {
            login(server, "ada@example.com", PASSWORD).expect(401);
            one.clock.step(10.0);
        }
        // 50 s after the first attempt; refusals anywhere delay nothing.
        for server in [&other, &one, &other, &one, &other, &one, &other] {
            assert_eq!(retry_after(&login(server, "ada@example.com", PASSWORD).expect(429)), 10);
        }
        one.clock.step(9.9);
        login(&other, "ada@example.com", PASSWORD).expect(429);
        one.clock.step(0.2);
        login(&other, "ada@example.com", PASSWORD).expect(401);
        login(&one, "ada@example.com", PASSWORD).expect(429);
    }

    /// Security: G2, G8.
    fn instances_share_an_accounts_wait_and_its_end(db) {
        let redis = Redis::start();
        let (one, other) = two(db, &redis);
        one.register("ada@example.com");
        for number in 0..10 {
            let server = if number % 2 == 0 { &one } else { &other };
            guess(server, &address(number), "ada@example.com").unwrap();
        }
        for server in [&one, &other] {
            assert_eq!(guess(server, "198.51.100.1", "ada@example.com"), Err(1));
        }
        one.clock.step(1.0);
        guess(&one, &address(10), "ada@example.com").unwrap();
        assert_eq!(guess(&other, "198.51.100.1", "ada@example.com"), Err(2));
        one.clock.step(2.0);
        login_from(&other, "198.51.100.1", "ada@example.com", PASSWORD).expect(200);
        // The owner signed in there, so here the count is forgotten, too.
        for number in 20..30 {
            guess(&one, &address(number), "ada@example.com").unwrap();
        }
        assert_eq!(guess(&one, &address(30), "ada@example.com"), Err(1));
    }
}

/// Security: G1, G8, G9.
#[test]
fn of_fifty_at_once_at_two_instances_five_are_let_through() {
    let redis = Redis::start();
    let (one, other) = two(Db::sqlite(), &redis);
    let statuses = at_once(50, |number| {
        let server = if number % 2 == 0 { &one } else { &other };
        login(server, "ada@example.com", PASSWORD).status
    });
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 45, "{statuses:?}");
    let statuses = at_once(50, |number| {
        let server = if number % 2 == 0 { &one } else { &other };
        login_from(server, &address(number), "bob@example.com", PASSWORD).status
    });
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10, "{statuses:?}");
}

/// Beside other people's, and gone when they count no more.
///
/// Security: G8.
#[test]
fn its_keys_are_ours_name_nobody_and_expire() {
    let redis = Redis::start();
    let flags = [LOGIN, ("--forgot-rate-limit", "3/1h"), ("--redis-url", &redis.url)];
    let server = TestServer::with(Db::sqlite(), &flags);
    login(&server, "ada@example.com", PASSWORD).expect(401);
    let body = serde_json::json!({"email": "ada@example.com"});
    server.post("/auth/forgot-password").json(&body).send().expect(202);
    let expected = [("account", 86_400), ("forgot", 3600), ("forgot-network", 3600), ("login", 60)];
    let keys = redis.keys();
    assert_eq!(keys.len(), expected.len(), "{keys:?}");
    for (policy, seconds) in expected {
        let start = format!("symbolon:{policy}:");
        let key = keys.iter().find(|key| key.starts_with(&start)).expect(policy);
        assert!(!key.contains("ada") && !key.contains("example"), "{key}");
        let left: i64 = redis.command(&["TTL", key]);
        assert!((seconds - 10..=seconds).contains(&left), "{key}: {left}");
    }
}

/// Whatever is attempted, and whenever: Redis judges as memory does.
///
/// Security: G1, G2, G8.
#[test]
fn both_stores_judge_alike() {
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Attempt { first: bool, second: bool, account: bool },
        Failed,
        Succeeded,
    }
    let any_bool = || any::<bool>();
    let step = prop_oneof![
        8 => (any_bool(), any_bool(), any_bool()).prop_map(|(first, second, account)| {
            Step::Attempt { first, second, account }
        }),
        4 => Just(Step::Failed),
        1 => Just(Step::Succeeded),
    ];
    // Often in steps that meet the end of a window, or of a wait, exactly.
    let tens = (0..7_i64).prop_map(|tens| tens * 10_000_000);
    let wait =
        prop_oneof![4 => tens, 2 => (0..9_i64).prop_map(|s| s * 1_000_000), 1 => 0..90_000_000_i64];
    let steps = prop::collection::vec((wait, step), 1..80);

    let redis = Redis::start();
    let shared = Shared::new(&Secret::new(&*redis.url)).unwrap();
    let rate = |most, seconds| Rule::Rate(Rate { most, window: Duration::from_secs(seconds) });
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    let outcome = runner.run(&steps, |steps| {
        redis.command::<()>(&["FLUSHALL"]);
        let memory = Memory::new(NonZeroUsize::new(10).unwrap());
        let account = Limit::new("account", "x", Rule::Failures);
        let mut micros = 1_772_366_400_250_000;
        for (wait, step) in steps {
            micros += wait;
            let now = Moment::from_unix_micros(micros);
            match step {
                Step::Attempt { first, second, account: failures } => {
                    let limits: Vec<Limit> = [
                        first.then(|| Limit::new("first", "x", rate(3, 60))),
                        second.then(|| Limit::new("second", "x", rate(10, 600))),
                        failures.then(|| account.clone()),
                    ]
                    .into_iter()
                    .flatten()
                    .collect();
                    let judged = shared.attempt(&limits, now).expect("redis answers");
                    prop_assert_eq!(judged, memory.attempt(&limits, now));
                }
                Step::Failed => {
                    shared.failed(&account.key, now);
                    memory.failed(&account.key, now);
                }
                Step::Succeeded => {
                    shared.forget_failures(&account.key);
                    memory.forget_failures(&account.key);
                }
            }
        }
        Ok(())
    });
    outcome.unwrap();
}

/// Security: G8.
#[test]
fn memory_is_bounded() {
    let memory = Memory::new(NonZeroUsize::new(100).unwrap());
    let now = Moment::from_unix_seconds(1_772_366_400);
    let rate = Rule::Rate(Rate { most: 1, window: Duration::from_secs(60) });
    let attempt = |whom: usize| {
        let limits = [
            Limit::new("login", &whom.to_string(), rate),
            Limit::new("account", &whom.to_string(), Rule::Failures),
        ];
        memory.attempt(&limits, now).iter().all(symbolon::limits::Standing::passes)
    };
    assert!((0..1000).all(attempt));
    assert_eq!(memory.kept(), 200);
    // Those of late are the ones that are still known.
    assert!((900..1000).all(|whom| !attempt(whom)));
    assert!(attempt(899));
}
