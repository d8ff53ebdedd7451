//! A bounded queue of questions that a few threads answer, many at a time where many are waiting.
//!
//! Rotations, session look-ups and password hashes all go through one of these: it takes them off
//! the async workers, sheds load instead of piling it up, and lets one transaction or one query
//! serve every request that is waiting. It never waits for more requests to come.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use opentelemetry::KeyValue;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::traces::{self, Here};

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
    /// The span in which it was asked.
    trace: Here,
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
pub struct Queue<Q, A>(Arc<Asking<Q, A>>);

struct Asking<Q, A>(Arc<Line<Q, A>>);

impl<Q, A> Clone for Queue<Q, A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Q, A> Drop for Asking<Q, A> {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.arrived.notify_all();
    }
}

/// The questions that wait, in the order they came.
///
/// A mutex and a condition variable, because a thread that waits has to sleep at once: channels spin
/// and yield first, and on a busy machine a thread that has yielded comes back when its turn comes,
/// whatever has arrived (figures in `docs/performance.md`).
struct Line<Q, A> {
    state: Mutex<State<Q, A>>,
    arrived: Condvar,
    name: &'static str,
    capacity: usize,
}

struct State<Q, A> {
    waiting: VecDeque<Ask<Q, A>>,
    /// Threads that sleep until something arrives.
    sleeping: usize,
    is_closed: bool,
}

impl<Q, A> Line<Q, A> {
    fn new(shape: &Shape) -> Self {
        let state = State { waiting: VecDeque::new(), sleeping: 0, is_closed: false };
        let (name, capacity) = (shape.name, shape.capacity);
        Self { state: Mutex::new(state), arrived: Condvar::new(), name, capacity }
    }

    /// Nothing panics while it holds the lock, so that its state is always whole.
    fn lock(&self) -> MutexGuard<'_, State<Q, A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, ask: Ask<Q, A>) -> Result<(), Ask<Q, A>> {
        let mut state = self.lock();
        if state.waiting.len() >= self.capacity {
            return Err(ask);
        }
        state.waiting.push_back(ask);
        if state.sleeping > 0 {
            drop(state);
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Sleeps until there are questions, and takes at most `most`; `None` once nobody can ask.
    fn take(&self, most: usize) -> Option<Vec<Ask<Q, A>>> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.is_closed {
                return None;
            }
            state.sleeping += 1;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.sleeping -= 1;
        }
        let count = most.min(state.waiting.len());
        Some(state.waiting.drain(..count).collect())
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
        let line = Arc::new(Line::new(&shape));
        for _ in 0..shape.threads {
            let (line, work) = (Arc::clone(&line), work.clone());
            std::thread::Builder::new().name(shape.name.into()).spawn(move || {
                if shape.background {
                    give_way();
                }
                answer_all(&line, &shape, work);
            })?;
        }
        Ok(Self(Arc::new(Asking(line))))
    }

    /// Asks, and waits for the answer no longer than `patience`.
    pub async fn ask(&self, question: Q, patience: Duration) -> Result<A, Unanswered> {
        let (reply, answer) = oneshot::channel();
        let asked = async {
            let trace = Here::now();
            self.pass(Ask { question, reply, trace }).map_err(|_| Unanswered::Full)?;
            match tokio::time::timeout(patience, answer).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(_dropped)) => Err(Unanswered::Panicked),
                Err(_elapsed) => Err(Unanswered::TooLate),
            }
        };
        let asked = asked.map(|answer| answer.inspect_err(|_| traces::failed("unanswered")));
        traces::around("ask", || [KeyValue::new("symbolon.queue", self.0.0.name)], asked).await
    }

    /// Puts a question of another queue into this one, or gives it back if this one is full.
    pub fn pass(&self, ask: Ask<Q, A>) -> Result<(), Ask<Q, A>> {
        self.0.0.push(ask)
    }

    /// How many questions wait.
    pub fn depth(&self) -> usize {
        self.0.0.lock().waiting.len()
    }
}

fn answer_all<Q, A>(line: &Line<Q, A>, shape: &Shape, work: impl Fn(Vec<Ask<Q, A>>)) {
    while let Some(mut group) = line.take(shape.group) {
        group.retain(|ask| !ask.is_abandoned());
        let _span = traces::group(shape.name, group.iter().map(|ask| &ask.trace));
        if !group.is_empty() && catch_unwind(AssertUnwindSafe(|| work(group))).is_err() {
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const SHAPE: Shape =
        Shape { name: "test", threads: 1, capacity: 3, group: 2, background: false };

    fn ask(queue: &Queue<u32, u32>, question: u32) -> Result<u32, Unanswered> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(queue.ask(question, Duration::from_secs(5)))
    }

    /// A queue that tells how many came together, and works only when let.
    fn held() -> (Queue<u32, u32>, mpsc::Receiver<usize>, mpsc::Sender<()>) {
        let (tell, told) = mpsc::channel();
        let (let_go, held) = mpsc::channel();
        let held = Arc::new(Mutex::new(held));
        let queue = Queue::start(SHAPE, move |asks: Vec<Ask<u32, u32>>| {
            tell.send(asks.len()).unwrap();
            held.lock().unwrap().recv().unwrap();
            for ask in asks {
                let answer = ask.question * 2;
                ask.answer(answer);
            }
        });
        (queue.unwrap(), told, let_go)
    }

    #[test]
    fn it_takes_what_waits_in_groups_and_turns_the_rest_away() {
        let (queue, told, let_go) = held();
        std::thread::scope(|scope| {
            let first = scope.spawn(|| ask(&queue, 1));
            assert_eq!(told.recv().unwrap(), 1, "it waits for no more to come");
            let waiting: Vec<_> = (2..=4)
                .map(|n| {
                    scope.spawn({
                        let queue = &queue;
                        move || ask(queue, n)
                    })
                })
                .collect();
            while queue.0.0.lock().waiting.len() < 3 {
                std::thread::yield_now();
            }
            assert_eq!(ask(&queue, 5), Err(Unanswered::Full));
            (0..3).for_each(|_| let_go.send(()).unwrap());
            assert_eq!(first.join().unwrap(), Ok(2));
            assert_eq!([told.recv().unwrap(), told.recv().unwrap()], [2, 1]);
            for (answer, n) in waiting.into_iter().zip(2..) {
                assert_eq!(answer.join().unwrap(), Ok(n * 2));
            }
        });
    }

    #[test]
    fn it_survives_a_panic_and_forgets_whom_nobody_waits_for() {
        let (seen, see) = mpsc::channel();
        let queue = Queue::start(SHAPE, move |asks: Vec<Ask<u32, u32>>| {
            for ask in asks {
                seen.send(ask.question).unwrap();
                assert_ne!(ask.question, 0, "as asked for");
                ask.answer(1);
            }
        });
        let queue = queue.unwrap();
        assert_eq!(ask(&queue, 0), Err(Unanswered::Panicked));
        let (reply, gone) = oneshot::channel();
        drop(gone);
        assert!(queue.pass(Ask { question: 7, reply, trace: Here::default() }).is_ok());
        assert_eq!(ask(&queue, 8), Ok(1));
        assert_eq!(see.try_iter().collect::<Vec<_>>(), [0, 8]);
    }

    #[test]
    fn its_threads_end_with_the_last_who_can_ask() {
        let (alive, ended) = mpsc::channel::<()>();
        let queue = Queue::start(SHAPE, move |_: Vec<Ask<u32, u32>>| drop(alive.clone())).unwrap();
        let other = queue.clone();
        drop(queue);
        assert_eq!(ended.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(other);
        assert!(
            ended
                .recv_timeout(Duration::from_secs(5))
                .is_err_and(|e| e == mpsc::RecvTimeoutError::Disconnected)
        );
    }
}
