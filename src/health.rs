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
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<&'static str>,
}

/// The process lives. Depends on nothing, so that a database that is away restarts nobody.
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok", database: None, limits: None })
}

/// The service can serve: the database answers. Where limits are counted is for whoever watches: it
/// serves without Redis.
async fn readyz(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let look = move || app.database.ping().map(|()| app.limits.look(app.now()).name());
    let limits = blocking::run(look).await?;
    let database = Some("ok");
    Ok(HttpResponse::Ok().json(Health { status: "ready", database, limits: Some(limits) }))
}
