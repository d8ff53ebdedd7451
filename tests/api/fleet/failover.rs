//! A PostgreSQL that fails over: a primary dies under load, and its standby takes its place.

use std::time::{Duration, Instant};

use crate::faults::{audited, endings, users};
use crate::support::cluster::Cluster;
use crate::support::load::{Kept, Load, SOON};
use crate::support::process::{Process, free_port};
use crate::support::{Db, SignedIn, rounds};

/// What happens to the primary, or to what it sends to its standby, under load.
type Accident<'a> = &'a dyn Fn(&Cluster, &Cluster, &Load);

/// How a failover went.
struct Outcome {
    kept: Kept,
    /// From the accident until every instance refreshed again.
    gap: Duration,
    /// Rotations that clients knew of and the new primary did not.
    recovered: i64,
}

/// Three instances under load lose their primary; the standby is promoted, and everybody goes on.
fn fail_over(synchronous: bool, clients: usize, accident: Accident) -> Outcome {
    let primary = Cluster::start();
    let standby = primary.standby(synchronous);
    let db = Db::on_clusters(&[&primary.url, &standby.url]);
    let instances: Vec<Process> = (0..3).map(|_| Process::start(&db, free_port(), &[])).collect();
    let bases: Vec<&str> = instances.iter().map(|instance| &*instance.base).collect();
    let mut users = users(&instances[0], clients + instances.len());
    let idle = users.split_off(clients);
    let load = Load::start(&bases, users);
    load.wait_for(10);
    let begun = Instant::now();
    accident(&primary, &standby, &load);
    let promoting = Instant::now();
    standby.promote();
    let promoted = promoting.elapsed();
    let everywhere = instances.iter().zip(&idle);
    everywhere.for_each(|(instance, user)| refresh_at_last(instance, user));
    let gap = begun.elapsed();
    load.wait_for(10);
    let kept = load.stop();
    kept.expect_no_faults();
    assert!(kept.slowest < SOON, "{:?}", kept.slowest);
    assert_eq!(endings(&db), (0, 0));
    let recovered = audited(&db, "rotation_recovered");
    println!("back after {gap:?}, of which the promotion took {promoted:?}; {recovered} recovered");
    Outcome { kept, gap, recovered }
}

/// Refreshes at `instance`, however often that has to be tried.
fn refresh_at_last(instance: &Process, user: &SignedIn) {
    let began = Instant::now();
    while instance.refresh_with_key(&user.refresh, "idle").status != 200 {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", instance.logged());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What was answered is on both disks: nobody is logged out, and not even a rotation is lost.
///
/// Security: M8.
#[test]
fn a_dead_primary_with_a_synchronous_standby_costs_no_session_and_no_rotation() {
    for _ in 0..rounds(1, 5) {
        let clients = usize::try_from(rounds(9, 30)).unwrap();
        let outcome = fail_over(true, clients, &|primary, _, _| primary.kill());
        assert_eq!(outcome.recovered, 0, "an answered rotation was forgotten");
        assert!(outcome.kept.unavailable > 0 && outcome.gap < Duration::from_secs(8));
    }
}

/// A primary that freezes, with every connection open, until it is fenced: in the long rounds.
fn a_frozen_primary_that_is_fenced_costs_no_session() {
    let outcome = fail_over(true, 30, &|primary, _, _| {
        primary.freeze();
        std::thread::sleep(Duration::from_secs(3));
        primary.kill();
    });
    assert_eq!(outcome.recovered, 0, "an answered rotation was forgotten");
}

/// The control: a standby that lags behind loses rotations, and still nobody is logged out.
fn a_lagging_standby_costs_rotations_but_no_session() {
    let outcome = fail_over(false, 30, &|primary, standby, load| {
        standby.cut_off();
        load.wait_for(5);
        primary.kill();
    });
    assert!(outcome.recovered > 0, "nothing was lost, so nothing was shown");
}

/// Commits wait for a synchronous standby that is away, and nobody is told of what may be lost.
fn without_its_standby_a_synchronous_primary_answers_nobody() {
    let outcome = fail_over(true, 30, &|primary, standby, _| {
        standby.cut_off();
        std::thread::sleep(Duration::from_secs(7));
        primary.kill();
    });
    assert_eq!(outcome.recovered, 0, "an answered rotation was forgotten");
}

/// Those that take their time.
///
/// Security: M8.
#[test]
fn other_failovers_cost_no_session() {
    a_lagging_standby_costs_rotations_but_no_session();
    if rounds(0, 1) == 1 {
        a_frozen_primary_that_is_fenced_costs_no_session();
        without_its_standby_a_synchronous_primary_answers_nobody();
    }
}
