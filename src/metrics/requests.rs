//! Requests over HTTP.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::seconds;

/// Methods that are counted apart. Anybody can send others of any name, which would each become a
/// series of their own.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"];

/// `method`, if it is one of ours, and else `_OTHER`, as OpenTelemetry has it.
pub fn known_method(method: &str) -> &'static str {
    METHODS.into_iter().find(|known| *known == method).unwrap_or("_OTHER")
}

/// How long requests took, by what they were for and how they ended.
#[derive(Debug, Clone)]
pub struct Requests {
    answers: Family<Answer, Histogram>,
    /// Failures of ours. Apart from the others because these begin at 0: to Prometheus what appears
    /// with its first failures has had none.
    errors: Family<Failure, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: &'static str,
    route: String,
    status: u16,
}

impl Default for Requests {
    fn default() -> Self {
        let errors = Family::default();
        for status in [500, 503] {
            drop(errors.get_or_create(&Failure { status }));
        }
        Self { answers: Family::new_with_constructor(seconds), errors }
    }
}

impl Requests {
    /// Notes the answer to a request of a [`known_method`]. `route` is the pattern that its path has matched, never the path
    /// itself; `None` where there is no such route.
    pub fn observe(
        &self,
        method: &'static str,
        route: Option<String>,
        status: u16,
        took: Duration,
    ) {
        let route = route.unwrap_or_else(|| "none".to_owned());
        self.answers.get_or_create(&Answer { method, route, status }).observe(took.as_secs_f64());
        if status >= 500 {
            self.errors.get_or_create(&Failure { status }).inc();
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's head to its answer's, by the route's pattern",
            Unit::Seconds,
            self.answers.clone(),
        );
        registry.register(
            "http_errors",
            "Requests that were answered 5xx, by status",
            self.errors.clone(),
        );
    }
}
