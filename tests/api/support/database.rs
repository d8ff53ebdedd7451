//! A fresh database for each test.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use tempfile::TempDir;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A database of its own, gone when dropped.
pub struct Db {
    /// What `DATABASE_URL` is to say.
    pub url: String,
    /// A folder of the test's own.
    pub dir: TempDir,
    postgres: Option<String>,
}

impl Db {
    /// A SQLite file that does not exist yet.
    pub fn sqlite() -> Self {
        let dir = TempDir::with_prefix("symbolon-test-").unwrap();
        let url = format!("sqlite://{}", dir.path().join("symbolon.db").display());
        Self { url, dir, postgres: None }
    }

    /// An empty database on the cluster that `./scripts/test` starts.
    pub fn postgres() -> Self {
        Self::on_cluster(&test_cluster())
    }

    /// An empty database on another cluster.
    pub fn on_cluster(cluster: &str) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        let mut admin = PgConnection::establish(&format!("{cluster}/postgres")).unwrap();
        // By copying files, which takes a third of the time of writing it all to the log.
        let create = format!("CREATE DATABASE {name} STRATEGY file_copy");
        admin.batch_execute(&create).unwrap();
        Self {
            url: format!("{cluster}/{name}"),
            dir: TempDir::with_prefix("symbolon-test-").unwrap(),
            postgres: Some(format!("{cluster} {name}")),
        }
    }

    /// An empty database on the first of these clusters, and whichever of them may be written to
    /// later on.
    pub fn on_clusters(clusters: &[&str]) -> Self {
        let mut db = Self::on_cluster(clusters[0]);
        let (_, name) = db.url.rsplit_once('/').unwrap();
        let (user, _) = clusters[0].split_once('@').unwrap();
        let hosts = clusters.iter().map(|cluster| cluster.split_once('@').unwrap().1);
        let hosts = hosts.collect::<Vec<_>>().join(",");
        db.url = format!("{user}@{hosts}/{name}?target_session_attrs=read-write");
        db
    }

    pub fn is_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    /// Runs statements, behind the service's back.
    pub fn execute(&self, sql: &str) {
        if self.is_postgres() {
            PgConnection::establish(&self.url).unwrap().batch_execute(sql).unwrap();
        } else {
            self.sqlite_connection().batch_execute(sql).unwrap();
        }
    }

    /// The single text that a query gives.
    pub fn text(&self, sql: &str) -> String {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            value: String,
        }
        let query = diesel::sql_query(format!("SELECT CAST(({sql}) AS text) AS value"));
        let row: Row = if self.is_postgres() {
            query.get_result(&mut PgConnection::establish(&self.url).unwrap()).unwrap()
        } else {
            query.get_result(&mut self.sqlite_connection()).unwrap()
        };
        row.value
    }

    /// The number that a query gives.
    pub fn number(&self, sql: &str) -> i64 {
        self.text(sql).parse().unwrap()
    }

    /// Lets nobody in any more, and those out who are. PostgreSQL only.
    pub fn shut_out(&self) {
        self.execute(
            "UPDATE pg_database SET datallowconn = false WHERE datname = current_database();
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
    }

    fn sqlite_connection(&self) -> SqliteConnection {
        let path = self.url.strip_prefix("sqlite://").unwrap();
        let mut connection = SqliteConnection::establish(path).unwrap();
        connection.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
        connection
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        if let Some((cluster, name)) = self.postgres.as_deref().and_then(|p| p.split_once(' ')) {
            // A cluster that is stopped takes its databases with it, and one that is frozen does
            // not answer.
            let admin = format!("{cluster}/postgres?connect_timeout=2");
            if let Ok(mut admin) = PgConnection::establish(&admin) {
                let _gone = admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
            }
        }
    }
}

fn test_cluster() -> String {
    std::env::var("TEST_POSTGRES_URL").expect(
        "TEST_POSTGRES_URL names no PostgreSQL cluster: run ./scripts/test, or start one with \
         scripts/postgres start /tmp/pg",
    )
}
