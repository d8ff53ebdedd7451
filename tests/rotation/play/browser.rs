//! A browser: tabs that know nothing of each other share one cookie jar. Its requests overtake each
//! other, and each message takes less than half the grace. With keys, its answers get lost too.
//! (Of answers that overtake each other `explore.rs` says what they can do.)

use super::*;
use crate::key;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A tab sends what is in the jar.
    Send,
    /// A request arrives, not necessarily the oldest.
    Arrive(prop::sample::Index),
    /// The oldest answer comes.
    Come,
    /// An answer gets lost, where there are keys.
    Lose(prop::sample::Index),
    /// Time passes: so many thousandths of a message's longest way.
    Pass(u32),
    /// Everything under way comes, and then nothing happens for so many hours.
    Sleep(u64),
    /// The server's clock is set back by so many milliseconds.
    SetBack(u64),
    BackUp,
    /// All is quiet while a backup is restored.
    Restore(prop::sample::Index),
    /// Somebody signs the session out from elsewhere.
    Revoke,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    let step = prop_oneof![
        30 => Just(Step::Send),
        30 => index().prop_map(Step::Arrive),
        25 => Just(Step::Come),
        8 => index().prop_map(Step::Lose),
        25 => (1..1_000u32).prop_map(Step::Pass),
        2 => (1..200u64).prop_map(Step::Sleep),
        3 => (0..5_000u64).prop_map(Step::SetBack),
        3 => Just(Step::BackUp),
        2 => index().prop_map(Step::Restore),
        1 => Just(Step::Revoke),
    ];
    prop::collection::vec(step, 1..150)
}

/// A message under way.
#[derive(Debug, Clone, Copy)]
struct Message {
    token: Token,
    key: Option<RetryKey>,
    /// By a clock that is never set.
    sent: Duration,
    /// Whether an answer has been lost, but none since this was sent.
    again: bool,
}

struct Browser {
    world: World,
    jar: Token,
    /// The key that the tabs share. They give it up when an answer comes and nothing more is under
    /// way with it, unless the answer to a request that was sent no earlier has been lost.
    key: Option<RetryKey>,
    lost: bool,
    keys: bool,
    made_keys: u8,
    requests: Vec<Message>,
    answers: Vec<Message>,
    /// By a clock that is never set.
    time: Duration,
}

/// Tabs that may be under way at once.
const TABS: usize = 6;

impl Browser {
    fn new(grace_millis: u64, keys: bool) -> Self {
        let world = World::new(grace_millis);
        Self {
            jar: world.live(),
            world,
            key: None,
            lost: false,
            keys,
            made_keys: 0,
            requests: Vec::new(),
            answers: Vec::new(),
            time: Duration::ZERO,
        }
    }

    /// The longest way of a message: two of them are less than the grace.
    fn leg(&self) -> Duration {
        (self.world.lifetimes.grace / 2).saturating_sub(Duration::from_micros(1))
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Send => self.send(),
            Step::Arrive(which) if !self.requests.is_empty() => {
                self.arrive(which.index(self.requests.len()));
            }
            Step::Come if !self.answers.is_empty() => self.come(),
            Step::Lose(which) if self.keys && !self.answers.is_empty() => {
                self.lose(which.index(self.answers.len()));
            }
            Step::Arrive(_) | Step::Come | Step::Lose(_) => {}
            Step::Pass(share) => self.pass(self.leg() * share / 1_000),
            Step::Sleep(hours) => {
                self.settle();
                self.pass(Duration::from_secs(3_600 * hours));
            }
            Step::SetBack(millis) => self.world.set_back(Duration::from_millis(millis)),
            Step::BackUp => self.world.back_up(),
            Step::Restore(which) => {
                self.settle();
                self.world.restore(which);
            }
            Step::Revoke => self.world.revoke(),
        }
    }

    fn send(&mut self) {
        if self.requests.len() + self.answers.len() == TABS {
            return;
        }
        if self.keys && self.key.is_none() {
            self.made_keys = self.made_keys.wrapping_add(1);
            self.key = Some(key(self.made_keys));
        }
        self.requests.push(Message {
            token: self.jar,
            key: self.key,
            sent: self.time,
            again: self.lost,
        });
    }

    fn arrive(&mut self, index: usize) {
        let request = self.requests.remove(index);
        let Message { token, key, .. } = request;
        match self.world.refresh(Request { holder: Holder::Owner, token, key, browser: true }) {
            Ok(token) => self.answers.push(Message { token, sent: self.time, ..request }),
            Err(verdict) => {
                assert!(self.world.may_be_refused(token), "logged out: {verdict:?}");
                assert_ne!(verdict, Verdict::Reused, "taken for a thief");
            }
        }
    }

    fn come(&mut self) {
        let Message { token, key, again, .. } = self.answers.remove(0);
        self.jar = token;
        let mut under_way = self.requests.iter().chain(&self.answers);
        let is_last = key == self.key && under_way.all(|other| other.key != key);
        if is_last && (again || !self.lost) {
            self.key = None;
            self.lost = false;
        }
    }

    fn lose(&mut self, index: usize) {
        self.answers.remove(index);
        self.lost = true;
        for other in self.requests.iter_mut().chain(&mut self.answers) {
            other.again = false;
        }
    }

    /// Lets time pass, after whatever would take too long has come.
    fn pass(&mut self, time: Duration) {
        let (leg, then) = (self.leg(), self.time + time);
        let mut under_way = self.requests.iter().chain(&self.answers);
        if under_way.any(|message| message.sent + leg < then) {
            self.settle();
        }
        self.time = then;
        self.world.pass(time);
    }

    /// Lets everything come that is under way, the oldest first.
    fn settle(&mut self) {
        while !self.requests.is_empty() {
            self.arrive(0);
        }
        while !self.answers.is_empty() {
            self.come();
        }
    }
}

proptest! {
    #![proptest_config(plays())]

    #[test]
    fn is_never_logged_out(
        grace in graces().prop_filter("tabs need some grace", |&grace| grace > 0),
        keys in any::<bool>(),
        steps in steps(),
    ) {
        let mut browser = Browser::new(grace, keys);
        for step in steps {
            browser.step(step);
        }
    }
}
