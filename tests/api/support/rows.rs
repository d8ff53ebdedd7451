//! What the tables hold, read and changed behind the service's back.

use symbolon::clock::Clock;

use super::{Db, TestServer};

impl Db {
    /// An id as a literal of this database.
    pub fn id(&self, id: &str) -> String {
        if self.is_postgres() { format!("'{id}'") } else { format!("X'{}'", id.replace('-', "")) }
    }

    /// A moment, in microseconds since 1970, as a literal of this database.
    pub fn moment(&self, micros: i64) -> String {
        if self.is_postgres() {
            format!("timestamptz 'epoch' + {micros} * interval '1 microsecond'")
        } else {
            micros.to_string()
        }
    }

    /// Sets columns of a session.
    pub fn set_session(&self, session: &str, assignments: &str) {
        let id = self.id(session);
        self.execute(&format!("UPDATE refresh_tokens SET {assignments} WHERE id = {id}"));
    }

    /// Sets columns of a user.
    pub fn set_user(&self, user: &str, assignments: &str) {
        let id = self.id(user);
        self.execute(&format!("UPDATE users SET {assignments} WHERE id = {id}"));
    }

    /// The generation of a session's live token.
    pub fn generation(&self, session: &str) -> i64 {
        let id = self.id(session);
        self.number(&format!("SELECT generation FROM refresh_tokens WHERE id = {id}"))
    }

    /// Whether a session was ended early.
    pub fn is_revoked(&self, session: &str) -> bool {
        let id = self.id(session);
        let revoked = "FROM refresh_tokens WHERE revoked_at IS NOT NULL AND id =";
        self.number(&format!("SELECT COUNT(*) {revoked} {id}")) == 1
    }

    /// How many sessions there are in all, ended ones included.
    pub fn sessions(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM refresh_tokens")
    }

    /// How many events of this kind a session has in the audit.
    pub fn audited(&self, kind: &str, session: &str) -> i64 {
        let id = self.id(session);
        let of_session = format!("kind = '{kind}' AND session_id = {id}");
        self.number(&format!("SELECT COUNT(*) FROM audit_events WHERE {of_session}"))
    }

    /// The hash of a user's password.
    pub fn password_hash(&self, user: &str) -> String {
        let id = self.id(user);
        self.text(&format!("SELECT password_hash FROM users WHERE id = {id}"))
    }

    /// Users, sessions and audit as one text: equal before and after what must have no effect.
    pub fn dump(&self) -> String {
        let aggregate = if self.is_postgres() { "string_agg" } else { "group_concat" };
        let of = |table: &str, columns: &str| {
            let row = columns
                .split(' ')
                .map(|column| format!("COALESCE(CAST({column} AS text), '-')"))
                .collect::<Vec<_>>()
                .join(" || ' ' || ");
            let rows = format!("SELECT {row} AS line FROM {table} ORDER BY 1");
            self.text(&format!("SELECT COALESCE({aggregate}(line, ';'), '') FROM ({rows}) AS rows"))
        };
        let users = of("users", "email name role password_hash disabled_at last_login_at");
        let sessions = of(
            "refresh_tokens",
            "transport generation grace_until issued_at expires_at ends_at revoked_at",
        );
        format!("{users}\n{sessions}\n{}", of("audit_events", "kind detail"))
    }
}

impl TestServer {
    /// The clock's time in whole seconds, as tokens carry it.
    pub fn seconds(&self) -> i64 {
        self.clock.now().unix_seconds()
    }

    /// The clock's time as a literal of the database.
    pub fn now(&self) -> String {
        self.db.moment(self.clock.now().unix_micros())
    }

    /// Disables a user, the sessions left as they are.
    pub fn disable(&self, user: &str) {
        self.db.set_user(user, &format!("disabled_at = {}", self.now()));
    }
}
