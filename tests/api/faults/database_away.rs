//! PostgreSQL stopped, crashed, frozen.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{audited, endings, users};
use crate::support::cluster::{Cluster, Stop};
use crate::support::load::{Load, SOON};
use crate::support::process::{Process, free_port};
use crate::support::{Db, PASSWORD, SignedIn, rounds};

/// Everything that needs the database says so soon; what needs none goes on.
fn expect_unavailable(server: &Process, user: &SignedIn) {
    let login = json!({"email": user.email, "password": PASSWORD});
    let calls = [
        server.post("/auth/refresh-token").cookie(&user.refresh),
        server.get("/auth/me").bearer(&user.access),
        server.get("/auth/sessions").bearer(&user.access),
        server.post("/auth/login").json(&login),
        server.post("/auth/logout").bearer(&user.access).cookie(&user.refresh),
        server.get("/readyz"),
    ];
    std::thread::scope(|scope| {
        for call in calls {
            scope.spawn(|| {
                let started = Instant::now();
                call.send().expect_failure(503, "UNAVAILABLE");
                assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
            });
        }
        let started = Instant::now();
        server.get("/healthz").send().expect(200);
        assert!(started.elapsed() < Duration::from_millis(500));
    });
}

fn wait_until_ready(server: &Process) -> Duration {
    let started = Instant::now();
    while server.get("/readyz").send().status != 200 {
        assert!(started.elapsed() < Duration::from_secs(8), "{}", server.logged());
        std::thread::sleep(Duration::from_millis(20));
    }
    started.elapsed()
}

/// Takes the database away again and again under load.
fn take_away_and_give_back(take: impl Fn(&Cluster), give_back: impl Fn(&Cluster)) {
    let cluster = Cluster::start();
    let db = Db::on_cluster(&cluster.url);
    // As some operators have it; a session's rotations are to be durable nevertheless.
    let (_, name) = db.url.rsplit_once('/').unwrap();
    db.execute(&format!("ALTER DATABASE {name} SET synchronous_commit = off"));
    // Longer than the database is ever away here: without a key only grace forgives a lost answer.
    let grace = [("REFRESH_GRACE", "60s")];
    let server = Process::start(&db, free_port(), &grace);
    let mut users = users(&server, 7);
    let idle = users.pop().unwrap();
    let load = Load::start(&[&server.base], users);
    for _ in 0..rounds(2, 10) {
        load.wait_for(5);
        take(&cluster);
        expect_unavailable(&server, &idle);
        give_back(&cluster);
        println!("back after {:?}", wait_until_ready(&server));
        server.me(&idle.access).expect(200);
    }
    load.wait_for(5);
    let kept = load.stop();
    kept.expect_no_faults();
    assert!(kept.unavailable > 0);
    assert!(kept.slowest < SOON, "{:?}", kept.slowest);
    assert_eq!(endings(&db), (0, 0));
    assert_eq!(audited(&db, "rotation_recovered"), 0, "an answered rotation was forgotten");
    server.refresh(&idle.refresh).expect(200);
}

/// Security: M8.
#[test]
fn an_orderly_restart_of_postgres_logs_nobody_out() {
    take_away_and_give_back(|cluster| cluster.stop(Stop::Fast), Cluster::start_again);
}

/// Security: M8.
#[test]
fn a_crash_of_postgres_logs_nobody_out() {
    take_away_and_give_back(|cluster| cluster.stop(Stop::Immediate), Cluster::start_again);
}

/// Connections stay open, and nothing answers. Security: M8.
#[test]
fn a_frozen_postgres_logs_nobody_out() {
    take_away_and_give_back(Cluster::freeze, Cluster::thaw);
}
