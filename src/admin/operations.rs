//! What the API's document says of these routes.

use super::routes::{AdminView, ChangeBody, Events, EventsQuery, Users, UsersQuery};
use super::stats::Stats;
use crate::error::Code;
use crate::http::body::Nothing;
use crate::openapi::operation::Operation;
use crate::sessions::view::Sessions;

/// Each of them.
pub fn all() -> Vec<Operation> {
    vec![
        Operation::get("/admin/users", "users", "List accounts")
            .for_admins()
            .query::<UsersQuery>()
            .answers::<Users>(200, "A page of them, the newest first.")
            .fails(&[Code::ValidationFailed]),
        Operation::get("/admin/users/{id}", "user", "Show an account")
            .for_admins()
            .answers::<AdminView>(200, "The account.")
            .fails(&[Code::NotFound]),
        Operation::patch("/admin/users/{id}", "changeUser", "Change a role, disable or enable")
            .about(
                "It counts from the next request on. Disabling ends every session of the account, \
                 and enabling revives none.",
            )
            .for_admins()
            .body::<ChangeBody>()
            .of_some_fields()
            .answers::<AdminView>(200, "The account, as it is now.")
            .fails(&[Code::ValidationFailed, Code::NotFound, Code::LastAdmin]),
        Operation::delete("/admin/users/{id}", "deleteUser", "Delete an account")
            .about("All of its sessions end.")
            .for_admins()
            .optional_body::<Nothing>()
            .done(204, "The account is gone.")
            .fails(&[Code::NotFound, Code::LastAdmin]),
        Operation::get("/admin/users/{id}/sessions", "userSessions", "List an account's sessions")
            .for_admins()
            .answers::<Sessions>(200, "The sessions that can still be refreshed, the newest first.")
            .fails(&[Code::NotFound]),
        Operation::delete(
            "/admin/users/{id}/sessions",
            "endUserSessions",
            "End an account's sessions",
        )
        .for_admins()
        .optional_body::<Nothing>()
        .done(204, "They have ended.")
        .fails(&[Code::NotFound]),
        Operation::get("/admin/events", "events", "List what happened")
            .for_admins()
            .query::<EventsQuery>()
            .answers::<Events>(200, "A page of it, the latest first.")
            .fails(&[Code::ValidationFailed]),
        Operation::get("/admin/stats", "stats", "How the service is doing")
            .for_admins()
            .answers::<Stats>(200, "Figures of all instances together."),
    ]
}
