//! `symbolon serve`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_otlp::ExporterBuildError;

use super::Failure;
use crate::app::App;
use crate::background::Background;
use crate::clock::{Clock, SharedClock};
use crate::db::migrate::{self, MigrateError};
use crate::db::{Database, DbError, Id, follow_database_time};
use crate::listener;
use crate::metrics::watch;
use crate::prune::Pruner;
use crate::random::{Random, SystemRandom};
use crate::server;
use crate::settings::monitoring::MonitoringSettings;
use crate::settings::{ServeArgs, Settings};
use crate::traces::export::Traces;

/// How long a database that does not answer is waited for at start.
const WAIT_FOR_DATABASE: Duration = Duration::from_secs(60);

/// Serves until SIGTERM or SIGINT, then lets requests under way end.
pub(super) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let settings = args.check()?;
    args.logs.start(settings.environment.is_production());
    let environment = settings.environment;
    let warnings = [settings.http.warnings(environment), settings.mail.warnings(environment)];
    warnings.iter().flatten().for_each(|warning| tracing::warn!("{warning}"));
    // Taken before anything else is done, so that a second start fails at once.
    let listener = listener::bind(settings.http.bind)?;
    let metrics_listener = settings.monitoring.metrics_bind.map(listener::bind).transpose()?;
    let database = Database::open(&settings.database)?;
    migrate_when_reachable(&database)?;
    let clock = Arc::new(SharedClock::default());
    follow_database_time(&database, &clock)?;
    let random = Arc::new(SystemRandom);
    let pruner = Pruner {
        database: database.clone(),
        clock: clock.clone(),
        retention: settings.database.audit_retention,
        instance: Some(Id::new(clock.now(), &*random)),
    };
    let traces = start_traces(&settings.monitoring, random.clone())?;
    let app = App::build(settings, database, clock, random.clone())?;
    // One that is away is warned about now, not when it is needed.
    app.limits.look(app.now());
    let pruning = pruner.start(random)?;
    let mail = app.outbox.start()?;
    let counting = app.activity.start()?;
    let keys = watch_keys(&app)?;
    let watching = metrics_listener.is_some().then(|| watch::start(&app)).transpose()?;
    server::serve(&app, listener, metrics_listener, announce)?;
    pruning.tell();
    counting.tell();
    keys.iter().chain(watching.iter().flatten()).for_each(Background::tell);
    app.activity.flush_or_warn();
    app.outbox.stop(mail);
    traces.iter().for_each(Traces::stop);
    tracing::info!("stopped");
    Ok(())
}

/// Reads signing keys again when they change, where there are any.
fn watch_keys(app: &Arc<App>) -> std::io::Result<Option<Background>> {
    let clock = Arc::clone(&app.clock);
    app.signing.as_ref().map(|keys| keys.watch(move || clock.now())).transpose()
}

fn start_traces(
    settings: &MonitoringSettings,
    random: Arc<dyn Random>,
) -> Result<Option<Traces>, ExporterBuildError> {
    settings.otlp_endpoint.as_deref().map(|endpoint| Traces::start(endpoint, random)).transpose()
}

fn announce(settings: &Settings, address: SocketAddr) {
    let database = settings.database.url.describe();
    let environment = format!("{:?}", settings.environment).to_lowercase();
    tracing::info!("listening on http://{address}, database {database}, {environment}");
    if let Some(address) = settings.monitoring.metrics_bind {
        tracing::info!("metrics on http://{address}/metrics");
    }
}

/// Brings the schema up to date, waiting for a database that is still starting.
fn migrate_when_reachable(database: &Database) -> Result<(), MigrateError> {
    let started = Instant::now();
    loop {
        match migrate::run(database) {
            Err(MigrateError::Database(DbError::Unavailable(reason)))
                if started.elapsed() < WAIT_FOR_DATABASE =>
            {
                tracing::warn!("waiting for the database: {reason}");
                std::thread::sleep(Duration::from_secs(1));
            }
            Err(error) => return Err(error),
            Ok(versions) => {
                for version in versions {
                    tracing::info!("migrated to {version}");
                }
                return Ok(());
            }
        }
    }
}
