//! Hashing passwords on threads of its own, so that a flood of sign-ins slows nothing else.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::password::{Password, PasswordHash};
use crate::metrics::Hashing;
use crate::queue::{Ask, Queue, Shape, Unanswered};
use crate::random::Random;

/// A password waits for its turn this long at most; a full queue of the usual size takes seconds.
const PATIENCE: Duration = Duration::from_secs(300);

struct Task {
    what: What,
    asked_at: Instant,
}

enum What {
    Hash(Password),
    Verify(Password, PasswordHash),
}

enum Done {
    Hashed(Result<PasswordHash, bcrypt::BcryptError>),
    Verified(bool),
}

/// A bounded queue before one thread a core, all of which give way to the rest of the service.
pub struct Hasher {
    queue: Queue<Task, Done>,
    cost: u32,
    asked: AtomicU64,
    metrics: Hashing,
}

impl Hasher {
    /// Starts the threads; at most `capacity` passwords wait for them.
    pub fn start(
        cost: u32,
        capacity: usize,
        random: Arc<dyn Random>,
        metrics: Hashing,
    ) -> std::io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let shape = Shape { name: "password-hash", threads, capacity, group: 1, background: true };
        let measured = metrics.clone();
        let queue = Queue::start(shape, move |asks: Vec<Ask<Task, Done>>| {
            for ask in asks {
                let started = Instant::now();
                let waited = started.duration_since(ask.question.asked_at);
                measured.wait.observe(waited.as_secs_f64());
                let done = match &ask.question.what {
                    What::Hash(password) => {
                        Done::Hashed(PasswordHash::new(password, cost, &*random))
                    }
                    What::Verify(password, hash) => Done::Verified(verify(password, hash, cost)),
                };
                measured.duration.observe(started.elapsed().as_secs_f64());
                ask.answer(done);
            }
        })?;
        Ok(Self { queue, cost, asked: AtomicU64::new(0), metrics })
    }

    /// The hash to store for `password`.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, Unanswered> {
        match self.ask(What::Hash(password)).await? {
            Done::Hashed(Ok(hash)) => Ok(hash),
            Done::Hashed(Err(_)) | Done::Verified(_) => Err(Unanswered::Panicked),
        }
    }

    /// Whether `hash` is of `password`. Without a hash (an unknown account), or where it is unset,
    /// it costs the same and is `false`.
    pub async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<bool, Unanswered> {
        let hash = hash.unwrap_or_else(|| PasswordHash::decoy(self.cost));
        let done = self.ask(What::Verify(password, hash)).await?;
        Ok(matches!(done, Done::Verified(true)))
    }

    async fn ask(&self, what: What) -> Result<Done, Unanswered> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = self.queue.ask(Task { what, asked_at: Instant::now() }, PATIENCE).await;
        if matches!(answer, Err(Unanswered::Full)) {
            self.metrics.sheds.inc();
        }
        answer
    }

    /// How many passwords wait.
    pub fn depth(&self) -> usize {
        self.queue.depth()
    }

    /// How many passwords it was given so far.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether `hash` is of today's scheme and cost.
    pub fn is_current(&self, hash: &PasswordHash) -> bool {
        hash.is_current(self.cost)
    }
}

/// Whether `hash` is of `password`. Costs a bcrypt of `cost` at least, so that no account stands out by
/// having no password, or an imported hash that is cheaper to check: what one of cost c saves,
/// 2^cost − 2^c rounds, is the sum of one bcrypt of each cost from c to just below `cost`.
fn verify(password: &Password, hash: &PasswordHash, cost: u32) -> bool {
    let is_right = hash.matches(password);
    let saved = hash.cost().map_or(cost..cost + 1, |own| own..cost);
    for cost in saved {
        std::hint::black_box(PasswordHash::decoy(cost).matches(password));
    }
    is_right
}
