//! What every route shares: reading requests, and answering them.

pub mod bearer;
pub mod blocking;
pub mod body;
pub mod client;
pub mod confirm;
pub mod envelope;
pub mod etag;
pub mod idempotency;
pub mod limit;
pub mod problem;
pub mod query;
pub mod refresh_cookie;
pub mod request_id;
pub mod same_site;
pub mod tokens;
pub mod trace;
pub mod wire;

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::error::ApiError;

/// The answer of a call whose effect is yet to come: 202 and `{}`.
pub fn accepted() -> HttpResponse {
    HttpResponse::Accepted().json(serde_json::json!({}))
}

/// The service that a request is for.
pub fn app_of(request: &HttpRequest) -> Result<Arc<App>, ApiError> {
    let app = request.app_data::<Data<App>>();
    app.map(|data| Arc::clone(data)).ok_or_else(|| ApiError::internal("no App is mounted"))
}
