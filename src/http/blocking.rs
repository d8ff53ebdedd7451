//! The one place where async code crosses into code that blocks.

use actix_web::web;

use crate::db::PATIENCE;
use crate::error::{ApiError, Code};

/// Runs `work` on the blocking pool and waits for it, but not for ever: a database that hangs costs
/// its callers 1.8 s each, whatever becomes of the thread.
pub async fn run<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    let span = tracing::Span::current();
    let blocking = web::block(move || span.in_scope(work));
    match tokio::time::timeout(PATIENCE, blocking).await {
        Ok(Ok(outcome)) => outcome.map_err(Into::into),
        Ok(Err(_)) => Err(ApiError::internal("a blocking task panicked")),
        Err(_elapsed) => {
            tracing::warn!("the database took too long: answered 503");
            Err(Code::Unavailable.into())
        }
    }
}
