//! Limits are one, whichever instance is asked.

use std::process::Command;

use serde_json::json;

use super::{Fleet, INSTANCES};
use crate::support::{Db, PASSWORD};

/// Security: G1, G4, G8.
#[test]
fn the_sixth_sign_in_is_refused_by_every_instance_and_only_to_its_network() {
    let fleet =
        Fleet::with(Db::postgres(), |_| vec![("LOGIN_RATE_LIMIT".to_owned(), "5/1m".to_owned())]);
    fleet.client.register("ada@example.com");
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let login = || fleet.client.post("/auth/login").json(&body).send();
    for _ in 0..5 {
        login().expect(200);
    }
    for _ in 0..2 * INSTANCES {
        login().expect_failure(429, "RATE_LIMITED");
    }
    let refused = fleet.answered("/auth/login 429");
    assert!(refused.iter().all(|&count| count > 0), "{refused:?}");
    // nginx says who is calling: nobody's limit is that of all.
    let url = format!("{}/auth/login", fleet.client.base);
    let elsewhere = Command::new("curl")
        .args(["-sS", "--interface", "127.0.0.5", "-H", "Content-Type: application/json"])
        .args(["-o", "/dev/null", "-w", "%{http_code}", "-d", &body.to_string(), &url])
        .output()
        .expect("curl is installed by scripts/install");
    assert_eq!(String::from_utf8_lossy(&elsewhere.stdout), "200", "{elsewhere:?}");
}
