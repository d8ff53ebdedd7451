//! What Prometheus is told: counters and histograms that the features fill as things happen, and
//! gauges that are read when somebody asks. Names and units follow Prometheus' own advice
//! (<https://prometheus.io/docs/practices/naming/>); [`Metrics::register`] and [`gauges`] name them.
//!
//! Counting goes on whether or not `METRICS_BIND` is set: one path is simpler than two, and it costs a
//! request less than a microsecond (`docs/performance.md`).

mod gauges;
mod page;
pub mod requests;
pub mod routes;
pub mod watch;

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use requests::Requests;
use watch::Watched;

/// What this instance has counted and measured since it was started. All clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Answers over HTTP, and how long they took.
    pub requests: Requests,
    /// What became of requests to refresh.
    pub refreshes: Outcomes,
    /// Groups of rotations.
    pub groups: Groups,
    /// Password hashes.
    pub hashing: Hashing,
    /// Decisions of the limits.
    pub limits: Decisions,
    /// What became of mails that were to be sent.
    pub mails: Outcomes,
    /// What introspection has said.
    pub introspections: Outcomes,
    /// What the database was last seen to hold.
    pub watched: Watched,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Requests::default(),
            refreshes: Outcomes::of(&[
                "rotated",
                "replayed",
                "reused",
                "expired",
                "revoked",
                "invalid",
                "missing",
                "refused",
                "unavailable",
                "failed",
            ]),
            groups: Groups::default(),
            hashing: Hashing::default(),
            limits: Decisions::default(),
            mails: Outcomes::of(&["sent", "failed", "refused", "given_up"]),
            introspections: Outcomes::of(&["active", "inactive"]),
            watched: Watched::default(),
        }
    }
}

/// A counter for each way that something can end.
#[derive(Debug, Clone)]
pub struct Outcomes(Family<Outcome, Counter>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

impl Outcomes {
    /// Those that are `known` begin at 0: what appears with its first count is no increase to
    /// Prometheus, and so would raise no alert.
    fn of(known: &[&'static str]) -> Self {
        let outcomes = Family::default();
        for outcome in known {
            drop(outcomes.get_or_create(&Outcome { outcome }));
        }
        Self(outcomes)
    }

    /// Counts one more that has ended in `outcome`.
    pub fn count(&self, outcome: &'static str) {
        self.0.get_or_create(&Outcome { outcome }).inc();
    }
}

/// A counter for each policy of the limits and what it decided.
#[derive(Debug, Clone, Default)]
pub struct Decisions(Family<Decision, Counter>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decision {
    policy: &'static str,
    decision: &'static str,
}

impl Decisions {
    /// Lets the counters of `policy` begin at 0, as [`Outcomes::of`] does.
    pub fn begin(&self, policy: &'static str) {
        for decision in ["passed", "refused"] {
            drop(self.0.get_or_create(&Decision { policy, decision }));
        }
    }

    /// Counts a decision by `policy`.
    pub fn count(&self, policy: &'static str, passes: bool) {
        let decision = if passes { "passed" } else { "refused" };
        self.0.get_or_create(&Decision { policy, decision }).inc();
    }
}

/// The groups that refreshes are written in.
#[derive(Debug, Clone)]
pub struct Groups {
    size: Histogram,
    duration: Histogram,
}

impl Groups {
    /// Notes a group of `size`, whose transaction took so long.
    pub fn observe(&self, size: usize, took: Duration) {
        self.size.observe(u32::try_from(size).map_or(f64::INFINITY, f64::from));
        self.duration.observe(took.as_secs_f64());
    }
}

impl Default for Groups {
    fn default() -> Self {
        Self { size: Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]), duration: seconds() }
    }
}

/// Hashing passwords.
#[derive(Debug, Clone)]
pub struct Hashing {
    /// How long passwords waited for their turn.
    pub wait: Histogram,
    /// How long hashing them took.
    pub duration: Histogram,
    /// Passwords that were turned away because the queue was full.
    pub sheds: Counter,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { wait: seconds(), duration: seconds(), sheds: Counter::default() }
    }
}

/// An empty histogram of durations, from half a millisecond to half a minute.
pub fn seconds() -> Histogram {
    Histogram::new([
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    ])
}

impl Metrics {
    /// Names what was counted.
    fn register(&self, registry: &mut Registry) {
        let Self { requests, refreshes, groups, hashing, limits, mails, introspections, .. } = self;
        requests.register(registry);
        registry.register(
            "refreshes",
            "Requests to refresh, by what became of them",
            refreshes.0.clone(),
        );
        registry.register(
            "rotation_group_size",
            "Refreshes that one transaction has answered",
            groups.size.clone(),
        );
        registry.register_with_unit(
            "rotation_commit",
            "Time a transaction of refreshes took, its durable commit included",
            Unit::Seconds,
            groups.duration.clone(),
        );
        registry.register_with_unit(
            "password_hash_wait",
            "Time passwords waited in the queue for hashing",
            Unit::Seconds,
            hashing.wait.clone(),
        );
        registry.register_with_unit(
            "password_hash_duration",
            "Time hashing or checking a password took",
            Unit::Seconds,
            hashing.duration.clone(),
        );
        registry.register(
            "password_hash_sheds",
            "Passwords turned away with 503 because the queue was full",
            hashing.sheds.clone(),
        );
        registry.register(
            "limit_decisions",
            "Attempts that were judged, by policy and decision",
            limits.0.clone(),
        );
        registry.register(
            "mails",
            "Attempts to send mail, by what became of them",
            mails.0.clone(),
        );
        registry.register(
            "introspections",
            "Tokens that services have asked about: active or inactive",
            introspections.0.clone(),
        );
    }
}
