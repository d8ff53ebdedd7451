//! What happened to whom, for good: rows written in the transaction of what they record.

pub mod store;

use std::borrow::Cow;

use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::client::Client;
use crate::db::Id;

/// Defines [`Kind`] and its names in one place.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal)*) => {
        /// What can happen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $kind),* }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Its name in the database and in JSON.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }
        }
    };
}

kinds! {
    /// An account was made.
    Registered "registered"
    /// A user signed in.
    SignedIn "signed_in"
    /// A session was ended by its logout.
    SignedOut "signed_out"
    /// A session was ended by its user from elsewhere, or by a new sign-in.
    SessionRevoked "session_revoked"
    /// Every session of a user was ended at once.
    SessionsRevoked "sessions_revoked"
    /// A refresh token was used again after it had been replaced.
    RefreshTokenReused "refresh_token_reused"
    /// A replaced refresh token was forgiven, though it came from another address or device.
    ReplayedElsewhere "replayed_elsewhere"
    /// A refresh token was newer than its row: the table had lost a rotation.
    RotationRecovered "rotation_recovered"
    /// A password was changed by its owner.
    PasswordChanged "password_changed"
    /// A password was set without the old one: by a mailed link, or by an operator.
    PasswordReset "password_reset"
    /// Somebody asked for a link to set a new password.
    PasswordResetAsked "password_reset_asked"
    /// An address was proven.
    EmailVerified "email_verified"
    /// A user asked for another address.
    EmailChangeAsked "email_change_asked"
    /// An address was replaced by another, which is proven.
    EmailChanged "email_changed"
    /// A mail could not be sent for a day and was given up.
    MailGivenUp "mail_given_up"
    /// A name was changed.
    ProfileChanged "profile_changed"
    /// A role was changed.
    RoleChanged "role_changed"
    /// An account was disabled.
    UserDisabled "user_disabled"
    /// An account was enabled.
    UserEnabled "user_enabled"
    /// An account was deleted.
    UserDeleted "user_deleted"
    /// Accounts were brought in from elsewhere.
    UsersImported "users_imported"
}

impl Kind {
    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// By its name.
impl PartialSchema for Kind {
    fn schema() -> RefOr<Schema> {
        let names = Self::ALL.iter().map(|kind| kind.name());
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl ToSchema for Kind {
    fn name() -> Cow<'static, str> {
        "EventKind".into()
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
    /// To which session; where an administrator did it, from which.
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

    /// This event, done to another user.
    #[must_use]
    pub fn to(self, user: Id) -> Self {
        Self { user: Some(user), ..self }
    }

    /// This event with a detail.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}
