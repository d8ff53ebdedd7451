//! Which of the presented refresh tokens is meant.
//!
//! A browser may send several cookies of one name (another path, another host of the site, a jar
//! that was restored). Of one session the highest generation counts; of several sessions, the live
//! one; two live ones are for nobody to guess.

use std::collections::BTreeMap;

use super::claims::{RefreshClaims, TokenFault, Tokens};
use super::store;
use super::token::Transport;
use crate::accounts::user::User;
use crate::app::App;
use crate::db::{DbError, Id, Moment};

/// What came of looking through the presented tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// This one is meant.
    One(RefreshClaims),
    /// None came.
    Missing,
    /// None of them is good.
    Faulty(TokenFault),
    /// Each of these is the best of its session; the tables have to say which session is live.
    Several(Vec<RefreshClaims>),
}

/// Looks through tokens by what they themselves say.
pub fn choose(tokens: &Tokens, presented: &[&str], now: Moment) -> Choice {
    let mut best: BTreeMap<Id, RefreshClaims> = BTreeMap::new();
    let mut fault = None;
    for token in presented {
        match tokens.verify_refresh(token, now) {
            Ok(claims) => match best.get(&claims.sid) {
                Some(known) if known.generation >= claims.generation => {}
                _ => drop(best.insert(claims.sid, claims)),
            },
            Err(TokenFault::Expired) => fault = Some(TokenFault::Expired),
            Err(TokenFault::Invalid) => fault = fault.or(Some(TokenFault::Invalid)),
        }
    }
    let mut best: Vec<RefreshClaims> = best.into_values().collect();
    match (best.pop(), fault) {
        (Some(only), _) if best.is_empty() => Choice::One(only),
        (Some(last), _) => {
            best.push(last);
            Choice::Several(best)
        }
        (None, Some(fault)) => Choice::Faulty(fault),
        (None, None) => Choice::Missing,
    }
}

/// The one of `candidates` whose session is live, or any where none is; `None` where two are.
pub fn the_live_one(
    app: &App,
    candidates: Vec<RefreshClaims>,
) -> Result<Option<RefreshClaims>, DbError> {
    let ids: Vec<Id> = candidates.iter().map(|claims| claims.sid).collect();
    let sessions = app.database.read(|connection| store::with_users(connection, &ids))?;
    let now = app.now();
    let is_live = |claims: &RefreshClaims| {
        sessions.iter().any(|(session, user)| {
            session.id == claims.sid
                && session.transport == Transport::Cookie
                && session.is_live(now)
                && user.as_ref().is_some_and(User::is_active)
        })
    };
    let (mut live, dead): (Vec<_>, Vec<_>) = candidates.into_iter().partition(is_live);
    if live.len() > 1 {
        return Ok(None);
    }
    Ok(live.pop().or_else(|| dead.into_iter().max_by_key(|claims| claims.iat)))
}
