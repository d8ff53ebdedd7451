//! The tables, as `migrations/` makes them on both databases.

#![expect(missing_docs, reason = "migrations/ describes the columns")]

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::sql::{Id, Moment};

    users (id) {
        id -> Id,
        email -> Text,
        email_canonical -> Text,
        name -> Nullable<Text>,
        password_hash -> Text,
        role -> Text,
        email_verified_at -> Nullable<Moment>,
        disabled_at -> Nullable<Moment>,
        last_login_at -> Nullable<Moment>,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::db::types::sql::{Id, Moment};

    refresh_tokens (id) {
        id -> Id,
        user_id -> Nullable<Id>,
        transport -> Text,
        generation -> BigInt,
        grace_until -> Nullable<Moment>,
        retry_key -> Nullable<Binary>,
        issued_at -> Moment,
        expires_at -> Moment,
        created_at -> Moment,
        ends_at -> Moment,
        revoked_at -> Nullable<Moment>,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::sql::{Id, Moment};

    audit_events (id) {
        id -> Id,
        at -> Moment,
        kind -> Text,
        actor_id -> Nullable<Id>,
        user_id -> Nullable<Id>,
        session_id -> Nullable<Id>,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        detail -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::db::types::sql::{Id, Moment};

    one_time_tokens (id) {
        id -> Id,
        user_id -> Id,
        purpose -> Text,
        email -> Text,
        expires_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::db::types::sql::{Id, Moment};

    outbox (id) {
        id -> Id,
        kind -> Text,
        user_id -> Nullable<Id>,
        email -> Text,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        detail -> Nullable<Text>,
        created_at -> Moment,
        due_at -> Moment,
        attempts -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::db::types::sql::Moment;

    hourly_counts (hour, kind) {
        hour -> Moment,
        kind -> Text,
        count -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::sql::{Id, Moment};

    leases (name) {
        name -> Text,
        holder -> Nullable<Id>,
        ends_at -> Moment,
    }
}

diesel::joinable!(refresh_tokens -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(refresh_tokens, users);
