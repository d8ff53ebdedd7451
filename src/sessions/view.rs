//! Sessions as the API shows them.

use serde::Serialize;
use utoipa::ToSchema;

use super::token::{Session, Transport};
use crate::db::{Id, Moment};

/// The sessions of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sessions {
    sessions: Vec<SessionView>,
}

/// A session that can still be refreshed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
struct SessionView {
    id: Id,
    /// Whether the access token that asks is one of this session.
    current: bool,
    created_at: Moment,
    /// When it was refreshed last, or else made.
    last_used_at: Moment,
    /// When it ends unless it is refreshed before.
    expires_at: Moment,
    /// When it ends in any case.
    ends_at: Moment,
    transport: Transport,
    /// Where it was used last.
    #[schema(required = true, example = "192.0.2.7")]
    ip: Option<String>,
    #[schema(required = true)]
    user_agent: Option<String>,
}

impl Sessions {
    /// `sessions`, as whoever asks in the session `current` sees them.
    pub fn new(sessions: Vec<Session>, current: Id) -> Self {
        let view = |session| SessionView::new(session, current);
        Self { sessions: sessions.into_iter().map(view).collect() }
    }
}

impl SessionView {
    fn new(session: Session, current: Id) -> Self {
        Self {
            id: session.id,
            current: session.id == current,
            created_at: session.created_at,
            last_used_at: session.issued_at.max(session.created_at),
            expires_at: session.expires_at,
            ends_at: session.ends_at,
            transport: session.transport,
            ip: session.client.ip,
            user_agent: session.client.user_agent,
        }
    }
}
