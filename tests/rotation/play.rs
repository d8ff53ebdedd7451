//! Random plays: tabs, a phone, a thief; late and lost answers, revocations, restored backups,
//! clocks that are set back, and every setting of the grace.
//!
//! [`World`] is the service and the bookkeeping of what it promised; each play adds a client whose
//! way of acting the contract speaks about.

mod browser;
mod phone;
mod thief;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use symbolon::client::Client;
use symbolon::db::Moment;
use symbolon::sessions::token::{Lifetimes, Presented, RetryKey, Session, Verdict};

use super::rounds::rounds;
use super::{DEFAULTS, START, session};

/// A refresh token, told from every other by what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Token {
    generation: i64,
    iat: i64,
    exp: i64,
}

impl Token {
    /// The live token of a row: what would be signed.
    fn live(row: &Session) -> Self {
        Self {
            generation: row.generation,
            iat: row.issued_at.unix_seconds(),
            exp: row.expires_at.unix_seconds(),
        }
    }
}

/// Whoever holds tokens of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Owner,
    Thief,
}

/// A request.
#[derive(Debug, Clone, Copy)]
struct Request {
    holder: Holder,
    token: Token,
    key: Option<RetryKey>,
    browser: bool,
}

/// That a token was used, and answered.
#[derive(Debug, Clone, Copy)]
struct Use {
    holder: Holder,
    key: Option<RetryKey>,
    at: Moment,
}

struct World {
    row: Session,
    lifetimes: Lifetimes,
    now: Moment,
    backups: Vec<Session>,
    /// Every token that was ever handed out.
    issued: BTreeSet<Token>,
    /// Who used which generation.
    uses: BTreeMap<i64, Vec<Use>>,
    restored: bool,
}

impl World {
    fn new(grace_millis: u64) -> Self {
        let lifetimes = Lifetimes { grace: Duration::from_millis(grace_millis), ..DEFAULTS };
        let row = session(&lifetimes);
        Self {
            issued: BTreeSet::from([Token::live(&row)]),
            backups: vec![row.clone()],
            row,
            lifetimes,
            now: START,
            uses: BTreeMap::new(),
            restored: false,
        }
    }

    fn live(&self) -> Token {
        Token::live(&self.row)
    }

    /// Answers a request as the service does: with the live token, or why not.
    fn refresh(&mut self, request: Request) -> Result<Token, Verdict> {
        let Request { token, key, browser, .. } = request;
        let presented =
            Presented { generation: token.generation, retry_key: key, from_browser: browser };
        let before = self.row.clone();
        // What is past its own `exp` never comes as far as the rule.
        let verdict = if token.exp <= self.now.unix_seconds() {
            Verdict::Expired
        } else {
            before.present(&presented, self.now)
        };
        let caught = self.has_to_be_caught(&request);
        match verdict {
            Verdict::Rotate => {
                self.row = before.rotated(&presented, Client::default(), self.now, &self.lifetimes);
                self.issued.insert(self.live());
                assert_eq!(self.row.generation, token.generation + 1);
            }
            Verdict::Replay { restart_grace } => {
                if restart_grace {
                    self.row.grace_until = Some(self.now + self.lifetimes.grace);
                    assert!(key.is_some(), "a replay without a key never extends grace");
                }
                assert_eq!(self.live(), Token::live(&before), "a replay is the very same token");
            }
            Verdict::Reused => self.revoke(),
            Verdict::Revoked => assert!(before.revoked_at.is_some()),
            Verdict::Expired => {
                let token_is_over = token.exp <= self.now.unix_seconds();
                let live_is_over = before.expires_at <= self.now;
                assert!(token_is_over || live_is_over || before.ends_at <= self.now);
            }
        }
        self.check(&before);
        let answered = matches!(verdict, Verdict::Rotate | Verdict::Replay { .. });
        assert!(!(answered && before.revoked_at.is_some()), "revocation wins");
        assert!(!(answered && caught), "a theft went unnoticed: {request:?} of {before:?}");
        if !answered {
            return Err(verdict);
        }
        let used = Use { holder: request.holder, key, at: self.now };
        self.uses.entry(token.generation).or_default().push(used);
        Ok(self.live())
    }

    /// Whether two holders have now used one token more than the grace apart: it was replaced, all
    /// its uses were the other holder's, and the latest is that long ago. What a restored row has
    /// forgotten nobody can hold against anybody.
    fn has_to_be_caught(&self, request: &Request) -> bool {
        let Some(uses) = self.uses.get(&request.token.generation) else {
            return false;
        };
        !self.restored
            && self.row.generation > request.token.generation
            && uses.iter().all(|used| {
                used.holder != request.holder
                    && (used.key.is_none() || used.key != request.key)
                    && self.now >= used.at + self.lifetimes.grace
            })
    }

    fn check(&self, before: &Session) {
        let row = &self.row;
        assert!(row.expires_at <= row.ends_at, "no rotation passes the session's end");
        assert_eq!(row.ends_at, before.ends_at);
        assert!(row.generation >= before.generation, "no generation ever comes back");
        let stranger = Presented { generation: 0, retry_key: None, from_browser: false };
        let rotates = |token: &&Token| {
            let presented = Presented { generation: token.generation, ..stranger };
            token.exp > self.now.unix_seconds()
                && row.present(&presented, self.now) == Verdict::Rotate
        };
        let live: Vec<&Token> = self.issued.iter().filter(rotates).collect();
        if self.restored {
            assert!(live.iter().all(|token| token.generation >= row.generation));
        } else {
            assert!(live.len() <= 1, "two live tokens: {live:?}");
            assert!(live.iter().all(|&&token| token == self.live()));
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    fn set_back(&mut self, time: Duration) {
        self.now = self.now.before(time);
    }

    fn revoke(&mut self) {
        self.row.revoked_at.get_or_insert(self.now);
    }

    fn back_up(&mut self) {
        self.backups.push(self.row.clone());
    }

    /// Puts the row of some backup in place of what there is.
    fn restore(&mut self, which: prop::sample::Index) {
        self.row = which.get(&self.backups).clone();
        self.restored = true;
    }

    /// Whether a refusal of `token` is nobody's fault but time's or whoever revoked the session.
    fn may_be_refused(&self, token: Token) -> bool {
        let over = token.exp <= self.now.unix_seconds() || self.row.ends_at <= self.now;
        let idle = self.row.expires_at <= self.now && token.generation <= self.row.generation;
        over || idle || self.row.revoked_at.is_some()
    }
}

/// How many plays of each kind, and how they are reported.
fn plays() -> ProptestConfig {
    ProptestConfig {
        cases: rounds(400, 40_000),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    }
}

/// From "off" to a minute.
fn graces() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(1), Just(1_000), Just(10_000), 0..60_000u64]
}
