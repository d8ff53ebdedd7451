//! The `users` table.

pub mod bulk;

use diesel::prelude::*;

use super::email::EmailAddress;
use super::user::{Role, User};
use crate::crypto::password::PasswordHash;
use crate::db::schema::users;
use crate::db::{AnyConnection, Id, Moment};

/// The columns of a [`User`], in the order of [`UserRow`].
pub type UserColumns = (
    users::id,
    users::email,
    users::name,
    users::role,
    users::email_verified_at,
    users::disabled_at,
    users::last_login_at,
    users::created_at,
);

/// See [`UserColumns`].
pub const USER: UserColumns = (
    users::id,
    users::email,
    users::name,
    users::role,
    users::email_verified_at,
    users::disabled_at,
    users::last_login_at,
    users::created_at,
);

/// A user as the table holds it.
#[derive(Queryable)]
pub struct UserRow {
    id: Id,
    email: String,
    name: Option<String>,
    role: String,
    email_verified_at: Option<Moment>,
    disabled_at: Option<Moment>,
    last_login_at: Option<Moment>,
    created_at: Moment,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id,
            email: row.email,
            name: row.name,
            // The table allows no other; whatever it were, it would give no right.
            role: Role::named(&row.role).unwrap_or_default(),
            email_verified_at: row.email_verified_at,
            disabled_at: row.disabled_at,
            last_login_at: row.last_login_at,
            created_at: row.created_at,
        }
    }
}

/// A user as it is added to the table.
#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
struct NewRow<'a> {
    id: Id,
    email: &'a str,
    email_canonical: &'a str,
    name: Option<String>,
    password_hash: &'a str,
    role: &'a str,
    email_verified_at: Option<Moment>,
    disabled_at: Option<Moment>,
    last_login_at: Option<Moment>,
    created_at: Moment,
}

impl<'a> NewRow<'a> {
    fn new(user: &'a User, email: &'a EmailAddress, hash: &'a PasswordHash) -> Self {
        Self {
            id: user.id,
            email: &user.email,
            email_canonical: email.canonical(),
            name: user.name.clone(),
            password_hash: hash.as_str(),
            role: user.role.name(),
            email_verified_at: user.email_verified_at,
            disabled_at: user.disabled_at,
            last_login_at: user.last_login_at,
            created_at: user.created_at,
        }
    }
}

/// Adds a user. An address that is taken is a unique violation.
pub fn insert(
    connection: &mut AnyConnection,
    user: &User,
    email: &EmailAddress,
    hash: &PasswordHash,
) -> QueryResult<()> {
    diesel::insert_into(users::table)
        .values(NewRow::new(user, email, hash))
        .execute(connection)
        .map(drop)
}

/// The user of an address.
pub fn by_email(
    connection: &mut AnyConnection,
    email: &EmailAddress,
) -> QueryResult<Option<(User, PasswordHash)>> {
    users::table
        .filter(users::email_canonical.eq(email.canonical()))
        .select((USER, users::password_hash))
        .first::<(UserRow, String)>(connection)
        .optional()
        .map(with_hash)
}

/// The user of an id.
pub fn by_id(connection: &mut AnyConnection, id: Id) -> QueryResult<Option<(User, PasswordHash)>> {
    users::table
        .find(id)
        .select((USER, users::password_hash))
        .first::<(UserRow, String)>(connection)
        .optional()
        .map(with_hash)
}

fn with_hash(row: Option<(UserRow, String)>) -> Option<(User, PasswordHash)> {
    row.map(|(user, hash)| (user.into(), PasswordHash::stored(hash)))
}

/// At most `limit` users whose ids come after `after`, in the order of their ids.
pub fn page(
    connection: &mut AnyConnection,
    after: Option<Id>,
    limit: i64,
) -> QueryResult<Vec<User>> {
    let mut query = users::table.select(USER).order(users::id).limit(limit).into_boxed();
    if let Some(after) = after {
        query = query.filter(users::id.gt(after));
    }
    Ok(query.load::<UserRow>(connection)?.into_iter().map(User::from).collect())
}

/// Notes a sign-in with the password that `checked` is the hash of, and stores `hash` for it.
///
/// `None` where that password is no longer the user's or the account was disabled meanwhile. Holds
/// the user's row until the transaction ends, so that a password change either sees the session
/// that is about to be opened or prevents it.
pub fn sign_in(
    connection: &mut AnyConnection,
    id: Id,
    checked: &PasswordHash,
    hash: &PasswordHash,
    now: Moment,
) -> QueryResult<Option<User>> {
    diesel::update(users::table.find(id))
        .filter(users::password_hash.eq(checked.as_str()))
        .filter(users::disabled_at.is_null())
        .set((users::last_login_at.eq(now), users::password_hash.eq(hash.as_str())))
        .returning(USER)
        .get_result::<UserRow>(connection)
        .optional()
        .map(|row| row.map(User::from))
}

/// The user as he or she is now, whose row nobody else changes until the transaction ends.
pub fn hold(connection: &mut AnyConnection, id: Id) -> QueryResult<Option<User>> {
    diesel::update(users::table.find(id))
        .set(users::email.eq(users::email))
        .returning(USER)
        .get_result::<UserRow>(connection)
        .optional()
        .map(|row| row.map(User::from))
}

/// Notes that the user has proven to own `email`, if it still is the user's; `false` where it is not.
pub fn set_verified(
    connection: &mut AnyConnection,
    id: Id,
    email: &EmailAddress,
    now: Moment,
) -> QueryResult<bool> {
    diesel::update(users::table.find(id))
        .filter(users::email_canonical.eq(email.canonical()))
        .set(users::email_verified_at.eq(now))
        .execute(connection)
        .map(|changed| changed == 1)
}

/// Gives the user another address, which is proven. One that is taken is a unique violation.
pub fn set_email(
    connection: &mut AnyConnection,
    id: Id,
    email: &EmailAddress,
    now: Moment,
) -> QueryResult<bool> {
    diesel::update(users::table.find(id))
        .set((
            users::email.eq(email.typed()),
            users::email_canonical.eq(email.canonical()),
            users::email_verified_at.eq(now),
        ))
        .execute(connection)
        .map(|changed| changed == 1)
}

/// Replaces the password that `checked` is the hash of, and returns whose it is; `None` where it is no
/// longer the user's. Holds the user's row until the transaction ends.
pub fn change_password(
    connection: &mut AnyConnection,
    id: Id,
    checked: &PasswordHash,
    hash: &PasswordHash,
) -> QueryResult<Option<User>> {
    diesel::update(users::table.find(id))
        .filter(users::password_hash.eq(checked.as_str()))
        .set(users::password_hash.eq(hash.as_str()))
        .returning(USER)
        .get_result::<UserRow>(connection)
        .optional()
        .map(|row| row.map(User::from))
}

/// Sets the password whatever it was; `false` where there is no such user.
pub fn set_password(
    connection: &mut AnyConnection,
    id: Id,
    hash: &PasswordHash,
) -> QueryResult<bool> {
    diesel::update(users::table.find(id))
        .set(users::password_hash.eq(hash.as_str()))
        .execute(connection)
        .map(|changed| changed == 1)
}

/// Sets the name; returns the user as it is then.
pub fn rename(
    connection: &mut AnyConnection,
    id: Id,
    name: Option<&str>,
) -> QueryResult<Option<User>> {
    diesel::update(users::table.find(id))
        .set(users::name.eq(name))
        .returning(USER)
        .get_result::<UserRow>(connection)
        .optional()
        .map(|row| row.map(User::from))
}

/// Sets the role; `false` where there is no such user.
pub fn set_role(connection: &mut AnyConnection, id: Id, role: Role) -> QueryResult<bool> {
    diesel::update(users::table.find(id))
        .set(users::role.eq(role.name()))
        .execute(connection)
        .map(|changed| changed == 1)
}

/// Disables the account since `since`, or enables it; `false` where there is no such user.
pub fn set_disabled(
    connection: &mut AnyConnection,
    id: Id,
    since: Option<Moment>,
) -> QueryResult<bool> {
    diesel::update(users::table.find(id))
        .set(users::disabled_at.eq(since))
        .execute(connection)
        .map(|changed| changed == 1)
}

/// Whether anybody besides `id` is an administrator and active.
pub fn has_other_admin(connection: &mut AnyConnection, id: Id) -> QueryResult<bool> {
    let other: Option<Id> = users::table
        .filter(users::role.eq(Role::Admin.name()))
        .filter(users::disabled_at.is_null())
        .filter(users::id.ne(id))
        .select(users::id)
        .first(connection)
        .optional()?;
    Ok(other.is_some())
}

/// Deletes the account; `false` where there is no such user.
pub fn delete(connection: &mut AnyConnection, id: Id) -> QueryResult<bool> {
    diesel::delete(users::table.find(id)).execute(connection).map(|deleted| deleted == 1)
}
