//! Reading JSON strictly: one object of known fields, each once, and not much of it.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::Payload;
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};

/// The largest body taken, in bytes.
const MAX_BYTES: usize = 4 * 1024;
/// The longest that a body may take to arrive. The framework times the head of a request only.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Reads the body as a `T`.
pub async fn json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
) -> Result<T, Problem> {
    if !is_json(request) {
        return Err(Code::UnsupportedMediaType.into());
    }
    let read = tokio::time::timeout(MAX_TIME, payload.to_bytes_limited(MAX_BYTES)).await;
    let body = read
        .map_err(|_elapsed| Code::RequestTimeout)?
        .map_err(|_longer| Code::PayloadTooLarge)?
        .map_err(|_broken| malformed("The body did not arrive whole"))?;
    // Serde would take an array for a struct.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(malformed("The body must be a JSON object"));
    }
    serde_json::from_slice(&body).map_err(|error| {
        // No message repeats what was sent.
        malformed(if error.is_data() {
            "The body has a field that is not known here, or one twice"
        } else {
            "The body is not valid JSON"
        })
    })
}

fn malformed(detail: &'static str) -> Problem {
    Problem::new(Code::MalformedRequest, detail)
}

/// Whether the body says of itself, once, that it is JSON in UTF-8, and not compressed.
fn is_json(request: &HttpRequest) -> bool {
    let mut values = request.headers().get_all(header::CONTENT_TYPE);
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let (kind, parameters) = value.split_once(';').unwrap_or((&value, ""));
    kind.trim() == "application/json"
        && matches!(parameters.trim(), "" | "charset=utf-8" | "charset=\"utf-8\"")
        && !request.headers().contains_key(header::CONTENT_ENCODING)
}
