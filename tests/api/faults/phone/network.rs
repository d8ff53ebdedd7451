//! What becomes of a phone's requests, and of the answers to them.

use std::collections::BTreeMap;

use ureq::http::HeaderMap;

use crate::faults::generation;
use crate::http::raw::Line;
use crate::support::{Answer, Client};

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// Its answer comes.
    Answered,
    /// It gets lost.
    RequestLost,
    /// Half of it arrives, then the connection breaks.
    RequestCut,
    /// The answer gets lost.
    AnswerLost,
    /// The connection breaks in the middle of the answer.
    AnswerCut,
    /// The phone has waited long enough. The request is still under way, and so will be the next.
    GivenUp,
    /// So it has, and closed its side.
    HungUp,
    /// A proxy answers 503 by itself.
    UnavailableBefore,
    /// A proxy has waited long enough and answers 503, though the server will have answered.
    UnavailableAfter,
    /// It arrives twice at once.
    Doubled,
}

/// How often each comes up of a hundred times.
pub(super) const FATES: [(u32, Fate); 10] = [
    (55, Fate::Answered),
    (5, Fate::RequestLost),
    (5, Fate::RequestCut),
    (8, Fate::AnswerLost),
    (7, Fate::AnswerCut),
    (4, Fate::GivenUp),
    (4, Fate::HungUp),
    (3, Fate::UnavailableBefore),
    (4, Fate::UnavailableAfter),
    (5, Fate::Doubled),
];

/// A refresh, as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub token: String,
    pub key: Option<String>,
}

impl Request {
    fn bytes(&self) -> Vec<u8> {
        let body = format!(r#"{{"refreshToken":"{}"}}"#, self.token);
        let key = self.key.as_ref().map(|key| format!("Idempotency-Key: \"{key}\"\r\n"));
        let head = "POST /auth/refresh-token HTTP/1.1\r\nHost: auth.test\r\n\
                    User-Agent: phone\r\nContent-Type: application/json\r\n";
        let (key, length) = (key.unwrap_or_default(), body.len());
        format!("{head}{key}Content-Length: {length}\r\n\r\n{body}").into_bytes()
    }
}

/// What is between one phone and the server, and sees every answer.
pub(super) struct Network<'a> {
    server: &'a Client,
    /// The connection that is kept open.
    line: Option<Line>,
    /// Requests that somebody has given up, and which have not been answered yet.
    under_way: Vec<(Request, Line)>,
    /// The tokens that the server has handed out, by their generation.
    tokens: BTreeMap<i64, String>,
    /// The first answer that ended the session, or told of its end.
    pub refusal: Option<Answer>,
}

impl<'a> Network<'a> {
    pub fn new(server: &'a Client) -> Self {
        let tokens = BTreeMap::new();
        Self { server, line: None, under_way: Vec::new(), tokens, refusal: None }
    }

    /// What the phone hears of a request: an answer of the server's or a proxy's, or none.
    pub fn send(&mut self, request: &Request, fate: Fate) -> Option<Answer> {
        match fate {
            Fate::RequestLost | Fate::UnavailableBefore => {}
            Fate::RequestCut => {
                let bytes = request.bytes();
                self.line().say(&bytes[..bytes.len() / 2]);
            }
            Fate::Answered => {
                let mut line = self.say(request);
                let answer = self.hear(request, &mut line);
                self.line = Some(line).filter(|_| answer.is_some());
                return answer;
            }
            Fate::AnswerLost | Fate::UnavailableAfter => {
                let mut line = self.say(request);
                self.hear(request, &mut line);
            }
            Fate::AnswerCut => self.say(request).wait_for_an_answer(),
            Fate::GivenUp | Fate::HungUp => {
                let line = self.say(request);
                if fate == Fate::HungUp {
                    line.hang_up();
                }
                self.under_way.push((request.clone(), line));
            }
            Fate::Doubled => {
                let (twin, mut line) = (self.say(request), self.say(request));
                self.under_way.push((request.clone(), twin));
                return self.hear(request, &mut line);
            }
        }
        let by_proxy = matches!(fate, Fate::UnavailableBefore | Fate::UnavailableAfter);
        let unavailable = Answer { status: 503, headers: HeaderMap::new(), text: String::new() };
        by_proxy.then_some(unavailable)
    }

    /// A copy of a request arrives that was answered long ago.
    pub fn repeat(&mut self, request: &Request) {
        let mut line = self.say(request);
        self.hear(request, &mut line).expect("an answer");
    }

    /// Waits until nothing is under way any more. Between two refreshes of a phone there are
    /// minutes, and no request takes as long.
    pub fn settle(&mut self) {
        for (request, mut line) in std::mem::take(&mut self.under_way) {
            self.hear(&request, &mut line);
        }
    }

    /// The token that was replaced by this one.
    pub fn token_before(&self, token: &str) -> &str {
        &self.tokens[&(generation(token) - 1)]
    }

    /// The app is gone, and its connection with it.
    pub fn close(&mut self) {
        self.line = None;
    }

    fn line(&mut self) -> Line {
        self.line.take().unwrap_or_else(|| Line::to(self.server))
    }

    fn say(&mut self, request: &Request) -> Line {
        let mut line = self.line();
        line.say(&request.bytes());
        line
    }

    /// Hears an answer out. Whatever is presented gets the one token that follows it.
    fn hear(&mut self, request: &Request, line: &mut Line) -> Option<Answer> {
        let answer = line.try_next()?;
        if answer.status == 200 {
            let token = answer.refresh_token();
            let next = generation(&request.token) + 1;
            assert_eq!(generation(&token), next, "not the token that follows");
            let first = self.tokens.entry(next).or_insert_with(|| token.clone());
            assert_eq!(*first, token, "two tokens of one generation");
        } else if answer.status == 401 {
            self.refusal.get_or_insert_with(|| answer.clone());
        } else {
            // By the server itself, where the machine is busy.
            answer.clone().expect_failure(503, "UNAVAILABLE");
        }
        Some(answer)
    }
}
