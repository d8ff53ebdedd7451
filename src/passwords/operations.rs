//! What the API's document says of these routes.

use super::routes::{ChangeBody, ForgotBody, ResetBody};
use crate::error::Code;
use crate::http::body::Nothing;
use crate::openapi::operation::Operation;

/// Each of them.
pub fn all() -> Vec<Operation> {
    vec![
        Operation::post("/auth/change-password", "changePassword", "Change one's password")
            .about("Every other session ends; the one that asks goes on.")
            .for_users()
            .body::<ChangeBody>()
            .done(204, "The new password counts.")
            .limited()
            .fails(&[Code::ValidationFailed, Code::InvalidCredentials]),
        Operation::post("/auth/forgot-password", "forgotPassword", "Ask for a new password")
            .about(
                "Whoever has the address is sent a link that is good for 30 minutes. The answer does \
                 not tell whether anybody has it.",
            )
            .body::<ForgotBody>()
            .answers::<Nothing>(202, "If there is such an account, a mail is on its way.")
            .limited()
            .may_be_unavailable()
            .fails(&[Code::ValidationFailed]),
        Operation::post("/auth/reset-password", "resetPassword", "Set a new password by a link")
            .about("Every session of the account ends, and every other link to set its password.")
            .body::<ResetBody>()
            .done(204, "The new password counts.")
            .limited()
            .may_be_unavailable()
            .fails(&[Code::ValidationFailed, Code::LinkInvalid]),
    ]
}
