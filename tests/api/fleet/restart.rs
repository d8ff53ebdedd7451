//! Races across the instances, and one after the other restarted under load.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::Fleet;
use crate::faults::{endings, generation, users};
use crate::support::load::Load;
use crate::support::{Client, PASSWORD, at_once, rounds};

/// Security: B3.
#[test]
fn fifty_refreshes_at_once_are_one_rotation_whoever_answers() {
    let fleet = Fleet::start();
    let mut token = fleet.client.register("ada@example.com").refresh;
    for round in 1..=rounds(4, 200) {
        let answers = at_once(50, |_| fleet.client.refresh(&token).expect(200).refresh_token());
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
        assert_eq!(generation(&answers[0]), i64::from(round));
        token.clone_from(&answers[0]);
    }
    assert_eq!(endings(&fleet.db), (0, 0));
    let answered = fleet.answered("/auth/refresh-token");
    assert!(answered.iter().all(|&count| count > 10), "{answered:?}");
}

/// Somebody who signs in and asks who that is, until told to stop; how often.
fn sign_in(client: &Client, email: &str, stop: &AtomicBool) -> u32 {
    let mut count = 0;
    let body = json!({"email": email, "password": PASSWORD, "refreshTransport": "body"});
    while !stop.load(Ordering::Relaxed) {
        let answer = client.post("/auth/login").json(&body).send().expect(200);
        client.me(&answer.access_token()).expect(200);
        count += 1;
    }
    count
}

/// No request fails while each instance is restarted in its turn: what it has taken it answers, and
/// what it does not take another one does.
///
/// Security: N5.
#[test]
fn a_rolling_restart_fails_no_request() {
    let mut fleet = Fleet::start();
    let client = fleet.client.clone();
    let base = client.base.clone();
    let users = users(&client, 8);
    let (first, second) = (users[0].email.clone(), users[1].email.clone());
    let load = Load::start(&[&base], users);
    let stop = AtomicBool::new(false);
    let logins: u32 = std::thread::scope(|scope| {
        let people: Vec<_> = [&first, &second]
            .into_iter()
            .map(|email| scope.spawn(|| sign_in(&client, email, &stop)))
            .collect();
        for _ in 0..rounds(1, 20) {
            for number in 0..fleet.instances.len() {
                load.wait_for(3);
                fleet.stop(number);
                fleet.start_again(number);
            }
        }
        load.wait_for(3);
        stop.store(true, Ordering::Relaxed);
        people.into_iter().map(|person| person.join().unwrap()).sum()
    });
    let kept = load.stop();
    kept.expect_no_faults();
    assert_eq!((kept.unavailable, kept.unanswered), (0, 0));
    assert_eq!(endings(&fleet.db), (0, 0));
    let requests = fleet.requests();
    let failed: Vec<_> =
        requests.iter().filter(|line| !line.contains(" 200 ") && !line.contains(" 201 ")).collect();
    println!("{} requests, {logins} logins; failed: {failed:#?}", requests.len());
    assert!(failed.is_empty(), "{failed:#?}");
    fleet.expect_no_answer_lost();
    // It did happen under load: some were passed on to another instance.
    assert!(requests.iter().any(|line| line.contains(" with 502, 200")));
}
