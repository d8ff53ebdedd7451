//! `symbolon openapi`.

use super::{Failure, print};
use crate::openapi;
use crate::settings::http::DEFAULT_COOKIE_NAME;

pub(super) fn run() -> Result<(), Failure> {
    let document = openapi::document(DEFAULT_COOKIE_NAME).to_pretty_json()?;
    Ok(print(document)?)
}
