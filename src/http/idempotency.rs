//! The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header).

use actix_web::http::header::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};

use crate::error::{ApiError, Code};
use crate::sessions::token::RetryKey;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_LENGTH: usize = 255;

/// The hash of the key that came along, if one did: up to 255 visible characters, quoted or bare.
pub fn retry_key(headers: &HeaderMap) -> Result<Option<RetryKey>, ApiError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let bytes = value.as_bytes().trim_ascii();
    let key = bytes.strip_prefix(b"\"").and_then(|b| b.strip_suffix(b"\"")).unwrap_or(bytes);
    let is_sane = (1..=MAX_LENGTH).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    if !is_sane || values.next().is_some() {
        return Err(ApiError::new(
            Code::MalformedRequest,
            "Idempotency-Key must be one key of 1 to 255 visible characters",
        ));
    }
    Ok(Some(RetryKey(Sha256::digest(key).into())))
}
