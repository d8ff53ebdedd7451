//! A phone's day.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::Phone;
use crate::settings::run;
use crate::support::faketime::MovedClock;
use crate::support::lossy::{Loss, Lossy, Seen};
use crate::support::process::{Process, free_port, on};
use crate::support::{Db, PASSWORD};

/// How long an access token is good, in seconds.
const LIFE: u32 = 15 * 60;

/// A phone, what is between it and the service, and the clocks of both.
struct Day<F> {
    program: F,
    phone: Phone,
    /// What the phone keeps.
    file: PathBuf,
    network: Lossy,
    clock: MovedClock,
    _service: Process,
    db: Db,
}

impl<F: Fn() -> Command> Day<F> {
    fn begin(program: F) -> Self {
        let db = Db::sqlite();
        let clock = MovedClock::new(&db);
        let service = Process::start(&db, free_port(), &clock.variables());
        let file = db.dir.path().join("phone");
        let network = Lossy::start(&service, &file);
        let phone = Phone::start(program(), &network.base, &file);
        Self { program, phone, file, network, clock, _service: service, db }
    }

    /// So many seconds pass for everybody.
    fn pass(&mut self, seconds: u32) {
        self.clock.step(seconds);
        assert_eq!(self.phone.say(&format!("wait {seconds}")), "done");
    }

    /// The app is killed, and started again after so many seconds.
    fn restart(&mut self, seconds: u32) {
        self.clock.step(seconds);
        self.phone = Phone::start((self.program)(), &self.network.base, &self.file);
    }

    /// What the phone keeps now; `null` where that is nothing.
    fn kept(&self) -> Value {
        let text = std::fs::read_to_string(&self.file);
        text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    /// Eight calls at once, which have to succeed after so many refreshes.
    #[track_caller]
    fn calls_succeed(&mut self, refreshes: usize, when: &str) {
        assert_eq!(self.phone.say("calls 8"), "200", "{when}");
        assert_eq!(self.network.refreshes().len(), refreshes, "{when}");
    }

    /// A call that has to fail for now; the refreshes that were tried.
    #[track_caller]
    fn call_fails_for_now(&mut self, when: &str) -> Vec<Seen> {
        assert_eq!(self.phone.say("calls 1"), "later", "{when}");
        self.network.refreshes()
    }

    fn events(&self, kind: &str) -> i64 {
        self.db.number(&format!("SELECT count(*) FROM audit_events WHERE kind = '{kind}'"))
    }
}

/// What a client of ours has to do, from its being installed to the end of its session.
pub(super) fn a_phone_keeps_its_session(program: impl Fn() -> Command) {
    let mut day = Day::begin(program);
    assert_eq!(day.phone.say("calls 1"), "401");
    assert_eq!(
        day.phone.say(&format!("login ada@example.com {PASSWORD}")),
        "refused INVALID_CREDENTIALS"
    );
    assert_eq!(day.phone.say(&format!("register ada@example.com {PASSWORD}")), "done");
    day.calls_succeed(0, "signed in");

    it_refreshes_once_and_in_time(&mut day);
    for killed in [false, true] {
        for loss in [Loss::Requests, Loss::Answers, Loss::HalfOfAnswers, Loss::Unavailable(1)] {
            what_is_lost_is_asked_for_again(&mut day, loss, killed);
        }
    }
    it_waits_as_long_as_it_is_told_to(&mut day);
    assert_eq!(day.events("refresh_token_reused"), 0);
    it_logs_out(&mut day);
    it_hears_of_the_end(&mut day);
}

fn it_refreshes_once_and_in_time(day: &mut Day<impl Fn() -> Command>) {
    // The service finds it expired, the phone does not.
    day.clock.step(LIFE);
    day.calls_succeed(1, "after a refusal");
    assert!(day.network.answered().contains(&("/auth/me".into(), 401)));
    // The phone knows.
    day.pass(LIFE - 61);
    day.calls_succeed(0, "more than a minute before the end");
    day.pass(32);
    day.calls_succeed(1, "half a minute before the end");
    day.pass(LIFE + 1);
    day.calls_succeed(1, "after the end");
    // A wrong password is a 401 too.
    assert_eq!(day.phone.say("guess"), "401");
    assert_eq!(day.network.refreshes(), []);
    assert!(!day.network.answered().contains(&("/auth/me".into(), 401)));
    // In memory there is none.
    day.restart(1);
    day.calls_succeed(1, "after a restart");
}

/// With the same key, which was kept before it was sent, until there is a new token.
fn what_is_lost_is_asked_for_again(day: &mut Day<impl Fn() -> Command>, loss: Loss, killed: bool) {
    let when = &format!("{loss:?}, {}", if killed { "killed" } else { "in a tunnel" });
    day.pass(LIFE);
    day.network.lose(loss);
    let token = day.kept()["refreshToken"].clone();
    let mut asked = day.call_fails_for_now(when);
    assert!(!asked.is_empty(), "{when}");
    if killed {
        day.restart(3_600);
        asked.extend(day.call_fails_for_now(when));
        day.restart(3_600);
    } else {
        assert_eq!(day.call_fails_for_now(when), [], "at once again, {when}");
        day.pass(60);
        asked.extend(day.call_fails_for_now(when));
        day.pass(3_600);
    }
    day.network.lose(Loss::Nothing);
    assert_eq!(day.phone.say("calls 8"), "200", "{when}");
    asked.extend(day.network.refreshes());

    let key = asked[0].key.clone().expect("a key");
    for seen in &asked {
        assert_eq!(*seen, Seen { key: Some(key.clone()), ..asked[0].clone() }, "{when}");
    }
    let bare = key.trim_matches('"');
    assert!(asked[0].body.contains(token.as_str().unwrap()), "{when}");
    assert!(asked[0].kept.contains(bare), "sent before it was kept, {when}: {asked:?}");
    assert_ne!(day.kept()["refreshToken"], token, "{when}");
    assert!(day.kept()["idempotencyKey"].is_null(), "{when}");
}

fn it_waits_as_long_as_it_is_told_to(day: &mut Day<impl Fn() -> Command>) {
    day.pass(LIFE);
    day.network.lose(Loss::Unavailable(300));
    assert_eq!(day.call_fails_for_now("overloaded").len(), 1);
    day.network.lose(Loss::Nothing);
    day.pass(299);
    assert_eq!(day.call_fails_for_now("too early"), []);
    day.pass(61);
    day.calls_succeed(1, "after the wait");
    // Ahead of its end the token is good, whatever becomes of the refresh.
    day.pass(LIFE - 20);
    day.network.lose(Loss::Unavailable(1));
    day.calls_succeed(1, "when it was only due");
    day.network.lose(Loss::Nothing);
}

fn it_logs_out(day: &mut Day<impl Fn() -> Command>) {
    day.pass(LIFE);
    day.network.lose(Loss::Requests);
    assert_eq!(day.phone.say("logout"), "later");
    assert!(day.kept()["refreshToken"].is_string(), "who is offline stays signed in");
    day.network.lose(Loss::Nothing);
    day.pass(60);
    day.network.answered();
    assert_eq!(day.phone.say("logout"), "done");
    let asked = [("/auth/refresh-token".into(), 200), ("/auth/logout".into(), 204)];
    assert_eq!(day.network.answered(), asked);
    day.network.refreshes();
    assert_eq!(day.kept(), Value::Null);
    assert_eq!(day.phone.say("calls 1"), "401");
    assert_eq!((day.events("signed_out"), day.events("refresh_token_reused")), (1, 0));
}

fn it_hears_of_the_end(day: &mut Day<impl Fn() -> Command>) {
    assert_eq!(day.phone.say(&format!("login ada@example.com {PASSWORD}")), "done");
    day.calls_succeed(0, "signed in again");
    run(on(&day.db).args(["sessions", "revoke", "--all"])).done();
    assert_eq!(day.phone.say("calls 1"), "over SESSION_REVOKED");
    assert_eq!(day.phone.told, ["SESSION_REVOKED"]);
    assert_eq!(day.kept(), Value::Null);
    assert_eq!(day.phone.say("calls 1"), "401");
    assert_eq!(day.phone.say("logout"), "done");
}
