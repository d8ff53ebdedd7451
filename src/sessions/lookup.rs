//! Looking up the session of an access token, for many requests at once.
//!
//! One query serves all requests that are waiting, which is what makes a check of every request
//! against the tables cheap; and a disk or a database that stalls stalls this thread, no worker.

use std::collections::HashMap;

use thiserror::Error;

use super::store::{self, SessionAndUser};
use super::token::Session;
use crate::accounts::user::User;
use crate::app::App;
use crate::db::{AnyConnection, Database, DbError, Id, Moment, PATIENCE, QueryResult};
use crate::queue::{Ask, Queue, Shape, Unanswered};

/// The database did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the session could not be looked up")]
pub struct NotRead;

type Found = Result<Option<SessionAndUser>, NotRead>;

/// The asking end.
pub struct Lookup {
    queue: Queue<Id, Found>,
}

/// Look-ups that may wait.
const CAPACITY: usize = 4096;
/// Look-ups in one query.
const GROUP: usize = 64;
/// Queries under way at once; see `docs/performance.md` for what others give.
const THREADS: usize = 1;

impl Lookup {
    /// Starts the threads.
    pub fn start(database: Database) -> std::io::Result<Self> {
        let shape = Shape {
            name: "sessions",
            threads: THREADS,
            capacity: CAPACITY,
            group: GROUP,
            background: false,
        };
        let queue = Queue::start(shape, move |asks| answer(&database, asks))?;
        Ok(Self { queue })
    }

    /// The session of this id and its user, who may be gone.
    pub async fn find(&self, id: Id) -> Result<Found, Unanswered> {
        self.queue.ask(id, PATIENCE).await
    }

    /// How many look-ups wait.
    pub fn depth(&self) -> usize {
        self.queue.depth()
    }
}

/// The sessions of a user that can still be refreshed, the newest first.
pub fn live_of_user(app: &App, user: Id) -> Result<Vec<Session>, DbError> {
    app.database.read(|connection| store::live_of_user(connection, user, app.now()))
}

/// Whether a session is live at `now`, within a transaction.
pub fn is_live(connection: &mut AnyConnection, id: Id, now: Moment) -> QueryResult<bool> {
    let found = store::with_users(connection, &[id])?;
    Ok(found.first().is_some_and(|(session, _)| session.is_live(now)))
}

/// The user of a session that is live at `now`, within a transaction; `None` where it has ended.
pub fn user_of_live(
    connection: &mut AnyConnection,
    id: Id,
    now: Moment,
) -> QueryResult<Option<User>> {
    let mut found = store::with_users(connection, &[id])?;
    Ok(found.pop().filter(|(session, _)| session.is_live(now)).and_then(|(_, user)| user))
}

fn answer(database: &Database, asks: Vec<Ask<Id, Found>>) {
    let mut ids: Vec<Id> = asks.iter().map(|ask| ask.question).collect();
    ids.sort_unstable();
    ids.dedup();
    match database.read(|connection| store::with_users(connection, &ids)) {
        Ok(rows) => {
            let rows: HashMap<Id, SessionAndUser> =
                rows.into_iter().map(|row| (row.0.id, row)).collect();
            for ask in asks {
                let found = rows.get(&ask.question).cloned();
                ask.answer(Ok(found));
            }
        }
        Err(error) => {
            tracing::warn!(%error, "sessions could not be looked up");
            for ask in asks {
                ask.answer(Err(NotRead));
            }
        }
    }
}
