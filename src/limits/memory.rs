//! Limits counted in this process.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lru::LruCache;

use super::failures::Failures;
use super::log::SlidingLog;
use super::{Limit, Rule, Standing};
use crate::db::Moment;

/// Logs and failures by key. Of each as many as there is room for: beyond that, those that were
/// asked for longest ago are forgotten.
pub struct Memory(Mutex<Kept>);

struct Kept {
    logs: LruCache<String, SlidingLog>,
    failures: LruCache<String, Failures>,
}

impl Memory {
    /// Room for so many logs and so many failures.
    pub fn new(room: NonZeroUsize) -> Self {
        // Sparse: the room is taken only as it is needed.
        Self(Mutex::new(Kept { logs: LruCache::sparse(room), failures: LruCache::sparse(room) }))
    }

    /// How it stands with each limit, counting nothing.
    pub fn look(&self, limits: &[Limit], now: Moment) -> Vec<Standing> {
        let mut kept = self.lock();
        limits.iter().map(|limit| kept.standing(limit, now)).collect()
    }

    /// Counts an attempt by each limit, or by none where one is reached.
    pub fn attempt(&self, limits: &[Limit], now: Moment) -> Vec<Standing> {
        let mut kept = self.lock();
        let standings: Vec<_> = limits.iter().map(|limit| kept.standing(limit, now)).collect();
        if !standings.iter().all(Standing::passes) {
            return standings;
        }
        kept.count(limits, now);
        limits
            .iter()
            .map(|limit| Standing { wait: Duration::ZERO, ..kept.standing(limit, now) })
            .collect()
    }

    /// Counts an attempt that was let through elsewhere.
    pub fn count(&self, limits: &[Limit], now: Moment) {
        self.lock().count(limits, now);
    }

    /// Makes the account of `key` wait: an attempt has failed.
    pub fn failed(&self, key: &str, now: Moment) {
        if let Some(failures) = self.lock().failures.get_mut(key) {
            failures.failed(now);
        }
    }

    /// Forgets the failures of an account.
    pub fn forget_failures(&self, key: &str) {
        self.lock().failures.pop(key);
    }

    /// How many logs and failures are kept.
    pub fn kept(&self) -> usize {
        let kept = self.lock();
        kept.logs.len() + kept.failures.len()
    }

    /// Nothing panics while it holds the lock, so that what is kept is always whole.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn standing(&mut self, limit: &Limit, now: Moment) -> Standing {
        match limit.rule {
            Rule::Rate(rate) => match self.logs.get_mut(&limit.key) {
                None => Standing { left: rate.most, ..Standing::default() },
                Some(log) => Standing {
                    wait: log.wait(rate, now),
                    left: log.left(rate),
                    frees_in: log.frees_in(rate, now),
                },
            },
            Rule::Failures => {
                let failures = self.failures.get(&limit.key);
                let wait = failures.map_or(Duration::ZERO, |failures| failures.wait(now));
                Standing { wait, ..Standing::default() }
            }
        }
    }

    fn count(&mut self, limits: &[Limit], now: Moment) {
        for Limit { key, rule, .. } in limits {
            let key = key.clone();
            match rule {
                Rule::Rate(_) => self.logs.get_or_insert_mut(key, SlidingLog::default).record(now),
                Rule::Failures => {
                    self.failures.get_or_insert_mut(key, || Failures::none(now)).count(now);
                }
            }
        }
    }
}
