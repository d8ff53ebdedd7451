//! `logout`.
