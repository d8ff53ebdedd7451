//! Mail: a row in the outbox, written in the transaction that causes it, and sent by a worker.

pub mod device;
pub mod letter;
pub mod outbox;
pub mod store;
pub mod transport;

use crate::accounts::user::User;
use crate::client::Client;
use crate::db::Id;
use crate::one_time::Purpose;

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To the address of a new account: prove it.
    VerifyEmail,
    /// To the address that an account is to have: prove it.
    ChangeEmail,
    /// To the address that an account still has: it is to get another.
    EmailChangeAsked,
    /// A new password may be set.
    ResetPassword,
    /// The password was changed.
    PasswordChanged,
    /// A session was ended because its refresh token was used twice.
    SessionEnded,
    /// Somebody tried to register with an address that has an account.
    AlreadyRegistered,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::VerifyEmail,
        Self::ChangeEmail,
        Self::EmailChangeAsked,
        Self::ResetPassword,
        Self::PasswordChanged,
        Self::SessionEnded,
        Self::AlreadyRegistered,
    ];

    /// Its name in the table and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ChangeEmail => "change_email",
            Self::EmailChangeAsked => "email_change_asked",
            Self::ResetPassword => "reset_password",
            Self::PasswordChanged => "password_changed",
            Self::SessionEnded => "session_ended",
            Self::AlreadyRegistered => "already_registered",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What the one-time token is for that such a mail carries, if it does.
    pub fn purpose(self) -> Option<Purpose> {
        match self {
            Self::VerifyEmail => Some(Purpose::VerifyEmail),
            Self::ChangeEmail => Some(Purpose::ChangeEmail),
            Self::ResetPassword => Some(Purpose::ResetPassword),
            Self::EmailChangeAsked
            | Self::PasswordChanged
            | Self::SessionEnded
            | Self::AlreadyRegistered => None,
        }
    }
}

/// A mail that is to be sent.
#[derive(Debug, Clone)]
pub struct Mail {
    /// What it is about.
    pub kind: Kind,
    /// Whom it is about; `None` for an address that somebody typed, until it is known whose that is.
    pub user: Option<Id>,
    /// Where it goes, as it was typed.
    pub email: String,
    /// Where the request came from that caused it.
    pub client: Client,
    /// What else it says: for [`Kind::EmailChangeAsked`] the new address.
    pub detail: Option<String>,
}

impl Mail {
    /// A mail to a user, caused by a request from `client`.
    pub fn to(user: &User, kind: Kind, client: &Client) -> Self {
        Self {
            kind,
            user: Some(user.id),
            email: user.email.clone(),
            client: client.clone(),
            detail: None,
        }
    }
}
