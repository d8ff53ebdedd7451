//! Who may watch the service.

use std::net::SocketAddr;

use clap::Args;

use super::faults::{Faults, given};

/// What the command line and the environment say about monitoring.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Monitoring")]
pub struct MonitoringArgs {
    /// Address and port to serve `GET /metrics` on, for Prometheus; nobody else should reach it [default: none, no metrics]
    #[arg(long, env = "METRICS_BIND", value_name = "ADDRESS")]
    metrics_bind: Option<String>,
}

/// Valid settings of monitoring.
#[derive(Debug, Clone)]
pub struct MonitoringSettings {
    /// Where metrics are served, if they are.
    pub metrics_bind: Option<SocketAddr>,
}

impl MonitoringArgs {
    /// Checks these settings.
    pub fn check(&self, faults: &mut Faults) -> MonitoringSettings {
        let metrics_bind = given(self.metrics_bind.as_deref()).and_then(|text| {
            faults.read("METRICS_BIND", text, None, |text| {
                text.parse().map(Some).map_err(|_| format!("`{text}` is no ADDRESS:PORT"))
            })
        });
        MonitoringSettings { metrics_bind }
    }
}
