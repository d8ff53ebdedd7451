//! The rule stated a second time, as the contract's table reads, with parts that can be left out;
//! and the service's own rule in the same shape.

use std::time::Duration;

use proptest::prelude::*;
use symbolon::client::Client;
use symbolon::db::Moment;
use symbolon::sessions::token::{Lifetimes, Presented, Session, Verdict};

use super::rounds::rounds;
use super::{DEFAULTS, START, key, session};

/// What the rule knows of a row; times in seconds since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub generation: i64,
    pub grace_until: Option<i64>,
    pub retry_key: Option<u8>,
    pub revoked: bool,
}

/// A presented token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub generation: i64,
    pub retry_key: Option<u8>,
    pub browser: bool,
}

/// What came of it; the generation is the one handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Rotated(i64),
    Replayed(i64),
    Theft,
    Revoked,
}

/// The exception of the rule that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Without {
    Nothing,
    /// A browser's live token in grace is replayed.
    Browser,
    /// The previous token is replayed for the key that replaced it.
    Key,
    /// That replay starts grace anew.
    Restart,
}

/// The contract's table, without expiry.
pub(crate) fn by_the_contract(
    row: Row,
    token: Token,
    now: i64,
    grace: i64,
    without: Without,
) -> (Row, What) {
    let Token { generation: g, retry_key, browser } = token;
    let n = row.generation;
    let same_key = retry_key.is_some() && retry_key == row.retry_key;
    let in_grace = row.grace_until.is_some_and(|until| now < until);
    if row.revoked {
        return (row, What::Revoked);
    }
    if g == n && browser && in_grace && without != Without::Browser {
        return (row, What::Replayed(n));
    }
    if g >= n {
        let after =
            Row { generation: g + 1, grace_until: Some(now + grace), retry_key, revoked: false };
        return (after, What::Rotated(g + 1));
    }
    if g == n - 1 && same_key && without != Without::Key {
        let anew = Row { grace_until: Some(now + grace), ..row };
        return (if without == Without::Restart { row } else { anew }, What::Replayed(n));
    }
    if g == n - 1 && in_grace {
        return (row, What::Replayed(n));
    }
    (Row { revoked: true, ..row }, What::Theft)
}

/// What the service does, in the same terms.
pub(crate) fn by_the_service(row: Row, token: Token, now: i64, grace: i64) -> (Row, What) {
    let moment = |seconds: i64| Moment::from_unix_seconds(START.unix_seconds() + seconds);
    let lifetimes = Lifetimes { grace: Duration::from_secs(grace.unsigned_abs()), ..DEFAULTS };
    let before = Session {
        generation: row.generation,
        grace_until: row.grace_until.map(moment),
        retry_key: row.retry_key.map(key),
        revoked_at: row.revoked.then_some(START),
        ..session(&lifetimes)
    };
    let presented = Presented {
        generation: token.generation,
        retry_key: token.retry_key.map(key),
        from_browser: token.browser,
    };
    match before.present(&presented, moment(now)) {
        Verdict::Rotate => {
            let after = before.rotated(&presented, Client::default(), moment(now), &lifetimes);
            let until = after.grace_until.unwrap().unix_seconds() - START.unix_seconds();
            let row = Row {
                generation: after.generation,
                grace_until: Some(until),
                retry_key: after.retry_key.map(|key| key.0[0]),
                revoked: after.revoked_at.is_some(),
            };
            (row, What::Rotated(after.generation))
        }
        Verdict::Replay { restart_grace } => {
            let anew = Row { grace_until: Some(now + grace), ..row };
            (if restart_grace { anew } else { row }, What::Replayed(row.generation))
        }
        Verdict::Reused => (Row { revoked: true, ..row }, What::Theft),
        Verdict::Revoked => (row, What::Revoked),
        Verdict::Expired => panic!("nothing expires here"),
    }
}

fn rows() -> impl Strategy<Value = Row> {
    let grace_until = proptest::option::of(0..30i64);
    let retry_key = proptest::option::of(0..3u8);
    (0..6i64, grace_until, retry_key, proptest::bool::weighted(0.1)).prop_map(
        |(generation, grace_until, retry_key, revoked)| Row {
            generation,
            grace_until,
            retry_key,
            revoked,
        },
    )
}

fn tokens() -> impl Strategy<Value = Token> {
    (0..8i64, proptest::option::of(0..3u8), any::<bool>())
        .prop_map(|(generation, retry_key, browser)| Token { generation, retry_key, browser })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: rounds(10_000, 1_000_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_service_keeps_to_the_contract(
        row in rows(),
        token in tokens(),
        now in 0..30i64,
        grace in 0..12i64,
    ) {
        prop_assert_eq!(
            by_the_service(row, token, now, grace),
            by_the_contract(row, token, now, grace, Without::Nothing)
        );
    }
}
