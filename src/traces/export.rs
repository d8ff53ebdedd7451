//! Handing spans to a collector, by OTLP over HTTP
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).
//!
//! A thread of the SDK's sends them in batches. Where the collector does not take them they are
//! dropped: no request ever waits for it, and memory stays bounded.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::Key;
use opentelemetry::trace::{SpanId, TraceId, TracerProvider};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator, SdkTracerProvider};

use super::TRACER;
use crate::random::{self, Random};
use crate::verifier::tls;

/// How long the collector may take for a batch.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a stop waits for the last batch.
const FLUSH: Duration = Duration::from_secs(2);

/// The spans of this process on their way to a collector.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Sends all spans from now on to the collector at `endpoint`, as in `http://localhost:4318`. What
    /// this service has no setting for is read from OpenTelemetry's own variables
    /// (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`, …).
    pub fn start(endpoint: &str, random: Arc<dyn Random>) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_http_client(Collector::new())
            .with_endpoint(format!("{endpoint}/v1/traces"))
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource())
            .with_id_generator(Ids(random))
            .build();
        // A second start in one process (a test) keeps the first.
        let _already_started = TRACER.set(provider.tracer("symbolon"));
        Ok(Self(provider))
    }

    /// Sends what is left, if the collector takes it soon.
    pub fn stop(&self) {
        if let Err(error) = self.0.shutdown_with_timeout(FLUSH) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// Who sends them: as OpenTelemetry's variables say, and `symbolon` where they name nobody.
fn resource() -> Resource {
    let given = Resource::builder().build();
    let name = given.get(&Key::from_static_str("service.name")).map(|name| name.to_string());
    if name.is_none_or(|name| name.starts_with("unknown_service")) {
        return Resource::builder().with_service_name("symbolon").build();
    }
    given
}

/// A collector that may come and go.
#[derive(Debug)]
struct Collector {
    agent: ureq::Agent,
    /// Whether the last batch was not taken.
    is_away: AtomicBool,
}

impl Collector {
    fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .tls_config(tls())
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .http_status_as_error(false);
        Self { agent: config.build().into(), is_away: AtomicBool::new(false) }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (head, body) = request.into_parts();
        let answer = self.agent.run(Request::from_parts(head, &body[..]))?;
        let (head, mut body) = answer.into_parts();
        Ok(Response::from_parts(head, body.read_to_vec()?.into()))
    }

    /// Says once that a collector is away, and once that it is back.
    fn note(&self, failure: Option<&dyn fmt::Display>) {
        let was_away = self.is_away.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(error) if !was_away => {
                tracing::warn!(%error, "the collector takes no spans; they are dropped");
            }
            None if was_away => tracing::info!("the collector takes spans again"),
            _ => {}
        }
    }
}

/// Blocks: the SDK waits for it on a thread of its own.
impl HttpClient for Collector {
    fn send_bytes<'a, 'f>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let answer = self.send(request);
            match &answer {
                Ok(answer) if answer.status().is_success() => self.note(None),
                Ok(answer) => self.note(Some(&answer.status())),
                Err(error) => self.note(Some(error)),
            }
            Ok(answer?)
        })
    }
}

/// Ids from the one source of random bytes.
struct Ids(Arc<dyn Random>);

impl fmt::Debug for Ids {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Ids")
    }
}

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from_bytes(random::bytes(&*self.0))
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from_bytes(random::bytes(&*self.0))
    }
}
