//! People with an account.

use serde::{Deserialize, Serialize};

use crate::db::{Id, Moment};

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Uses what the services offer.
    #[default]
    User,
    /// Keeps order among users.
    Moderator,
    /// Administers accounts.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::User, Self::Moderator, Self::Admin];

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Its name in the table, in tokens and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
        }
    }
}

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    id: Id,
    email: String,
    name: Option<String>,
    role: Role,
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
