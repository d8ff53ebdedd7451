//! What happened to whom, for good: rows written in the transaction of what they record.

pub mod store;

use crate::client::Client;
use crate::db::Id;

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An account was made.
    Registered,
    /// A user signed in.
    SignedIn,
    /// A session was ended by its logout.
    SignedOut,
    /// A session was ended by its user from elsewhere, or by a new sign-in.
    SessionRevoked,
    /// Every session of a user was ended at once.
    SessionsRevoked,
    /// A refresh token was used again after it had been replaced.
    RefreshTokenReused,
    /// A replaced refresh token was forgiven, though it came from another address or device.
    ReplayedElsewhere,
    /// A refresh token was newer than its row: the table had lost a rotation.
    RotationRecovered,
    /// A password was changed by its owner.
    PasswordChanged,
    /// A password was set without the old one: by a mailed link, or by an operator.
    PasswordReset,
    /// Somebody asked for a link to set a new password.
    PasswordResetAsked,
    /// An address was proven.
    EmailVerified,
    /// A user asked for another address.
    EmailChangeAsked,
    /// An address was replaced by another, which is proven.
    EmailChanged,
    /// A mail could not be sent for a day and was given up.
    MailGivenUp,
    /// A name was changed.
    ProfileChanged,
    /// A role was changed.
    RoleChanged,
    /// An account was disabled.
    UserDisabled,
    /// An account was enabled.
    UserEnabled,
    /// An account was deleted.
    UserDeleted,
    /// Accounts were imported.
    UsersImported,
}

impl Kind {
    /// Its name in the table and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::SessionRevoked => "session_revoked",
            Self::SessionsRevoked => "sessions_revoked",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::ReplayedElsewhere => "replayed_elsewhere",
            Self::RotationRecovered => "rotation_recovered",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::PasswordResetAsked => "password_reset_asked",
            Self::EmailVerified => "email_verified",
            Self::EmailChangeAsked => "email_change_asked",
            Self::EmailChanged => "email_changed",
            Self::MailGivenUp => "mail_given_up",
            Self::ProfileChanged => "profile_changed",
            Self::RoleChanged => "role_changed",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::UserDeleted => "user_deleted",
            Self::UsersImported => "users_imported",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// What.
    pub kind: Kind,
    /// Who did it; `None` for an operator at the command line, or somebody unknown.
    pub actor: Option<Id>,
    /// To whom.
    pub user: Option<Id>,
    /// To which session.
    pub session: Option<Id>,
    /// From where.
    pub client: Client,
    /// What else there is to know.
    pub detail: Option<String>,
}

impl Event {
    /// Something that a user did to the own account.
    pub fn by(user: Id, kind: Kind, session: Option<Id>, client: &Client) -> Self {
        Self {
            kind,
            actor: Some(user),
            user: Some(user),
            session,
            client: client.clone(),
            detail: None,
        }
    }

    /// Something that an operator did to a user at the command line.
    pub fn by_operator(kind: Kind, user: Option<Id>) -> Self {
        Self { kind, actor: None, user, session: None, client: Client::default(), detail: None }
    }

    /// This event with a detail.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}
