//! The service put together, and its end.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpServer, rt};
use symbolon::clock::SharedClock;
use symbolon::verifier::{BuildError, Verifier};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::hub::Hub;
use crate::hub::seats::Seats;
use crate::origin::AllowedOrigins;
use crate::routes;
use crate::settings::Settings;
use crate::socket::wire;

/// How long Symbolon's word on a session is believed. So the sockets of one session, which all ask
/// every two seconds, share answers.
pub const BELIEVED_FOR: Duration = Duration::from_secs(1);
/// Seconds that requests and goodbyes may take when the service stops: enough for a full room on a busy
/// machine, and less than those who stop it wait before they kill it (10 s, mostly).
const LAST_MOMENTS: u64 = 8;
/// Threads that serve.
const WORKERS: usize = 2;

/// What every request may need.
pub struct State {
    pub verifier: Verifier,
    pub hub: Hub,
    pub seats: Arc<Seats>,
    pub origins: AllowedOrigins,
    pub clock: SharedClock,
    pub ping_interval: Duration,
    stopped: watch::Receiver<bool>,
}

impl State {
    /// Waits until the service stops.
    pub async fn stopped(&self) {
        let mut stopped = self.stopped.clone();
        let _or_nobody_could_say_so = stopped.wait_for(|stopped| *stopped).await.is_ok();
    }
}

/// Serves until told to stop.
pub async fn serve(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    let verifier = verifier(&settings)?;
    let (stop, stopped) = watch::channel(false);
    let state = Data::new(State {
        verifier: verifier.clone(),
        hub: Hub::default(),
        seats: Arc::new(Seats::new(settings.message_rate)),
        origins: settings.origins.clone(),
        clock: SharedClock::default(),
        ping_interval: settings.ping_interval,
        stopped,
    });
    let verifier = Data::new(verifier);
    let origins = settings.origins;
    let app = move || {
        App::new()
            .app_data(state.clone())
            .app_data(verifier.clone())
            .wrap(from_fn(log))
            .configure(|service| routes::mount(service, &origins))
    };
    let server = HttpServer::new(app)
        .workers(WORKERS)
        .on_connect(wire::remember)
        .disable_signals()
        .shutdown_timeout(LAST_MOMENTS)
        .bind(settings.bind)
        .map_err(|error| format!("cannot listen on {}: {error}", settings.bind))?
        .run();
    tracing::info!("listening on http://{}", settings.bind);

    let handle = server.handle();
    let mut signals = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    rt::spawn(async move {
        let [terminate, interrupt] = &mut signals;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stop.send_replace(true);
        handle.stop(true).await;
    });
    Ok(server.await?)
}

/// Checks tokens as the settings say.
fn verifier(settings: &Settings) -> Result<Verifier, BuildError> {
    let mut builder = Verifier::builder(&settings.auth_url);
    if let Some(secret) = &settings.jwt_secret {
        builder = builder.secret(secret.expose());
    }
    if let Some(issuer) = &settings.jwt_issuer {
        builder = builder.issuer(issuer);
    }
    if let Some(audience) = &settings.jwt_audience {
        builder = builder.audience(audience);
    }
    if let Some((id, secret)) = &settings.introspection_client {
        builder = builder.introspection(id, secret.expose(), BELIEVED_FOR);
    }
    builder.build()
}

/// Logs each request by the pattern of its path. What else there is in a request line may be a token.
async fn log(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let method = request.method().clone();
    let path = request.match_pattern().unwrap_or_default();
    let response = next.call(request).await?;
    tracing::info!(%method, path, status = response.status().as_u16(), "answered");
    Ok(response)
}
