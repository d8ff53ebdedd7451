//! What can be asked over HTTP.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, rt};
use serde::Deserialize;
use serde_json::Value;
use symbolon::clock::Clock;
use symbolon::id::Id;
use symbolon::verifier::Caller;
use tokio::time::Instant;

use crate::hub::outbox::Outbox;
use crate::hub::room::Room;
use crate::origin::AllowedOrigins;
use crate::problem::{Code, Problem};
use crate::service::State;
use crate::socket::wire::Wire;
use crate::socket::{Connection, Socket, size};
use crate::{body, handshake};

/// The longest name of a room, in characters.
const LONGEST_NAME: usize = 100;

/// Mounts every route.
pub fn mount(service: &mut ServiceConfig, origins: &AllowedOrigins) {
    let rooms = web::resource("/rooms").post(create).default_service(only("POST"));
    let room = web::resource("/rooms/{id}").get(show).default_service(only("GET"));
    service
        .service(rooms.wrap(origins.cors()))
        .service(room.wrap(origins.cors()))
        .service(web::resource("/rooms/{id}/ws").get(connect).default_service(only("GET")))
        .default_service(web::to(|| async {
            Err::<HttpResponse, _>(Problem::from(Code::NotFound))
        }));
}

/// Answers methods other than `allow`.
fn only(allow: &'static str) -> actix_web::Route {
    web::to(move || async move { Err::<HttpResponse, _>(Problem::method(allow)) })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRoom {
    name: Option<Value>,
}

/// `POST /rooms`: opens a room.
async fn create(
    caller: Caller,
    request: HttpRequest,
    payload: Payload,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let new: NewRoom = body::json(&request, payload).await?;
    let name = name(new.name.as_ref())?;
    let about = state.hub.open(name, caller.user, state.clock.now()).map_err(|_full| {
        Problem::new(Code::Unavailable, "There are too many rooms").retry_after(60)
    })?;
    tracing::info!(room = %about.id, owner = %about.owner_id, "room opened");
    Ok(HttpResponse::Created()
        .insert_header(("location", format!("/rooms/{}", about.id)))
        .json(about))
}

/// A name that a room may have, trimmed.
fn name(given: Option<&Value>) -> Result<String, Problem> {
    let Some(given) = given else {
        return Err(Problem::field("name", "REQUIRED", "name is required."));
    };
    let Some(name) = given.as_str() else {
        return Err(Problem::field("name", "WRONG_TYPE", "name must be a text."));
    };
    let name = name.trim();
    if !(1..=LONGEST_NAME).contains(&name.chars().count()) {
        return Err(Problem::field("name", "LENGTH", "name must have 1 to 100 characters."));
    }
    if name.contains(char::is_control) {
        let message = "name must not have control characters.";
        return Err(Problem::field("name", "CONTROL_CHARACTERS", message));
    }
    Ok(name.to_owned())
}

/// `GET /rooms/{id}`: what there is to know of a room.
async fn show(
    _caller: Caller,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(&room(&request, &state)?.about))
}

/// `GET /rooms/{id}/ws`: into a room. Whoever is refused is so by a status, before there is a socket.
async fn connect(
    request: HttpRequest,
    payload: Payload,
    state: Data<State>,
) -> Result<HttpResponse, actix_web::Error> {
    if !state.origins.admit(request.headers()) {
        return Err(Problem::from(Code::OriginRejected).into());
    }
    let token = handshake::token(&request)?;
    let caller = state.verifier.verify(token.expose()).await?;
    let room = room(&request, &state)?;
    let seat = state.seats.take(caller.user, Instant::now()).ok_or_else(|| {
        let why = "This user has too many connections, or has sent too much";
        Problem::new(Code::RateLimited, why).retry_after(5)
    })?;
    if room.is_full() {
        return Err(Problem::new(Code::Unavailable, "The room is full").retry_after(60).into());
    }

    let (outbox, queue) = Outbox::new();
    let payload =
        size::guard(&request, payload, outbox.clone(), state.seats.message_rate()).await?;
    let protocols = [handshake::SUBPROTOCOL];
    let (response, session, messages) =
        actix_ws::handle_with_protocols(&request, payload, &protocols)
            .map_err(|_| Problem::new(Code::MalformedRequest, "This is no WebSocket handshake"))?;
    let membership = room.join(&caller, outbox.clone());
    let socket = Socket::new(state, (token, caller), membership, outbox, seat);
    let wire = Wire::of(&request);
    rt::spawn(socket.run(Connection { messages, session, queue, wire }));
    Ok(response)
}

/// The room that the path names.
fn room(request: &HttpRequest, state: &State) -> Result<std::sync::Arc<Room>, Problem> {
    let id: Option<Id> = request.match_info().get("id").and_then(|id| id.parse().ok());
    id.and_then(|id| state.hub.room(id)).ok_or_else(|| Code::NotFound.into())
}
