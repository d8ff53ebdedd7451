//! Who may watch the service.

use std::net::SocketAddr;

use clap::Args;
use url::Url;

use super::faults::{Faults, given};

/// What the command line and the environment say about monitoring.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Monitoring")]
pub struct MonitoringArgs {
    /// Address and port to serve `GET /metrics` on, for Prometheus; nobody else should reach it [default: none, no metrics]
    #[arg(long, env = "METRICS_BIND", value_name = "ADDRESS")]
    metrics_bind: Option<String>,
    /// Collector to send traces to by OTLP over HTTP, as in `http://localhost:4318`; OpenTelemetry's own `OTEL_…` variables set what else there is to set [default: none, no traces]
    #[arg(long, env = "OTLP_ENDPOINT", hide_env_values = true, value_name = "URL")]
    otlp_endpoint: Option<String>,
}

/// Valid settings of monitoring.
#[derive(Debug, Clone)]
pub struct MonitoringSettings {
    /// Where metrics are served, if they are.
    pub metrics_bind: Option<SocketAddr>,
    /// The collector of traces, if there is one, without a slash at the end.
    pub otlp_endpoint: Option<String>,
}

impl MonitoringArgs {
    /// Checks these settings.
    pub fn check(&self, faults: &mut Faults) -> MonitoringSettings {
        let metrics_bind = given(self.metrics_bind.as_deref()).and_then(|text| {
            faults.read("METRICS_BIND", text, None, |text| {
                text.parse().map(Some).map_err(|_| format!("`{text}` is no ADDRESS:PORT"))
            })
        });
        let otlp_endpoint = given(self.otlp_endpoint.as_deref())
            .and_then(|text| faults.read("OTLP_ENDPOINT", text, None, collector));
        MonitoringSettings { metrics_bind, otlp_endpoint }
    }
}

/// The URL of a collector. It may hold a password where it should not, so no message repeats it.
fn collector(text: &str) -> Result<Option<String>, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url.filter(Url::has_host) else {
        return Err("is no http(s) URL; write it like http://localhost:4318".to_owned());
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("takes no credentials; OTEL_EXPORTER_OTLP_HEADERS does".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("takes nothing behind its path".to_owned());
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}
