//! Clients that keep their sessions going, whatever happens to the server meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Answer, Call, Client, SignedIn};

/// How a client asks, and asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// With an `Idempotency-Key`, the same until there is an answer.
    Phone,
    /// Without one: again at once, with the token that it has.
    Script,
    /// Two tabs with one cookie jar and no key: each sends what is in the jar.
    Browser,
}

pub const MANNERS: [Manner; 3] = [Manner::Phone, Manner::Script, Manner::Browser];

/// How long any request may take. The promise is two seconds; the rest is for a busy machine.
pub const SOON: Duration = Duration::from_millis(2_300);

/// What came of it.
#[derive(Debug, Default)]
pub struct Kept {
    /// Refreshes that were answered.
    pub refreshed: u64,
    /// Requests that were answered with 503.
    pub unavailable: u64,
    /// Requests without an answer.
    pub unanswered: u64,
    /// The longest that an answer took.
    pub slowest: Duration,
    /// Whatever should not happen; somebody who was logged out above all.
    pub faults: Vec<String>,
}

/// Clients at work.
pub struct Load {
    stop: Arc<AtomicBool>,
    progress: Vec<Arc<AtomicU64>>,
    threads: Vec<JoinHandle<Kept>>,
}

impl Load {
    /// Puts everybody in `signed_in` to work, in the manners' turn. Of several servers at `bases`
    /// each is asked in its turn.
    pub fn start(bases: &[&str], signed_in: Vec<SignedIn>) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let mut load = Self { stop, progress: Vec::new(), threads: Vec::new() };
        for (signed_in, manner) in signed_in.into_iter().zip(MANNERS.into_iter().cycle()) {
            let jar = Arc::new(Mutex::new(signed_in.refresh));
            let tabs = if manner == Manner::Browser { 2 } else { 1 };
            for _ in 0..tabs {
                let keeper = Keeper {
                    clients: bases.iter().map(|base| Client::new((*base).to_owned())).collect(),
                    name: signed_in.email.clone(),
                    manner,
                    jar: Arc::clone(&jar),
                    kept: Kept::default(),
                };
                let (stop, progress) = (Arc::clone(&load.stop), Arc::<AtomicU64>::default());
                load.progress.push(Arc::clone(&progress));
                load.threads.push(std::thread::spawn(move || keeper.keep(&stop, &progress)));
            }
        }
        load
    }

    /// Waits until everybody has refreshed `more` times from now on, or has been thrown out.
    pub fn wait_for(&self, more: u64) {
        let started = Instant::now();
        let done = || self.progress.iter().map(|done| done.load(Ordering::Relaxed));
        let wanted: Vec<u64> = done().map(|done| done.saturating_add(more)).collect();
        while done().zip(&wanted).any(|(done, &wanted)| done < wanted) {
            assert!(started.elapsed() < Duration::from_secs(60), "the clients do not get on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops everybody; what came of all.
    pub fn stop(self) -> Kept {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Kept::default();
        for kept in self.threads.into_iter().map(|thread| thread.join().unwrap()) {
            all.refreshed += kept.refreshed;
            all.unavailable += kept.unavailable;
            all.unanswered += kept.unanswered;
            all.slowest = all.slowest.max(kept.slowest);
            all.faults.extend(kept.faults);
        }
        println!("{all:?}");
        all
    }
}

struct Keeper {
    clients: Vec<Client>,
    name: String,
    manner: Manner,
    jar: Arc<Mutex<String>>,
    kept: Kept,
}

impl Keeper {
    fn keep(mut self, stop: &AtomicBool, progress: &AtomicU64) -> Kept {
        while !stop.load(Ordering::Relaxed) {
            if self.refresh(stop, progress.load(Ordering::Relaxed)) {
                progress.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(3));
            } else {
                // Nobody is to wait for somebody who has been thrown out.
                progress.store(u64::MAX, Ordering::Relaxed);
                break;
            }
        }
        self.kept
    }

    /// Refreshes, however often that has to be tried; `false` where it is hopeless.
    fn refresh(&mut self, stop: &AtomicBool, number: u64) -> bool {
        while !stop.load(Ordering::Relaxed) {
            let token = self.jar.lock().unwrap().clone();
            let started = Instant::now();
            let answer = match self.manner {
                Manner::Phone => self.call(&token).header("idempotency-key", &format!("k{number}")),
                Manner::Script => self.call(&token),
                Manner::Browser => self.call(&token).header("sec-fetch-site", "same-origin"),
            };
            let answer = answer.try_send();
            self.kept.slowest = self.kept.slowest.max(started.elapsed());
            match answer {
                None => self.kept.unanswered += 1,
                Some(answer) if answer.status == 200 => {
                    self.kept.refreshed += 1;
                    *self.jar.lock().unwrap() = answer.cookie().unwrap();
                    return true;
                }
                Some(answer) if answer.status == 503 => self.note_unavailable(&answer),
                Some(answer) => {
                    let Self { name, manner, .. } = self;
                    let fault = format!("{name} ({manner:?}, {number}): {}", answer.text);
                    self.kept.faults.push(fault);
                    return false;
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }

    fn call(&self, token: &str) -> Call<'_> {
        let kept = &self.kept;
        let asked = kept.refreshed + kept.unavailable + kept.unanswered;
        let turn = usize::try_from(asked).unwrap() % self.clients.len();
        self.clients[turn].post("/auth/refresh-token").cookie(token)
    }

    fn note_unavailable(&mut self, answer: &Answer) {
        self.kept.unavailable += 1;
        if answer.header("retry-after").is_none() {
            self.kept.faults.push("a 503 without Retry-After".into());
        }
    }
}

impl Kept {
    /// Nobody was logged out, and nothing else went wrong either.
    #[track_caller]
    pub fn expect_no_faults(&self) {
        assert!(self.faults.is_empty(), "{:#?}", self.faults);
    }
}
