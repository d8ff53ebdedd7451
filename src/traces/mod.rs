//! Traces (OpenTelemetry): what a request waits for, for whoever gives an `OTLP_ENDPOINT`.
//!
//! Without one there is no tracer, and every function here returns after looking for it. A span goes
//! from thread to thread as a [`Here`]; beneath it, [`span`] opens one for as long as its guard lives.
//! Names and attributes follow OpenTelemetry's conventions
//! (<https://opentelemetry.io/docs/specs/semconv/>). Nothing personal is among them: routes and no
//! paths, and neither addresses nor ids.

pub mod export;

use std::sync::OnceLock;

use opentelemetry::trace::{FutureExt, SpanContext, SpanKind, TraceContextExt, Tracer};
use opentelemetry::{Context, ContextGuard, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;

/// Set once at start, where spans are wanted: like the log, one for the whole process.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// What opens spans, if any are wanted.
pub fn tracer() -> Option<&'static SdkTracer> {
    TRACER.get()
}

/// The span that somebody is in, to be taken to another thread. Empty where there is none.
#[derive(Debug, Clone, Default)]
pub struct Here(Option<Context>);

impl Here {
    /// The present span of this thread.
    pub fn now() -> Self {
        Self(tracer().map(|_| Context::current()).filter(Context::has_active_span))
    }

    /// Enters the span on this thread, until the guard is dropped.
    pub fn enter(&self) -> Option<ContextGuard> {
        self.0.clone().map(Context::attach)
    }

    /// What a span that serves several links to.
    pub fn link(&self) -> Option<SpanContext> {
        self.0.as_ref().map(|context| context.span().span_context().clone())
    }
}

/// Opens a span beneath the present one, which ends when its guard is dropped; nothing where there is
/// none, so that what goes on by itself (looking for mail, measuring the time) makes no traces.
pub fn span<const N: usize>(
    name: &'static str,
    kind: SpanKind,
    attributes: impl FnOnce() -> [KeyValue; N],
) -> Option<ContextGuard> {
    let tracer = tracer()?;
    let context = Context::current();
    context.has_active_span().then(|| {
        let builder = tracer.span_builder(name).with_kind(kind).with_attributes(attributes());
        let span = builder.start_with_context(tracer, &context);
        context.with_span(span).attach()
    })
}

/// Waits for `future` in a span beneath the present one.
pub async fn around<T, const N: usize>(
    name: &'static str,
    attributes: impl FnOnce() -> [KeyValue; N],
    future: impl Future<Output = T>,
) -> T {
    // The guard stays on this thread, which the future may not: its span goes on by itself.
    let context = span(name, SpanKind::Internal, attributes).map(|_guard| Context::current());
    let Some(context) = context else { return future.await };
    let done = future.with_context(context.clone()).await;
    // Whoever still holds it is late.
    context.span().end();
    done
}

/// Opens a span that nothing is above, as [`span`] does beneath others.
pub fn root<const N: usize>(
    name: &'static str,
    kind: SpanKind,
    attributes: impl FnOnce() -> [KeyValue; N],
) -> Option<ContextGuard> {
    let tracer = tracer()?;
    let builder = tracer.span_builder(name).with_kind(kind).with_attributes(attributes());
    let context = Context::new();
    Some(context.with_span(builder.start_with_context(tracer, &context)).attach())
}

/// Opens a span for work that several wait for, beneath that of the first and with links to the
/// others' (<https://opentelemetry.io/docs/concepts/signals/traces/#span-links>).
pub fn group<'a>(
    name: &'static str,
    of: impl ExactSizeIterator<Item = &'a Here>,
) -> Option<(ContextGuard, ContextGuard)> {
    tracer()?;
    let size = KeyValue::new("symbolon.group.size", i64::try_from(of.len()).unwrap_or(i64::MAX));
    let mut traced = of.filter(|here| here.0.is_some());
    let first = traced.next()?.enter()?;
    let span = span(name, SpanKind::Internal, || [size])?;
    let context = Context::current();
    traced.filter_map(Here::link).for_each(|link| context.span().add_link(link, Vec::new()));
    Some((span, first))
}

/// Notes that what the present span is about has failed, for a reason that is no secret.
pub fn failed(reason: &'static str) {
    if tracer().is_some() {
        let context = Context::current();
        context.span().set_attribute(KeyValue::new("error.type", reason));
        context.span().set_status(opentelemetry::trace::Status::error(""));
    }
}
