//! The page that Prometheus reads.

use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;

use super::gauges;
use crate::app::App;

/// Everything, in Prometheus' text format 0.0.4.
pub(super) fn text(app: &App) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::default();
    gauges::register_process(app, &mut registry);
    let ours = registry.sub_registry_with_prefix("symbolon");
    app.metrics.register(ours);
    gauges::register(app, ours);
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}
