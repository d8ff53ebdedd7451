//! Mail: what it says, and that it arrives once, whatever fails on the way.

mod at_once;
mod letters;
mod outbox;
mod secrets;
mod smtp;
