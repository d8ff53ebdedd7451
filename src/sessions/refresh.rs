//! What is asked of the writer of rotations, and what it answers.

use thiserror::Error;

use super::token::{Presented, Session, Transport};
use crate::accounts::user::User;
use crate::client::Client;
use crate::db::Id;

/// A refresh token that is to be rotated; its signature held and it has not expired.
#[derive(Debug, Clone)]
pub struct Refresh {
    /// The session it names.
    pub session: Id,
    /// What the rule judges.
    pub presented: Presented,
    /// How it came.
    pub transport: Transport,
    /// Where it came from.
    pub client: Client,
}

/// What became of a refresh.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The session goes on, with this live token.
    Live(Box<(Session, User)>, How),
    /// It does not.
    Refused(Refusal),
}

/// How a session went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Its token was replaced.
    Rotated,
    /// Its live token is answered again.
    Replayed,
}

/// Why a session does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such session.
    Unknown,
    /// The token came by the other transport than its session's.
    WrongTransport,
    /// The session was ended, or its user is gone or disabled.
    Revoked,
    /// The session is past its time.
    Expired,
    /// The token had been replaced: the session has been ended.
    Reused,
}

/// The database did not carry out a refresh. Whether a rotation stands is unknown: the client's
/// repeat finds out by the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotWritten {
    /// It could not be reached, or the commit is unclear.
    #[error("the database is not available")]
    Unavailable,
    /// It refused the statement.
    #[error("the database refused a rotation")]
    Refused,
}
