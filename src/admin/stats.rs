//! How the service is doing.

use serde::Serialize;
use utoipa::ToSchema;

use super::store;
use crate::activity::{self, Count, HOUR, HOURS, Kind};
use crate::app::App;
use crate::db::{DbError, Moment};
use crate::{mail, sessions};

/// Figures of all instances together; of the others, what they counted up to ten seconds ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Accounts.
    pub users: Users,
    /// Sessions that can still be refreshed.
    pub live_sessions: i64,
    /// Mails that are not sent yet.
    pub mails_waiting: i64,
    /// Refresh tokens within `hours` that were used again after they had been replaced.
    pub reuses: i64,
    /// The present hour and the 23 before it, the latest at the end.
    pub hours: Vec<Hour>,
}

/// How many accounts there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AccountCounts)]
pub struct Users {
    /// In all.
    pub total: i64,
    /// That are not disabled.
    pub active: i64,
}

/// What happened within an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hour {
    /// When it began.
    pub hour: Moment,
    /// Sign-ins, registrations included.
    pub sign_ins: i64,
    /// Refreshes that were answered with tokens.
    pub refreshes: i64,
    /// Refresh tokens that were used again after they had been replaced.
    pub reuses: i64,
}

/// The figures of now.
pub fn stats(app: &App) -> Result<Stats, DbError> {
    app.activity.flush()?;
    let now = app.now();
    let begin = now.whole_hour().before(HOUR * 23);
    app.database.read(|connection| {
        let counts = activity::store::since(connection, begin)?;
        let (total, active) = store::count_users(connection)?;
        Ok(Stats {
            users: Users { total, active },
            live_sessions: sessions::store::count_live(connection, now)?,
            mails_waiting: mail::store::count(connection)?,
            reuses: sum(&counts, |count| count.kind == Kind::Reuse),
            hours: hours(begin, &counts),
        })
    })
}

fn hours(begin: Moment, counts: &[Count]) -> Vec<Hour> {
    let mut hours = Vec::with_capacity(HOURS);
    let mut hour = begin;
    for _ in 0..HOURS {
        let of = |kind| sum(counts, |count| count.hour == hour && count.kind == kind);
        hours.push(Hour {
            hour,
            sign_ins: of(Kind::SignIn),
            refreshes: of(Kind::Refresh),
            reuses: of(Kind::Reuse),
        });
        hour = hour + HOUR;
    }
    hours
}

fn sum(counts: &[Count], which: impl Fn(&Count) -> bool) -> i64 {
    counts.iter().filter(|count| which(count)).map(|count| count.count).sum()
}
