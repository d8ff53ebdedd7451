//! Every row of the contract's table.

use std::time::Duration;

use symbolon::client::Client;
use symbolon::sessions::token::{Lifetimes, Presented, Session, Verdict};

use super::{DEFAULTS, at, key, session};

const DAY: f64 = 86_400.0;
const REPLAY: Verdict = Verdict::Replay { restart_grace: false };
const REPLAY_ANEW: Verdict = Verdict::Replay { restart_grace: true };

/// Who asks.
#[derive(Clone, Copy)]
enum By {
    Browser,
    Other,
    BrowserWith(u8),
    OtherWith(u8),
}

fn presented(generation: i64, by: By) -> Presented {
    let (from_browser, retry_key) = match by {
        By::Browser => (true, None),
        By::Other => (false, None),
        By::BrowserWith(number) => (true, Some(key(number))),
        By::OtherWith(number) => (false, Some(key(number))),
    };
    Presented { generation, retry_key, from_browser }
}

/// Generation 5, made at second 100 by a request with key 1.
fn rotated_at_100() -> Session {
    let fourth = Session { generation: 4, ..session(&DEFAULTS) };
    fourth.rotated(&presented(4, By::OtherWith(1)), Client::default(), at(100.0), &DEFAULTS)
}

#[track_caller]
fn check(session: &Session, cases: &[(i64, By, f64, Verdict)]) {
    for (number, &(generation, by, seconds, verdict)) in cases.iter().enumerate() {
        let found = session.present(&presented(generation, by), at(seconds));
        assert_eq!(found, verdict, "case {number}: generation {generation} at {seconds} s");
    }
}

#[test]
fn the_first_token_rotates_and_nothing_is_in_grace_before() {
    check(
        &session(&DEFAULTS),
        &[
            (0, By::Browser, 0.0, Verdict::Rotate),
            (0, By::Other, 0.0, Verdict::Rotate),
            (0, By::BrowserWith(1), 1.0, Verdict::Rotate),
            (0, By::OtherWith(1), 6.9 * DAY, Verdict::Rotate),
        ],
    );
}

#[test]
fn the_live_token_rotates_except_for_a_browser_in_grace() {
    check(
        &rotated_at_100(),
        &[
            (5, By::Other, 100.0, Verdict::Rotate),
            (5, By::OtherWith(1), 100.0, Verdict::Rotate),
            (5, By::OtherWith(2), 109.0, Verdict::Rotate),
            (5, By::Browser, 100.0, REPLAY),
            (5, By::BrowserWith(2), 109.999_999, REPLAY),
            (5, By::BrowserWith(1), 109.999_999, REPLAY),
            (5, By::Browser, 110.0, Verdict::Rotate),
            (5, By::BrowserWith(1), 110.0, Verdict::Rotate),
            (5, By::Browser, 6.0 * DAY, Verdict::Rotate),
        ],
    );
}

#[test]
fn the_previous_token_is_forgiven_in_grace_and_for_the_key_that_replaced_it() {
    check(
        &rotated_at_100(),
        &[
            (4, By::Browser, 100.0, REPLAY),
            (4, By::Other, 109.999_999, REPLAY),
            (4, By::OtherWith(2), 109.999_999, REPLAY),
            (4, By::Browser, 110.0, Verdict::Reused),
            (4, By::Other, 110.0, Verdict::Reused),
            (4, By::OtherWith(2), 110.0, Verdict::Reused),
            (4, By::BrowserWith(2), 5.0 * DAY, Verdict::Reused),
            (4, By::OtherWith(1), 101.0, REPLAY_ANEW),
            (4, By::OtherWith(1), 110.0, REPLAY_ANEW),
            (4, By::BrowserWith(1), 5.0 * DAY, REPLAY_ANEW),
        ],
    );
}

#[test]
fn any_older_token_is_theft_even_in_grace_and_with_the_key() {
    check(
        &rotated_at_100(),
        &[
            (3, By::Browser, 100.0, Verdict::Reused),
            (3, By::Other, 101.0, Verdict::Reused),
            (3, By::OtherWith(1), 101.0, Verdict::Reused),
            (0, By::BrowserWith(1), 200.0, Verdict::Reused),
        ],
    );
}

#[test]
fn a_token_without_key_never_matches_a_row_without_key() {
    let live = Session { retry_key: None, ..rotated_at_100() };
    check(
        &live,
        &[
            (4, By::Other, 110.0, Verdict::Reused),
            (4, By::OtherWith(0), 110.0, Verdict::Reused),
            (4, By::Browser, 109.0, REPLAY),
        ],
    );
}

#[test]
fn a_token_newer_than_its_row_rotates_by_its_own_time() {
    let live = rotated_at_100();
    check(
        &live,
        &[
            (6, By::Other, 100.0, Verdict::Rotate),
            (6, By::Browser, 100.0, Verdict::Rotate),
            (900, By::BrowserWith(1), 105.0, Verdict::Rotate),
            // The row's token has expired, but not the one that came along: that is judged before.
            (6, By::Other, 8.0 * DAY, Verdict::Rotate),
            (6, By::Other, 30.0 * DAY - 1.0, Verdict::Rotate),
            (6, By::Other, 30.0 * DAY, Verdict::Expired),
            (5, By::Other, 8.0 * DAY, Verdict::Expired),
        ],
    );
    let token = presented(900, By::Other);
    let after = live.rotated(&token, Client::default(), at(105.0), &DEFAULTS);
    assert_eq!(after.generation, 901);
}

/// Security: B17, B5.
#[test]
fn revocation_wins_over_all_and_expiry_over_the_generation() {
    let revoked = Session { revoked_at: Some(at(101.0)), ..rotated_at_100() };
    let ended = rotated_at_100();
    for by in [By::Browser, By::Other, By::BrowserWith(1), By::OtherWith(1)] {
        for generation in [0, 3, 4, 5, 6] {
            for seconds in [101.0, 105.0, 120.0, 8.0 * DAY, 31.0 * DAY] {
                check(&revoked, &[(generation, by, seconds, Verdict::Revoked)]);
            }
            check(&ended, &[(generation, by, 30.0 * DAY, Verdict::Expired)]);
            if generation <= 5 {
                check(&ended, &[(generation, by, 100.0 + 7.0 * DAY, Verdict::Expired)]);
            }
        }
    }
    check(&ended, &[(5, By::Other, 100.0 + 7.0 * DAY - 0.000_001, Verdict::Rotate)]);
}

/// Security: B4.
#[test]
fn a_rotation_writes_what_the_contract_says() {
    let live = rotated_at_100();
    assert_eq!(live.generation, 5);
    assert_eq!(live.grace_until, Some(at(110.0)));
    assert_eq!(live.retry_key, Some(key(1)));
    assert_eq!(live.issued_at, at(100.0));
    assert_eq!(live.expires_at, at(100.0 + 7.0 * DAY));
    assert_eq!(live.ends_at, at(30.0 * DAY));

    let token = presented(5, By::Browser);
    let late = live.rotated(&token, Client::default(), at(24.0 * DAY + 0.75), &DEFAULTS);
    assert_eq!(late.issued_at, at(24.0 * DAY), "a JWT's times are whole seconds");
    assert_eq!(late.grace_until, Some(at(24.0 * DAY + 10.75)), "grace is exact");
    assert_eq!(late.expires_at, late.ends_at, "no rotation passes the session's end");
    assert_eq!((late.retry_key, late.ends_at), (None, live.ends_at));
}

#[test]
fn grace_zero_switches_grace_off_but_not_the_key() {
    let lifetimes = Lifetimes { grace: Duration::ZERO, ..DEFAULTS };
    let first = session(&lifetimes);
    let token = presented(0, By::OtherWith(1));
    let live = first.rotated(&token, Client::default(), at(100.0), &lifetimes);
    check(
        &live,
        &[
            (0, By::Browser, 100.0, Verdict::Reused),
            (0, By::Other, 100.0, Verdict::Reused),
            (0, By::OtherWith(1), 100.0, REPLAY_ANEW),
            (1, By::Browser, 100.0, Verdict::Rotate),
        ],
    );
}
