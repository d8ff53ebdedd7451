//! Many at once.

use std::time::{Duration, Instant};

use super::house::House;
use super::socket::Heard;
use crate::support::{Db, SignedIn, at_once};

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn who_is_there_is_right_after_many_have_come_and_gone() {
    let house = House::open();
    let users: Vec<_> = (0..4).map(|n| house.somebody(&format!("user{n}"))).collect();
    let room = house.room(&users[0]);
    // The seat of one who broke off is free a moment later.
    let connect = |who: &SignedIn| {
        let began = Instant::now();
        loop {
            match house.handshake(&room).bearer(&who.access).attempt() {
                Ok(socket) => return socket,
                Err(refused) => assert_eq!(refused.status, 429),
            }
            assert!(began.elapsed() < PATIENCE, "no seat was given back");
        }
    };
    at_once(4, |number| {
        for round in 0..10 {
            let socket = connect(&users[number]);
            // Some take their leave, some break off.
            if round % 2 == 0 { socket.leave() } else { drop(socket) }
        }
    });
    let late = house.somebody("late");
    let began = Instant::now();
    loop {
        let present = connect(&late).next("presence");
        let others = present["users"].as_array().unwrap().iter();
        if others.filter(|user| user["userId"] != *late.user).count() == 0 {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{present}");
        std::thread::sleep(Duration::from_millis(20));
    }
    // And all five seats are free again.
    let _sockets: Vec<_> = (0..5).map(|_| connect(&users[0])).collect();
}

/// Nobody is heard after the room was told that he is out.
#[test]
fn who_was_kicked_is_not_heard_any_more() {
    let house = House::on(Db::sqlite(), &[], &[("MESSAGE_RATE", "100000")]);
    let keeper = house.somebody_who_is("moderator", "keeper");
    let bob = house.somebody("bob");
    let room = house.room(&keeper);
    let connect = |who: &SignedIn| house.handshake(&room).bearer(&who.access).connect();
    for _ in 0..5 {
        let mut moderator = connect(&keeper);
        let mut loud = connect(&bob);
        moderator.until_present(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..200 {
                    loud.chat("me");
                }
                assert_eq!(loud.closed(), (1008, "Kicked by moderator".into()));
            });
            moderator.until("chat");
            moderator.kick(&bob);
            moderator.until("user.kicked");
            moderator.next("presence");
            moderator.chat("quiet now");
            match moderator.hear() {
                Heard::Frame { event, data } => {
                    assert_eq!((&*event, &data["text"]), ("chat", &"quiet now".into()));
                }
                end => panic!("{end:?}"),
            }
        });
        moderator.leave();
    }
}
