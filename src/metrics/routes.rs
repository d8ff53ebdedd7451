//! `GET /metrics`, on a listener of its own: what it tells is for operators.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::web::{self, Data};
use actix_web::{App as ActixApp, HttpRequest, HttpResponse, HttpServer};

use super::page;
use crate::app::App;
use crate::error::ApiError;
use crate::http::app_of;

/// A server of metrics on `listener`, once it is awaited; it is stopped by its handle.
pub fn start(app: &Arc<App>, listener: TcpListener) -> std::io::Result<Server> {
    let data = Data::from(Arc::clone(app));
    let service = move || {
        ActixApp::new()
            .app_data(data.clone())
            .service(web::resource("/metrics").get(metrics).head(metrics))
    };
    Ok(HttpServer::new(service).workers(1).disable_signals().listen(listener)?.run())
}

/// In Prometheus' text format 0.0.4.
async fn metrics(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let text = page::text(&app).map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}
