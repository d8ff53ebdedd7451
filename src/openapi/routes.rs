//! `/openapi.json`, and `/docs`, where it can be browsed.

use std::sync::{Arc, OnceLock};

use actix_web::http::header::{self, CacheControl, CacheDirective, ContentType, HeaderName};
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use utoipa_swagger_ui::Config;

use super::operation::Operation;
use crate::error::{ApiError, Code};
use crate::http::{app_of, etag};

/// Mounts these routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .app_data(Data::new(Document::new()))
        .service(web::resource("/openapi.json").get(openapi).head(openapi))
        .service(web::resource("/docs").get(docs).head(docs))
        .service(web::resource("/docs/{file:.*}").get(page).head(page));
}

/// What the document says of these routes. The page is for people.
pub(super) fn operation() -> Operation {
    Operation::get("/openapi.json", "openapi", "This document")
        .also_head()
        .answers_as(200, "The API as an OpenAPI 3.1 document.", utoipa::openapi::Object::new())
        .kept_by_tag()
}

/// The document as it is served, made when somebody first asks for it.
type Document = OnceLock<Bytes>;

/// The longest that a copy may be kept without asking, in seconds.
const FRESH_FOR: u32 = 300;

/// What the page may load and run: its own files. It styles its elements by script, which needs no
/// leave, and draws its icons from its style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Headers of the page and its files.
const PAGE: [(HeaderName, &str); 3] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
];

async fn openapi(request: HttpRequest, document: Data<Document>) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let body = document.get_or_init(|| {
        super::document(&app.settings.http.cookie.name).to_json().unwrap_or_default().into()
    });
    let keep = CacheControl(vec![CacheDirective::Public, CacheDirective::MaxAge(FRESH_FOR)]);
    Ok(etag::answer(&request, body.clone(), ContentType::json(), keep))
}

/// The page's files are found beside each other, so it has to lie where they do.
async fn docs() -> HttpResponse {
    HttpResponse::Found().insert_header((header::LOCATION, "docs/")).finish()
}

async fn page(request: HttpRequest, file: Path<String>) -> Result<HttpResponse, ApiError> {
    // Nobody but this service is asked for anything: no badge of a validator either.
    let config = Config::from("../openapi.json").validator_url("none").use_base_layout();
    let found = utoipa_swagger_ui::serve(&file, Arc::new(config)).map_err(ApiError::internal)?;
    let file = found.ok_or(Code::NotFound)?;
    let media_type = ContentType(file.content_type.parse().map_err(ApiError::internal)?);
    // Names stay the same from release to release, so each use asks whether the file did.
    let keep = CacheControl(vec![CacheDirective::NoCache]);
    let body = Bytes::from(file.bytes.into_owned());
    let mut answer = etag::answer(&request, body, media_type, keep);
    for (name, value) in PAGE {
        answer.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    Ok(answer)
}
