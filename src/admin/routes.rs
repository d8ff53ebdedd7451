//! `/admin/*`.

use actix_web::web::{self, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::search::Search;
use super::users::{self, Change, Outcome};
use super::{Actor, events, stats, store};
use crate::accounts::user::{Role, User, UserView};
use crate::app::App;
use crate::audit::Kind;
use crate::audit::store::{Filter, Recorded};
use crate::db::{DbError, Id, Moment};
use crate::error::{ApiError, Code, FieldError};
use crate::http::bearer::{Admin, CurrentUser};
use crate::http::{app_of, blocking, body, query};
use crate::sessions::view::Sessions;

/// Mounts these routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/admin/users").get(list_users))
        .service(web::resource("/admin/users/{id}").get(show).patch(change).delete(delete))
        .service(
            web::resource("/admin/users/{id}/sessions").get(list_sessions).delete(end_sessions),
        )
        .service(web::resource("/admin/events").get(list_events))
        .service(web::resource("/admin/stats").get(show_stats));
}

/// A user as administrators see one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UserForAdmins)]
pub(super) struct AdminView {
    #[serde(flatten)]
    user: UserView,
    disabled: bool,
    #[schema(required = true)]
    last_login_at: Option<Moment>,
}

impl From<User> for AdminView {
    fn from(user: User) -> Self {
        let (disabled, last_login_at) = (!user.is_active(), user.last_login_at);
        Self { user: user.into(), disabled, last_login_at }
    }
}

impl From<Admin> for Actor {
    fn from(Admin(CurrentUser { session, user, client }): Admin) -> Self {
        Self { user: user.id, session: session.id, client }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct UsersQuery {
    /// The most rows of the page.
    #[param(value_type = u8, required = false, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
    /// `nextCursor` of the page before.
    #[param(value_type = Id, required = false)]
    cursor: Option<String>,
    /// Only who has this address.
    #[param(value_type = String, required = false, format = Email)]
    email: Option<String>,
    /// Only who has this somewhere in the address or the name, upper and lower case alike.
    #[param(value_type = String, required = false, max_length = 254, pattern = "^[^\\u0000-\\u001F\\u007F-\\u009F]*[^\\s\\u0000-\\u001F\\u007F-\\u009F][^\\u0000-\\u001F\\u007F-\\u009F]*$")]
    search: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UserList)]
pub(super) struct Users {
    users: Vec<AdminView>,
    /// Missing on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Id, required = false)]
    next_cursor: Option<Id>,
}

async fn list_users(request: HttpRequest, _: Admin) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let query: UsersQuery = query::read(&request)?;
    let mut errors = Vec::new();
    let window = query::window(query.limit.as_deref(), query.cursor.as_deref(), &mut errors);
    let email = query
        .email
        .as_deref()
        .and_then(|typed| body::required_email(Some(typed), "email", &mut errors));
    let search = query.search.as_deref().and_then(|typed| {
        let refused = |(code, message)| errors.push(FieldError::new("search", code, message));
        Search::parse(typed).map_err(refused).ok()
    });
    let (Some(window), true) = (window, errors.is_empty()) else {
        return Err(ApiError::validation(errors));
    };
    let filter = store::Filter { email, search };
    let page = blocking::run(move || users::list(&app, &filter, window)).await?;
    let users = page.rows.into_iter().map(AdminView::from).collect();
    Ok(HttpResponse::Ok().json(Users { users, next_cursor: page.next_cursor }))
}

async fn show(request: HttpRequest, _: Admin, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let id = user_id(&id)?;
    let user = blocking::run(move || users::find(&app, id)).await?.ok_or(Code::NotFound)?;
    Ok(HttpResponse::Ok().json(AdminView::from(user)))
}

/// At least one of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangeUserBody)]
pub(super) struct ChangeBody {
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Option<Role>, nullable = false, required = false)]
    role: Option<String>,
    #[serde(default, deserialize_with = "body::present")]
    #[schema(nullable = false)]
    disabled: Option<bool>,
}

impl ChangeBody {
    fn check(self) -> Result<Change, ApiError> {
        let role = self.role.as_deref().map(Role::named);
        let refused =
            |code, message| Err(ApiError::validation(vec![FieldError::new("role", code, message)]));
        match (role, self.disabled) {
            (Some(None), _) => refused("UNKNOWN_VALUE", "There is no such role."),
            (None, None) => refused("REQUIRED", "role or disabled is required."),
            (role, disabled) => Ok(Change { role: role.flatten(), disabled }),
        }
    }
}

async fn change(
    request: HttpRequest,
    admin: Admin,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let body: ChangeBody = body::json(&request, payload).await?;
    let (by, id, change) = (Actor::from(admin), user_id(&id)?, body.check()?);
    let admin = by.user;
    let outcome = blocking::run(move || users::change(&app, &by, id, change)).await?;
    let user = done(outcome)?;
    let (role, active) = (user.role.name(), user.is_active());
    tracing::info!(%admin, user = %id, role, active, "user set by an administrator");
    Ok(HttpResponse::Ok().json(AdminView::from(user)))
}

async fn delete(
    request: HttpRequest,
    admin: Admin,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let (admin, id) = act(&request, admin, &id, payload, users::delete).await?;
    tracing::info!(%admin, user = %id, "account deleted by an administrator");
    Ok(HttpResponse::NoContent().finish())
}

async fn list_sessions(
    request: HttpRequest,
    Admin(current): Admin,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let id = user_id(&id)?;
    let sessions = blocking::run(move || users::sessions(&app, id)).await?.ok_or(Code::NotFound)?;
    Ok(HttpResponse::Ok().json(Sessions::new(sessions, current.session.id)))
}

async fn end_sessions(
    request: HttpRequest,
    admin: Admin,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let (admin, id) = act(&request, admin, &id, payload, users::end_sessions).await?;
    tracing::info!(%admin, user = %id, "sessions revoked by an administrator");
    Ok(HttpResponse::NoContent().finish())
}

/// Does to a user what takes no body; returns who did it to whom.
async fn act(
    request: &HttpRequest,
    admin: Admin,
    id: &str,
    payload: Payload,
    act: fn(&App, &Actor, Id) -> Result<Outcome<()>, DbError>,
) -> Result<(Id, Id), ApiError> {
    let app = app_of(request)?;
    let body::Nothing {} = body::optional_json(request, payload).await?;
    let (by, id) = (Actor::from(admin), user_id(id)?);
    let admin = by.user;
    done(blocking::run(move || act(&app, &by, id)).await?)?;
    Ok((admin, id))
}

fn user_id(text: &str) -> Result<Id, ApiError> {
    text.parse().map_err(|_| Code::NotFound.into())
}

fn done<T>(outcome: Outcome<T>) -> Result<T, ApiError> {
    match outcome {
        Outcome::Done(value) => Ok(value),
        Outcome::NotFound => Err(Code::NotFound.into()),
        Outcome::LastAdmin => Err(Code::LastAdmin.into()),
        Outcome::Forbidden => Err(Code::Forbidden.into()),
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    /// The most rows of the page.
    #[param(value_type = u8, required = false, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
    /// `nextCursor` of the page before.
    #[param(value_type = Id, required = false)]
    cursor: Option<String>,
    /// Only what happened to this user.
    #[param(value_type = Id, required = false)]
    user: Option<String>,
    /// Only what is of this kind.
    #[param(value_type = Kind, required = false)]
    kind: Option<String>,
}

/// An event as administrators see one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
struct EventView {
    id: Id,
    at: Moment,
    #[schema(value_type = Kind)]
    kind: String,
    /// Who did it; `null` for an operator at the command line, or somebody unknown.
    #[schema(required = true)]
    actor: Option<Id>,
    /// To whom.
    #[schema(required = true)]
    user: Option<Id>,
    /// To which session; where an administrator did it, from which.
    #[schema(required = true)]
    session: Option<Id>,
    #[schema(required = true)]
    ip: Option<String>,
    #[schema(required = true)]
    user_agent: Option<String>,
    #[schema(required = true)]
    detail: Option<String>,
}

impl From<Recorded> for EventView {
    fn from(event: Recorded) -> Self {
        Self {
            id: event.id,
            at: event.at,
            kind: event.kind,
            actor: event.actor,
            user: event.user,
            session: event.session,
            ip: event.ip,
            user_agent: event.user_agent,
            detail: event.detail,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EventList)]
pub(super) struct Events {
    events: Vec<EventView>,
    /// Missing on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Id, required = false)]
    next_cursor: Option<Id>,
}

async fn list_events(request: HttpRequest, _: Admin) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let query: EventsQuery = query::read(&request)?;
    let mut errors = Vec::new();
    let window = query::window(query.limit.as_deref(), query.cursor.as_deref(), &mut errors);
    let user = query::id(query.user.as_deref(), "user", &mut errors);
    let kind = query.kind.as_deref().and_then(Kind::named);
    if query.kind.is_some() && kind.is_none() {
        errors.push(FieldError::new("kind", "UNKNOWN_VALUE", "There is no such kind of event."));
    }
    let (Some(window), true) = (window, errors.is_empty()) else {
        return Err(ApiError::validation(errors));
    };
    let page = blocking::run(move || events::list(&app, Filter { user, kind }, window)).await?;
    let events = page.rows.into_iter().map(EventView::from).collect();
    Ok(HttpResponse::Ok().json(Events { events, next_cursor: page.next_cursor }))
}

async fn show_stats(request: HttpRequest, _: Admin) -> Result<HttpResponse, ApiError> {
    let app = app_of(&request)?;
    let stats = blocking::run(move || stats::stats(&app)).await?;
    Ok(HttpResponse::Ok().json(stats))
}
