-- What a mailed link redeems, once. The link holds a MAC of the id, which no table does.
CREATE TABLE one_time_tokens (
    -- That of the mail which carries it.
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('verify_email', 'change_email', 'reset_password')),
    -- The address that it was mailed to, and proves.
    email text NOT NULL,
    expires_at timestamptz NOT NULL,
    -- A newer one takes the place of the one before.
    UNIQUE (user_id, purpose)
);

CREATE INDEX one_time_tokens_expires_at ON one_time_tokens (expires_at);

-- Mail that waits to be sent: gone once it is.
CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    -- Whom it is about; unset for an address that somebody typed, until it is known whose that is, and
    -- once the account is gone, whose owner is still to be told what happened to it.
    user_id uuid REFERENCES users (id) ON DELETE SET NULL,
    -- Where it goes.
    email text NOT NULL,
    -- Where the request came from that caused it.
    ip text,
    user_agent text,
    detail text,
    created_at timestamptz NOT NULL,
    -- When it is to be sent; while it is being sent, when somebody else may try.
    due_at timestamptz NOT NULL,
    attempts bigint NOT NULL
);

CREATE INDEX outbox_due_at ON outbox (due_at);
CREATE INDEX outbox_user_id ON outbox (user_id);

-- How often something happened within an hour.
CREATE TABLE hourly_counts (
    hour timestamptz NOT NULL,
    kind text NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (hour, kind)
);

-- What only one instance does at a time, and until when.
CREATE TABLE leases (
    name text PRIMARY KEY,
    holder uuid,
    ends_at timestamptz NOT NULL
);

INSERT INTO leases (name, ends_at) VALUES ('prune', '1970-01-01T00:00:00Z');

-- What somebody did, beside what was done to somebody.
CREATE INDEX audit_events_actor_id ON audit_events (actor_id, id);
