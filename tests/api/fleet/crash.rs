//! An instance that dies, and what the others do then.

use super::Fleet;
use crate::faults::{audited, endings, users};
use crate::support::load::Load;
use crate::support::rounds;

/// nginx repeats a refresh that got no answer, so clients do not even notice. Who has a key, who has
/// none, two tabs: all go on.
#[test]
fn an_instance_that_is_killed_under_load_logs_nobody_out() {
    let mut fleet = Fleet::start();
    let users = users(&fleet.client, 12);
    let load = Load::start(&[&fleet.client.base], users);
    for kill in 0..rounds(3, 60) {
        let number = usize::try_from(kill).unwrap() % fleet.instances.len();
        load.wait_for(5);
        fleet.kill(number);
        load.wait_for(5);
        fleet.start_again(number);
    }
    load.wait_for(5);
    let kept = load.stop();
    kept.expect_no_faults();
    assert_eq!(kept.unanswered, 0);
    assert_eq!(endings(&fleet.db), (0, 0));
    assert_eq!(audited(&fleet.db, "rotation_recovered"), 0, "an answered rotation was forgotten");
    let repeated = fleet.requests().iter().filter(|line| line.contains(" with 502, ")).count();
    println!("{repeated} requests were answered by another instance");
    assert!(repeated > 0, "nobody noticed a kill");
}
