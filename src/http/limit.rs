//! Limits over HTTP: 429 with a true `Retry-After`, and the fields of
//! draft-ietf-httpapi-ratelimit-headers on whatever a limited call answers.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};

use super::{app_of, blocking};
use crate::app::App;
use crate::db::Moment;
use crate::error::ApiError;
use crate::limits::{Limit, Limits, Rule, Standing};

/// The policies of a call: how many there may be within how many seconds.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// How it stands with each: how many remain, and in how many seconds there is one more.
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Counts `request` by its limits; 429 where one is reached, and then it is counted by none.
pub async fn check(request: &HttpRequest, limits: Vec<Limit>) -> Result<(), ApiError> {
    if limits.is_empty() {
        return Ok(());
    }
    let app = app_of(request)?;
    let ask = move |counting: &Limits, now| {
        let standings = counting.attempt(&limits, now);
        limits.into_iter().zip(standings).collect::<Vec<_>>()
    };
    let standings = run(&app, ask).await?;
    if let Some(fields) = Fields::of(&standings) {
        request.extensions_mut().insert(fields);
    }
    match standings.iter().max_by_key(|(_, standing)| standing.wait) {
        Some((limit, standing)) if !standing.passes() => {
            tracing::info!(policy = limit.policy, "limit reached");
            Err(ApiError::rate_limited(seconds(standing.wait)))
        }
        _ => Ok(()),
    }
}

/// Makes the account of this address wait, if failures are limited: a sign-in has failed.
pub async fn failed(app: &Arc<App>, email: &str) -> Result<(), ApiError> {
    let Some(account) = app.limits.policies.account(email) else { return Ok(()) };
    run(app, move |limits, now| limits.failed(&account, now)).await
}

/// Forgets the failures of this address: a sign-in or a reset has succeeded.
///
/// What has succeeded stays so, even if there is no telling Redis.
pub async fn succeeded(app: &Arc<App>, email: &str) {
    if let Some(account) = app.limits.policies.account(email) {
        let _done_or_logged = run(app, move |limits, _| limits.succeeded(&account)).await;
    }
}

/// Runs `act` where it may block, if it may.
async fn run<T: Send + 'static>(
    app: &Arc<App>,
    act: impl FnOnce(&Limits, Moment) -> T + Send + 'static,
) -> Result<T, ApiError> {
    let now = app.now();
    if !app.limits.may_block() {
        return Ok(act(&app.limits, now));
    }
    let app = Arc::clone(app);
    blocking::run(move || Ok::<_, ApiError>(act(&app.limits, now))).await
}

/// What an answer says about limits, kept with its request until there is one.
struct Fields {
    policy: HeaderValue,
    standing: HeaderValue,
}

impl Fields {
    /// A list of each policy that counts, if any does: what an account waits for is no quota.
    fn of(standings: &[(Limit, Standing)]) -> Option<Self> {
        let (mut policies, mut current) = (String::new(), String::new());
        for (limit, standing) in standings {
            let Rule::Rate(rate) = limit.rule else { continue };
            let (name, comma) = (limit.policy, if policies.is_empty() { "" } else { ", " });
            let (most, window) = (rate.most, rate.window.as_secs());
            let (left, frees_in) = (standing.left, seconds(standing.frees_in));
            // Writing to a String cannot fail.
            let _ = write!(policies, "{comma}\"{name}\";q={most};w={window}");
            let _ = write!(current, "{comma}\"{name}\";r={left};t={frees_in}");
        }
        let value = |text: &str| HeaderValue::from_str(text).ok().filter(|_| !text.is_empty());
        Some(Self { policy: value(&policies)?, standing: value(&current)? })
    }
}

/// Adds what there is to say about limits to the answer to `request`.
pub(super) fn complete(request: &HttpRequest, headers: &mut HeaderMap) {
    if let Some(fields) = request.extensions().get::<Fields>() {
        headers.insert(RATE_LIMIT_POLICY, fields.policy.clone());
        headers.insert(RATE_LIMIT, fields.standing.clone());
    }
}

/// Whole seconds after which `wait` is over: never none, and never too early.
fn seconds(wait: Duration) -> u32 {
    let seconds = u32::try_from(wait.as_micros().div_ceil(1_000_000)).unwrap_or(u32::MAX);
    seconds.max(1)
}
