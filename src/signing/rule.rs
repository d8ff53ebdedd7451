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
    // Something has to sign, so where all are retired the one that was the last to be goes on, and
    // where the clock has not come to the first yet (a file's time may be ahead of it) that signs.
    let last_retired = || (0..keys.len()).filter(exists).max_by_key(|key| keys[*key].retired);
    let oldest = || (0..keys.len()).min_by_key(|key| keys[*key].created);
    latest.or_else(first_in_line).or_else(last_retired).or_else(oldest)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIFETIME: Duration = Duration::from_secs(900);

    fn at(seconds: i64) -> Moment {
        Moment::from_unix_seconds(1_772_366_400 + seconds)
    }

    /// Made at `created`, to sign 600 seconds later.
    fn key(created: i64) -> Times {
        Times { created: at(created), signs_from: at(created + 600), retired: None }
    }

    /// Security: A15. Publish, then sign, then verify what was signed, then go.
    #[test]
    fn a_key_is_published_signs_verifies_and_goes() {
        let keys = [key(0), key(1000)];
        let duties = |seconds| duties(&keys, at(seconds), LIFETIME);
        // Nobody has seen a token before the first key, so it has nobody to wait for.
        assert_eq!(duties(0), [Duty::Signs, Duty::Next]);
        assert_eq!(duties(1599), [Duty::Signs, Duty::Next]);
        let until = at(1600 + 900 + 60);
        assert_eq!(duties(1600), [Duty::Verifies { until }, Duty::Signs]);
        assert_eq!(duties(2559), [Duty::Verifies { until }, Duty::Signs]);
        assert_eq!(duties(2560), [Duty::Done, Duty::Signs]);
    }

    #[test]
    fn a_retired_key_hands_over_at_once() {
        let mut keys = [key(0), key(1000)];
        keys[0].retired = Some(at(1100));
        let until = at(1100 + 900 + 60);
        assert_eq!(duties(&keys, at(1099), LIFETIME), [Duty::Signs, Duty::Next]);
        assert_eq!(duties(&keys, at(1100), LIFETIME), [Duty::Verifies { until }, Duty::Signs]);
        // One that never signed leaves nothing to verify.
        let unused = [key(0), Times { retired: Some(at(1100)), ..key(1000) }];
        assert_eq!(duties(&unused, at(1100), LIFETIME), [Duty::Signs, Duty::Done]);
    }

    #[test]
    fn something_signs_whatever_the_times_say() {
        let keys = [10, 20].map(|end| Times { retired: Some(at(end)), ..key(0) });
        assert_eq!(duties(&keys, at(30), LIFETIME)[1], Duty::Signs);
        assert_eq!(duties(&[key(20), key(10)], at(0), LIFETIME), [Duty::Next, Duty::Signs]);
        assert_eq!(duties(&[], at(30), LIFETIME), []);
    }

    prop_compose! {
        fn times()(created in 0..2000_i64, waits in prop_oneof![Just(0), Just(600)],
            lasts in proptest::option::of(1..2000_i64)) -> Times {
            let retired = lasts.map(|lasts| at(created + lasts));
            Times { created: at(created), signs_from: at(created + waits), retired }
        }
    }

    proptest! {
        /// Security: A15. Whatever happens to keys, a token is verified until it expires: what is
        /// signed at any time by the key whose turn it is, at any time of the token's life.
        #[test]
        fn no_token_outlives_its_key(
            keys in proptest::collection::vec(times(), 1..6),
            signed in 0..5000_i64,
            age in 0..900_i64,
        ) {
            let then = duties(&keys, at(signed), LIFETIME);
            let signer = then.iter().position(|duty| *duty == Duty::Signs);
            prop_assert_eq!(then.iter().filter(|duty| **duty == Duty::Signs).count(), 1);
            if let Some(signer) = signer.filter(|key| keys[*key].created <= at(signed)) {
                let later = duties(&keys, at(signed + age), LIFETIME)[signer];
                prop_assert!(matches!(later, Duty::Signs | Duty::Verifies { .. }), "{:?}", later);
            }
        }

        /// A further key that waits is published all that time.
        #[test]
        fn a_key_that_waits_is_published(
            keys in proptest::collection::vec(times(), 1..6),
            waited in 0..600_i64,
        ) {
            for (number, key) in keys.iter().enumerate() {
                let now = key.created + Duration::from_secs(waited.unsigned_abs());
                if now < key.signs_from && key.retired.is_none_or(|retired| now < retired) {
                    let duty = duties(&keys, now, LIFETIME)[number];
                    prop_assert!(duty != Duty::Done, "{:?}", duty);
                }
            }
        }

        /// Between two changes every duty is the same, so that a phase can be kept.
        #[test]
        fn duties_change_only_when_they_say(
            keys in proptest::collection::vec(times(), 1..6),
            now in 0..5000_i64,
            later in 0..5000_i64,
        ) {
            let until = changes_after(&keys, at(now), LIFETIME).unwrap_or(at(i64::from(i32::MAX)));
            let later = at(now + later).min(until.before(Duration::from_micros(1)));
            let duties = |at| duties(&keys, at, LIFETIME);
            prop_assert_eq!(duties(at(now)), duties(later));
        }
    }
}
