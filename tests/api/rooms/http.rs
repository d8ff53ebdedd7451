//! `POST /rooms` and `GET /rooms/{id}`.

use serde_json::{Value, json};

use super::house::House;
use crate::support::Db;

#[test]
fn a_room_is_opened_and_found() {
    let house = House::open();
    let ada = house.somebody("ada");
    let call = house.post("/rooms").bearer(&ada.access).json(&json!({"name": "  Lobby "}));
    let opened = call.send().expect(201);
    let room = opened.json();
    let fields: Vec<&String> = room.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["createdAt", "id", "name", "ownerId"]);
    assert_eq!((&room["name"], &room["ownerId"]), (&json!("Lobby"), &json!(ada.user)));
    let created = symbolon::moment::Moment::parse(room["createdAt"].as_str().unwrap());
    assert!(created.is_some());
    let id = room["id"].as_str().unwrap();
    assert_eq!(id.as_bytes()[14], b'7');
    assert_eq!(opened.header("location"), Some(&*format!("/rooms/{id}")));

    let found = house.get(&format!("/rooms/{id}")).bearer(&ada.access).send().expect(200);
    assert_eq!(found.json(), room);
    let bob = house.somebody("bob");
    house.get(&format!("/rooms/{id}")).bearer(&bob.access).send().expect(200);
    for other in ["0199d3c0-0000-7000-8000-000000000000", "lobby", "%00"] {
        let call = house.get(&format!("/rooms/{other}")).bearer(&ada.access);
        call.send().expect_failure(404, "NOT_FOUND");
    }
}

/// Security: J1.
#[test]
fn both_need_an_access_token() {
    let house = House::open();
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let path = format!("/rooms/{room}");
    let name = json!({"name": "Lobby"});
    for (token, code) in [
        (None, "TOKEN_MISSING"),
        (Some("no.good.token"), "TOKEN_INVALID"),
        (Some(&*ada.refresh), "TOKEN_INVALID"),
    ] {
        let with = |call: crate::support::Call<'_>| match token {
            Some(token) => call.bearer(token).send(),
            None => call.send(),
        };
        with(house.post("/rooms").json(&name)).expect_failure(401, code);
        with(house.get(&path)).expect_failure(401, code);
    }
    house.get(&format!("{path}?token={}", ada.access)).send().expect_failure(401, "TOKEN_MISSING");
    let both = house.get(&path).bearer(&ada.access).bearer(&ada.access);
    both.send().expect_failure(400, "MALFORMED_REQUEST");
}

#[test]
fn bodies_are_read_strictly() {
    let house = House::open();
    let ada = house.somebody("ada");
    let post = || house.post("/rooms").bearer(&ada.access);
    for (body, code) in [
        (json!({}), "REQUIRED"),
        (json!({"name": null}), "REQUIRED"),
        (json!({"name": 7}), "WRONG_TYPE"),
        (json!({"name": "  "}), "LENGTH"),
        (json!({"name": "ä".repeat(101)}), "LENGTH"),
        (json!({"name": "a\u{7}b"}), "CONTROL_CHARACTERS"),
    ] {
        let failure = post().json(&body).send().expect_failure(400, "VALIDATION_FAILED").json();
        assert_eq!(failure["errors"][0]["field"], "name", "{body}");
        assert_eq!(failure["errors"][0]["code"], code, "{body}");
        assert!(failure["errors"][0]["message"].is_string());
    }
    post().json(&json!({"name": "ä".repeat(100)})).send().expect(201);
    for body in [
        "",
        "{",
        "[\"Lobby\"]",
        "\"Lobby\"",
        r#"{"name": "a", "x": 1}"#,
        r#"{"name": "a", "name": "b"}"#,
        r#"{"name": "a"} {}"#,
    ] {
        let call = post().header("content-type", "application/json").body(body.as_bytes());
        call.send().expect_failure(400, "MALFORMED_REQUEST");
    }
    let good = br#"{"name": "a"}"#;
    for kind in ["text/plain", "application/x+json", "application/json; charset=latin1"] {
        let call = post().header("content-type", kind).body(good);
        call.send().expect_failure(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    post().body(good).send().expect_failure(415, "UNSUPPORTED_MEDIA_TYPE");
    let large: Value = json!({"name": "a".repeat(5000)});
    post().json(&large).send().expect_failure(413, "PAYLOAD_TOO_LARGE");
}

#[test]
fn other_methods_and_paths_are_refused() {
    let house = House::open();
    for (method, path, allow) in
        [("GET", "/rooms", "POST"), ("DELETE", "/rooms/1", "GET"), ("POST", "/rooms/1/ws", "GET")]
    {
        let answer = house.call(method, path).send().expect_failure(405, "METHOD_NOT_ALLOWED");
        assert_eq!(answer.header("allow"), Some(allow));
    }
    for path in ["/", "/rooms/1/2", "/rooms/1/ws/"] {
        house.get(path).send().expect_failure(404, "NOT_FOUND");
    }
}

/// Security: J8.
#[test]
fn one_owner_has_100_rooms_at_most() {
    let house = House::open();
    let [ada, bob] = ["ada", "bob"].map(|name| house.somebody(name));
    let bobs = house.room(&bob);
    let [held, dropped] = [(); 2].map(|()| house.room(&ada));
    let mut inside = house.handshake(&held).bearer(&ada.access).connect();
    for _ in 0..99 {
        house.room(&ada);
    }
    let found = |id: &str| house.get(&format!("/rooms/{id}")).bearer(&ada.access).send().status;
    assert_eq!([&held, &dropped, &bobs].map(|id| found(id)), [200, 404, 200]);
    inside.chat("still here");
    assert_eq!(inside.until("chat")["text"], "still here");
}

/// Pages that may open sockets may open rooms, too.
#[test]
fn pages_of_allowed_origins_can_read_answers() {
    let origins = [("ALLOWED_ORIGINS", "https://app.test")];
    let house = House::on(Db::sqlite(), &[], &origins);
    let ada = house.somebody("ada");
    let preflight = |origin: &str| {
        let call = house.call("OPTIONS", "/rooms").header("origin", origin);
        let call = call.header("access-control-request-method", "POST");
        call.header("access-control-request-headers", "authorization, content-type").send()
    };
    let allowed = preflight("https://app.test").expect(200);
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://app.test"));
    assert!(allowed.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(preflight("https://evil.test").header("access-control-allow-origin"), None);
    let body = serde_json::json!({"name": "Lobby"});
    let create = house.post("/rooms").bearer(&ada.access).header("origin", "https://app.test");
    let created = create.json(&body).send().expect(201);
    assert_eq!(created.header("access-control-allow-origin"), Some("https://app.test"));
    let refused = house.get("/rooms/x").header("origin", "https://app.test").send().expect(401);
    assert_eq!(refused.header("access-control-allow-origin"), Some("https://app.test"));
}
