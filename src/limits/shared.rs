//! Limits counted in Redis (or Valkey), by all instances together.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::{Client, Connection, RedisError, RedisResult, Script};

use super::failures::{FIRST, FORGOTTEN_AFTER, LONGEST, WHILE_JUDGED};
use super::{Limit, Rule, Standing};
use crate::db::Moment;
use crate::settings::Secret;

/// How long Redis may take to let us in, to be told something, to answer.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long a Redis that did not answer is left alone, so that not every request waits for it.
const REST: Duration = Duration::from_secs(1);
/// What our keys start with, beside those of others.
const PREFIX: &str = "symbolon:";

/// A Redis that may come and go.
pub struct Shared {
    client: Client,
    attempt: Script,
    failed: Script,
    /// Connections that nobody uses at the moment; no more than there were calls at once.
    idle: Mutex<Vec<Connection>>,
    /// While it is down: when it is asked again.
    down_until: Mutex<Option<Instant>>,
}

impl Shared {
    /// The Redis of this URL, which need not be there yet.
    pub fn new(url: &Secret) -> Result<Self, RedisError> {
        Ok(Self {
            client: Client::open(url.expose())?,
            attempt: script(include_str!("attempt.lua")),
            failed: script(include_str!("failed.lua")),
            idle: Mutex::default(),
            down_until: Mutex::default(),
        })
    }

    /// Counts an attempt by each limit, or by none where one is reached, and says how it stands with
    /// each; `None` where Redis does not answer.
    pub fn attempt(&self, limits: &[Limit], now: Moment) -> Option<Vec<Standing>> {
        let mut call = self.attempt.prepare_invoke();
        call.arg(now.unix_micros());
        for limit in limits {
            let (most, window) = match limit.rule {
                Rule::Rate(rate) => (rate.most, rate.window),
                Rule::Failures => (0, Duration::ZERO),
            };
            call.key(format!("{PREFIX}{}", limit.key)).arg(most).arg(micros(window));
        }
        let replies: Vec<u64> = self.ask(|connection| call.invoke(connection))?;
        let standings = replies.chunks_exact(3).map(|reply| Standing {
            wait: Duration::from_micros(reply[0]),
            left: u32::try_from(reply[1]).unwrap_or(u32::MAX),
            frees_in: Duration::from_micros(reply[2]),
        });
        Some(standings.collect())
    }

    /// Makes the account of `key` wait: an attempt has failed.
    pub fn failed(&self, key: &str, now: Moment) {
        let mut call = self.failed.key(format!("{PREFIX}{key}"));
        call.arg(now.unix_micros());
        self.ask(|connection| call.invoke::<()>(connection));
    }

    /// Forgets the failures of an account.
    pub fn forget_failures(&self, key: &str) {
        let call = redis::Cmd::del(format!("{PREFIX}{key}"));
        self.ask(|connection| call.exec(connection));
    }

    /// Whether it has not answered of late.
    pub fn is_down(&self) -> bool {
        lock(&self.down_until).is_some()
    }

    /// Asks `question`, once more where the connection had been closed while it was idle. `None`
    /// where there is no answer, or where it is too soon to ask again.
    fn ask<T>(&self, question: impl Fn(&mut Connection) -> RedisResult<T>) -> Option<T> {
        if !self.is_worth_asking(Instant::now()) {
            return None;
        }
        let idle = lock(&self.idle).pop();
        let answer = match idle.map(|connection| self.ask_by(connection, &question)) {
            Some(Err(error)) if !error.is_connection_dropped() => Err(error),
            Some(Ok(answer)) => Ok(answer),
            None | Some(Err(_)) => {
                self.connect().and_then(|connection| self.ask_by(connection, &question))
            }
        };
        self.note(answer)
    }

    /// Keeps the connection for the next question; one that failed may still bring an old answer.
    fn ask_by<T>(
        &self,
        mut connection: Connection,
        question: impl Fn(&mut Connection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let answer = question(&mut connection)?;
        lock(&self.idle).push(connection);
        Ok(answer)
    }

    fn connect(&self) -> RedisResult<Connection> {
        let connection = self.client.get_connection_with_timeout(PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.set_write_timeout(Some(PATIENCE))?;
        Ok(connection)
    }

    /// Whether it is up, or has rested; of those that come after its rest, one is told so.
    fn is_worth_asking(&self, now: Instant) -> bool {
        let mut down_until = lock(&self.down_until);
        match *down_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                *down_until = Some(now + REST);
                true
            }
        }
    }

    fn note<T>(&self, answer: RedisResult<T>) -> Option<T> {
        let mut down_until = lock(&self.down_until);
        match answer {
            Ok(answer) => {
                if down_until.take().is_some() {
                    tracing::info!("redis answers: limits are shared");
                }
                Some(answer)
            }
            Err(error) => {
                if down_until.replace(Instant::now() + REST).is_none() {
                    tracing::warn!(%error, "redis does not answer: limits are this instance's own");
                }
                lock(&self.idle).clear();
                None
            }
        }
    }
}

/// A script before which the numbers of `failures.rs` are defined.
fn script(code: &str) -> Script {
    let [longest, while_judged, forgotten_after] =
        [LONGEST, WHILE_JUDGED, FORGOTTEN_AFTER].map(micros);
    Script::new(&format!(
        "local LONGEST, WHILE_JUDGED = {longest}, {while_judged}\n\
         local FORGOTTEN_AFTER = {forgotten_after}\n\
         local function wait_after(failures)\n\
           if failures < {FIRST} then return 0 end\n\
           return math.min(1000000 * 2 ^ (failures - {FIRST}), LONGEST)\n\
         end\n{code}"
    ))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Nothing panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
