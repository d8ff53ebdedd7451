//! What the API's document says of these routes.

use super::routes::{ChangeBody, VerifyBody};
use crate::error::Code;
use crate::http::body::Nothing;
use crate::openapi::operation::Operation;

/// Each of them.
pub fn all() -> Vec<Operation> {
    vec![
        Operation::post("/auth/verify-email", "verifyEmail", "Prove an address by a link")
            .about("A link is good for 24 hours, and once. It also puts a new address into effect.")
            .body::<VerifyBody>()
            .done(204, "The address is proven.")
            .limited()
            .may_be_unavailable()
            .fails(&[Code::ValidationFailed, Code::LinkInvalid, Code::EmailTaken]),
        Operation::post("/auth/resend-verification", "resendVerification", "Ask for another link")
            .even_unverified()
            .optional_body::<Nothing>()
            .answers::<Nothing>(202, "Unless the address is proven already, a mail is on its way.")
            .limited(),
        Operation::post("/auth/change-email", "changeEmail", "Ask for another address")
            .about(
                "It is confirmed by the password. The new address is sent a link to prove it, and takes \
                 effect then; the old one is told.",
            )
            .for_users()
            .body::<ChangeBody>()
            .answers::<Nothing>(202, "A mail is on its way.")
            .limited()
            .fails(&[Code::ValidationFailed, Code::InvalidCredentials]),
    ]
}
