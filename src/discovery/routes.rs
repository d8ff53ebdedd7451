//! `/.well-known/*`, `/auth/introspect`, `/auth/verify`.

use actix_web::web::{self, ServiceConfig};

use super::{documents, forward_auth, introspection};

/// Mounts these routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/.well-known/jwks.json").get(documents::jwks).head(documents::jwks))
        .service(
            web::resource("/.well-known/oauth-authorization-server")
                .get(documents::metadata)
                .head(documents::metadata),
        )
        .service(web::resource("/auth/introspect").post(introspection::introspect))
        .service(web::resource("/auth/verify").get(forward_auth::verify));
}
