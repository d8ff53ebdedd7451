//! People with an account.

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::{Id, Moment};
pub use crate::role::Role;

/// A user, without the password's hash, which only sign-in reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Never reassigned.
    pub id: Id,
    /// The address as it was typed.
    pub email: String,
    /// The name, if given.
    pub name: Option<String>,
    /// What the user may do.
    pub role: Role,
    /// When the address was proven.
    pub email_verified_at: Option<Moment>,
    /// When the account was disabled, if it is.
    pub disabled_at: Option<Moment>,
    /// When the user last signed in.
    pub last_login_at: Option<Moment>,
    /// When the account was made.
    pub created_at: Moment,
}

impl User {
    /// Whether the user may sign in and stay signed in.
    pub fn is_active(&self) -> bool {
        self.disabled_at.is_none()
    }
}

/// A user as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub struct UserView {
    id: Id,
    /// The address as it was typed.
    #[schema(example = "ada@example.com")]
    email: String,
    #[schema(required = true, example = "Ada Lovelace")]
    name: Option<String>,
    role: Role,
    /// Whether the address was proven.
    email_verified: bool,
    created_at: Moment,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            name: user.name,
            role: user.role,
            email_verified: user.email_verified_at.is_some(),
            created_at: user.created_at,
        }
    }
}
