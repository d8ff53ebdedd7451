//! Sessions as the API shows them.

use serde::Serialize;

use super::token::{Session, Transport};
use crate::db::{Id, Moment};

/// The sessions of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sessions {
    sessions: Vec<SessionView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionView {
    id: Id,
    current: bool,
    created_at: Moment,
    last_used_at: Moment,
    expires_at: Moment,
    ends_at: Moment,
    transport: Transport,
    ip: Option<String>,
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
