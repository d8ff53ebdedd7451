//! What the API's document says of these routes.

use utoipa::openapi::Type;
use utoipa::openapi::schema::ObjectBuilder;

use super::routes::{RefreshTokenBody, RevokeQuery};
use super::view::Sessions;
use crate::error::Code;
use crate::http::tokens::Tokens;
use crate::openapi::headers::SET_COOKIE;
use crate::openapi::operation::Operation;

/// Each of them.
pub fn all() -> Vec<Operation> {
    vec![
        refresh_token(),
        Operation::post("/auth/logout", "logout", "Sign out")
            .about(
                "Needs an access and a refresh token of one session, the latter as in a refresh; the \
                 access token is judged first. Where it fails nothing ends and no cookie is deleted.",
            )
            .even_unverified()
            .for_refresh_tokens()
            .optional_body::<RefreshTokenBody>()
            .done(204, "The session has ended, and its cookie is deleted.")
            .with(SET_COOKIE)
            .fails(&[Code::ValidationFailed]),
        Operation::get("/auth/sessions", "sessions", "List one's sessions")
            .for_users()
            .answers::<Sessions>(200, "The sessions that can still be refreshed, the newest first."),
        Operation::delete("/auth/sessions", "endSessions", "End one's sessions")
            .about("All of them, the one that asks included, unless the query keeps it.")
            .for_users()
            .query::<RevokeQuery>()
            .done(204, "They have ended."),
        Operation::delete("/auth/sessions/{id}", "endSession", "End one of one's sessions")
            .for_users()
            .done(204, "It has ended.")
            .fails(&[Code::NotFound]),
    ]
}

fn refresh_token() -> Operation {
    let key = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[!-~]+$"))
        .min_length(Some(1))
        .max_length(Some(255));
    Operation::post("/auth/refresh-token", "refreshToken", "Get a new pair of tokens")
        .about(
            "The refresh token comes in the cookie, or in the body where the session's transport is \
             `body`; with a `refreshToken` in the body no cookie is read.\n\n\
             The live token is replaced by a new one. A token that was replaced is answered with the \
             same new one again (a replay): for some seconds to anybody, and later to whoever sends \
             the `Idempotency-Key` of the refresh that replaced it. Anybody else is taken for a thief: \
             the session ends, for its owner too (`REFRESH_TOKEN_REUSED`). A browser that refreshes \
             again within these seconds gets a replay as well, since its tabs share one cookie.\n\n\
             A failure never touches the cookie.",
        )
        .for_refresh_tokens()
        .optional_body::<RefreshTokenBody>()
        .header(
            "Idempotency-Key",
            key,
            "Made up anew for each refresh, and sent again with each further try of it \
             (draft-ietf-httpapi-idempotency-key-header).",
        )
        .answers::<Tokens>(200, "New tokens, or the replay of those that got lost.")
        .with(SET_COOKIE)
        .fails(&[Code::ValidationFailed, Code::RefreshTokenReused, Code::SessionRevoked])
}
