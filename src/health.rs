//! `/healthz` and `/readyz`.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::error::ApiError;
use crate::http::{app_of, blocking};

/// Mounts these routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/healthz").get(healthz).head(healthz))
        .service(web::resource("/readyz").get(readyz).head(readyz));
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'static str>,
}

/// The process lives. Depends on nothing, so that a database that is away restarts nobody.
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok", database: None })
}

/// The service can serve: the database answers.
async fn readyz(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    blocking::run(move || app.database.ping()).await?;
    Ok(HttpResponse::Ok().json(Health { status: "ready", database: Some("ok") }))
}
