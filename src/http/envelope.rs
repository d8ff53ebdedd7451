//! What goes around every request: its id, its log line, the headers of its answer, and an answer
//! of ours whatever happened inside.
//!
//! In two layers, with CORS between them: what [`guard`] refuses is answered to pages of other
//! origins as everything is, and what CORS refuses gets the form that [`wrap`] gives everything.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_http::ConnectionType;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};
use futures_util::FutureExt;
use tracing::Instrument;

use super::request_id::{RequestId, X_REQUEST_ID};
use super::trace::RequestSpan;
use super::wire::Closing;
use super::{limit, problem};
use crate::app::App;
use crate::error::{ApiError, Code};
use crate::metrics::requests::known_method;

/// The most bytes of a request's target and headers together.
const MAX_HEAD: usize = 16 * 1024;

/// Runs `next` and sees to it that its answer is complete.
pub async fn wrap<B: MessageBody + 'static>(
    app: Data<App>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId::of(request.headers(), &*app.random);
    // The path alone: a query string may hold what nobody should read in a log.
    let method = known_method(request.method().as_str());
    let trace = RequestSpan::open(method, request.headers());
    let span = tracing::info_span!(
        "request",
        %id,
        method = %request.method(),
        path = request.path(),
        trace = trace.trace_id(),
    );
    let is_private = is_private(request.path());
    let production = app.settings.environment.is_production();
    let closing = closing_of(&request);
    let started = Instant::now();
    let outcome = trace.around(next.call(request).instrument(span.clone())).await;
    let finish = |answer: HttpResponse<BoxBody>| {
        let mut answer = problem::finish(answer, &id);
        complete(answer.headers_mut(), &id, is_private, production);
        if let Some(closing) = closing.as_ref().filter(|_| answer.status().as_u16() >= 400) {
            answer.head_mut().set_connection_type(ConnectionType::Close);
            closing.set();
        }
        log(&span, answer.status().as_u16(), started);
        answer
    };
    match outcome {
        Ok(response) => {
            let (request, answer) = response.map_into_boxed_body().into_parts();
            let mut answer = finish(answer);
            limit::complete(&request, answer.headers_mut());
            let (route, status) = (request.match_pattern(), answer.status().as_u16());
            trace.close(method, route.as_deref(), status, answer.headers_mut());
            app.metrics.requests.observe(method, route, status, started.elapsed());
            Ok(ServiceResponse::new(request, answer))
        }
        // The request is gone, so the answer goes out by the error.
        Err(error) => {
            let mut answer = finish(error.error_response());
            let status = answer.status().as_u16();
            trace.close(method, None, status, answer.headers_mut());
            app.metrics.requests.observe(method, None, status, started.elapsed());
            Err(InternalError::from_response(error, answer).into())
        }
    }
}

/// Runs `next` unless the request's head is too large; makes a failure of ours of a panic.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if head_size(&request) > MAX_HEAD {
        return Err(ApiError::from(Code::HeadersTooLarge).into());
    }
    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    outcome.unwrap_or_else(|_panic| Err(ApiError::internal("a handler panicked").into()))
}

/// Answers that no cache may keep.
pub fn is_private(path: &str) -> bool {
    ["/auth", "/admin"].iter().any(|prefix| path.starts_with(prefix))
}

fn head_size(request: &ServiceRequest) -> usize {
    let headers =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    request.uri().to_string().len() + headers.sum::<usize>()
}

/// The connection of a request whose body goes on until its sender says so. The framework would
/// read such a body to its end even after refusing it, which may never come.
fn closing_of(request: &ServiceRequest) -> Option<Closing> {
    let is_endless = request.headers().contains_key(header::TRANSFER_ENCODING);
    request.conn_data::<Closing>().filter(|_| is_endless).cloned()
}

/// Adds what every answer has: the request's id, and OWASP's headers for an API, which serves
/// nothing that a browser should render. What is for a browser comes with a policy of its own.
pub(super) fn complete(
    headers: &mut HeaderMap,
    id: &RequestId,
    is_private: bool,
    production: bool,
) {
    const ALWAYS: [(HeaderName, &str); 2] =
        [(header::X_CONTENT_TYPE_OPTIONS, "nosniff"), (header::REFERRER_POLICY, "no-referrer")];
    const POLICY: HeaderValue =
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(X_REQUEST_ID, id.header());
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    }
    if is_private {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if production {
        let a_year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, a_year);
    }
}

/// A line for every answer: failures where an operator looks, the rest at `debug`.
fn log(span: &tracing::Span, status: u16, started: Instant) {
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    match status {
        // Where it was made, that was logged with its reason.
        503 => tracing::debug!(parent: span, status, micros, "answered"),
        500.. => tracing::error!(parent: span, status, micros, "answered"),
        400.. => tracing::info!(parent: span, status, micros, "answered"),
        _ => tracing::debug!(parent: span, status, micros, "answered"),
    }
}
