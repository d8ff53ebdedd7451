//! A thief who copies a token, or several, and acts as any client; and an owner whose messages fare
//! as badly as they may. [`World`] checks each answer; in the end both are made to show themselves.

use super::*;
use crate::key;

/// How somebody asks.
#[derive(Debug, Clone, Copy)]
struct Manner {
    browser: bool,
    key: Option<u8>,
    /// Whether the answer comes.
    comes: bool,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    OwnerAsks(Manner),
    ThiefAsks(Manner),
    /// The thief copies what the owner has.
    Copy,
    /// So many milliseconds pass.
    Pass(u64),
    SetBack(u64),
    BackUp,
    Restore(prop::sample::Index),
    Revoke,
}

fn manners() -> impl Strategy<Value = Manner> {
    let key = prop::option::of(0..4u8);
    (any::<bool>(), key, prop::bool::weighted(0.8)).prop_map(|(browser, key, comes)| Manner {
        browser,
        key,
        comes,
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        30 => manners().prop_map(Step::OwnerAsks),
        20 => manners().prop_map(Step::ThiefAsks),
        5 => Just(Step::Copy),
        30 => (0..20_000u64).prop_map(Step::Pass),
        5 => (0..200_000_000u64).prop_map(Step::Pass),
        3 => (0..5_000u64).prop_map(Step::SetBack),
    ];
    prop::collection::vec(step, 1..60)
}

/// With everything that makes a theft hard to tell.
fn wild_steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    let wild = prop_oneof![
        Just(Step::BackUp),
        index().prop_map(Step::Restore),
        Just(Step::Revoke),
        Just(Step::Copy),
        manners().prop_map(Step::OwnerAsks),
    ];
    (steps(), prop::collection::vec((index(), wild), 0..12)).prop_map(|(mut steps, wild)| {
        for (at, step) in wild {
            steps.insert(at.index(steps.len() + 1), step);
        }
        steps
    })
}

struct Theft {
    world: World,
    owner: Token,
    thief: Option<Token>,
}

impl Theft {
    fn play(grace_millis: u64, steps: Vec<Step>) -> Self {
        let world = World::new(grace_millis);
        let mut theft = Self { owner: world.live(), world, thief: None };
        for step in steps {
            theft.step(step);
        }
        theft
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::OwnerAsks(manner) => {
                if let Some(token) = self.ask(Holder::Owner, self.owner, manner) {
                    self.owner = token;
                }
            }
            Step::ThiefAsks(manner) => {
                if let Some(copy) = self.thief {
                    self.thief = self.ask(Holder::Thief, copy, manner).or(self.thief);
                }
            }
            Step::Copy => self.thief = Some(self.owner),
            Step::Pass(millis) => self.world.pass(Duration::from_millis(millis)),
            Step::SetBack(millis) => self.world.set_back(Duration::from_millis(millis)),
            Step::BackUp => self.world.back_up(),
            Step::Restore(which) => self.world.restore(which),
            Step::Revoke => self.world.revoke(),
        }
    }

    fn ask(&mut self, holder: Holder, token: Token, manner: Manner) -> Option<Token> {
        // Nobody but its maker knows a key.
        let offset = if holder == Holder::Thief { 100 } else { 0 };
        let key = manner.key.map(|number| key(number + offset));
        let request = Request { holder, token, key, browser: manner.browser };
        self.world.refresh(request).ok().filter(|_| manner.comes)
    }

    /// Both ask once more, further apart than any grace.
    fn both_ask_again(&mut self, thief_first: bool) {
        let plainly = Manner { browser: false, key: None, comes: true };
        let mut both = [Step::OwnerAsks(plainly), Step::ThiefAsks(plainly)];
        if thief_first {
            both.reverse();
        }
        for ask in both {
            // Longer than any grace here and any setting back of the clock.
            self.world.pass(Duration::from_secs(600));
            self.step(ask);
        }
    }
}

proptest! {
    #![proptest_config(plays())]

    #[test]
    fn is_caught_when_both_have_used_what_they_have(
        grace in graces(),
        steps in steps(),
        thief_first in any::<bool>(),
    ) {
        let mut theft = Theft::play(grace, steps);
        if theft.thief.is_some() {
            theft.both_ask_again(thief_first);
            let world = &theft.world;
            // What has expired, in the hands of either, is of no use to anybody.
            let held = [Some(theft.owner), theft.thief].into_iter().flatten();
            let over = |token: Token| token.exp <= world.now.unix_seconds();
            let is_over = held.map(over).fold(world.row.expires_at <= world.now, |a, b| a || b);
            prop_assert!(world.row.revoked_at.is_some() || is_over, "nobody noticed");
        }
    }

    #[test]
    fn breaks_no_promise_amid_backups_and_revocations(grace in graces(), steps in wild_steps()) {
        Theft::play(grace, steps);
    }
}
