//! Which signing key does what at which time.
//!
//! A key is published before it signs, so that whoever keeps a copy of the published keys knows it by
//! then; and it stays published after the next one has begun to sign, until the last token that it
//! signed has expired. So no token is ever refused for a key that was replaced.

use std::time::Duration;

use crate::moment::Moment;

/// Instances may notice a new key this much later than its file says.
const MARGIN: Duration = Duration::from_secs(60);

/// The times in a key's life, as its file has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// When it was made: from then on it is published.
    pub created: Moment,
    /// From when on it may sign, unless it is the only one that can.
    pub signs_from: Moment,
    /// From when on it signs nothing any more.
    pub retired: Option<Moment>,
}

/// What a key does at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// It is published, and signs later.
    Next,
    /// It signs.
    Signs,
    /// It signs nothing any more, and is published until its last token has expired.
    Verifies {
        /// Until then.
        until: Moment,
    },
    /// No token of it can be good: it is not published any more, and its file may be deleted.
    Done,
}

/// What each of `keys` does at `now`, where access tokens live for `lifetime`.
pub fn duties(keys: &[Times], now: Moment, lifetime: Duration) -> Vec<Duty> {
    let signer = signer(keys, now);
    let duty = |key: usize| {
        if signer == Some(key) {
            return Duty::Signs;
        }
        match signed_until(keys, key, now) {
            Some(last) if now < last + lifetime + MARGIN => {
                Duty::Verifies { until: last + lifetime + MARGIN }
            }
            None if keys[key].retired.is_none_or(|retired| now < retired) => Duty::Next,
            _ => Duty::Done,
        }
    };
    (0..keys.len()).map(duty).collect()
}

/// When the duties of `keys` change next after `now`.
pub fn changes_after(keys: &[Times], now: Moment, lifetime: Duration) -> Option<Moment> {
    let ends = duties(keys, now, lifetime).into_iter().filter_map(|duty| match duty {
        Duty::Verifies { until } => Some(until),
        _ => None,
    });
    turns(keys).chain(ends).filter(|at| now < *at).min()
}

/// The key that signs at `at`: of those whose time has come the latest; before that of the first, the
/// first in line. Ties go to the later in the list.
fn signer(keys: &[Times], at: Moment) -> Option<usize> {
    let exists = |key: &usize| keys[*key].created <= at;
    let is_retired = |key: &usize| keys[*key].retired.is_some_and(|retired| retired <= at);
    let candidates = || (0..keys.len()).filter(exists).filter(|key| !is_retired(key));
    let latest = candidates()
        .filter(|key| keys[*key].signs_from <= at)
        .max_by_key(|key| keys[*key].signs_from);
    let first_in_line = || candidates().min_by_key(|key| keys[*key].signs_from);
    // Where all are retired, the one that was the last to be goes on: something has to sign.
    let last_retired = || (0..keys.len()).filter(exists).max_by_key(|key| keys[*key].retired);
    latest.or_else(first_in_line).or_else(last_retired)
}

/// When `key` last signed before `now`; `None` where it never has.
fn signed_until(keys: &[Times], key: usize, now: Moment) -> Option<Moment> {
    let mut turns: Vec<Moment> = turns(keys).filter(|at| *at <= now).collect();
    turns.sort_unstable();
    turns.dedup();
    // Between two turns the signer is the same: the one of the first.
    let ends = turns.iter().skip(1).copied().chain([now]);
    let spans = turns.iter().zip(ends);
    spans.filter(|(begin, _)| signer(keys, **begin) == Some(key)).map(|(_, end)| end).last()
}

/// The times at which another key may begin to sign, in no order.
fn turns(keys: &[Times]) -> impl Iterator<Item = Moment> {
    keys.iter().flat_map(|key| [Some(key.created), Some(key.signs_from), key.retired]).flatten()
}
