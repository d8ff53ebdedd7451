//! The hosted pages: to sign in and look after an account by, and for administrators.
//!
//! They are plain files in `web/`, embedded in the binary. A page is a shell of HTML that is the same
//! for everybody; what it shows it fetches from the API, like any other client.

pub mod assets;
pub mod return_to;
pub mod routes;
pub mod shell;
