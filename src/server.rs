//! The listener: what is mounted on it, how it starts and how it stops.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App as ActixApp, HttpResponse, HttpServer};

use crate::app::App;
use crate::error::{ApiError, Code};
use crate::http::envelope;
use crate::http::request_id::X_REQUEST_ID;
use crate::settings::Settings;
use crate::{accounts, health, passwords, sessions};

/// How long requests under way may take after a signal to stop.
const DRAIN_SECONDS: u64 = 25;
/// How long the head of a request may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Mounts every feature.
pub fn configure(config: &mut ServiceConfig) {
    config
        .configure(accounts::routes::configure)
        .configure(sessions::routes::configure)
        .configure(passwords::routes::configure)
        .configure(health::configure)
        .default_service(actix_web::web::to(not_found));
}

async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(Code::NotFound.into())
}

/// A server that listens on `listener` once it is awaited, and where that is.
pub fn start(app: &Arc<App>, listener: TcpListener) -> std::io::Result<(Server, SocketAddr)> {
    let address = listener.local_addr()?;
    let data = Data::from(Arc::clone(app));
    let build = move || {
        ActixApp::new()
            .app_data(data.clone())
            .wrap(cors(&data))
            .wrap(from_fn(envelope::wrap))
            .configure(configure)
    };
    let server = HttpServer::new(build)
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(DRAIN_SECONDS)
        .listen(listener)?
        .run();
    Ok((server, address))
}

/// Cross-origin calls by pages of the allowed origins. Refusing the others is up to the routes that
/// act on the cookie; here they merely get no leave to read the answer.
fn cors(app: &Data<App>) -> Cors {
    let app = app.clone();
    Cors::default()
        .allowed_origin_fn(move |origin, head| {
            let host = head.headers().get(header::HOST).and_then(|host| host.to_str().ok());
            let allowed = &app.settings.http.allowed_origins;
            origin.to_str().is_ok_and(|origin| allowed.contains(origin, host))
        })
        .allowed_methods(["GET", "POST", "PATCH", "DELETE"])
        .allowed_headers(["authorization", "content-type", "idempotency-key", "x-request-id"])
        .expose_headers([
            header::RETRY_AFTER,
            header::HeaderName::from_static("ratelimit"),
            header::HeaderName::from_static("ratelimit-policy"),
            header::WWW_AUTHENTICATE,
            X_REQUEST_ID,
        ])
        .supports_credentials()
        .block_on_origin_mismatch(false)
        .max_age(3600)
}

/// Serves on `listener` until the process is told to stop, calling `ready` once it listens.
pub fn serve(
    app: &Arc<App>,
    listener: TcpListener,
    ready: impl FnOnce(&Settings, SocketAddr),
) -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let (server, address) = start(app, listener)?;
        ready(&app.settings, address);
        server.await
    })
}
