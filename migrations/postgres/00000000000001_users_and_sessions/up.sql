CREATE TABLE users (
    id uuid PRIMARY KEY,
    -- As typed by the owner.
    email text NOT NULL,
    -- What addresses are compared by.
    email_canonical text NOT NULL UNIQUE,
    name text,
    password_hash text NOT NULL,
    role text NOT NULL CHECK (role IN ('user', 'moderator', 'admin')),
    email_verified_at timestamptz,
    disabled_at timestamptz,
    last_login_at timestamptz,
    created_at timestamptz NOT NULL
);

-- One row per session: rotation changes it and adds none.
CREATE TABLE refresh_tokens (
    id uuid PRIMARY KEY,
    -- Unset once the account is gone; the row stays until `ends_at` to tell so.
    user_id uuid REFERENCES users (id) ON DELETE SET NULL,
    transport text NOT NULL CHECK (transport IN ('cookie', 'body')),
    -- Which token of the family is the live one.
    generation bigint NOT NULL CHECK (generation >= 0),
    -- Until when the latest rotation is forgiven; unset before the first.
    grace_until timestamptz,
    -- SHA-256 of the Idempotency-Key that made the live token.
    retry_key bytea,
    -- The live token's `iat` and `exp`.
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    -- The session's end, which no rotation moves.
    ends_at timestamptz NOT NULL,
    revoked_at timestamptz,
    -- Where the live token was sent to.
    ip text,
    user_agent text
) WITH (fillfactor = 70); -- room for rotations to stay on their page (heap-only updates)

CREATE INDEX refresh_tokens_user_id ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_ends_at ON refresh_tokens (ends_at);

-- Append-only. No foreign keys: what happened outlives whom it happened to.
CREATE TABLE audit_events (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    -- Who did it; unset for the operator at the command line.
    actor_id uuid,
    -- To whom.
    user_id uuid,
    session_id uuid,
    ip text,
    user_agent text,
    detail text
);

CREATE INDEX audit_events_user_id ON audit_events (user_id, id);
CREATE INDEX audit_events_kind ON audit_events (kind, id);
CREATE INDEX audit_events_at ON audit_events (at);
