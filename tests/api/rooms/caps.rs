//! No socket takes more than its share.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use tungstenite::Message;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use super::house::House;
use super::socket::{Heard, Socket};
use crate::support::{Db, SignedIn};

const KIB: usize = 1024;

/// Security: J7, J8.
#[test]
fn what_is_too_big_closes_the_socket() {
    let house = House::open();
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let connect = || house.handshake(&room).bearer(&ada.access).connect();
    let too_big = (1009, "Message too big".to_owned());

    let mut whole = connect();
    // As much as may be is read: it is no JSON.
    whole.send_text("x".repeat(64 * KIB));
    assert_eq!(whole.error(), "Malformed JSON");
    whole.send_text("x".repeat(64 * KIB + 1));
    assert_eq!(whole.closed(), too_big);

    let mut in_parts = connect();
    let part = |kind, is_last| Message::Frame(Frame::message(vec![b'x'; 40 * KIB], kind, is_last));
    in_parts.write(part(OpCode::Data(Data::Text), false));
    in_parts.write(part(OpCode::Data(Data::Continue), false));
    assert_eq!(in_parts.closed(), too_big);

    // What is only announced is refused without waiting for it, let alone keeping it.
    let mut announced = connect();
    announced.raw(&[0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]);
    assert_eq!(announced.closed(), too_big);
}

/// Security: J8.
#[test]
fn floods_are_refused_and_then_closed() {
    let house = House::open();
    let [ada, bob] = ["ada", "bob"].map(|name| house.somebody(name));
    let room = house.room(&ada);
    let mut witness = house.handshake(&room).bearer(&bob.access).connect();
    let mut socket = house.handshake(&room).bearer(&ada.access).connect();
    witness.until_present(2);
    for _ in 0..30 {
        socket.chat("flood");
    }
    for _ in 0..20 {
        socket.until("chat");
    }
    assert_eq!(socket.error(), "Too many messages");
    for _ in 0..60 {
        socket.chat("flood");
    }
    assert_eq!(socket.closed(), (1008, "Too many messages".into()));
    let mut heard = 0;
    while let Heard::Frame { event, .. } = witness.hear() {
        match &*event {
            "chat" => heard += 1,
            "presence" => break,
            other => panic!("{other}"),
        }
    }
    // Slow machines earn a message each half second.
    assert!((20..30).contains(&heard), "{heard}");
}

/// Security: J8.
#[test]
fn a_user_has_five_sockets_at_most() {
    let house = House::open();
    let [ada, bob] = ["ada", "bob"].map(|name| house.somebody(name));
    let phone = house.auth.login(&ada.email);
    let [room, other] = [(); 2].map(|()| house.room(&ada));
    let connect = |room: &str, token: &str| house.handshake(room).bearer(token).attempt();
    let mut sockets: Vec<Socket> = (0..3).map(|_| connect(&room, &ada.access).unwrap()).collect();
    sockets.extend((0..2).map(|_| connect(&other, &phone.access).unwrap()));
    let refused = connect(&other, &ada.access).unwrap_err();
    assert_eq!((refused.status, &*refused.code), (429, "RATE_LIMITED"));
    assert!(refused.header("retry-after").is_some());
    connect(&room, &bob.access).unwrap();
    sockets.pop().unwrap().leave();
    let began = Instant::now();
    while connect(&room, &ada.access).is_err() {
        assert!(began.elapsed() < Duration::from_secs(2), "the seat was not given back");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Security: J8.
#[test]
fn who_does_not_answer_pings_is_let_go() {
    let house = House::on(Db::sqlite(), &[], &[("PING_INTERVAL", "500ms")]);
    let [ada, bob] = ["ada", "bob"].map(|name| house.somebody(name));
    let room = house.room(&ada);
    // The client answers pings while it is reading, so this one does not.
    let _silent = house.handshake(&room).bearer(&bob.access).connect();
    let mut lively = house.handshake(&room).bearer(&ada.access).connect();
    lively.until_present(2);
    let began = Instant::now();
    lively.until_present(1);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    // Whoever answers stays.
    lively.chat("here");
    lively.until("chat");
}

/// The whole room goes on at its pace while one in it does not read.
///
/// Security: J8.
#[test]
fn who_does_not_read_holds_nobody_up_and_is_let_go() {
    let house = House::on(Db::sqlite(), &[], &[("MESSAGE_RATE", "1000000")]);
    let [ada, bob] = ["ada", "bob"].map(|name| house.somebody(name));
    let room = house.room(&ada);
    let mut lively = house.handshake(&room).bearer(&ada.access).connect();
    let stalled = house.handshake(&room).bearer(&bob.access).connect();
    lively.until_present(2);
    let before = memory_of(house.id());
    let text = "\u{1f44b}".repeat(4000);
    let mut has_left = false;
    for _ in 0..4000 {
        lively.chat(&text);
        has_left |= matches!(lively.hear(), Heard::Frame { event, .. } if event == "presence");
        if has_left {
            break;
        }
    }
    assert!(has_left, "60 MiB were kept for one who reads nothing");
    let grown = memory_of(house.id()).saturating_sub(before);
    assert!(grown < 64 * KIB, "{grown} KiB");
    // Its connection is cut, although it still holds it.
    let began = Instant::now();
    while stalled.is_open_over_there() {
        assert!(began.elapsed() < Duration::from_secs(5), "it is still there");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A client that has been told to go but does not is cut off.
///
/// Security: J8.
#[test]
fn who_does_not_say_goodbye_is_cut_off() {
    let house = House::open();
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let mut socket = house.handshake(&room).bearer(&ada.access).connect();
    socket.raw(&[0x82, 0x80, 0, 0, 0, 0]);
    assert!(socket.is_open_over_there());
    let began = Instant::now();
    while socket.is_open_over_there() {
        assert!(began.elapsed() < Duration::from_secs(6), "it is still there");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Resident memory of a process, in KiB.
fn memory_of(id: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Frames that are no messages are counted too, and hold nobody up.
///
/// Security: J8.
#[test]
fn a_flood_of_frames_holds_nobody_up() {
    let house = House::open();
    let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| house.somebody(name));
    let room = house.room(&ada);
    let connect = |who: &SignedIn| house.handshake(&room).bearer(&who.access).connect();
    let [mut pongs, mut fragments, mut witness] = [connect(&ada), connect(&bob), connect(&eve)];
    let mut first = vec![0x01, 0x80, 0, 0, 0, 0];
    first.extend([0x00, 0x80, 0, 0, 0, 0].repeat(20_000));
    pongs.raw(&[0x8a, 0x80, 0, 0, 0, 0].repeat(20_000));
    fragments.raw(&first);
    let began = Instant::now();
    witness.chat("still here");
    witness.until("chat");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    for socket in [&mut pongs, &mut fragments] {
        assert_eq!(socket.closed(), (1008, "Too many messages".into()));
    }
}

/// What is left of connections that broke off holds nothing for long.
#[test]
fn a_connection_that_breaks_off_gives_its_seat_back() {
    use std::io::Write;
    let house = House::open();
    let ada = house.somebody("ada");
    let room = house.room(&ada);
    let address = house.base.strip_prefix("http://").unwrap().to_owned();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = format!(
            "GET /rooms/{room}/ws HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n",
            ada.access
        );
        stream.write_all(head.as_bytes()).unwrap();
    }
    let began = Instant::now();
    let mut sockets = Vec::new();
    while sockets.len() < 5 {
        sockets.extend(house.handshake(&room).bearer(&ada.access).attempt().ok());
        assert!(began.elapsed() < Duration::from_secs(10), "{}", house.logged());
        std::thread::sleep(Duration::from_millis(20));
    }
    let log = house.logged();
    assert!(log.contains("ending=Left") && !log.contains("ending=TooBig"), "{log}");
}
