//! Which signing key does what at which time.
//!
//! A key is published before it signs, so that whoever keeps a copy of the published keys knows it by
//! then; and it stays published after the next one has begun to sign, until the last token that it
//! signed has expired. So no token is ever refused for a key that was replaced.

use std::time::Duration;

use crate::moment::Moment;

/// How much later than others an instance may notice a key that signs at once.
const MARGIN: Duration = Duration::from_secs(5);

/// The times in a key's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// When it was made: from then on it is published.
    pub created: Moment,
    /// From when on it may sign, unless it has to sooner.
    pub signs_from: Moment,
    /// From when on it signs nothing any more.
    pub retired: Option<Moment>,
    /// Until when it is known to have signed, if its times do not tell: a newer key may have come
    /// later than it was made.
    pub signed_until: Option<Moment>,
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

/// What each of `keys`, which are in the order of their making, does at `now`, where access tokens
/// live for `lifetime`.
pub fn duties(keys: &[Times], now: Moment, lifetime: Duration) -> Vec<Duty> {
    let signer = signer(keys, now);
    let duty = |key: usize| {
        if signer == Some(key) {
            return Duty::Signs;
        }
        let is_older = signer.is_some_and(|signer| key < signer);
        if !is_older && !keys[key].is_retired(now) {
            return Duty::Next;
        }
        let last = signed_until(keys, key, now).max(keys[key].signed_until);
        match last.map(|last| last + lifetime + MARGIN) {
            Some(until) if now < until => Duty::Verifies { until },
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

impl Times {
    fn is_retired(&self, at: Moment) -> bool {
        self.retired.is_some_and(|retired| retired <= at)
    }
}

/// The key that signs at `at`: the newest of those whose time has come. Where that is retired, the
/// next one has to sign sooner, and before anybody's time has come, the first: there is no token yet
/// whose checkers would have to know it. Never an older key than one that has signed.
fn signer(keys: &[Times], at: Moment) -> Option<usize> {
    let exists = |key: &usize| keys[*key].created <= at;
    let existing = || (0..keys.len()).filter(exists);
    let newest = existing().rfind(|key| keys[*key].signs_from <= at);
    if newest.is_some_and(|key| !keys[key].is_retired(at)) {
        return newest;
    }
    let is_newer = |key: &usize| newest.is_none_or(|newest| newest < *key);
    let next = existing().filter(is_newer).find(|key| !keys[*key].is_retired(at));
    // Something has to sign: where all are retired, the last one made goes on, and where the clock has
    // not come to the first yet (a file's time may be ahead of it), that signs.
    let last = || existing().next_back();
    next.or_else(last).or_else(|| (!keys.is_empty()).then_some(0))
}

/// When `key` last signed before `now`, by the times of all; `None` where it never has.
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

    /// Made at `created`, to sign `wait` seconds later.
    fn waiting(created: i64, wait: i64) -> Times {
        let signs_from = at(created + wait);
        Times { created: at(created), signs_from, retired: None, signed_until: None }
    }

    fn key(created: i64) -> Times {
        waiting(created, 600)
    }

    fn retired(key: Times, at_second: i64) -> Times {
        Times { retired: Some(at(at_second)), ..key }
    }

    /// Security: A15. Publish, then sign, then verify what was signed, then go.
    #[test]
    fn a_key_is_published_signs_verifies_and_goes() {
        let keys = [key(0), key(1000)];
        let duties = |seconds| duties(&keys, at(seconds), LIFETIME);
        assert_eq!(duties(0), [Duty::Signs, Duty::Next]);
        assert_eq!(duties(1599), [Duty::Signs, Duty::Next]);
        let until = at(1600 + 900 + 5);
        assert_eq!(duties(1600), [Duty::Verifies { until }, Duty::Signs]);
        assert_eq!(duties(2504), [Duty::Verifies { until }, Duty::Signs]);
        assert_eq!(duties(2505), [Duty::Done, Duty::Signs]);
    }

    #[test]
    fn a_retired_key_hands_over_at_once() {
        let keys = [retired(key(0), 1100), key(1000)];
        let until = at(1100 + 900 + 5);
        assert_eq!(duties(&keys, at(1099), LIFETIME), [Duty::Signs, Duty::Next]);
        assert_eq!(duties(&keys, at(1100), LIFETIME), [Duty::Verifies { until }, Duty::Signs]);
        // One that never signed leaves nothing to verify.
        let unused = [key(0), retired(key(1000), 1100)];
        assert_eq!(duties(&unused, at(1100), LIFETIME), [Duty::Signs, Duty::Done]);
    }

    /// Whoever lets a key sign at once has a reason to: no older one comes back.
    #[test]
    fn the_newest_key_stays_the_one() {
        // The second was to sign before the first had waited.
        let keys = [key(0), waiting(100, 0)];
        let until = at(100 + 900 + 5);
        for seconds in [100, 600, 1000] {
            let duties = duties(&keys, at(seconds), LIFETIME);
            assert_eq!(duties, [Duty::Verifies { until }, Duty::Signs], "{seconds}");
        }
        assert_eq!(duties(&keys, at(1005), LIFETIME), [Duty::Done, Duty::Signs]);
        // One that was passed over is no longer the next.
        let keys = [key(0), key(50), waiting(100, 0)];
        assert_eq!(duties(&keys, at(100), LIFETIME)[1], Duty::Done);
        // Where the newest is retired, the next one signs, not the one before.
        let keys = [key(0), retired(key(1000), 4000), key(3900)];
        let until = at(4000 + 900 + 5);
        let now = duties(&keys, at(4000), LIFETIME);
        assert_eq!(now, [Duty::Done, Duty::Verifies { until }, Duty::Signs]);
        let keys = [key(0), retired(key(1000), 4000)];
        assert_eq!(duties(&keys, at(4000), LIFETIME), [Duty::Done, Duty::Signs]);
    }

    #[test]
    fn something_signs_whatever_the_times_say() {
        let keys = [retired(key(0), 10), retired(key(0), 20)];
        assert!(duties(&keys, at(30), LIFETIME).contains(&Duty::Signs));
        assert_eq!(duties(&[key(10), key(20)], at(0), LIFETIME), [Duty::Signs, Duty::Next]);
        assert_eq!(duties(&[], at(30), LIFETIME), []);
    }

    /// Keys in the order of their making.
    fn keys() -> impl Strategy<Value = Vec<Times>> {
        let key = (0..2000_i64, prop_oneof![Just(0), Just(600)], proptest::option::of(1..2000_i64));
        proptest::collection::vec(key, 1..6).prop_map(|mut keys| {
            keys.sort_unstable();
            let times = |(created, wait, lasts): (i64, i64, Option<i64>)| {
                let key = waiting(created, wait);
                lasts.map_or(key, |lasts| retired(key, created + lasts))
            };
            keys.into_iter().map(times).collect()
        })
    }

    fn signs(duties: &[Duty]) -> usize {
        assert_eq!(duties.iter().filter(|duty| **duty == Duty::Signs).count(), 1);
        duties.iter().position(|duty| *duty == Duty::Signs).unwrap()
    }

    proptest! {
        /// Security: A15. A token is verified until it expires: what is signed at any time by the key
        /// whose turn it is, at any time of the token's life.
        #[test]
        fn no_token_outlives_its_key(keys in keys(), signed in 0..5000_i64, age in 0..900_i64) {
            let signer = signs(&duties(&keys, at(signed), LIFETIME));
            let later = duties(&keys, at(signed + age), LIFETIME);
            let exists = keys[signer].created <= at(signed);
            let verifies = matches!(later[signer], Duty::Signs | Duty::Verifies { .. });
            prop_assert!(verifies || !exists, "{:?}", later);
            prop_assert!(signs(&later) >= signer, "an older key has come back");
        }

        /// Security: A15. Nor does one where keys come later than they were made, as long as the
        /// times are kept until when each has signed.
        #[test]
        fn no_token_is_lost_to_a_key_that_comes_late(
            keys in keys(),
            late in proptest::collection::vec(0..3000_i64, 5),
            signed in 0..250_i64,
            age in 0..45_i64,
        ) {
            let mut known = keys.clone();
            let mut token = None;
            // A step is 20 seconds, so that a token lives for 45.
            for step in 0..=signed + age {
                let now = at(20 * step);
                let comes = |number: usize| {
                    keys[number].created + Duration::from_secs(late[number].unsigned_abs())
                };
                let here: Vec<usize> =
                    (0..keys.len()).filter(|&number| comes(number) <= now).collect();
                if here.is_empty() {
                    continue;
                }
                let times: Vec<Times> = here.iter().map(|&number| known[number]).collect();
                let duties = duties(&times, now, LIFETIME);
                let signer = here[signs(&duties)];
                known[signer].signed_until = Some(now);
                if step == signed {
                    token = Some(signer);
                }
                if let Some(token) = token {
                    let place = here.iter().position(|&number| number == token).unwrap();
                    // Whatever is published verifies, a key that waits (again) too.
                    prop_assert!(duties[place] != Duty::Done, "{:?} at step {}", duties, step);
                }
            }
        }

        /// A further key that waits is published all that time.
        #[test]
        fn a_key_that_waits_is_published(keys in keys(), waited in 0..600_i64) {
            for (number, key) in keys.iter().enumerate() {
                let now = key.created + Duration::from_secs(waited.unsigned_abs());
                let duties = duties(&keys, now, LIFETIME);
                if number > signs(&duties) && !key.is_retired(now) {
                    prop_assert_eq!(duties[number], Duty::Next);
                }
            }
        }

        /// Between two changes every duty is the same, so that a phase can be kept.
        #[test]
        fn duties_change_only_when_they_say(
            keys in keys(),
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
