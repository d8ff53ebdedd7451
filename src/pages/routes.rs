//! `/account`, `/admin` and what leads there.

use actix_web::http::header::{self, CacheControl, CacheDirective, ContentType, HeaderName};
use actix_web::web::{self, Bytes, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use url::form_urlencoded;

use super::{assets, return_to, shell};
use crate::app::App;
use crate::error::{ApiError, Code};
use crate::http::{app_of, etag};

/// Mounts these routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/").get(home).head(home))
        .service(
            web::resource("/.well-known/change-password")
                .get(change_password)
                .head(change_password),
        )
        .service(web::resource("/account").get(account).head(account))
        .service(web::resource("/account/sign-in").get(account).head(account))
        .service(web::resource("/account/register").get(account).head(account))
        .service(web::resource("/account/forgot").get(account).head(account))
        .service(web::resource("/account/reset").get(account).head(account))
        .service(web::resource("/account/verify").get(account).head(account))
        .service(web::resource("/account/password").get(account).head(account))
        .service(web::resource("/account/devices").get(account).head(account))
        .service(web::resource("/admin").get(admin).head(admin))
        .service(web::resource("/account/assets/{name:.*}").get(asset).head(asset));
}

/// What a page may load, run and be put into: our own files, by nobody else, and no text as code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types lit-html";

/// Headers of a page.
const PAGE: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (header::PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=()"),
    (header::CACHE_CONTROL, "no-store"),
];

async fn account(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    page(shell::account(&app.settings, return_to(&request, &app)))
}

async fn admin(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    page(shell::admin(&app_of(&request)?.settings))
}

fn page(html: askama::Result<String>) -> Result<HttpResponse, ApiError> {
    let html = html.map_err(ApiError::internal)?;
    let mut response = HttpResponse::Ok();
    response.insert_header(ContentType::html());
    for header in PAGE {
        response.insert_header(header);
    }
    Ok(response.body(html))
}

/// Where the query asks to go on to, if that may be. The rest of the query is for the page's script.
fn return_to(request: &HttpRequest, app: &App) -> Option<String> {
    let query = form_urlencoded::parse(request.query_string().as_bytes());
    let (_, text) = query.into_iter().find(|(name, _)| name == "return_to")?;
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let place = return_to::check(&text, &app.settings.http.allowed_origins, host);
    // The reason names an origin at most: what comes behind that may be nobody's business.
    place.inspect_err(|refusal| tracing::info!("{refusal}: left out")).ok()
}

async fn asset(request: HttpRequest, name: Path<String>) -> Result<HttpResponse, ApiError> {
    let asset = assets::find(&name).ok_or(Code::NotFound)?;
    // Names stay the same from release to release, so each use asks whether the file did.
    let keep = CacheControl(vec![CacheDirective::NoCache]);
    let media_type = asset.media_type().parse().map_err(ApiError::internal)?;
    let body = Bytes::from_static(asset.bytes);
    let mut answer = etag::answer(&request, body, ContentType(media_type), keep);
    let only_ours = header::HeaderValue::from_static("same-origin");
    answer.headers_mut().insert(header::CROSS_ORIGIN_RESOURCE_POLICY, only_ours);
    Ok(answer)
}

async fn home() -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, "/account")).finish()
}

/// Where password managers lead people (W3C, A Well-Known URL for Changing Passwords).
async fn change_password() -> HttpResponse {
    HttpResponse::Found().insert_header((header::LOCATION, "/account/password")).finish()
}
