//! Work that goes on beside the requests, each in a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long work that has panicked rests before it is tried again.
const REST: Duration = Duration::from_secs(10);

/// Whether work has been told to stop.
#[derive(Debug, Default)]
pub struct Stop {
    told: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Whether it has been told to.
    pub fn is_told(&self) -> bool {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rests for `duration`, or until told to stop; whether it has been told to.
    pub fn rest(&self, duration: Duration) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let rested = self.changed.wait_timeout_while(told, duration, |told| !*told);
        *rested.unwrap_or_else(PoisonError::into_inner).0
    }

    fn tell(&self) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }
}

/// Work that is done again and again until it is told to stop.
#[must_use = "it goes on until it is stopped"]
pub struct Background {
    stop: Arc<Stop>,
    /// Says nothing; closed when the thread ends.
    ended: Mutex<Receiver<()>>,
}

impl Background {
    /// Starts a thread that rests for `first` and then does `work`, which returns how long to rest
    /// until the next time. A panic is logged, and the work goes on.
    pub fn start(
        name: &'static str,
        first: Duration,
        mut work: impl FnMut(&Stop) -> Duration + Send + 'static,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(Stop::default());
        let (alive, ended) = mpsc::channel();
        let told = Arc::clone(&stop);
        std::thread::Builder::new().name(name.into()).spawn(move || {
            let _alive = alive;
            let mut rest = first;
            while !told.rest(rest) {
                rest = catch_unwind(AssertUnwindSafe(|| work(&told))).unwrap_or_else(|_panic| {
                    tracing::error!("{name} panicked; it goes on");
                    REST
                });
            }
        })?;
        Ok(Self { stop, ended: Mutex::new(ended) })
    }

    /// Tells it to stop, without waiting for that.
    pub fn tell(&self) {
        self.stop.tell();
    }

    /// Tells it to stop and waits for that, though no longer than `patience`; whether it has.
    pub fn stop(self, patience: Duration) -> bool {
        self.tell();
        let ended = self.ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        ended.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn it_works_until_it_is_told_to_stop() {
        let (tell, told) = mpsc::channel();
        let background = Background::start("test", Duration::ZERO, move |_| {
            tell.send(()).unwrap();
            Duration::ZERO
        });
        let background = background.unwrap();
        (0..3).for_each(|_| told.recv().unwrap());
        assert!(background.stop(LONG));
        while told.try_recv().is_ok() {}
        assert_eq!(told.recv(), Err(mpsc::RecvError));
    }

    #[test]
    fn a_rest_ends_when_it_is_told_to_stop() {
        let background = Background::start("test", LONG, |_| panic!("it was to rest first"));
        assert!(background.unwrap().stop(LONG));
    }

    #[test]
    fn whom_nothing_stops_is_not_waited_for() {
        let (let_go, held) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let background = Background::start("test", Duration::ZERO, move |stop| {
            tell.send(()).unwrap();
            let _gone = held.recv();
            assert!(stop.is_told());
            LONG
        });
        told.recv().unwrap();
        assert!(!background.unwrap().stop(Duration::from_millis(10)));
        drop(let_go);
    }
}
