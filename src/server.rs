//! The server: what is mounted on it, how it starts and how it stops.

use std::future::{Future, ready};
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_http::error::DispatchError;
use actix_http::{ConnectionType, HttpService, Protocol, Request};
use actix_server::{GracefulShutdownSignal, Server};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::rt::time::sleep;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App as ActixApp, Error, HttpResponse};
use futures_util::FutureExt;
use futures_util::future::select;

use crate::app::App;
use crate::error::{ApiError, Code};
use crate::http::envelope;
use crate::http::limit::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::http::request_id::X_REQUEST_ID;
use crate::http::wire::Wire;
use crate::listener::{Door, LAST_CONNECTIONS};
use crate::settings::Settings;
use crate::{
    accounts, addresses, admin, discovery, health, metrics, openapi, pages, passwords, sessions,
};

/// How long requests under way may take after a signal to stop.
const DRAIN_SECONDS: u64 = 25;
/// How long the head of a request may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection that is being closed may take for that.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long an idle connection stays after a signal to stop. A proxy that keeps it may be about to
/// ask once more: it is answered and told that this was the last time. Closed at once, the
/// connection would take that request with it, and a proxy repeats no POST that may have arrived.
const LAST_REQUESTS: Duration = Duration::from_secs(1);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Mounts every feature that `settings` want.
pub fn configure(config: &mut ServiceConfig, settings: &Settings) {
    if settings.http.hosted_pages {
        config.configure(pages::routes::configure);
    }
    config
        .configure(accounts::routes::configure)
        .configure(addresses::routes::configure)
        .configure(sessions::routes::configure)
        .configure(passwords::routes::configure)
        .configure(admin::routes::configure)
        .configure(discovery::routes::configure)
        .configure(health::configure)
        .configure(openapi::routes::configure)
        .default_service(web::to(not_found));
}

async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(Code::NotFound.into())
}

/// A server that listens on `listener` once it is awaited, and where that is.
///
/// Put together like actix-web's `HttpServer`, but with a [`Wire`] around each connection, and so
/// that SIGINT lets requests under way end, as SIGTERM does.
pub fn start(app: &Arc<App>, listener: TcpListener) -> std::io::Result<(Server, SocketAddr)> {
    let (address, door) = (listener.local_addr()?, Door::of(&listener)?);
    let builder = Server::build();
    let stopping = builder.graceful_shutdown_signal();
    let app = Arc::clone(app);
    let serve = move || {
        let stopping = stopping.clone();
        let service = service(&app, stopping.clone());
        let http = HttpService::build()
            .client_request_timeout(HEAD_TIMEOUT)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .keep_alive(KEEP_ALIVE)
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move {
                    stopping.notified().await;
                    sleep(LAST_REQUESTS).await;
                }
            })
            .on_connect_ext(|wire: &Wire, shared| {
                shared.insert(wire.closing());
            })
            .finish(map_config(service, |()| AppConfig::default()));
        let app = Arc::clone(&app);
        fn_service(move |socket: TcpStream| {
            let peer = socket.peer_addr().ok();
            ready(Ok::<_, DispatchError>((
                Wire::new(socket, Arc::clone(&app)),
                Protocol::Http1,
                peer,
            )))
        })
        .and_then(http)
    };
    let server = builder
        .shutdown_timeout(DRAIN_SECONDS)
        .shutdown_signal(leave(told_to_stop()?, door))
        .listen("http", listener, serve)?
        .run();
    Ok((server, address))
}

/// Everything between a request and its answer.
fn service(
    app: &Arc<App>,
    stopping: GracefulShutdownSignal,
) -> impl ServiceFactory<
    Request,
    Config = AppConfig,
    Response = ServiceResponse<BoxBody>,
    Error = Error,
    InitError = (),
    Service: 'static,
    Future: 'static,
> + use<> {
    let data = Data::from(Arc::clone(app));
    ActixApp::new()
        .app_data(data.clone())
        // The last is the outermost: pages that may call can read what the guard answers.
        .wrap(from_fn(envelope::guard))
        .wrap(cors(&data))
        .wrap(from_fn(envelope::wrap))
        .wrap_fn(move |request, service| {
            let (answer, stopping) = (service.call(request), stopping.clone());
            async move { answer.await.map(|answer| last_if(&stopping, answer)) }
        })
        .configure(|config| configure(config, &app.settings))
        .into_factory()
}

/// Says with an answer that its connection ends with it, once the server is stopping.
fn last_if(
    stopping: &GracefulShutdownSignal,
    mut answer: ServiceResponse<BoxBody>,
) -> ServiceResponse<BoxBody> {
    if stopping.notified().now_or_never().is_some() {
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    answer
}

/// Ready once the process is `told` to stop and every connection that had been begun by then is taken.
async fn leave(told: impl Future<Output = ()>, door: Door) {
    told.await;
    match door.shut() {
        Ok(()) => sleep(LAST_CONNECTIONS).await,
        Err(error) => tracing::debug!("connections being made are cut off: {error}"),
    }
}

/// Ready once the process is told to stop. Told so again, it ends at once.
#[cfg(unix)]
fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        select(pin!(term.recv()), pin!(int.recv())).await;
        tracing::info!("told to stop: requests under way are answered first");
        actix_web::rt::spawn(async move {
            select(pin!(term.recv()), pin!(int.recv())).await;
            tracing::warn!("told to stop again: requests under way are cut off");
            std::process::exit(1);
        });
    })
}

/// Reads the signing keys again whenever the process gets a SIGHUP. Without keys, that ends it.
#[cfg(unix)]
fn heed_hangup(app: &Arc<App>) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let Some(signing) = app.signing.clone() else { return Ok(()) };
    let mut hangup = signal(SignalKind::hangup())?;
    let clock = Arc::clone(&app.clock);
    actix_web::rt::spawn(async move {
        while hangup.recv().await.is_some() {
            let (signing, now) = (Arc::clone(&signing), clock.now());
            let _done_or_logged = web::block(move || signing.reload(now, true)).await;
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn heed_hangup(_: &Arc<App>) -> std::io::Result<()> {
    Ok(())
}

/// Ready once the process is told to stop.
#[cfg(not(unix))]
fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        let _interrupted = tokio::signal::ctrl_c().await;
    })
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
            RATE_LIMIT,
            RATE_LIMIT_POLICY,
            header::WWW_AUTHENTICATE,
            X_REQUEST_ID,
        ])
        .supports_credentials()
        .block_on_origin_mismatch(false)
        .max_age(3600)
}

/// Serves on `listener` until the process is told to stop, calling `ready` once it listens; and
/// metrics on another, if there is one, for as long.
pub fn serve(
    app: &Arc<App>,
    listener: TcpListener,
    metrics_listener: Option<TcpListener>,
    ready: impl FnOnce(&Settings, SocketAddr),
) -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let (server, address) = start(app, listener)?;
        heed_hangup(app)?;
        if let Some(listener) = metrics_listener {
            actix_web::rt::spawn(metrics::routes::start(app, listener)?);
        }
        ready(&app.settings, address);
        server.await
    })
}
