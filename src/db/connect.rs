//! Making connections: by the URL's scheme, never by guessing.

use std::fs::File;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::connection::SimpleConnection;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::{Connection, ConnectionError, PgConnection, SqliteConnection};

use super::AnyConnection;
use crate::settings::database::DatabaseUrl;

/// What every PostgreSQL session starts with. Commits are durable even where the server's default
/// says otherwise, since a forgotten rotation looks like a theft later on.
const POSTGRES_SESSION: &str = "\
    SET lock_timeout = '1s'; SET statement_timeout = '5s'; SET TIME ZONE 'UTC'; \
    SET idle_in_transaction_session_timeout = '10s'; SET default_transaction_isolation = 'read committed'; \
    SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// What every SQLite connection starts with, beside the write-ahead log, which the file itself
/// remembers (`migrate.rs`). `synchronous=FULL` makes each commit durable.
const SQLITE_SESSION: &str = "\
    PRAGMA busy_timeout = 1000; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -8192;";

/// A pooled connection that remembers whether it has broken.
pub(super) struct Link {
    connection: AnyConnection,
    broken: bool,
}

impl Link {
    /// Notes a connection as unusable if `error` says that it is; tells whether it is.
    pub(super) fn note(&mut self, error: &Error) -> bool {
        self.broken |= matches!(
            error,
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                _
            ) | Error::BrokenTransactionManager
                | Error::RollbackErrorOnCommit { .. }
        );
        self.broken
    }

    /// Notes a connection as unusable.
    pub(super) fn discard(&mut self) {
        self.broken = true;
    }
}

impl Deref for Link {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.connection
    }
}

impl DerefMut for Link {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }
}

/// Makes the pool's connections.
#[derive(Clone)]
pub(super) struct Connector {
    url: DatabaseUrl,
}

impl Connector {
    pub(super) fn new(url: &DatabaseUrl) -> Self {
        Self { url: url.clone() }
    }
}

impl r2d2::ManageConnection for Connector {
    type Connection = Link;
    type Error = ConnectionError;

    fn connect(&self) -> Result<Link, ConnectionError> {
        let connection = match &self.url {
            DatabaseUrl::Postgres(url) => AnyConnection::Postgres(postgres(url.expose())?),
            DatabaseUrl::Sqlite(path) => AnyConnection::Sqlite(sqlite(path)?),
        };
        Ok(Link { connection, broken: false })
    }

    fn is_valid(&self, link: &mut Link) -> Result<(), ConnectionError> {
        link.batch_execute("SELECT 1").map_err(ConnectionError::CouldntSetupConfiguration)
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.broken || std::thread::panicking()
    }
}

fn postgres(url: &str) -> Result<PgConnection, ConnectionError> {
    let mut connection = PgConnection::establish(&with_defaults(url))?;
    connection
        .batch_execute(POSTGRES_SESSION)
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Adds what libpq needs to notice soon that a server is gone, where the URL does not say.
fn with_defaults(url: &str) -> String {
    const DEFAULTS: [(&str, &str); 5] = [
        ("connect_timeout", "2"),
        ("tcp_user_timeout", "2000"),
        ("keepalives_idle", "5"),
        ("keepalives_interval", "2"),
        ("application_name", "symbolon"),
    ];
    let mut parameters: Vec<(&str, String)> =
        DEFAULTS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    // The bundled OpenSSL looks for authorities in a folder of its own, which is empty.
    if url.contains("sslmode=verify-") {
        let authorities = openssl_probe::probe().cert_file;
        parameters.extend(authorities.map(|file| ("sslrootcert", file.display().to_string())));
    }
    let mut url = url.to_owned();
    for (name, value) in parameters {
        if !url.contains(&format!("{name}=")) {
            let separator = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{separator}{name}={value}");
        }
    }
    url
}

fn sqlite(path: &Path) -> Result<SqliteConnection, ConnectionError> {
    create_private(path).map_err(|error| {
        ConnectionError::BadConnection(format!("cannot open {}: {error}", path.display()))
    })?;
    let mut connection = SqliteConnection::establish(&path.to_string_lossy())?;
    connection.batch_execute(SQLITE_SESSION).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Opens a file, which is made where it is missing, readable by its owner alone; SQLite gives its
/// journals the same mode.
pub(super) fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Logs the first failure to connect, and no other until a while later: a database that is away
/// for an hour should not fill a disk.
#[derive(Debug, Default)]
pub(super) struct LogOnce {
    logged: AtomicBool,
}

impl r2d2::HandleError<ConnectionError> for LogOnce {
    fn handle_error(&self, error: ConnectionError) {
        if self.logged.swap(true, Ordering::Relaxed) {
            tracing::debug!(%error, "still no connection to the database");
        } else {
            tracing::error!(%error, "no connection to the database");
        }
    }
}
