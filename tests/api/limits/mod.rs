//! How often anybody may try.

mod account;
mod away;
mod headers;
mod login;
mod others;
mod shared;

use serde_json::{Value, json};

use super::support::{Answer, Call, Client, PASSWORD};

/// The client's address is what this proxy says.
const PROXY: (&str, &str) = ("--trusted-proxies", "127.0.0.1");
const LOGIN: (&str, &str) = ("--login-rate-limit", "5/1m");

/// A call from `ip`, seen through the proxy.
fn from<'a>(server: &'a Client, ip: &str, path: &str, body: &Value) -> Call<'a> {
    server.post(path).header("x-forwarded-for", ip).json(body)
}

fn login_from(server: &Client, ip: &str, email: &str, password: &str) -> Answer {
    from(server, ip, "/auth/login", &json!({"email": email, "password": password})).send()
}

fn login(server: &Client, email: &str, password: &str) -> Answer {
    server.post("/auth/login").json(&json!({"email": email, "password": password})).send()
}

/// A wrong password for an account from an address; what the limits made of it.
fn guess(server: &Client, ip: &str, email: &str) -> Result<(), u32> {
    let answer = login_from(server, ip, email, "not the password");
    if answer.status == 429 {
        return Err(retry_after(&answer.expect_failure(429, "RATE_LIMITED")));
    }
    answer.expect_failure(401, "INVALID_CREDENTIALS");
    Ok(())
}

fn retry_after(answer: &Answer) -> u32 {
    answer.header("retry-after").expect("Retry-After").parse().expect("whole seconds")
}

/// An address that nobody else in the test has.
fn address(number: usize) -> String {
    format!("203.0.{}.{}", number / 250, number % 250)
}

fn registration(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD})
}
