//! The page that Prometheus reads.

use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;

use super::gauges;
use crate::app::App;

/// Everything, in Prometheus' text format 0.0.4.
pub(super) fn text(app: &App) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("symbolon");
    app.metrics.register(&mut registry);
    gauges::register(app, &mut registry);
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}
