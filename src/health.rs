//! `/healthz` and `/readyz`.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::http::{app_of, blocking};
use crate::openapi::operation::Operation;

/// Mounts these routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/healthz").get(healthz).head(healthz))
        .service(web::resource("/readyz").get(readyz).head(readyz));
}

/// What the document says of these routes.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/healthz", "healthz", "Whether the process lives")
            .also_head()
            .about("Depends on nothing, so that a database that is away restarts nobody.")
            .answers::<Health>(200, "It lives."),
        Operation::get("/readyz", "readyz", "Whether it can serve")
            .also_head()
            .about(
                "The database answers. Without Redis it goes on serving, and says so in `limits`.",
            )
            .answers::<Health>(200, "It can.")
            .may_be_unavailable(),
    ]
}

#[derive(Serialize, ToSchema)]
struct Health {
    #[schema(example = "ready")]
    status: &'static str,
    /// Of `/readyz` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "ok")]
    database: Option<&'static str>,
    /// Where limits are counted at present; of `/readyz` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "memory")]
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
