//! The app on a phone: what it keeps, in which order, and when it is killed.

use std::collections::BTreeMap;

use super::network::{FATES, Network, Request};
use crate::support::{Dice, PAST_GRACE, SignedIn, TestServer, WITHIN_GRACE};

/// How an app keeps its refresh token and the key of the request under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// As docs/clients.md has it: both in one record.
    OneRecord,
    /// In two, of which the new token is written first: docs/clients.md allows it.
    TokenThenKey,
    /// The key is dropped before the new token is written.
    KeyThenToken,
    /// The key is kept in memory only.
    KeyInMemory,
    /// Each request has a key of its own.
    KeyPerRequest,
    /// There are no keys.
    NoKeys,
}

/// What has happened to phones, by its name.
pub(super) type Tally = BTreeMap<String, u64>;

pub(super) struct Phone<'a> {
    server: &'a TestServer,
    habit: Habit,
    dice: Dice,
    network: Network<'a>,
    /// On the disk: they outlive the app.
    token: String,
    key: Option<String>,
    /// In the app's memory.
    key_in_memory: Option<String>,
    pub session: String,
    pub tally: Tally,
}

/// What a try has come to.
enum Tried {
    Refreshed,
    /// Nothing has been heard, or the app was killed.
    Again,
    Over,
}

impl<'a> Phone<'a> {
    pub fn new(server: &'a TestServer, signed_in: SignedIn, habit: Habit, dice: Dice) -> Self {
        Self {
            server,
            habit,
            dice,
            network: Network::new(server),
            token: signed_in.refresh,
            key: None,
            key_in_memory: None,
            session: signed_in.session,
            tally: Tally::new(),
        }
    }

    /// Refreshes, however often that has to be tried; `false` where the session is over.
    pub fn refresh(&mut self) -> bool {
        loop {
            match self.attempt() {
                Tried::Again => {}
                Tried::Over => return false,
                Tried::Refreshed => {
                    self.count("refreshed");
                    return self.pass_the_time();
                }
            }
        }
    }

    /// What the server refused this phone with, if it did.
    pub fn refusal(&self) -> String {
        let refusal = self.network.refusal.as_ref();
        refusal.map_or_else(String::new, |answer| format!("{} {}", answer.status, answer.code()))
    }

    /// The token that it has used up last.
    pub fn old_token(&self) -> &str {
        self.network.token_before(&self.token)
    }

    fn attempt(&mut self) -> Tried {
        if self.is_killed("before it made a key") {
            return Tried::Again;
        }
        let request = Request { token: self.token.clone(), key: self.key() };
        if self.is_killed("before it asked") {
            return Tried::Again;
        }
        let fate = self.dice.choose(&FATES);
        self.count(&format!("{fate:?}"));
        let answer = self.network.send(&request, fate);
        if self.is_killed("before it heard the answer") {
            return Tried::Again;
        }
        match answer {
            Some(answer) if answer.status == 200 => {
                if !self.keep(answer.refresh_token()) {
                    return Tried::Again;
                }
                if self.dice.one_in(20) {
                    self.repeat_late(&request);
                }
                Tried::Refreshed
            }
            Some(answer) if answer.status == 401 => Tried::Over,
            _ => {
                self.tunnel(3);
                Tried::Again
            }
        }
    }

    /// The key to send: that of before where there is one; else a new one, which is kept first.
    fn key(&mut self) -> Option<String> {
        let new = format!("{:016x}{:016x}", self.dice.next(), self.dice.next());
        match self.habit {
            Habit::NoKeys => None,
            Habit::KeyPerRequest => Some(new),
            Habit::KeyInMemory => Some(self.key_in_memory.get_or_insert(new).clone()),
            _ => Some(self.key.get_or_insert(new).clone()),
        }
    }

    /// Keeps the new token and drops the key; `false` where the app was killed before it had the token.
    fn keep(&mut self, token: String) -> bool {
        match self.habit {
            Habit::TokenThenKey => {
                self.token = token;
                if !self.is_killed("between token and key") {
                    self.key = None;
                }
            }
            Habit::KeyThenToken => {
                self.key = None;
                if self.is_killed("between key and token") {
                    return false;
                }
                self.token = token;
            }
            _ => (self.token, self.key, self.key_in_memory) = (token, None, None),
        }
        true
    }

    /// Kills the app now and then. It is started again whenever its owner likes.
    fn is_killed(&mut self, when: &str) -> bool {
        let killed = self.dice.one_in(50);
        if killed {
            self.count(&format!("killed {when}"));
            self.network.close();
            self.key_in_memory = None;
            self.tunnel(2);
        }
        killed
    }

    /// Once in so many times nothing gets through for longer than the grace: for a minute or so, or
    /// for an hour. Else it is a matter of seconds.
    fn tunnel(&mut self, times: u32) {
        let seconds = if self.dice.one_in(times) {
            self.count("tunnel");
            let longest = if self.dice.one_in(10) { 3_600 } else { 60 };
            PAST_GRACE + f64::from(self.dice.below(longest))
        } else {
            f64::from(self.dice.below(10))
        };
        self.server.clock.step(seconds);
    }

    /// A copy of the request arrives once more, after its answer has been kept.
    fn repeat_late(&mut self, request: &Request) {
        self.count("repeated late");
        let late = if self.dice.one_in(2) { PAST_GRACE } else { WITHIN_GRACE };
        self.server.clock.step(late);
        self.network.repeat(request);
    }

    /// Until the next refresh is due; `false` where the session has ended meanwhile.
    fn pass_the_time(&mut self) -> bool {
        self.network.settle();
        if self.dice.one_in(10) {
            self.server.clock.step(PAST_GRACE);
        }
        self.network.refusal.is_none()
    }

    fn count(&mut self, what: &str) {
        *self.tally.entry(what.to_owned()).or_default() += 1;
    }
}
