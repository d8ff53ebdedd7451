CREATE TABLE users (
    id blob PRIMARY KEY,
    -- As typed by the owner.
    email text NOT NULL,
    -- What addresses are compared by.
    email_canonical text NOT NULL UNIQUE,
    name text,
    password_hash text NOT NULL,
    role text NOT NULL CHECK (role IN ('user', 'moderator', 'admin')),
    email_verified_at integer,
    disabled_at integer,
    last_login_at integer,
    created_at integer NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per session: rotation changes it and adds none.
CREATE TABLE refresh_tokens (
    id blob PRIMARY KEY,
    -- Unset once the account is gone; the row stays until `ends_at` to tell so.
    user_id blob REFERENCES users (id) ON DELETE SET NULL,
    transport text NOT NULL CHECK (transport IN ('cookie', 'body')),
    -- Which token of the family is the live one.
    generation integer NOT NULL CHECK (generation >= 0),
    -- Until when the latest rotation is forgiven; unset before the first.
    grace_until integer,
    -- SHA-256 of the Idempotency-Key that made the live token.
    retry_key blob,
    -- The live token's `iat` and `exp`.
    issued_at integer NOT NULL,
    expires_at integer NOT NULL,
    created_at integer NOT NULL,
    -- The session's end, which no rotation moves.
    ends_at integer NOT NULL,
    revoked_at integer,
    -- Where the live token was sent to.
    ip text,
    user_agent text
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_user_id ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_ends_at ON refresh_tokens (ends_at);

-- Append-only. No foreign keys: what happened outlives whom it happened to.
CREATE TABLE audit_events (
    id blob PRIMARY KEY,
    at integer NOT NULL,
    kind text NOT NULL,
    -- Who did it; unset for the operator at the command line.
    actor_id blob,
    -- To whom.
    user_id blob,
    session_id blob,
    ip text,
    user_agent text,
    detail text
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_events_user_id ON audit_events (user_id, id);
CREATE INDEX audit_events_kind ON audit_events (kind, id);
CREATE INDEX audit_events_at ON audit_events (at);
