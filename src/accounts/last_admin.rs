//! Somebody has to be left who can administer.

use super::store;
use super::user::{Role, User};
use crate::db::{AnyConnection, Id, QueryResult, turns};

/// Whoever takes an administrator's rights away takes a turn of this name.
const TURN: [u8; 8] = *b"sym:admn";

/// A user whose row nobody else changes until the transaction ends.
#[derive(Debug)]
pub struct Held {
    /// The user as he or she is now.
    pub user: User,
    /// Whether nobody else is an administrator who can sign in: then this one has to stay one.
    pub is_last_admin: bool,
}

/// Holds a user who may be demoted, disabled or deleted, as the first thing of a transaction; `None`
/// where there is no such user.
///
/// Two administrators who demote each other would each see the other one stay, so from here to its
/// end one such transaction waits for the other.
pub fn hold(connection: &mut AnyConnection, id: Id) -> QueryResult<Option<Held>> {
    turns::take(connection, TURN)?;
    let Some(user) = store::hold(connection, id)? else { return Ok(None) };
    let is_admin = user.role == Role::Admin && user.is_active();
    let is_last_admin = is_admin && !store::has_other_admin(connection, id)?;
    Ok(Some(Held { user, is_last_admin }))
}
