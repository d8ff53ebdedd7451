//! `change_password`.
