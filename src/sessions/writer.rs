//! The one writer of rotations.
//!
//! It takes whatever refreshes are waiting, applies them in one durable transaction and answers
//! each after the commit. At one request it is as quick as a transaction of its own; under load a
//! commit is shared by all who wait for it.

use std::sync::Arc;

use thiserror::Error;

use super::store;
use super::store::group::{self, Locked, Rotation};
use super::token::{Lifetimes, Presented, Session, Transport, Verdict};
use crate::accounts::user::User;
use crate::audit::{self, Event, Kind};
use crate::client::Client;
use crate::clock::Clock;
use crate::db::{self, AnyConnection, Database, DbError, Id, Moment, PATIENCE, QueryResult};
use crate::queue::{Ask, Queue, Shape, Unanswered};
use crate::random::Random;

/// A refresh token that is to be rotated; its signature held and it has not expired.
#[derive(Debug, Clone)]
pub struct Refresh {
    /// The session it names.
    pub session: Id,
    /// What the rule judges.
    pub presented: Presented,
    /// How it came.
    pub transport: Transport,
    /// Where it came from.
    pub client: Client,
}

/// What became of a refresh.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The session goes on, with this live token.
    Live(Box<(Session, User)>, How),
    /// It does not.
    Refused(Refusal),
}

/// How a session went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Its token was replaced.
    Rotated,
    /// Its live token is answered again.
    Replayed,
}

/// Why a session does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such session.
    Unknown,
    /// The token came by the other transport than its session's.
    WrongTransport,
    /// The session was ended, or its user is gone or disabled.
    Revoked,
    /// The session is past its time.
    Expired,
    /// The token had been replaced: the session has been ended.
    Reused,
}

/// The database did not carry out a refresh. Whether a rotation stands is unknown: the client's
/// repeat finds out by the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotWritten {
    /// It could not be reached, or the commit is unclear.
    #[error("the database is not available")]
    Unavailable,
    /// It refused the statement.
    #[error("the database refused a rotation")]
    Refused,
}

type Waiting = Ask<Refresh, Result<Outcome, NotWritten>>;

/// The asking end of the writer.
pub struct Writer {
    queue: Queue<Refresh, Result<Outcome, NotWritten>>,
}

/// Refreshes that may wait; each holds a few hundred bytes.
const CAPACITY: usize = 1024;
/// Refreshes in one transaction.
const GROUP: usize = 64;

impl Writer {
    /// Starts the writer's thread, and a second one for rows that somebody else has locked.
    pub fn start(
        database: Database,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        lifetimes: Lifetimes,
    ) -> std::io::Result<Self> {
        let apply = Arc::new(Apply { database, clock, random, lifetimes });
        let shape = Shape {
            name: "rotations",
            threads: 1,
            capacity: CAPACITY,
            group: GROUP,
            background: false,
        };
        let singly = Arc::clone(&apply);
        let locked = Queue::start(
            Shape { name: "locked-rotations", group: 1, ..shape },
            move |asks: Vec<Waiting>| {
                singly.group(asks, Locked::Wait).into_iter().for_each(answer_unavailable);
            },
        )?;
        let queue = Queue::start(shape, move |asks: Vec<Waiting>| {
            let mut waiting = asks;
            while !waiting.is_empty() {
                let (group, later) = one_per_session(waiting);
                for busy in apply.group(group, Locked::Skip) {
                    locked.pass(busy).unwrap_or_else(answer_unavailable);
                }
                waiting = later;
            }
        })?;
        Ok(Self { queue })
    }

    /// Rotates, and waits until that is durable.
    pub async fn refresh(
        &self,
        refresh: Refresh,
    ) -> Result<Result<Outcome, NotWritten>, Unanswered> {
        self.queue.ask(refresh, PATIENCE).await
    }
}

fn answer_unavailable(ask: Waiting) {
    ask.answer(Err(NotWritten::Unavailable));
}

/// The first refresh of each session, in the order of their ids, and all the others as they came.
fn one_per_session(mut waiting: Vec<Waiting>) -> (Vec<Waiting>, Vec<Waiting>) {
    waiting.sort_by_key(|ask| ask.question.session);
    let mut last = None;
    waiting
        .into_iter()
        .partition(|ask| last.replace(ask.question.session) != Some(ask.question.session))
}

/// What applying a group needs.
struct Apply {
    database: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    lifetimes: Lifetimes,
}

/// What a group changes, besides answering.
#[derive(Default)]
struct Changes {
    rotations: Vec<Rotation>,
    restarted: Vec<(Session, Moment)>,
    revoked: Vec<Id>,
    events: Vec<Event>,
}

impl Apply {
    /// Applies a group in one transaction and answers; returns those whose row is locked.
    fn group(&self, asks: Vec<Waiting>, locked: Locked) -> Vec<Waiting> {
        let refreshes: Vec<&Refresh> = asks.iter().map(|ask| &ask.question).collect();
        let written = self.database.write(|connection| self.write(connection, &refreshes, locked));
        match written {
            Ok(outcomes) => {
                let mut busy = Vec::new();
                for (ask, outcome) in asks.into_iter().zip(outcomes) {
                    match outcome {
                        Some(outcome) => ask.answer(Ok(outcome)),
                        None => busy.push(ask),
                    }
                }
                busy
            }
            // A statement was refused: one bad refresh must not spoil the others.
            Err(DbError::Query(_)) if asks.len() > 1 => {
                asks.into_iter().flat_map(|ask| self.group(vec![ask], locked)).collect()
            }
            Err(error) => {
                let failed = match error {
                    DbError::Query(_) => NotWritten::Refused,
                    DbError::Unavailable(_) | DbError::Unclear => NotWritten::Unavailable,
                };
                tracing::warn!(%error, refreshes = asks.len(), "rotations were not written");
                for ask in asks {
                    ask.answer(Err(failed));
                }
                Vec::new()
            }
        }
    }

    /// Judges each refresh under its row's lock and writes what follows. `None` for locked rows.
    fn write(
        &self,
        connection: &mut AnyConnection,
        refreshes: &[&Refresh],
        locked: Locked,
    ) -> QueryResult<Vec<Option<Outcome>>> {
        let ids: Vec<Id> = refreshes.iter().map(|refresh| refresh.session).collect();
        let sessions = group::lock(connection, &ids, locked)?;
        let now = self.clock.now();
        let mut changes = Changes::default();
        let outcomes = refreshes
            .iter()
            .map(|refresh| match sessions.rows.get(&refresh.session) {
                Some((session, user)) => {
                    Some(self.judge(refresh, session, user.as_ref(), now, &mut changes))
                }
                None if sessions.busy.contains(&refresh.session) => None,
                None => Some(Outcome::Refused(Refusal::Unknown)),
            })
            .collect();
        self.carry_out(connection, &changes, now)?;
        Ok(outcomes)
    }

    fn judge(
        &self,
        refresh: &Refresh,
        session: &Session,
        user: Option<&User>,
        now: Moment,
        changes: &mut Changes,
    ) -> Outcome {
        let Refresh { presented, client, .. } = refresh;
        if refresh.transport != session.transport {
            return Outcome::Refused(Refusal::WrongTransport);
        }
        let Some(user) = user.filter(|user| user.is_active()) else {
            return Outcome::Refused(Refusal::Revoked);
        };
        let event = |kind| Event::by(user.id, kind, Some(session.id), client);
        match session.present(presented, now) {
            Verdict::Rotate => {
                let after = session.rotated(presented, client.clone(), now, &self.lifetimes);
                if presented.generation > session.generation {
                    changes.events.push(event(Kind::RotationRecovered));
                }
                changes
                    .rotations
                    .push(Rotation { presented: presented.generation, after: after.clone() });
                Outcome::Live(Box::new((after, user.clone())), How::Rotated)
            }
            Verdict::Replay { restart_grace } => {
                if restart_grace {
                    changes.restarted.push((session.clone(), now + self.lifetimes.grace));
                }
                if *client != session.client {
                    changes.events.push(event(Kind::ReplayedElsewhere));
                }
                Outcome::Live(Box::new((session.clone(), user.clone())), How::Replayed)
            }
            Verdict::Reused => {
                changes.revoked.push(session.id);
                let generations =
                    format!("generation {} of {}", presented.generation, session.generation);
                changes.events.push(event(Kind::RefreshTokenReused).with_detail(generations));
                Outcome::Refused(Refusal::Reused)
            }
            Verdict::Revoked => Outcome::Refused(Refusal::Revoked),
            Verdict::Expired => Outcome::Refused(Refusal::Expired),
        }
    }

    fn carry_out(
        &self,
        connection: &mut AnyConnection,
        changes: &Changes,
        now: Moment,
    ) -> QueryResult<()> {
        if !changes.rotations.is_empty() {
            let written = group::rotate(connection, &changes.rotations, now)?;
            // The rows are locked and were judged by the same rule, so the guard holds. Were it
            // otherwise, nobody may be told of a rotation that does not stand.
            if written != changes.rotations.len() {
                return Err(db::rollback());
            }
        }
        for (session, until) in &changes.restarted {
            group::restart_grace(connection, session, *until)?;
        }
        for id in &changes.revoked {
            store::revoke(connection, *id, now)?;
        }
        for event in &changes.events {
            audit::store::record(connection, Id::new(now, &*self.random), event, now)?;
        }
        Ok(())
    }
}
