//! Who is calling, as extractors for handlers.

use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::Verifier;
use super::bearer::bearer_token;
use super::claims::AccessClaims;
use super::introspection::TRACEPARENT;
use super::refusal::Refusal;
use crate::id::Id;
use crate::moment::Moment;
use crate::role::Role;

/// Who is calling, by a good access token. As an extractor it refuses everybody else; the
/// [`Verifier`] has to be there as `app_data(Data::new(verifier))`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user, whose id is never reassigned.
    pub user: Id,
    /// The session, one for each sign-in.
    pub session: Id,
    /// What the user may do: as of the token's issue, or of now where Symbolon is asked each time.
    pub role: Role,
    /// The user's address, where tokens carry it (`ACCESS_TOKEN_CLAIMS`).
    pub email: Option<String>,
    /// The user's name, where tokens carry it and there is one.
    pub name: Option<String>,
    /// From when on the token is no longer good.
    pub expires_at: Moment,
}

impl From<AccessClaims> for Caller {
    fn from(claims: AccessClaims) -> Self {
        Self {
            user: claims.sub,
            session: claims.sid,
            role: claims.role,
            email: claims.email,
            name: claims.name,
            expires_at: Moment::from_unix_seconds(claims.exp),
        }
    }
}

/// The future of an extractor.
type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Refusal>>>>;

impl FromRequest for Caller {
    type Error = Refusal;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let verifier = request.app_data::<Data<Verifier>>().cloned();
        let token = bearer_token(request);
        let traceparent = request.headers().get(TRACEPARENT).cloned();
        Box::pin(async move {
            let Some(verifier) = verifier else {
                tracing::error!("no Data<Verifier> is mounted: every caller is refused");
                return Err(Refusal::NoVerifier);
            };
            verifier.verify_within(token?.token(), traceparent.as_ref()).await
        })
    }
}

/// A role that a handler requires, named as a type.
pub trait RequiredRole: 'static {
    /// The least role that will do.
    const LEAST: Role;
}

/// Requires [`Role::Moderator`] or more.
#[derive(Debug, Clone, Copy)]
pub struct Moderator;

impl RequiredRole for Moderator {
    const LEAST: Role = Role::Moderator;
}

/// Requires [`Role::Admin`].
#[derive(Debug, Clone, Copy)]
pub struct Admin;

impl RequiredRole for Admin {
    const LEAST: Role = Role::Admin;
}

/// A [`Caller`] of the role `R` or one above it, readable in a handler's signature:
/// `async fn close(by: Require<Moderator>)`. Everybody else gets 403 `FORBIDDEN`.
#[derive(Debug, Clone)]
pub struct Require<R> {
    caller: Caller,
    role: PhantomData<R>,
}

impl<R> Require<R> {
    /// The caller itself.
    pub fn into_caller(self) -> Caller {
        self.caller
    }
}

impl<R> Deref for Require<R> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl<R: RequiredRole> FromRequest for Require<R> {
    type Error = Refusal;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload);
        Box::pin(async move {
            let caller = caller.await?;
            if caller.role < R::LEAST {
                return Err(Refusal::Forbidden);
            }
            Ok(Self { caller, role: PhantomData })
        })
    }
}
