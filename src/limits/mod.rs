//! How often somebody may try: counted before any work is done, in memory or, for several instances
//! together, in Redis.
//!
//! The rules are [`log`] (so many within so long) and [`failures`] (an account that is being guessed
//! at waits); [`policies`] says what falls under them.

pub mod failures;
pub mod log;
pub mod memory;
pub mod policies;
pub mod shared;

use std::num::NonZeroUsize;
use std::time::Duration;

use redis::RedisError;

use crate::db::Moment;
use crate::metrics::Decisions;
use crate::settings::limits::LimitSettings;
use log::Rate;
use memory::Memory;
use policies::Policies;
use shared::Shared;

/// The most keys to keep in memory, of logs and of failures each: some 50 MB if every key is a
/// different network at its limit.
const ROOM: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

/// A limit that an attempt falls under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The name of its policy, for headers and logs.
    pub policy: &'static str,
    /// What is counted together: the policy, and by whom it is counted.
    pub key: String,
    /// How.
    pub rule: Rule,
}

/// How attempts are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// So many within so long.
    Rate(Rate),
    /// An account's growing wait; to be told what became of each attempt.
    Failures,
}

impl Limit {
    /// The limit by `policy` of `whom`.
    pub fn new(policy: &'static str, whom: &str, rule: Rule) -> Self {
        Self { policy, key: format!("{policy}:{whom}"), rule }
    }
}

/// How it stands with a limit after an attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// How long until it lets an attempt through; zero where it did.
    pub wait: Duration,
    /// How many more it has room for; of a [`Rate`] only.
    pub left: u32,
    /// How long until it has room for one more than now; of a [`Rate`] only.
    pub frees_in: Duration,
}

impl Standing {
    /// Whether it let the attempt through.
    pub fn passes(&self) -> bool {
        self.wait.is_zero()
    }
}

/// Where attempts are counted at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// In memory, as the settings say.
    Memory,
    /// In Redis.
    Redis,
    /// In memory, because Redis does not answer.
    RedisIsDown,
}

impl State {
    /// Every place.
    pub const ALL: [Self; 3] = [Self::Memory, Self::Redis, Self::RedisIsDown];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redis => "redis",
            Self::RedisIsDown => "memory, redis is down",
        }
    }
}

/// Counts attempts.
pub struct Limits {
    /// What is limited.
    pub policies: Policies,
    memory: Memory,
    shared: Option<Shared>,
    decisions: Decisions,
}

impl Limits {
    /// As the settings say. A Redis that is not there yet is waited for by nobody.
    pub fn new(settings: &LimitSettings, decisions: Decisions) -> Result<Self, RedisError> {
        for policy in policies::NAMES {
            decisions.begin(policy);
        }
        Ok(Self {
            policies: Policies::new(settings),
            memory: Memory::new(ROOM),
            shared: settings.redis.as_ref().map(Shared::new).transpose()?,
            decisions,
        })
    }

    /// Whether calls may block, because they ask Redis.
    pub fn may_block(&self) -> bool {
        self.shared.is_some()
    }

    /// Counts an attempt by each limit, or by none where one is reached; how it stands with each.
    ///
    /// What Redis lets through is counted in memory too, so that it is still known while Redis is
    /// down or has lost its data. A log in memory can therefore refuse by itself; only of failures
    /// another instance may know better, for it may have seen the owner sign in.
    pub fn attempt(&self, limits: &[Limit], now: Moment) -> Vec<Standing> {
        let standings = self.judge(limits, now);
        for (limit, standing) in limits.iter().zip(&standings) {
            self.decisions.count(limit.policy, standing.passes());
        }
        standings
    }

    fn judge(&self, limits: &[Limit], now: Moment) -> Vec<Standing> {
        let Some(shared) = &self.shared else { return self.memory.attempt(limits, now) };
        let known = self.memory.look(limits, now);
        let is_full = |(limit, standing): (&Limit, &Standing)| {
            matches!(limit.rule, Rule::Rate(_)) && !standing.passes()
        };
        if limits.iter().zip(&known).any(is_full) {
            return known;
        }
        let Some(standings) = shared.attempt(limits, now) else {
            return self.memory.attempt(limits, now);
        };
        if standings.iter().all(Standing::passes) {
            self.memory.count(limits, now);
        }
        standings
    }

    /// Counts an attempt as [`Limits::attempt`] does; whether it is let through. A refusal is logged.
    pub fn lets_through(&self, limits: &[Limit], now: Moment) -> bool {
        let standings = self.attempt(limits, now);
        let refused = limits.iter().zip(&standings).find(|(_, standing)| !standing.passes());
        if let Some((limit, _)) = refused {
            tracing::info!(policy = limit.policy, "limit reached");
        }
        refused.is_none()
    }

    /// Makes the account of `limit` wait: an attempt that was let through has failed.
    pub fn failed(&self, limit: &Limit, now: Moment) {
        self.memory.failed(&limit.key, now);
        if let Some(shared) = &self.shared {
            shared.failed(&limit.key, now);
        }
    }

    /// Forgets the failures of the account of `limit`: its owner has proven to be there.
    pub fn succeeded(&self, limit: &Limit) {
        self.memory.forget_failures(&limit.key);
        if let Some(shared) = &self.shared {
            shared.forget_failures(&limit.key);
        }
    }

    /// Where attempts are counted, as of the latest one.
    pub fn state(&self) -> State {
        match &self.shared {
            None => State::Memory,
            Some(shared) if shared.is_down() => State::RedisIsDown,
            Some(_) => State::Redis,
        }
    }

    /// The same after asking Redis, by an attempt that falls under no limit.
    pub fn look(&self, now: Moment) -> State {
        if let Some(shared) = &self.shared {
            shared.attempt(&[], now);
        }
        self.state()
    }
}
