//! A client that asks again until it has an answer: with a key, however long that takes and
//! whatever gets lost; without one, where nothing gets lost. Any grace will do for it, also none.

use super::*;
use crate::key;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Asks, or asks again.
    Ask,
    /// A request arrives, perhaps one that was given up.
    Arrive,
    /// An answer comes.
    Come(prop::sample::Index),
    /// A request gets lost, where there are keys.
    LoseRequest,
    /// An answer gets lost, where there are keys.
    LoseAnswer,
    /// So many seconds pass.
    Pass(u64),
    /// The server's clock is set back by so many milliseconds.
    SetBack(u64),
    BackUp,
    Restore(prop::sample::Index),
    Revoke,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    let step = prop_oneof![
        30 => Just(Step::Ask),
        30 => Just(Step::Arrive),
        25 => index().prop_map(Step::Come),
        5 => Just(Step::LoseRequest),
        8 => Just(Step::LoseAnswer),
        10 => (0..90u64).prop_map(Step::Pass),
        10 => (0..400_000u64).prop_map(Step::Pass),
        3 => (0..5_000u64).prop_map(Step::SetBack),
        3 => Just(Step::BackUp),
        2 => index().prop_map(Step::Restore),
        1 => Just(Step::Revoke),
    ];
    prop::collection::vec(step, 1..150)
}

struct Phone {
    world: World,
    token: Token,
    keys: bool,
    /// How many questions it has had answered; names the key of the next.
    answered: u8,
    /// How often the question under way was sent and has not arrived.
    requests: usize,
    answers: Vec<Token>,
}

impl Phone {
    fn new(grace_millis: u64, keys: bool) -> Self {
        let world = World::new(grace_millis);
        Self { token: world.live(), world, keys, answered: 0, requests: 0, answers: Vec::new() }
    }

    fn is_quiet(&self) -> bool {
        self.requests == 0 && self.answers.is_empty()
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Ask if self.keys || self.is_quiet() => self.requests += 1,
            Step::Arrive if self.requests > 0 => self.arrive(),
            Step::Come(which) if !self.answers.is_empty() => {
                self.token = *which.get(&self.answers);
                self.answered = self.answered.wrapping_add(1);
                // A question that has its answer is not sent again.
                (self.requests, self.answers) = (0, Vec::new());
            }
            Step::LoseRequest if self.keys => self.requests = self.requests.saturating_sub(1),
            Step::LoseAnswer if self.keys => drop(self.answers.pop()),
            Step::Pass(seconds) => self.world.pass(Duration::from_secs(seconds)),
            Step::SetBack(millis) => self.world.set_back(Duration::from_millis(millis)),
            Step::BackUp => self.world.back_up(),
            Step::Restore(which) if self.keys || self.is_quiet() => self.world.restore(which),
            Step::Revoke => self.world.revoke(),
            _ => {}
        }
    }

    fn arrive(&mut self) {
        self.requests -= 1;
        let request = Request {
            holder: Holder::Owner,
            token: self.token,
            key: self.keys.then(|| key(self.answered)),
            browser: false,
        };
        match self.world.refresh(request) {
            Ok(token) => self.answers.push(token),
            Err(verdict) => {
                assert!(self.world.may_be_refused(self.token), "logged out: {verdict:?}");
                assert_ne!(verdict, Verdict::Reused, "taken for a thief");
            }
        }
    }
}

proptest! {
    #![proptest_config(plays())]

    #[test]
    fn is_never_logged_out(grace in graces(), keys in any::<bool>(), steps in steps()) {
        let mut phone = Phone::new(grace, keys);
        for step in steps {
            phone.step(step);
        }
    }
}
