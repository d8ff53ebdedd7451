//! Redis goes away, comes back, hangs, was never there.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{LOGIN, PROXY, address, from, guess, login, login_from};
use crate::support::process::{Process, free_port};
use crate::support::redis::Redis;
use crate::support::{Client, Db, PASSWORD, TestServer};

fn counted_in(server: &Client) -> String {
    server.get("/readyz").send().expect(200).json()["limits"].as_str().unwrap().to_owned()
}

/// Waits until the server says that limits are counted there.
#[track_caller]
fn until(server: &Client, place: &str) {
    let began = Instant::now();
    while counted_in(server) != place {
        assert!(began.elapsed() < Duration::from_secs(5), "{}", counted_in(server));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the process has logged this; all that it has logged by then.
#[track_caller]
fn until_logged(process: &Process, words: &str) -> String {
    let began = Instant::now();
    while !process.logged().contains(words) {
        assert!(began.elapsed() < Duration::from_secs(10), "{}", process.logged());
        std::thread::sleep(Duration::from_millis(10));
    }
    process.logged()
}

fn sharing(redis: &Redis) -> TestServer {
    TestServer::with(Db::sqlite(), &[LOGIN, PROXY, ("--redis-url", &redis.url)])
}

const DOWN: &str = "memory, redis is down";

/// Security: G8.
#[test]
fn while_redis_is_down_memory_counts_what_redis_let_through() {
    let redis = Redis::start();
    let server = sharing(&redis);
    for _ in 0..3 {
        login(&server, "ada@example.com", PASSWORD).expect(401);
    }
    assert_eq!(counted_in(&server), "redis");
    redis.kill();
    login(&server, "ada@example.com", PASSWORD).expect(401);
    assert_eq!(counted_in(&server), DOWN);
    login(&server, "ada@example.com", PASSWORD).expect(401);
    login(&server, "ada@example.com", PASSWORD).expect_failure(429, "RATE_LIMITED");

    // It is back by itself. It has forgotten everything; this instance has not.
    redis.start_again();
    until(&server, "redis");
    login(&server, "ada@example.com", PASSWORD).expect_failure(429, "RATE_LIMITED");
    login_from(&server, "203.0.113.1", "ada@example.com", PASSWORD).expect(401);
    assert_eq!(redis.keys().len(), 2, "{:?}", redis.keys());
}

/// Security: G2, G8.
#[test]
fn while_redis_is_down_accounts_wait_all_the_same() {
    let redis = Redis::start();
    let server = sharing(&redis);
    server.register("ada@example.com");
    for number in 0..5 {
        guess(&server, &address(number), "ada@example.com").unwrap();
    }
    redis.kill();
    for number in 5..10 {
        guess(&server, &address(number), "ada@example.com").unwrap();
    }
    assert_eq!(guess(&server, "198.51.100.1", "ada@example.com"), Err(1));
    server.clock.step(1.0);
    login_from(&server, "198.51.100.1", "ada@example.com", PASSWORD).expect(200);
    guess(&server, "198.51.100.1", "ada@example.com").unwrap();
}

/// A restart that nobody noticed costs nothing: the connection is made anew.
#[test]
fn a_restart_between_two_requests_is_not_noticed() {
    let redis = Redis::start();
    let server = sharing(&redis);
    login(&server, "ada@example.com", PASSWORD).expect(401);
    redis.kill();
    redis.start_again();
    login(&server, "ada@example.com", PASSWORD).expect(401);
    assert!(!redis.keys().is_empty());
    assert_eq!(server.app.limits.state().name(), "redis");
}

/// Connections stay open and nothing answers: one request a second waits for it, and not for long.
///
/// Security: G8.
#[test]
fn a_frozen_redis_holds_up_one_request_a_second_and_briefly() {
    let redis = Redis::start();
    let server = sharing(&redis);
    // Nothing but the limit takes time here.
    let follow = |number: usize| {
        let began = Instant::now();
        let link = json!({"token": "guessed"});
        from(&server, &address(number), "/auth/verify-email", &link).send().expect(400);
        began.elapsed()
    };
    follow(0);
    redis.freeze();
    let began = Instant::now();
    let mut times: Vec<Duration> = Vec::new();
    while began.elapsed() < Duration::from_millis(2500) {
        times.push(follow(times.len()));
    }
    // If each waited, there would be ten. How long it takes, a busy machine adds to.
    let slow: Vec<_> = times.iter().filter(|time| **time >= Duration::from_millis(240)).collect();
    assert!(slow.len() >= 2 && times.len() > 10 * slow.len(), "{} {slow:?}", times.len());
    assert!(slow.iter().any(|time| **time < Duration::from_millis(500)), "{slow:?}");
    assert_eq!(counted_in(&server), DOWN);
    redis.thaw();
    until(&server, "redis");
}

/// Security: G8.
#[test]
fn the_start_does_not_wait_for_redis_and_says_so() {
    let (db, redis) = (Db::sqlite(), Redis::absent());
    for url in [redis.url.clone(), redis.url.replace("redis://", "rediss://:canary@")] {
        let variables = [("LOGIN_RATE_LIMIT", "5/1m"), ("REDIS_URL", &*url)];
        let process = Process::start(&db, free_port(), &variables);
        assert_eq!(counted_in(&process), DOWN);
        for _ in 0..5 {
            login(&process, "ada@example.com", PASSWORD).expect(401);
        }
        login(&process, "ada@example.com", PASSWORD).expect_failure(429, "RATE_LIMITED");
        if url == redis.url {
            redis.start_again();
            until(&process, "redis");
            until_logged(&process, "redis answers");
        } else {
            // TLS is not what it speaks.
            std::thread::sleep(Duration::from_millis(1100));
            assert_eq!(counted_in(&process), DOWN);
        }
        let log = until_logged(&process, "redis does not answer");
        assert_eq!(log.matches("redis does not answer").count(), 1, "{log}");
        assert!(!log.contains("canary"), "{log}");
    }
}

/// Once per refusal, by the policy's name and nobody's.
///
/// Security: L1.
#[test]
fn a_limit_that_is_reached_is_logged() {
    let db = Db::sqlite();
    let process = Process::start(&db, free_port(), &[("LOGIN_RATE_LIMIT", "1/1h")]);
    login(&process, "ada@example.com", PASSWORD).expect(401);
    for _ in 0..3 {
        login(&process, "ada@example.com", PASSWORD).expect(429);
    }
    process.terminate();
    let log = until_logged(&process, "stopped");
    let lines: Vec<_> = log.lines().filter(|line| line.contains("limit reached")).collect();
    assert_eq!(lines.len(), 3, "{log}");
    assert!(lines.iter().all(|line| line.contains("INFO") && line.contains("login")), "{log}");
    assert!(!log.contains("ada@example.com"), "{log}");
}
