//! Requests over HTTP.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
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
pub struct Requests(Family<Answer, Histogram>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: &'static str,
    route: String,
    status: u16,
}

impl Default for Requests {
    fn default() -> Self {
        Self(Family::new_with_constructor(seconds))
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
        self.0.get_or_create(&Answer { method, route, status }).observe(took.as_secs_f64());
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's head to its answer's, by the route's pattern",
            Unit::Seconds,
            self.0.clone(),
        );
    }
}
