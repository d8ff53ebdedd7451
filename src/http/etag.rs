//! Answers that callers keep a copy of: by its tag they ask whether it is still good (RFC 9110, 8.8.3).

use actix_web::http::header::{CacheControl, ContentType, ETag, EntityTag, Header, IfNoneMatch};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Answers with `body`, or with 304 where the caller has it already.
pub fn answer(
    request: &HttpRequest,
    body: Bytes,
    media_type: ContentType,
    keep: CacheControl,
) -> HttpResponse {
    let tag = EntityTag::new_strong(URL_SAFE_NO_PAD.encode(&Sha256::digest(&body)[..12]));
    let is_known = IfNoneMatch::parse(request).is_ok_and(|known| match known {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|known| known.weak_eq(&tag)),
    });
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header(keep).insert_header(ETag(tag));
    if is_known {
        return response.finish();
    }
    response.insert_header(media_type).body(body)
}
