//! Phones in tunnels. Requests and answers get lost, are cut or come twice; proxies give up; apps
//! are killed between any two steps; and what was lost is asked for again after any time.
//!
//! Each phone plays a game of its own that follows from a seed; only what they do to each other,
//! by moving the one clock, is up to the threads.

mod app;
mod network;

use std::time::Instant;

use app::{Habit, Phone, Tally};
use network::FATES;
use symbolon::sessions::token::Transport;

use super::{audited, endings, sessions_by};
use crate::support::dice::{Dice, seed};
use crate::support::{PAST_GRACE, TestServer, at_once, rounds};

/// None of these games is about a session's age.
const LONG_LIVES: [(&str, &str); 2] =
    [("--session-ttl", "9999d"), ("--refresh-token-ttl", "9999d")];

/// Lets a phone of each of these habits play at once; what came of each.
fn play<T: Send>(
    server: &TestServer,
    habits: &[Habit],
    game: impl Fn(Phone<'_>) -> T + Sync,
) -> Vec<T> {
    let seed = seed();
    let sessions = sessions_by(server, habits.len(), Transport::Body);
    at_once(habits.len(), |number| {
        let signed_in = sessions[number].clone();
        game(Phone::new(server, signed_in, habits[number], Dice::of(seed, number)))
    })
}

on_both_databases! {
    /// What docs/clients.md promises: 10 000 refreshes and nobody logged out. Every token that was
    /// presented has been replaced, once and by one other, and a thief is still a thief.
    /// Security: B1, B2, B3.
    fn with_keys_nobody_is_logged_out(db) {
        let server = TestServer::with(db, &LONG_LIVES);
        let refreshes = rounds(500, 5_000);
        let habits = [Habit::OneRecord, Habit::TokenThenKey].repeat(10);
        let began = Instant::now();
        let phones = play(&server, &habits, |mut phone| {
            for number in 1..=refreshes {
                assert!(phone.refresh(), "{number}: {}", phone.refusal());
            }
            assert_eq!(server.db.generation(&phone.session), i64::from(refreshes));
            (phone.old_token().to_owned(), phone.tally)
        });
        let mut tally = Tally::new();
        for (what, times) in phones.iter().flat_map(|(_, tally)| tally) {
            *tally.entry(what.clone()).or_default() += times;
        }
        println!("{:?}: {tally:?}", began.elapsed());
        assert_eq!(tally["refreshed"], 20 * u64::from(refreshes));
        for (_, fate) in FATES {
            assert!(tally[&format!("{fate:?}")] > 100, "{fate:?} has hardly happened");
        }
        assert_eq!(endings(&server.db), (0, 0));
        assert_eq!(audited(&server.db, "rotation_recovered"), 0, "an answer ran ahead of its row");

        server.clock.step(PAST_GRACE);
        for (old_token, _) in &phones {
            let stolen = server.refresh_in_body(old_token);
            stolen.expect_failure(401, "REFRESH_TOKEN_REUSED");
        }
        assert_eq!(endings(&server.db), (20, 20));
    }

    /// Each habit that docs/clients.md warns of is the end of a session: so the test above can fail.
    fn without_them_everybody_is(db) {
        let server = TestServer::with(db, &LONG_LIVES);
        let bad = [Habit::NoKeys, Habit::KeyPerRequest, Habit::KeyInMemory, Habit::KeyThenToken];
        let habits = bad.repeat(3);
        let ends = play(&server, &habits, |mut phone| {
            let lasted = (0..20_000).take_while(|_| phone.refresh()).count();
            (lasted, phone.refusal())
        });
        for (habit, (lasted, refusal)) in habits.iter().zip(ends) {
            println!("{habit:?}: {refusal} after {lasted} refreshes");
            // Nobody may have waited for the answer that said why.
            let over = ["401 REFRESH_TOKEN_REUSED", "401 SESSION_REVOKED"];
            assert!(over.contains(&&*refusal), "{habit:?}: {refusal:?}");
        }
        assert_eq!(endings(&server.db), (12, 12));
    }
}
