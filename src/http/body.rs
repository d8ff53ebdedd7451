//! Reading bodies, strictly: JSON, known fields only, each once, 16 KiB; and the one form there is.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::{BytesMut, Payload};
use futures_util::StreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::accounts::email::EmailAddress;
use crate::error::{ApiError, Code, FieldError};

/// The largest body taken, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// The longest pause within a body. The framework times the head of a request only.
const MAX_PAUSE: Duration = Duration::from_secs(10);
/// The longest time for a whole body, however steadily it trickles.
const MAX_TIME: Duration = Duration::from_secs(30);

/// The body of a call that takes none: nothing, or an object without fields.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Reads the body as a `T`.
pub async fn json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
) -> Result<T, ApiError> {
    expect_json(request)?;
    parse(&read(request, payload).await?)
}

/// Reads the body as a `T` where there is one: a call that needs no body needs no `Content-Type`.
pub async fn optional_json<T: DeserializeOwned + Default>(
    request: &HttpRequest,
    payload: Payload,
) -> Result<T, ApiError> {
    if request.headers().contains_key(header::CONTENT_TYPE) {
        expect_json(request)?;
        let body = read(request, payload).await?;
        return if body.is_empty() { Ok(T::default()) } else { parse(&body) };
    }
    if read(request, payload).await?.is_empty() {
        Ok(T::default())
    } else {
        Err(Code::UnsupportedMediaType.into())
    }
}

/// Reads the body as the fields of a form, in their order.
pub async fn form(
    request: &HttpRequest,
    payload: Payload,
) -> Result<Vec<(String, String)>, ApiError> {
    if !is_of_type(request, "application/x-www-form-urlencoded") {
        let detail = "the body must be application/x-www-form-urlencoded";
        return Err(ApiError::new(Code::UnsupportedMediaType, detail));
    }
    let body = read(request, payload).await?;
    Ok(url::form_urlencoded::parse(&body).into_owned().collect())
}

fn expect_json(request: &HttpRequest) -> Result<(), ApiError> {
    if is_of_type(request, "application/json") {
        Ok(())
    } else {
        Err(Code::UnsupportedMediaType.into())
    }
}

/// Whether the body is of this one media type, in UTF-8 and not compressed.
fn is_of_type(request: &HttpRequest, media_type: &str) -> bool {
    let mut values = request.headers().get_all(header::CONTENT_TYPE);
    let is_it = values.next().and_then(|value| value.to_str().ok()).is_some_and(|value| {
        let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
        let parameters = parameters.trim().to_ascii_lowercase();
        kind.trim().eq_ignore_ascii_case(media_type)
            && matches!(&*parameters, "" | "charset=utf-8" | "charset=\"utf-8\"")
    });
    is_it && values.next().is_none() && !is_encoded(request)
}

fn is_encoded(request: &HttpRequest) -> bool {
    request.headers().contains_key(header::CONTENT_ENCODING)
}

async fn read(request: &HttpRequest, payload: Payload) -> Result<BytesMut, ApiError> {
    tokio::time::timeout(MAX_TIME, read_chunks(request, payload))
        .await
        .unwrap_or_else(|_elapsed| Err(Code::RequestTimeout.into()))
}

async fn read_chunks(request: &HttpRequest, mut payload: Payload) -> Result<BytesMut, ApiError> {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_BYTES) {
        return Err(Code::PayloadTooLarge.into());
    }
    let mut body = BytesMut::new();
    loop {
        match tokio::time::timeout(MAX_PAUSE, payload.next()).await {
            Err(_elapsed) => return Err(Code::RequestTimeout.into()),
            Ok(None) => return Ok(body),
            Ok(Some(Err(_))) => return Err(malformed("the body did not arrive whole")),
            Ok(Some(Ok(chunk))) if body.len() + chunk.len() > MAX_BYTES => {
                return Err(Code::PayloadTooLarge.into());
            }
            Ok(Some(Ok(chunk))) => body.extend_from_slice(&chunk),
        }
    }
}

fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> ApiError {
    ApiError::new(Code::MalformedRequest, detail)
}

/// Parses one JSON object. Serde would take an array for a struct, so that is refused first.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(malformed("the body must be a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| explain(&error))?;
    json.end().map_err(|_| malformed("there is something behind the JSON object"))?;
    Ok(value)
}

/// Tells syntax (unknown and duplicate fields included) from meaning (a value of a wrong type),
/// without repeating any of the values: one may be a password.
fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    let field = error.path().to_string();
    let message = error.inner().to_string();
    if message.starts_with("invalid type") || message.starts_with("invalid value") {
        let sentence = format!("{field} is of a wrong type.");
        return ApiError::validation(vec![FieldError::new(field, "WRONG_TYPE", sentence)]);
    }
    if message.starts_with("unknown variant") {
        let sentence = format!("{field} has none of the values it may have.");
        return ApiError::validation(vec![FieldError::new(field, "UNKNOWN_VALUE", sentence)]);
    }
    if message.starts_with("unknown field") {
        return malformed("the body has a field that this call does not know");
    }
    if message.starts_with("duplicate field") {
        return malformed("the body has a field twice");
    }
    malformed("the body is not valid JSON")
}

/// Deserializes a field that may be absent, keeping `null` apart from that.
pub fn present<'de, D, T>(field: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    T::deserialize(field).map(Some)
}

/// An address that has to be there; notes it among `errors` where it is not, or is none.
pub fn required_email(
    typed: Option<&str>,
    field: &'static str,
    errors: &mut Vec<FieldError>,
) -> Option<EmailAddress> {
    let typed = required(typed, field, errors)?;
    let email = EmailAddress::parse(typed);
    if email.is_none() {
        errors.push(FieldError::new(field, "NO_ADDRESS", "This is no e-mail address."));
    }
    email
}

/// A field that has to be there; notes it among `errors` where it is not.
pub fn required<T>(
    value: Option<T>,
    field: &'static str,
    errors: &mut Vec<FieldError>,
) -> Option<T> {
    if value.is_none() {
        errors.push(FieldError::new(field, "REQUIRED", format!("{field} is required.")));
    }
    value
}
