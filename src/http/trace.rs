//! The span of a request, which its caller's may be above (W3C Trace Context,
//! <https://www.w3.org/TR/trace-context/>).

use std::future::Future;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use crate::traces::tracer;

/// How a request names its caller's span.
const TRACEPARENT: &str = "traceparent";
/// In what form an answer names its span: that of `traceparent` (W3C Trace Context, level 3, draft).
pub const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// A request's span, if spans are wanted.
pub struct RequestSpan(Option<Context>);

impl RequestSpan {
    /// Opens the span of a request with these headers.
    pub fn open(method: &'static str, headers: &HeaderMap) -> Self {
        Self(tracer().map(|tracer| {
            let caller = TraceContextPropagator::new().extract(&Headers(headers));
            let attributes = [KeyValue::new("http.request.method", method)];
            let builder = tracer.span_builder(method).with_kind(SpanKind::Server);
            let span = builder.with_attributes(attributes).start_with_context(tracer, &caller);
            caller.with_span(span)
        }))
    }

    /// The trace that it is part of, as 32 hexadecimal digits.
    pub fn trace_id(&self) -> Option<String> {
        self.0.as_ref().map(|context| context.span().span_context().trace_id().to_string())
    }

    /// Waits for `future` within this span.
    pub async fn around<T>(&self, future: impl Future<Output = T>) -> T {
        match &self.0 {
            Some(context) => future.with_context(context.clone()).await,
            None => future.await,
        }
    }

    /// Ends it, and names it to whoever gets the answer.
    pub fn close(self, method: &str, route: Option<&str>, status: u16, answer: &mut HeaderMap) {
        let Some(context) = self.0 else { return };
        let span = context.span();
        if let Some(route) = route {
            span.update_name(format!("{method} {route}"));
            span.set_attribute(KeyValue::new("http.route", route.to_owned()));
        }
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 {
            span.set_attribute(KeyValue::new("error.type", status.to_string()));
            span.set_status(Status::error(""));
        }
        TraceContextPropagator::new().inject_context(&context, &mut Answer(answer));
        span.end();
    }
}

/// What a request says of its caller's span. Not what vendors add to it (`tracestate`): that is text of
/// anybody's, and would go into every span.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).filter(|_| name == TRACEPARENT)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

struct Answer<'a>(&'a mut HeaderMap);

impl Injector for Answer<'_> {
    fn set(&mut self, name: &str, value: String) {
        if let Some(value) = HeaderValue::from_str(&value).ok().filter(|_| name == TRACEPARENT) {
            self.0.insert(TRACERESPONSE, value);
        }
    }
}
