//! Frames that are too big, found out by their first bytes.
//!
//! The framework looks at the size of a frame when all of it has arrived. Until then it keeps what
//! there is, however much the frame has announced; so that is looked at before.

use std::future::ready;

use actix_web::web::{Bytes, Payload};
use actix_web::{FromRequest, HttpRequest, dev};
use futures_util::StreamExt;

use crate::hub::outbox::{Ending, Outbox};

/// The longest frame, and the longest message of several frames, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// The same payload, but from the first frame on that is too big nothing of it is passed on, and the
/// socket behind `outbox` ends.
pub async fn guard(
    request: &HttpRequest,
    payload: Payload,
    outbox: Outbox,
) -> Result<Payload, actix_web::Error> {
    let mut frames = Frames::default();
    let mut is_over = false;
    let guarded = payload.into_inner().filter_map(move |chunk| {
        if !is_over && chunk.as_ref().is_ok_and(|chunk: &Bytes| !frames.admit(chunk)) {
            is_over = true;
            outbox.end(Ending::TooBig);
        }
        ready((!is_over).then_some(chunk))
    });
    // There is no other way to make one of these.
    Payload::from_request(request, &mut dev::Payload::Stream { payload: Box::pin(guarded) }).await
}

/// How far into which part of a frame the bytes have come (RFC 6455, 5.2).
#[derive(Default)]
struct Frames {
    /// The header, as far as it is there.
    header: Vec<u8>,
    /// Bytes of the payload that are still to come.
    left: usize,
}

impl Frames {
    /// Takes more bytes; whether all frames among them are small enough.
    fn admit(&mut self, mut bytes: &[u8]) -> bool {
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
                    return false;
                }
                self.left = length;
                self.header.clear();
            }
        }
        true
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
            let mut frames = Frames::default();
            assert!(bytes.chunks(size).all(|chunk| frames.admit(chunk)), "{size}");
            assert_eq!((frames.left, frames.header.len()), (0, 0), "{size}");
        }
    }

    #[test]
    fn one_byte_more_does_not() {
        for length in [&[0, 0, 0, 0, 0, 1, 0, 1], &[0, 0, 0, 1, 0, 0, 0, 0], &[0xff; 8]] {
            let big = header(&[&[0x80 | 127], &length[..]].concat());
            let (last, first) = big.split_last().unwrap();
            let mut frames = Frames::default();
            assert!(frames.admit(&header(&[0x80])) && frames.admit(first));
            assert!(!frames.admit(&[*last]));
        }
    }
}
