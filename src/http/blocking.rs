//! The one place where async code crosses into code that blocks.

use std::time::Instant;

use actix_web::web;
use tokio::sync::Semaphore;

use crate::db::PATIENCE;
use crate::error::{ApiError, Code};
use crate::traces::Here;

/// How many calls may be on the blocking pool at once: more than there are connections, so that
/// none of these idles, but few enough that rotations and look-ups get theirs.
static SLOTS: Semaphore = Semaphore::const_new(32);

/// Runs `work` on the blocking pool and waits for it, but not for ever: a database that hangs costs
/// its callers 1.8 s each, whatever becomes of the thread. What its caller no longer waits for is
/// not begun.
pub async fn run<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    let (span, trace) = (tracing::Span::current(), Here::now());
    let deadline = Instant::now() + PATIENCE;
    let on_the_pool = async {
        let slot = SLOTS.acquire().await.map_err(ApiError::internal)?;
        let block = web::block(move || {
            let _slot = slot;
            if Instant::now() >= deadline {
                return Err(Code::Unavailable.into());
            }
            let _trace = trace.enter();
            span.in_scope(|| work().map_err(Into::into))
        });
        block.await.map_err(|_| ApiError::internal("a blocking task panicked"))?
    };
    tokio::time::timeout_at(deadline.into(), on_the_pool)
        .await
        .unwrap_or_else(|_elapsed| Err(ApiError::unavailable("the database took too long")))
}
