//! Instances whose own clocks are wrong.

use crate::support::Db;
use crate::support::client::claims;
use crate::support::faketime::shifted;
use crate::support::process::{Process, free_port};

/// An instance on PostgreSQL goes by the database's clock, however wrong its own is.
#[test]
fn a_wrong_clock_on_postgres_logs_nobody_out_and_is_warned_of() {
    let db = Db::postgres();
    let right = Process::start(&db, free_port(), &[]);
    let ada = right.register("ada@example.com");
    assert!(!right.logged().contains("clock"), "{}", right.logged());
    let mut refresh = ada.refresh;
    for shift in ["+1h", "-1h", "+40d"] {
        let variables = shifted(shift);
        let variables = variables.each_ref().map(|(name, value)| (*name, &**value));
        let wrong = Process::start(&db, free_port(), &variables);
        assert!(wrong.logged().contains("clock"), "no warning: {}", wrong.logged());
        wrong.me(&ada.access).expect(200);
        let answer = wrong.refresh(&refresh).expect(200);
        right.me(&answer.access_token()).expect(200);
        let [here, there] = [&ada.access, &answer.access_token()]
            .map(|token| claims(token)["iat"].as_i64().unwrap());
        assert!((0..60).contains(&(there - here)), "{shift}: issued {} s apart", there - here);
        // A raced tab, judged by the other instance: the same grace.
        let replayed = right.refresh(&refresh).expect(200);
        assert_eq!(replayed.refresh_token(), answer.refresh_token());
        let bob = wrong.login("ada@example.com");
        right.me(&bob.access).expect(200);
        refresh = right.refresh(&answer.refresh_token()).expect(200).refresh_token();
        wrong.me(&ada.access).expect(200);
    }
}
