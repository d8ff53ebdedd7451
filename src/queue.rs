//! A bounded queue of questions that a few threads answer, many at a time where many are waiting.
//!
//! Rotations, session look-ups and password hashes all go through one of these: it takes them off
//! the async workers, sheds load instead of piling it up, and lets one transaction or one query
//! serve every request that is waiting. It never waits for more requests to come.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError};
use thiserror::Error;
use tokio::sync::oneshot;

/// Why a question got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unanswered {
    /// As many questions are waiting as may wait.
    #[error("the queue is full")]
    Full,
    /// The answer did not come in time; it may still be carried out.
    #[error("the answer took too long")]
    TooLate,
    /// The code that answers has panicked.
    #[error("the worker panicked")]
    Panicked,
}

/// A question and where its answer goes.
pub struct Ask<Q, A> {
    /// What is asked.
    pub question: Q,
    reply: oneshot::Sender<A>,
}

impl<Q, A> Ask<Q, A> {
    /// Answers. Whoever asked may have gone: then the answer is dropped.
    pub fn answer(self, answer: A) {
        let _gone = self.reply.send(answer);
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

/// The asking end of a queue; its threads end when the last clone of it is dropped.
pub struct Queue<Q, A> {
    sender: Sender<Ask<Q, A>>,
}

impl<Q, A> Clone for Queue<Q, A> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone() }
    }
}

/// How a queue works.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// What its threads are called.
    pub name: &'static str,
    /// How many threads answer.
    pub threads: usize,
    /// How many questions may wait.
    pub capacity: usize,
    /// How many questions one thread takes at once.
    pub group: usize,
    /// Whether its threads give way to all others, where the system can do that.
    pub background: bool,
}

impl<Q: Send + 'static, A: Send + 'static> Queue<Q, A> {
    /// Starts the threads, each of which hands groups of questions to `work`.
    pub fn start(
        shape: Shape,
        work: impl Fn(Vec<Ask<Q, A>>) + Clone + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = crossbeam_channel::bounded(shape.capacity);
        for _ in 0..shape.threads {
            let (receiver, work) = (receiver.clone(), work.clone());
            std::thread::Builder::new().name(shape.name.into()).spawn(move || {
                if shape.background {
                    give_way();
                }
                answer_all(&receiver, shape.group, work);
            })?;
        }
        Ok(Self { sender })
    }

    /// Asks, and waits for the answer no longer than `patience`.
    pub async fn ask(&self, question: Q, patience: Duration) -> Result<A, Unanswered> {
        let (reply, answer) = oneshot::channel();
        self.pass(Ask { question, reply }).map_err(|_| Unanswered::Full)?;
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_dropped)) => Err(Unanswered::Panicked),
            Err(_elapsed) => Err(Unanswered::TooLate),
        }
    }

    /// Puts a question of another queue into this one, or gives it back if this one is full.
    pub fn pass(&self, ask: Ask<Q, A>) -> Result<(), Ask<Q, A>> {
        self.sender.try_send(ask).map_err(TrySendError::into_inner)
    }

    /// How many questions are waiting.
    pub fn waiting(&self) -> usize {
        self.sender.len()
    }
}

fn answer_all<Q, A>(receiver: &Receiver<Ask<Q, A>>, most: usize, work: impl Fn(Vec<Ask<Q, A>>)) {
    while let Ok(first) = receiver.recv() {
        let mut group = vec![first];
        group.extend(receiver.try_iter().take(most - 1));
        group.retain(|ask| !ask.is_abandoned());
        if catch_unwind(AssertUnwindSafe(|| work(group))).is_err() {
            tracing::error!("a worker panicked; its questions go unanswered and it goes on");
        }
    }
}

/// Lowers this thread's priority. Only Linux can do so for a single thread.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::warn!(%error, "cannot lower a thread's priority");
    }
}
