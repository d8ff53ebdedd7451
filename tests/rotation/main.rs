//! The rotation rule by itself: no HTTP, no database, a clock that is a number.
//!
//! [`table`] is the contract's table, row by row. [`model`] states the rule a second time, for
//! [`explore`] to leave parts of it out and see who is hurt. [`play`] lets tabs, phones and thieves
//! loose on it at random.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod explore;
mod model;
mod play;
#[path = "../api/support/rounds.rs"]
#[allow(unreachable_pub, reason = "the API's tests share it")]
mod rounds;
mod table;

use std::time::Duration;

use symbolon::client::Client;
use symbolon::db::{Id, Moment};
use symbolon::sessions::token::{Lifetimes, RetryKey, Session, Transport};

/// When all sessions here start: a whole second, so that `iat` and `created_at` agree.
pub(crate) const START: Moment = Moment::from_unix_seconds(1_772_366_400);

/// Lifetimes as they are unless somebody sets them.
pub(crate) const DEFAULTS: Lifetimes = Lifetimes {
    refresh: Duration::from_secs(7 * 86_400),
    session: Duration::from_secs(30 * 86_400),
    grace: Duration::from_secs(10),
};

/// The moment so many seconds after the start.
pub(crate) fn at(seconds: f64) -> Moment {
    #[allow(clippy::cast_possible_truncation, reason = "a few weeks in microseconds")]
    Moment::from_unix_micros(START.unix_micros() + (seconds * 1e6).round() as i64)
}

/// A session that starts at [`START`].
pub(crate) fn session(lifetimes: &Lifetimes) -> Session {
    let id: Id = "019c9f3e-7000-7000-8000-000000000001".parse().unwrap();
    Session::start(id, id, Transport::Cookie, Client::default(), START, lifetimes)
}

/// The hash of some `Idempotency-Key`.
pub(crate) fn key(number: u8) -> RetryKey {
    RetryKey([number; 32])
}
