//! Whose socket it is, by which token, and whether that is still good.

use std::time::Duration;

use symbolon::clock::Clock;
use symbolon::secret::Secret;
use symbolon::verifier::{Caller, Refusal, Verifier};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The longest time before a token's end that its end is announced.
const LONGEST_NOTICE: Duration = Duration::from_secs(30);

/// How long before its end a token of which so much is left is announced to end: half of what is
/// left, where that is no longer than usual.
fn notice(left: Duration) -> Duration {
    if left > LONGEST_NOTICE { LONGEST_NOTICE } else { left / 2 }
}

/// What the verifier says of a token.
pub struct Verdict {
    /// The newer token that it is about, if it is not about the present one.
    renewal: Option<Secret>,
    said: Result<Caller, Refusal>,
}

/// What follows from a verdict.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The socket goes on; its user may have another role, its token another name.
    Good,
    /// It goes on as before, and its user is told this.
    NotRenewed(&'static str),
    /// It is closed.
    Unauthorized,
}

/// The token of a socket. Asking about it never holds the socket up: questions are tasks of their
/// own, and [`Standing::verdict`] is there when one is answered.
pub struct Standing {
    /// Whose it is, as far as is known now.
    pub caller: Caller,
    /// When the token is no longer good.
    pub ends_at: Instant,
    /// When that is to be announced, until it was.
    pub notice_at: Option<Instant>,
    token: Secret,
    verifier: Verifier,
    questions: JoinSet<Verdict>,
    is_checking: bool,
    is_renewing: bool,
}

impl Standing {
    /// Of a token that the verifier has just found good.
    pub fn new(verifier: Verifier, token: Secret, caller: Caller, clock: &dyn Clock) -> Self {
        let left = caller.expires_at.since(clock.now());
        let ends_at = Instant::now() + left;
        Self {
            caller,
            ends_at,
            notice_at: Some(ends_at - notice(left)),
            token,
            verifier,
            questions: JoinSet::new(),
            is_checking: false,
            is_renewing: false,
        }
    }

    /// Asks whether the token is still good, unless that is being asked.
    pub fn check(&mut self) {
        if !self.is_checking {
            self.is_checking = true;
            self.ask(None);
        }
    }

    /// Asks whether `token` is good to go on with; not while that is being asked of another one.
    pub fn renew(&mut self, token: Secret) -> Result<(), &'static str> {
        if self.is_renewing {
            return Err("Another token is being checked");
        }
        self.is_renewing = true;
        self.ask(Some(token));
        Ok(())
    }

    fn ask(&mut self, renewal: Option<Secret>) {
        let (verifier, present) = (self.verifier.clone(), self.token.clone());
        self.questions.spawn_local(async move {
            let said = verifier.verify(renewal.as_ref().unwrap_or(&present).expose()).await;
            Verdict { renewal, said }
        });
    }

    /// The next answer; `None` where nothing is being asked.
    pub async fn verdict(&mut self) -> Option<Verdict> {
        self.questions.join_next().await?.ok()
    }

    /// Does what follows from an answer.
    pub fn judge(&mut self, verdict: Verdict, clock: &dyn Clock) -> Outcome {
        let Verdict { renewal, said } = verdict;
        let Some(token) = renewal else {
            self.is_checking = false;
            return self.judge_present(said);
        };
        self.is_renewing = false;
        match said {
            Ok(caller)
                if caller.user == self.caller.user
                    && caller.expires_at >= self.caller.expires_at =>
            {
                // Whatever is still being asked is about a token that does not matter any more.
                *self = Self::new(self.verifier.clone(), token, caller, clock);
                Outcome::Good
            }
            Ok(caller) if caller.user == self.caller.user => {
                Outcome::NotRenewed("This token ends sooner than the one before")
            }
            Ok(_) => Outcome::NotRenewed("This token is another user's"),
            Err(Refusal::Unavailable) => Outcome::NotRenewed("Tokens cannot be checked now"),
            Err(_) => Outcome::NotRenewed("This token is not valid"),
        }
    }

    fn judge_present(&mut self, said: Result<Caller, Refusal>) -> Outcome {
        match said {
            Ok(caller) => {
                self.caller = caller;
                Outcome::Good
            }
            // Nobody is thrown out because nobody can be asked: the token has its end in any case.
            Err(Refusal::Unavailable) => Outcome::Good,
            Err(_) => Outcome::Unauthorized,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_announced_30_s_before_or_half_way() {
        let seconds = Duration::from_secs;
        assert_eq!(notice(seconds(900)), seconds(30));
        assert_eq!(notice(seconds(60)), seconds(30));
        assert_eq!(notice(seconds(45)), seconds(30));
        assert_eq!(notice(seconds(20)), seconds(10));
        assert_eq!(notice(seconds(3)), Duration::from_millis(1500));
        assert_eq!(notice(Duration::ZERO), Duration::ZERO);
    }
}
