//! What is read off the service at the moment that somebody asks.

use std::sync::atomic::AtomicU64;
use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::app::App;
use crate::db::PoolState;
use crate::limits::State;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Connections {
    pool: &'static str,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pool {
    pool: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Store {
    store: &'static str,
}

/// What every process tells by the same name, so that a restart shows.
pub(super) fn register_process(app: &App, registry: &mut Registry) {
    registry.register_with_unit(
        "process_start_time",
        "When the process was started, in seconds since 1970",
        Unit::Seconds,
        whole(app.started_at.unix_seconds()),
    );
}

/// Names these gauges and reads them.
pub(super) fn register(app: &App, registry: &mut Registry) {
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The release that runs", version);
    let mut depth = |name, help, depth: usize| registry.register(name, help, whole(depth));
    depth("rotation_queue_depth", "Refreshes that wait for the writer", app.writer.depth());
    depth(
        "session_lookup_queue_depth",
        "Requests that wait for a session look-up",
        app.lookup.depth(),
    );
    depth("password_hash_queue_depth", "Passwords that wait to be hashed", app.hasher.depth());
    depth(
        "password_hash_queue_capacity",
        "Passwords that may wait (PASSWORD_HASH_QUEUE)",
        app.settings.passwords.hash_queue,
    );
    connections(app, registry);
    limit_store(app.limits.state(), registry);
    watched(app, registry);
    let skew = Gauge::<f64, AtomicU64>::default();
    #[expect(clippy::cast_precision_loss, reason = "exact for skews of up to 285 years")]
    skew.set(app.clock.skew_micros() as f64 / 1e6);
    registry.register_with_unit(
        "clock_skew",
        "How far this machine's clock is ahead of the database's, by which the service goes",
        Unit::Seconds,
        skew,
    );
}

fn connections(app: &App, registry: &mut Registry) {
    let open = Family::<Connections, Gauge>::default();
    let most = Family::<Pool, Gauge>::default();
    for PoolState { pool, idle, busy, most: limit } in app.database.pools() {
        for (state, count) in [("idle", idle), ("busy", busy)] {
            open.get_or_create(&Connections { pool, state }).set(i64::from(count));
        }
        most.get_or_create(&Pool { pool }).set(i64::from(limit));
    }
    registry.register("database_connections", "Connections to the database", open);
    registry.register("database_connections_max", "Connections that may be open", most);
    app.database.waits().register(registry);
}

/// One series for each place, of which the present one is 1.
fn limit_store(present: State, registry: &mut Registry) {
    let stores = Family::<Store, Gauge>::default();
    for state in State::ALL {
        let store = match state {
            State::Memory => "memory",
            State::Redis => "redis",
            State::RedisIsDown => "memory_as_redis_is_down",
        };
        stores.get_or_create(&Store { store }).set(i64::from(state == present));
    }
    registry.register("limit_store", "Where limits are counted: the present one is 1", stores);
}

/// What is not known has no series: a gauge that stands still would look like a fact.
fn watched(app: &App, registry: &mut Registry) {
    let watched = app.metrics.watched.get();
    let now = Instant::now();
    if let Some(outbox) = watched.outbox(now) {
        let age = Gauge::<f64, AtomicU64>::default();
        age.set(outbox.oldest.map_or(0.0, |oldest| app.now().since(oldest).as_secs_f64()));
        registry.register("outbox_mails", "Mails that are not sent yet", whole(outbox.mails));
        registry.register_with_unit(
            "outbox_oldest_age",
            "Age of the oldest mail that is not sent yet; 0 where there is none",
            Unit::Seconds,
            age,
        );
    }
    if let Some(live) = watched.sessions(now) {
        registry.register("sessions_live", "Sessions that can still be refreshed", whole(live));
    }
}

fn whole(value: impl TryInto<i64>) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(value.try_into().unwrap_or(i64::MAX));
    gauge
}
