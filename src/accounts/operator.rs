//! What an operator does at the command line.

use std::sync::Arc;

use super::email::EmailAddress;
use super::import::{Fault, NewUser};
use super::last_admin;
use super::store::{self, bulk};
use super::user::{Role, User};
use crate::audit::{self, Event, Kind};
use crate::client::Client;
use crate::clock::Clock;
use crate::crypto::password::PasswordHash;
use crate::db::{AnyConnection, Database, DbError, Id, QueryResult};
use crate::mail::{self, Mail, outbox};
use crate::one_time::Purpose;
use crate::one_time::store as tokens;
use crate::random::Random;
use crate::sessions::end;

/// An operator, with a database and the right to everything in it.
pub struct Operator {
    /// The database, its schema up to date.
    pub database: Database,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives random bytes.
    pub random: Arc<dyn Random>,
}

/// Users looked up or written by one statement, which has room for 32 766 values.
const BATCH: usize = 1000;
/// Users read by one statement.
const PAGE: i64 = 1000;

impl Operator {
    fn record(&self, connection: &mut AnyConnection, event: &Event) -> QueryResult<()> {
        let now = self.clock.now();
        audit::store::record(connection, Id::new(now, &*self.random), event, now)
    }

    /// The user of an address.
    pub fn find(&self, email: &EmailAddress) -> Result<Option<User>, DbError> {
        let found = self.database.read(|connection| store::by_email(connection, email))?;
        Ok(found.map(|(user, _)| user))
    }

    /// At most `limit` users behind `after`.
    pub fn page(&self, after: Option<Id>, limit: i64) -> Result<Vec<User>, DbError> {
        self.database.read(|connection| store::page(connection, after, limit))
    }

    /// Who of these has an account already, as faults of their lines.
    pub fn taken(&self, users: &[NewUser]) -> Result<Vec<Fault>, DbError> {
        let mut faults = Vec::new();
        for batch in users.chunks(BATCH) {
            let canonical: Vec<&str> = batch.iter().map(|new| new.email.canonical()).collect();
            let taken = self.database.read(|connection| bulk::taken(connection, &canonical))?;
            for new in batch.iter().filter(|new| taken.contains(new.email.canonical())) {
                let message = format!("`{}` has an account already", new.email.typed());
                faults.push(Fault::new(new.line, &message));
            }
        }
        Ok(faults)
    }

    /// Adds users, in one transaction; `false` where one of the addresses is taken, and then none is
    /// added. `written` is told how many are, as it goes on.
    pub fn import(&self, users: &[NewUser], written: impl Fn(usize)) -> Result<bool, DbError> {
        let imported = self.database.write(|connection| {
            let mut done = 0;
            for batch in users.chunks(BATCH) {
                bulk::insert(connection, batch)?;
                done += batch.len();
                written(done);
            }
            let event = Event::by_operator(Kind::UsersImported, None);
            self.record(connection, &event.with_detail(format!("{done} users")))
        });
        match imported {
            Err(error) if error.is_unique_violation() => Ok(false),
            imported => imported.map(|()| true),
        }
    }

    /// Hands every user to `each`, with the hash of the password, in the order of their ids and as
    /// they are at one moment; until `each` fails, which is the inner result.
    pub fn export<E>(
        &self,
        mut each: impl FnMut(User, &PasswordHash) -> Result<(), E>,
    ) -> Result<Result<(), E>, DbError> {
        self.database.snapshot(|connection| {
            let mut after = None;
            loop {
                let page = bulk::page(connection, after, PAGE)?;
                let Some((last, _)) = page.last() else { return Ok(Ok(())) };
                after = Some(last.id);
                for (user, hash) in page {
                    if let Err(error) = each(user, &hash) {
                        return Ok(Err(error));
                    }
                }
            }
        })
    }

    /// Makes an administrator; `None` where the address is taken.
    pub fn create_admin(
        &self,
        email: &EmailAddress,
        hash: &PasswordHash,
    ) -> Result<Option<User>, DbError> {
        let created = self.database.write(|connection| {
            let now = self.clock.now();
            let user = User {
                id: Id::new(now, &*self.random),
                email: email.typed().to_owned(),
                name: None,
                role: Role::Admin,
                email_verified_at: Some(now),
                disabled_at: None,
                last_login_at: None,
                created_at: now,
            };
            store::insert(connection, &user, email, hash)?;
            let event = Event::by_operator(Kind::Registered, Some(user.id));
            self.record(connection, &event.with_detail("administrator"))?;
            Ok(user)
        });
        match created {
            Err(error) if error.is_unique_violation() => Ok(None),
            created => created.map(Some),
        }
    }

    /// Sets a user's role, which acts on the next request; `false` where that would leave nobody
    /// who can administer.
    pub fn set_role(&self, user: &User, role: Role) -> Result<bool, DbError> {
        self.database.write(|connection| {
            let is_last = is_last_admin(connection, user.id)?;
            if is_last && role != Role::Admin {
                return Ok(false);
            }
            store::set_role(connection, user.id, role)?;
            let change = format!("{} to {}", user.role.name(), role.name());
            let event = Event::by_operator(Kind::RoleChanged, Some(user.id));
            self.record(connection, &event.with_detail(change))?;
            Ok(true)
        })
    }

    /// Disables an account, ends its sessions and takes its links back; returns how many sessions,
    /// and `None` where that would leave nobody who can administer.
    pub fn disable(&self, user: &User) -> Result<Option<usize>, DbError> {
        self.database.write(|connection| {
            if is_last_admin(connection, user.id)? {
                return Ok(None);
            }
            let now = self.clock.now();
            store::set_disabled(connection, user.id, Some(now))?;
            tokens::revoke_all(connection, user.id)?;
            self.record(connection, &Event::by_operator(Kind::UserDisabled, Some(user.id)))?;
            end::revoke_all_by_operator(connection, user.id, now).map(Some)
        })
    }

    /// Enables an account. Its former sessions stay ended.
    pub fn enable(&self, user: &User) -> Result<(), DbError> {
        self.database.write(|connection| {
            store::set_disabled(connection, user.id, None)?;
            self.record(connection, &Event::by_operator(Kind::UserEnabled, Some(user.id)))
        })
    }

    /// Sets a user's password and ends the user's sessions; returns how many.
    pub fn reset_password(&self, user: &User, hash: &PasswordHash) -> Result<usize, DbError> {
        self.database.write(|connection| {
            store::set_password(connection, user.id, hash)?;
            tokens::revoke(connection, user.id, &[Purpose::ResetPassword, Purpose::ChangeEmail])?;
            let mail = Mail::to(user, mail::Kind::PasswordChanged, &Client::default());
            let now = self.clock.now();
            outbox::post(connection, Id::new(now, &*self.random), &mail, now)?;
            self.record(connection, &Event::by_operator(Kind::PasswordReset, Some(user.id)))?;
            end::revoke_all_by_operator(connection, user.id, self.clock.now())
        })
    }

    /// Ends every session, of one user or of all; returns how many.
    pub fn revoke_sessions(&self, user: Option<&User>) -> Result<usize, DbError> {
        let now = self.clock.now();
        let record = |connection: &mut AnyConnection, ended: usize| {
            let event = Event::by_operator(Kind::SessionsRevoked, user.map(|user| user.id));
            self.record(connection, &event.with_detail(format!("{ended} sessions")))
        };
        let Some(user) = user else {
            let ended = end::revoke_everybody(&self.database, now)?;
            self.database.write(|connection| record(connection, ended))?;
            return Ok(ended);
        };
        self.database.write(|connection| {
            let ended = end::revoke_all_by_operator(connection, user.id, now)?;
            record(connection, ended)?;
            Ok(ended)
        })
    }
}

fn is_last_admin(connection: &mut AnyConnection, user: Id) -> QueryResult<bool> {
    let held = last_admin::hold(connection, user)?;
    Ok(held.is_some_and(|held| held.is_last_admin))
}
