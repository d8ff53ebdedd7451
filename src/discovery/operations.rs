//! What the API's document says of these routes.

use utoipa::openapi::Type;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};

use super::documents::Metadata;
use super::forward_auth::VerifyQuery;
use super::introspection::Introspected;
use crate::error::Code;
use crate::openapi::headers::{X_AUTH_ROLE, X_AUTH_SESSION, X_AUTH_USER};
use crate::openapi::operation::Operation;

/// Each of them.
pub fn all() -> Vec<Operation> {
    vec![
        Operation::get("/.well-known/jwks.json", "jwks", "The keys that sign access tokens")
            .about("RFC 7517. There are none where a secret signs them, which is told to nobody.")
            .also_head()
            .answers_as(200, "The public keys.", keys())
            .kept_by_tag(),
        Operation::get(
            "/.well-known/oauth-authorization-server",
            "issuerMetadata",
            "What kind of issuer this is",
        )
        .about("What is true here of RFC 8414.")
        .also_head()
        .answers::<Metadata>(200, "The issuer's metadata.")
        .kept_by_tag(),
        Operation::get("/auth/verify", "verify", "Whether a caller may pass")
            .about(
                "For reverse proxies, which ask this before each request and hand on the headers of \
                 the answer. Session, account and role are those of this moment.",
            )
            .for_users()
            .query::<VerifyQuery>()
            .done(204, "The caller may pass.")
            .with(X_AUTH_USER)
            .with(X_AUTH_ROLE)
            .with(X_AUTH_SESSION)
            .fails(&[Code::Forbidden]),
        Operation::post("/auth/introspect", "introspect", "Whether an access token is good")
            .about(
                "RFC 7662. Why a token is not active is told to nobody. Only wrong credentials are \
                 limited.",
            )
            .for_clients()
            .form(question())
            .answers::<Introspected>(200, "What there is to say about the token.")
            .limited_if_refused()
            .may_be_unavailable()
            .fails(&[Code::ValidationFailed]),
    ]
}

/// A set of keys (RFC 7517), each a curve's point (RFC 7518, 6.2; RFC 8037).
fn keys() -> ObjectBuilder {
    let names = ["kty", "use", "alg", "kid", "crv", "x"];
    let key = names.into_iter().chain(["y"]).fold(ObjectBuilder::new(), |key, name| {
        key.property(name, ObjectBuilder::new().schema_type(Type::String))
    });
    let key = names.into_iter().fold(key, ObjectBuilder::required);
    ObjectBuilder::new().property("keys", ArrayBuilder::new().items(key)).required("keys")
}

/// Other parameters are ignored (RFC 7662, 2.1).
fn question() -> ObjectBuilder {
    let text =
        |about: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(about));
    ObjectBuilder::new()
        .property("token", text("The access token."))
        .property("token_type_hint", text("Of no use here: a refresh token is never active."))
        .required("token")
}
