//! Frames that are too big or too many, found out by their first bytes.
//!
//! The framework looks at the size of a frame when all of it has arrived. Until then it keeps what
//! there is, however much the frame has announced; so that is looked at before. And it hands on
//! thousands of small frames without letting anybody else have a turn, pongs and empty fragments
//! too, which are no messages to be counted later.

use std::future::ready;

use actix_web::web::{Bytes, Payload};
use actix_web::{FromRequest, HttpRequest, dev};
use futures_util::StreamExt;
use tokio::time::Instant;

use crate::hub::outbox::{Ending, Outbox};
use crate::hub::rate::{Admission, Rate};

/// The longest frame, and the longest message of several frames, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// Frames for each message that may be sent, in case these come in fragments. Three times as many end
/// the socket.
const FRAMES_OF_ONE: u32 = 50;

/// The same payload, but from the first frame on that is too big, or one too many, nothing of it is
/// passed on, and the socket behind `outbox` ends.
pub async fn guard(
    request: &HttpRequest,
    payload: Payload,
    outbox: Outbox,
    message_rate: u32,
) -> Result<Payload, actix_web::Error> {
    let mut frames = Frames::new(message_rate, Instant::now());
    let mut is_over = false;
    let guarded = payload.into_inner().filter_map(move |chunk| {
        if !is_over && let Ok(bytes) = &chunk {
            let bytes: &Bytes = bytes;
            if let Err(ending) = frames.admit(bytes, Instant::now()) {
                is_over = true;
                outbox.end(ending);
            }
        }
        ready((!is_over).then_some(chunk))
    });
    // There is no other way to make one of these.
    Payload::from_request(request, &mut dev::Payload::Stream { payload: Box::pin(guarded) }).await
}

/// How far into which part of a frame the bytes have come (RFC 6455, 5.2).
struct Frames {
    /// The header, as far as it is there.
    header: Vec<u8>,
    /// Bytes of the payload that are still to come.
    left: usize,
    rate: Rate,
}

impl Frames {
    fn new(message_rate: u32, now: Instant) -> Self {
        let rate = Rate::new(message_rate.saturating_mul(FRAMES_OF_ONE), now);
        Self { header: Vec::new(), left: 0, rate }
    }

    /// Takes more bytes; why the socket is to end, if one of their frames is too big or one too many.
    fn admit(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), Ending> {
        while let Some((&first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let here = self.left.min(bytes.len());
                self.left -= here;
                bytes = &bytes[here..];
                continue;
            }
            self.header.push(first);
            bytes = rest;
            if let Some(length) = announced(&self.header) {
                if length > MAX_BYTES {
                    return Err(Ending::TooBig);
                }
                if self.rate.count(now) == Admission::Hopeless {
                    return Err(Ending::Flood);
                }
                self.left = length;
                self.header.clear();
            }
        }
        Ok(())
    }
}

/// The length that a header announces, once it is complete, its mask included.
fn announced(header: &[u8]) -> Option<usize> {
    let second = *header.get(1)?;
    let short = second & 0x7f;
    let extended = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    if header.len() < 2 + extended + mask {
        return None;
    }
    if extended == 0 {
        return Some(short.into());
    }
    let length = header[2..2 + extended].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    Some(usize::try_from(length).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [1, 2, 3, 4];

    fn header(length: &[u8]) -> Vec<u8> {
        [&[0x81], length, &MASK].concat()
    }

    #[test]
    fn frames_of_64_kib_pass_however_they_are_cut() {
        let mut bytes = header(&[0x80 | 5]);
        bytes.extend(b"small");
        bytes.extend(header(&[0x80 | 126, 0x01, 0x00]));
        bytes.extend([0x81; 256]);
        bytes.extend(header(&[0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0]));
        bytes.extend([0xff; MAX_BYTES]);
        bytes.extend(header(&[0x80]));
        for size in [1, 2, 3, 7, 1000, bytes.len()] {
            let now = Instant::now();
            let mut frames = Frames::new(20, now);
            assert!(bytes.chunks(size).all(|chunk| frames.admit(chunk, now).is_ok()), "{size}");
            assert_eq!((frames.left, frames.header.len()), (0, 0), "{size}");
        }
    }

    #[test]
    fn one_byte_more_does_not() {
        for length in [&[0, 0, 0, 0, 0, 1, 0, 1], &[0, 0, 0, 1, 0, 0, 0, 0], &[0xff; 8]] {
            let big = header(&[&[0x80 | 127], &length[..]].concat());
            let (last, first) = big.split_last().unwrap();
            let now = Instant::now();
            let mut frames = Frames::new(20, now);
            assert_eq!(frames.admit(&header(&[0x80]), now), Ok(()));
            assert_eq!(frames.admit(first, now), Ok(()));
            assert_eq!(frames.admit(&[*last], now), Err(Ending::TooBig));
        }
    }

    #[test]
    fn a_flood_of_small_frames_does_not() {
        let now = Instant::now();
        let mut frames = Frames::new(20, now);
        let many = header(&[0x80]).repeat(3000);
        assert_eq!(frames.admit(&many, now), Ok(()));
        assert_eq!(frames.admit(&header(&[0x80]), now), Err(Ending::Flood));
    }
}
