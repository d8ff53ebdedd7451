//! Waiting for a connection, measured.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use r2d2::event::{CheckoutEvent, TimeoutEvent};

use crate::metrics::seconds;

/// How long callers wait for a connection out of the pools, and how often in vain.
#[derive(Debug, Clone)]
pub struct Waits {
    waits: Family<Pool, Histogram>,
    timeouts: Family<Pool, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pool {
    pool: &'static str,
}

impl Default for Waits {
    fn default() -> Self {
        Self { waits: Family::new_with_constructor(seconds), timeouts: Family::default() }
    }
}

impl Waits {
    /// What a pool tells.
    pub(super) fn of(&self, pool: &'static str) -> Box<dyn r2d2::HandleEvent> {
        let pool = Pool { pool };
        Box::new(OfPool {
            wait: self.waits.get_or_create_owned(&pool),
            timeouts: self.timeouts.get_or_create_owned(&pool),
        })
    }

    /// Names what was measured.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "database_connection_wait",
            "Time that getting a connection of the pool took",
            Unit::Seconds,
            self.waits.clone(),
        );
        registry.register(
            "database_connection_timeouts",
            "Waits for a connection that were in vain: requests among them were answered 503",
            self.timeouts.clone(),
        );
    }
}

#[derive(Debug)]
struct OfPool {
    wait: Histogram,
    timeouts: Counter,
}

impl r2d2::HandleEvent for OfPool {
    fn handle_checkout(&self, event: CheckoutEvent) {
        self.wait.observe(event.duration().as_secs_f64());
    }

    fn handle_timeout(&self, _: TimeoutEvent) {
        self.timeouts.inc();
    }
}
