//! What is said in a room, and who is there.

use serde_json::json;
use tungstenite::Message;

use super::house::House;
use crate::support::{Db, PASSWORD, SignedIn};

fn with_name(house: &House, name: &str) -> SignedIn {
    let email = format!("{}@example.com", name.to_lowercase());
    let body = json!({"email": email, "password": PASSWORD, "name": name});
    house.auth.post("/auth/register").json(&body).send().expect(201).signed_in()
}

#[test]
fn everybody_hears_who_comes_and_goes_and_what_is_said() {
    let house = House::on(Db::sqlite(), &[("ACCESS_TOKEN_CLAIMS", "name")], &[]);
    let ada = with_name(&house, "Ada");
    let bob = house.somebody("bob");
    let [room, other] = [(); 2].map(|()| house.room(&ada));
    let ada_is = json!({"userId": ada.user, "name": "Ada"});
    // One who has no name is called by the id.
    let bob_is = json!({"userId": bob.user, "name": bob.user});

    let mut first = house.handshake(&room).bearer(&ada.access).connect();
    assert_eq!(first.next("presence"), json!({"users": [ada_is]}));
    let mut elsewhere = house.handshake(&other).bearer(&bob.access).connect();
    assert_eq!(elsewhere.next("presence"), json!({"users": [bob_is]}));
    let mut second = house.handshake(&room).bearer(&bob.access).connect();
    let both = json!({"users": [ada_is, bob_is]});
    assert_eq!(first.next("presence"), both);
    assert_eq!(second.next("presence"), both);
    // Two sockets are one user.
    let third = house.handshake(&room).bearer(&ada.access).connect();
    assert_eq!(second.next("presence"), both);
    third.leave();
    assert_eq!(second.next("presence"), both);

    first.chat("hello \u{1f44b} <b>");
    let said = second.next("chat");
    let fields: Vec<&String> = said.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["at", "name", "text", "userId"]);
    assert_eq!((&said["userId"], &said["name"]), (&json!(ada.user), &json!("Ada")));
    assert_eq!(said["text"], "hello \u{1f44b} <b>");
    assert!(symbolon::moment::Moment::parse(said["at"].as_str().unwrap()).is_some());
    assert_eq!(first.until("chat"), said);

    first.leave();
    assert_eq!(second.next("presence"), json!({"users": [bob_is]}));
    // Nothing of it was heard in the other room.
    elsewhere.expect_silence("alone");
}

#[test]
fn who_breaks_off_has_left() {
    let house = House::open();
    let [ada, bob] = ["ada", "bob"].map(|name| house.somebody(name));
    let room = house.room(&ada);
    let mut first = house.handshake(&room).bearer(&ada.access).connect();
    let second = house.handshake(&room).bearer(&bob.access).connect();
    first.until_present(2);
    drop(second);
    first.until_present(1);
}

#[test]
fn what_is_no_frame_of_ours_is_answered_with_a_sentence() {
    let house = House::open();
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let mut socket = house.handshake(&room).bearer(&ada.access).connect();
    socket.next("presence");
    for (text, told) in [
        ("", "Malformed JSON"),
        ("{\"event\": \"chat\"", "Malformed JSON"),
        ("hello", "Malformed JSON"),
        ("[]", "Unknown event or unexpected data"),
        (r#"{"event": "canary"}"#, "Unknown event or unexpected data"),
        (r#"{"event": "chat", "data": {"text": 1}}"#, "Unknown event or unexpected data"),
        (
            r#"{"event": "chat", "data": {"text": "a", "canary": 1}}"#,
            "Unknown event or unexpected data",
        ),
        (
            r#"{"event": "mod.kick", "data": {"targetUserId": "canary"}}"#,
            "Unknown event or unexpected data",
        ),
        (r#"{"event": "chat", "data": {"text": " "}}"#, "There is nothing in this message"),
    ] {
        socket.send_text(text);
        assert_eq!(socket.next("error"), json!({"message": told}), "{text}");
    }
    socket.chat(&"ä".repeat(4001));
    assert_eq!(socket.next("error")["message"], "This message is too long");
    socket.chat(&"ä".repeat(4000));
    assert_eq!(socket.next("chat")["text"], "ä".repeat(4000));
}

/// Security: J7.
#[test]
fn bytes_are_not_understood() {
    let house = House::open();
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let connect = || house.handshake(&room).bearer(&ada.access).connect();
    let mut binary = connect();
    binary.write(Message::binary(vec![1, 2, 3]));
    assert_eq!(binary.closed(), (1003, "Only text is understood".into()));
    let mut no_utf8 = connect();
    no_utf8.raw(&[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]);
    assert_eq!(no_utf8.closed(), (1007, "Text must be UTF-8".into()));
    let mut unmasked = connect();
    unmasked.raw(&[0x81, 0x02, b'h', b'i']);
    assert_eq!(unmasked.closed(), (1002, "Protocol error".into()));
}
