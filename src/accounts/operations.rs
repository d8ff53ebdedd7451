//! What the API's document says of these routes.

use super::routes::{DeleteBody, LoginBody, RegisterBody, RenameBody};
use super::user::UserView;
use crate::error::Code;
use crate::http::tokens::Tokens;
use crate::openapi::headers::SET_COOKIE;
use crate::openapi::operation::Operation;

/// Each of them.
pub fn all() -> Vec<Operation> {
    vec![
        Operation::post("/auth/register", "register", "Make an account and sign in")
            .about(
                "Sessions whose cookie comes along end. A mail asks the owner of the address to prove \
                 it.",
            )
            .body::<RegisterBody>()
            .answers::<Tokens>(201, "The account is made, and its first session begins.")
            .with(SET_COOKIE)
            .limited()
            .may_be_unavailable()
            .fails(&[
                Code::ValidationFailed,
                Code::OriginRejected,
                Code::RegistrationClosed,
                Code::EmailTaken,
            ]),
        Operation::post("/auth/login", "login", "Sign in")
            .about(
                "Sessions whose cookie comes along end. An address that nobody has, a wrong password and \
                 a disabled account get the same answer, after the same time.",
            )
            .body::<LoginBody>()
            .answers::<Tokens>(200, "A session begins.")
            .with(SET_COOKIE)
            .limited()
            .may_be_unavailable()
            .fails(&[Code::ValidationFailed, Code::OriginRejected, Code::InvalidCredentials]),
        Operation::get("/auth/me", "me", "Who is calling")
            .for_users()
            .answers::<UserView>(200, "The user, as the account is now."),
        Operation::patch("/auth/me", "rename", "Set or remove one's name")
            .for_users()
            .body::<RenameBody>()
            .answers::<UserView>(200, "The user, as the account is now.")
            .fails(&[Code::ValidationFailed]),
        Operation::delete("/auth/me", "deleteAccount", "Delete one's account")
            .about("It is confirmed by the password. All of its sessions end.")
            .for_users()
            .body::<DeleteBody>()
            .done(204, "The account is gone.")
            .with(SET_COOKIE)
            .limited()
            .fails(&[Code::ValidationFailed, Code::InvalidCredentials, Code::LastAdmin]),
    ]
}
