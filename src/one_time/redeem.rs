//! Using a token up.

use super::{Purpose, store};
use crate::accounts::store as users;
use crate::accounts::user::User;
use crate::db::{AnyConnection, Id, Moment, QueryResult};

/// Uses a token up and holds the row of its user, who is active; also returns the address that it was
/// mailed to. `None` where the token is not good.
///
/// The row is held first, as everywhere: whoever issues tokens holds it before touching them, and
/// two that take locks in different orders wait for each other.
pub fn redeem(
    connection: &mut AnyConnection,
    id: Id,
    purpose: Purpose,
    now: Moment,
) -> QueryResult<Option<(User, String)>> {
    let Some(found) = store::find(connection, id, purpose, now)? else { return Ok(None) };
    let held = users::hold(connection, found.user)?.filter(User::is_active);
    let Some(user) = held else { return Ok(None) };
    let redeemed = store::redeem(connection, id, purpose, now)?;
    Ok(redeemed.map(|redeemed| (user, redeemed.email)))
}
