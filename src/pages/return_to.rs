//! Where to go on to after signing in: back to the page that sent somebody here.
//!
//! Anybody can make a link to us that names any place, so it has to be one that is trusted already
//! (OWASP, Unvalidated Redirects and Forwards).

use thiserror::Error;
use url::Url;

use crate::http::same_site::AllowedOrigins;

/// Why somebody is not led on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It is not written as we want it, or leads nowhere a browser should go.
    #[error("return_to is neither an http(s) URL nor a path")]
    NoPlace,
    /// It leads to others.
    #[error("return_to leads to {0}, which is not in ALLOWED_ORIGINS")]
    OtherOrigin(String),
}

/// The place that `text` names, as a browser takes it: a URL of an origin that is allowed for the
/// service under the name `host`, or a path on this service.
pub fn check(text: &str, allowed: &AllowedOrigins, host: Option<&str>) -> Result<String, Refusal> {
    // Browsers drop some of these and take `\` for `/`: nobody writes them who means well.
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(Refusal::NoPlace);
    }
    if text.starts_with('/') {
        return own_path(text).ok_or(Refusal::NoPlace);
    }
    let url = Url::parse(text).map_err(|_| Refusal::NoPlace)?;
    let is_web = matches!(url.scheme(), "http" | "https");
    if !is_web || !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::NoPlace);
    }
    let origin = url.origin().ascii_serialization();
    if !allowed.contains(&origin, host) {
        return Err(Refusal::OtherOrigin(origin));
    }
    // Not `text`: what was judged is what the browser gets.
    Ok(url.into())
}

/// What begins with a slash, if it stays on this service; `//host` and `/.//host` do not.
fn own_path(text: &str) -> Option<String> {
    const ANYWHERE: &str = "http://localhost";
    let url = Url::parse(ANYWHERE).and_then(|base| base.join(text)).ok()?;
    let path = &url[url::Position::BeforePath..];
    let is_here = url.origin().ascii_serialization() == ANYWHERE && !path.starts_with("//");
    is_here.then(|| path.to_owned())
}
