//! A PostgreSQL that fails over: a primary dies under load, and its standby takes its place.

use std::time::{Duration, Instant};

use crate::faults::{audited, endings, users};
use crate::support::cluster::Cluster;
use crate::support::load::Load;
use crate::support::process::{Process, free_port};
use crate::support::{Db, SignedIn, rounds};

/// What happens to the primary, or to what it sends to its standby, under load.
type Accident<'a> = &'a dyn Fn(&Cluster, &Cluster, &Load);

/// Three instances under load lose their primary; the standby is promoted, and everybody goes on.
/// Returns how many rotations clients knew of and the new primary did not.
fn fail_over(synchronous: bool, clients: usize, accident: Accident) -> i64 {
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
    assert_eq!(kept.unanswered, 0);
    assert_eq!(endings(&db), (0, 0));
    let recovered = audited(&db, "rotation_recovered");
    println!("back after {gap:?}, of which the promotion took {promoted:?}; {recovered} recovered");
    recovered
}

/// Refreshes at `instance`, however often that has to be tried.
fn refresh_at_last(instance: &Process, user: &SignedIn) {
    let began = Instant::now();
    while instance.refresh_with_key(&user.refresh, "idle").status != 200 {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", instance.logged());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How many clients there are.
fn clients() -> usize {
    usize::try_from(rounds(6, 30)).unwrap()
}

/// What was answered is on both disks: nobody is logged out, and not even a rotation is lost.
///
/// Security: M8.
#[test]
fn a_dead_primary_with_a_synchronous_standby_costs_no_session_and_no_rotation() {
    for _ in 0..rounds(1, 5) {
        let recovered = fail_over(true, clients(), &|primary, _, _| primary.kill());
        assert_eq!(recovered, 0, "an answered rotation was forgotten");
    }
}

/// The control: what a standby that does not follow any more has not heard of is lost. The clients
/// know better than the table, and nobody is logged out.
///
/// Security: M8.
#[test]
fn a_dead_primary_with_a_standby_that_lags_costs_no_session() {
    for _ in 0..rounds(1, 5) {
        let recovered = fail_over(false, clients(), &|primary, standby, load| {
            standby.cut_off();
            load.wait_for(5);
            primary.kill();
        });
        assert!(recovered > 0, "nothing was lost, so nothing was shown");
    }
}

/// A primary on which every connection stays open and nothing answers, until it is fenced; in the
/// long rounds also one whose commits wait for a standby that is away: nobody is told of what may
/// be lost.
///
/// Security: M8.
#[test]
fn a_primary_that_hangs_costs_no_session_and_no_rotation() {
    let frozen: Accident = &|primary, _, _| primary.freeze();
    let alone: Accident = &|_, standby, _| standby.cut_off();
    let accidents = [frozen, alone];
    for hang in &accidents[..usize::try_from(rounds(1, 2)).unwrap()] {
        let recovered = fail_over(true, clients(), &|primary, standby, load| {
            hang(primary, standby, load);
            std::thread::sleep(Duration::from_secs(u64::from(rounds(1, 6))));
            primary.kill();
        });
        assert_eq!(recovered, 0, "an answered rotation was forgotten");
    }
}

/// A primary under our connections that may only be read all at once: they are given up, and as long
/// as there is no other, that is a 503 like any.
///
/// Security: M8.
#[test]
fn a_primary_that_becomes_read_only_is_left_and_found_again() {
    let cluster = Cluster::start();
    let db = Db::on_clusters(&[&cluster.url, &cluster.url]);
    let instance = Process::start(&db, free_port(), &[]);
    let ada = instance.register("ada@example.com");
    let set = |to: &str| {
        cluster.execute(&format!("ALTER SYSTEM {to}"));
        cluster.execute("SELECT pg_reload_conf()");
    };
    set("SET default_transaction_read_only = on");
    let began = Instant::now();
    let refresh = || instance.refresh_with_key(&ada.refresh, "idle");
    while refresh().status != 503 {
        assert!(began.elapsed() < Duration::from_secs(20), "it goes on writing");
    }
    refresh().expect_failure(503, "UNAVAILABLE");
    set("RESET default_transaction_read_only");
    refresh_at_last(&instance, &ada);
    assert_eq!(endings(&db), (0, 0));
}
