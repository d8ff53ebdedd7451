//! `symbolon openapi`.

use std::io::ErrorKind;

use super::{Failure, print};
use crate::openapi;
use crate::settings::http::DEFAULT_COOKIE_NAME;

/// Prints the document of a service whose cookie has the default name. It needs no settings.
pub(super) fn run() -> Result<(), Failure> {
    let document = openapi::document(DEFAULT_COOKIE_NAME).to_pretty_json()?;
    match print(document) {
        // Who reads no further has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => Ok(printed?),
    }
}
