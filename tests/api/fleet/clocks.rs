//! Instances whose clocks are wrong, and one whose clock jumps while it runs.

use std::time::{Duration, Instant};

use super::{Fleet, Variables};
use crate::faults::{endings, users};
use crate::support::client::claims;
use crate::support::faketime::{MovedClock, shifted};
use crate::support::load::Load;
use crate::support::process::Process;
use crate::support::{Db, PASSWORD, rounds};

fn owned<N: ToString, V: ToString>(variables: impl IntoIterator<Item = (N, V)>) -> Variables {
    variables.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

#[track_caller]
fn wait_for_warning(instance: &Process) {
    let began = Instant::now();
    while !instance.logged().contains("clock differs") {
        assert!(began.elapsed() < Duration::from_secs(5), "{}", instance.logged());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One an hour ahead, one an hour behind, and one that is right until it jumps by an hour, all
/// behind one proxy that sends everybody now here, now there.
#[test]
fn nobody_is_logged_out_by_clocks_that_are_wrong_or_jump() {
    let db = Db::postgres();
    let mut clock = MovedClock::new(&db);
    let jumping = owned(clock.variables());
    let fleet = Fleet::with(db, |number| match number {
        0 => owned(shifted("+1h")),
        1 => owned(shifted("-1h")),
        _ => jumping.clone(),
    });
    let users = users(&fleet.client, 9);
    let load = Load::start(&[&fleet.client.base], users);
    load.wait_for(5);
    assert!(!fleet.instance(2).logged().contains("clock differs"));
    for _ in 0..rounds(2, 30) {
        clock.step(3600);
        load.wait_for(10);
    }
    (0..3).for_each(|number| wait_for_warning(fleet.instance(number)));
    load.wait_for(5);
    let kept = load.stop();
    kept.expect_no_faults();
    assert_eq!((kept.unavailable, kept.unanswered), (0, 0));
    assert_eq!(endings(&fleet.db), (0, 0));
    // Whoever signs, a token lives as long, from the same moment on.
    let body = serde_json::json!({"email": "user0@example.com", "password": PASSWORD});
    let issued = (0..3).map(|number| {
        let login = fleet.instance(number).post("/auth/login").json(&body).send().expect(200);
        let claims = claims(&login.access_token());
        let (from, until) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        assert_eq!(until - from, 900);
        from
    });
    let issued: Vec<i64> = issued.collect();
    let now = fleet.db.number("SELECT extract(epoch FROM now())::bigint");
    assert!(issued.iter().all(|from| (now - from).abs() < 30), "{issued:?}, now {now}");
}
