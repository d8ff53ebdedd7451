//! The one writer of rotations.
//!
//! It takes whatever refreshes are waiting, applies them in one durable transaction and answers
//! each after the commit. At one request it is as quick as a transaction of its own; under load a
//! commit is shared by all who wait for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::refresh::{How, NotWritten, Outcome, Refresh, Refusal};
use super::store;
use super::store::group::{self, Locked, LockedSession, Rotation};
use super::token::{Lifetimes, Session, Verdict};
use crate::accounts::user::User;
use crate::audit::{self, Event, Kind};
use crate::clock::Clock;
use crate::db::{self, AnyConnection, Database, DbError, Id, Moment, PATIENCE, QueryResult};
use crate::mail::{self, Mail, outbox};
use crate::metrics::Groups;
use crate::queue::{Ask, Queue, Shape, Unanswered};
use crate::random::Random;

type Waiting = Ask<Refresh, Result<Outcome, NotWritten>>;

/// The asking end of the writer.
pub struct Writer {
    queue: Queue<Refresh, Result<Outcome, NotWritten>>,
}

/// Refreshes that may wait; each holds a few hundred bytes.
const CAPACITY: usize = 1024;
/// Refreshes in one transaction.
const GROUP: usize = 64;
/// A group that failed is tried one by one only if it failed this soon: whoever waits longer has
/// been answered 503.
const SPLIT_WITHIN: Duration = Duration::from_millis(500);

impl Writer {
    /// Starts the writer's thread, and a second one for rows that somebody else has locked.
    pub fn start(
        database: Database,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        lifetimes: Lifetimes,
        metrics: Groups,
    ) -> std::io::Result<Self> {
        let apply = Arc::new(Apply { database, clock, random, lifetimes, metrics });
        let shape = Shape {
            name: "rotations",
            threads: 1,
            capacity: CAPACITY,
            group: GROUP,
            background: false,
        };
        let patient = Arc::clone(&apply);
        let locked = Queue::start(
            Shape { name: "locked-rotations", threads: 2, group: 1, ..shape },
            move |asks: Vec<Waiting>| {
                let put_off = patient.group(asks, Locked::Wait);
                put_off.locked.into_iter().chain(put_off.later).for_each(answer_unavailable);
            },
        )?;
        let queue = Queue::start(shape, move |asks: Vec<Waiting>| {
            let mut waiting = asks;
            while !waiting.is_empty() {
                let put_off = apply.group(waiting, Locked::Skip);
                for ask in put_off.locked {
                    locked.pass(ask).unwrap_or_else(answer_unavailable);
                }
                waiting = put_off.later;
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

    /// How many refreshes wait.
    pub fn depth(&self) -> usize {
        self.queue.depth()
    }
}

fn answer_unavailable(ask: Waiting) {
    ask.answer(Err(NotWritten::Unavailable));
}

/// What applying a group needs.
struct Apply {
    database: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    lifetimes: Lifetimes,
    metrics: Groups,
}

/// What a group changes, besides answering.
#[derive(Default)]
struct Changes {
    rotations: Vec<Rotation>,
    restarted: Vec<Session>,
    revoked: Vec<Id>,
    events: Vec<Event>,
    mails: Vec<Mail>,
}

/// What a group did not answer.
#[derive(Default)]
struct PutOff {
    /// Somebody else has their rows locked.
    locked: Vec<Waiting>,
    /// They would write a row that the group has written already.
    later: Vec<Waiting>,
}

/// What became of one refresh of a group.
enum Judged {
    Answer(Outcome),
    Locked,
    Later,
    /// Nobody waits for the answer any more: a rotation that nobody hears of is not begun.
    Abandoned,
}

impl Apply {
    /// Applies a group in one transaction and answers; returns those that were put off.
    fn group(&self, mut asks: Vec<Waiting>, locked: Locked) -> PutOff {
        // Stable: refreshes of one session stay in the order they came.
        asks.sort_by_key(|ask| ask.question.session);
        let started = Instant::now();
        // Whatever was waited for before is no part of it.
        let mut began = started;
        let written = self.database.write(|connection| {
            began = Instant::now();
            self.write(connection, &asks, locked)
        });
        match written {
            Ok(judged) => {
                let answered = judged.iter().filter(|one| matches!(one, Judged::Answer(_))).count();
                self.metrics.observe(answered, began.elapsed());
                let mut put_off = PutOff::default();
                for (ask, judged) in asks.into_iter().zip(judged) {
                    match judged {
                        Judged::Answer(outcome) => ask.answer(Ok(outcome)),
                        Judged::Locked => put_off.locked.push(ask),
                        Judged::Later => put_off.later.push(ask),
                        Judged::Abandoned => {}
                    }
                }
                put_off
            }
            // A statement was refused: one bad refresh must not spoil the others.
            Err(DbError::Query(_) | DbError::Aborted(_))
                if asks.len() > 1 && started.elapsed() < SPLIT_WITHIN =>
            {
                let mut put_off = PutOff::default();
                for ask in asks {
                    let one = self.group(vec![ask], locked);
                    put_off.locked.extend(one.locked);
                }
                put_off
            }
            Err(error) => {
                let failed = match error {
                    DbError::Query(_) => NotWritten::Refused,
                    _ => NotWritten::Unavailable,
                };
                tracing::warn!(%error, refreshes = asks.len(), "rotations were not written");
                for ask in asks {
                    ask.answer(Err(failed));
                }
                PutOff::default()
            }
        }
    }

    /// Judges each refresh under its row's lock and writes what follows.
    ///
    /// A row is written once at most: who comes second for it is judged by what the first has made
    /// of it, and answered if that takes no writing (most often a replay to a racing tab).
    fn write(
        &self,
        connection: &mut AnyConnection,
        asks: &[Waiting],
        locked: Locked,
    ) -> QueryResult<Vec<Judged>> {
        let mut ids: Vec<Id> = asks.iter().map(|ask| ask.question.session).collect();
        ids.dedup();
        let mut sessions = group::lock(connection, &ids, locked)?;
        let now = self.clock.now();
        let mut changes = Changes::default();
        let mut judged = Vec::with_capacity(asks.len());
        for ask in asks {
            let refresh = &ask.question;
            judged.push(match sessions.rows.get_mut(&refresh.session) {
                _ if ask.is_abandoned() => Judged::Abandoned,
                Some(row) => self.judge(refresh, row, now, &mut changes),
                None if sessions.busy.contains(&refresh.session) => Judged::Locked,
                None => Judged::Answer(Outcome::Refused(Refusal::Unknown)),
            });
        }
        self.carry_out(connection, &changes, now)?;
        Ok(judged)
    }

    /// Asks the rule, notes what is to be written, and makes `row` what it will be then.
    fn judge(
        &self,
        refresh: &Refresh,
        row: &mut LockedSession,
        now: Moment,
        changes: &mut Changes,
    ) -> Judged {
        let Refresh { presented, client, .. } = refresh;
        let refused = |refusal| Judged::Answer(Outcome::Refused(refusal));
        if refresh.transport != row.session.transport {
            return refused(Refusal::WrongTransport);
        }
        let Some(user) = row.user.clone().filter(User::is_active) else {
            return refused(Refusal::Revoked);
        };
        let verdict = row.session.present(presented, now);
        let grace_until = Some(now + self.lifetimes.grace);
        let writes = match verdict {
            Verdict::Rotate | Verdict::Reused => true,
            Verdict::Replay { restart_grace } => {
                restart_grace && row.session.grace_until != grace_until
            }
            Verdict::Revoked | Verdict::Expired => false,
        };
        if writes && std::mem::replace(&mut row.is_written, true) {
            return Judged::Later;
        }
        let event = |kind| Event::by(user.id, kind, Some(refresh.session), client);
        match verdict {
            Verdict::Rotate => {
                if presented.generation > row.session.generation {
                    changes.events.push(event(Kind::RotationRecovered));
                }
                let client = client.clone();
                row.session = row.session.rotated(presented, client, now, &self.lifetimes);
                let (presented, after) = (presented.generation, row.session.clone());
                changes.rotations.push(Rotation { presented, after });
                Judged::Answer(Outcome::Live(Box::new((row.session.clone(), user)), How::Rotated))
            }
            Verdict::Replay { .. } => {
                if writes {
                    row.session.grace_until = grace_until;
                    changes.restarted.push(row.session.clone());
                }
                if *client != row.session.client {
                    changes.events.push(event(Kind::ReplayedElsewhere));
                }
                Judged::Answer(Outcome::Live(Box::new((row.session.clone(), user)), How::Replayed))
            }
            Verdict::Reused => {
                let (old, live) = (presented.generation, row.session.generation);
                let detail = format!("generation {old} of {live}");
                changes.events.push(event(Kind::RefreshTokenReused).with_detail(detail));
                changes.revoked.push(refresh.session);
                changes.mails.push(Mail::to(&user, mail::Kind::SessionEnded, client));
                row.session.revoked_at = Some(now);
                refused(Refusal::Reused)
            }
            Verdict::Revoked => refused(Refusal::Revoked),
            Verdict::Expired => refused(Refusal::Expired),
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
        for session in &changes.restarted {
            group::restart_grace(connection, session)?;
        }
        for id in &changes.revoked {
            store::revoke(connection, *id, now)?;
        }
        for event in &changes.events {
            audit::store::record(connection, Id::new(now, &*self.random), event, now)?;
        }
        for mail in &changes.mails {
            outbox::post(connection, Id::new(now, &*self.random), mail, now)?;
        }
        Ok(())
    }
}
