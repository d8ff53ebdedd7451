//! No token is broken by a change of keys, whoever verifies it.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{EXPRESS, JOSE, PYJWT, Service, Verifier};
use crate::support::client::claims;
use crate::support::{Db, SignedIn};

/// One token before, one while the next key waits, one after it signs; then a key that signs at
/// once. All are good until their `exp`, and not after.
///
/// Security: A6, A15.
#[test]
fn others_take_a_change_of_keys_in_their_stride() {
    let service = Service::start(Db::sqlite(), "ES256", "12s");
    let verifiers = Verifier::start(&[JOSE, EXPRESS, PYJWT], &service, "ES256");
    let mut ada = service.process.register_in_body("ada@example.com");

    let (first, old_key) = service.token(&mut ada);
    accept(&verifiers, &[&first], &ada, "before");

    service.make_key(&[]);
    service.wait_for_keys(2);
    let (second, same_key) = service.token(&mut ada);
    assert_eq!(same_key, old_key, "a new key is published before it signs");
    accept(&verifiers, &[&first, &second], &ada, "while the next key waits");

    let (third, new_key) = service.token_of_another_key(&mut ada, &old_key);
    accept(&verifiers, &[&first, &second, &third], &ada, "after the next key has begun to sign");

    service.make_key(&["--now"]);
    let (fourth, _) = service.token_of_another_key(&mut ada, &new_key);
    for verifier in &verifiers {
        accepts_soon(verifier, &fourth, &ada);
    }
    let all = [&*first, &second, &third, &fourth];
    accept(&verifiers, &all, &ada, "after one that signs at once");

    service.process.get("/auth/me").bearer(&first).send().expect(200);
    wait_for_the_end_of(&first);
    for verifier in &verifiers {
        verifier.refuses(&first, "expired");
        verifier.accepts(&fourth, &ada, "a token that is younger than the expired one");
    }
}

fn accept(verifiers: &[Verifier], tokens: &[&str], person: &SignedIn, when: &str) {
    for verifier in verifiers {
        for (number, token) in tokens.iter().enumerate() {
            verifier.accepts(token, person, &format!("token {number} {when}"));
        }
    }
}

/// Nobody could fetch a key that signs at once before it did, and jose does not fetch keys twice in a
/// second (`cooldownDuration` in `jose.mjs`).
fn accepts_soon(verifier: &Verifier, token: &str, person: &SignedIn) {
    let began = Instant::now();
    while verifier.ask(token).status != 200 && began.elapsed() < Duration::from_millis(1500) {
        sleep(Duration::from_millis(50));
    }
    verifier.accepts(token, person, "a token of a key that signs at once");
}

fn wait_for_the_end_of(token: &str) {
    let end = Duration::from_secs(claims(token)["exp"].as_u64().unwrap());
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    sleep(end.saturating_sub(now) + Duration::from_millis(100));
}
