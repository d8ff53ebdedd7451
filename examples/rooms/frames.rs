//! What is said over a socket: JSON texts `{event, data}`.

use bytestring::ByteString;
use serde::{Deserialize, Serialize};
use symbolon::id::Id;
use symbolon::moment::Moment;

/// What a client may say. Without `Debug`: one of these holds a token.
#[derive(Deserialize)]
#[serde(tag = "event", content = "data", deny_unknown_fields, rename_all_fields = "camelCase")]
pub enum FromClient {
    /// Says something to everybody in the room.
    #[serde(rename = "chat")]
    Chat { text: String },
    /// Throws somebody out of the room: for moderators.
    #[serde(rename = "mod.kick")]
    Kick { target_user_id: Id },
    /// Goes on with a newer token.
    #[serde(rename = "auth")]
    Auth { token: String },
}

impl FromClient {
    /// Reads a frame; what is said of one that cannot be read repeats nothing of it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        serde_json::from_str(text).map_err(|error| {
            if error.is_data() { "Unknown event or unexpected data" } else { "Malformed JSON" }
        })
    }
}

/// What the service says.
#[derive(Serialize)]
#[serde(tag = "event", content = "data", rename_all_fields = "camelCase")]
pub enum ToClient<'a> {
    /// Who is in the room, told on every join and leave.
    #[serde(rename = "presence")]
    Presence { users: Vec<Present<'a>> },
    /// What somebody said.
    #[serde(rename = "chat")]
    Chat { user_id: Id, name: &'a str, text: &'a str, at: Moment },
    /// Who was thrown out, and by whom.
    #[serde(rename = "user.kicked")]
    Kicked { user_id: Id, by: Id },
    /// The token ends soon: time for `auth` with a newer one.
    #[serde(rename = "auth.expiring")]
    Expiring { in_seconds: u64 },
    /// Something was not done.
    #[serde(rename = "error")]
    Error { message: &'a str },
}

/// Somebody in a room.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Present<'a> {
    pub user_id: Id,
    pub name: &'a str,
}

impl ToClient<'_> {
    /// As it is sent: a text that is cheap to give to many.
    pub fn text(&self) -> ByteString {
        // Plain structs of texts and numbers can always be written.
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_strictly() {
        let id = "0199d3c0-0000-7000-8000-000000000000";
        let kick = format!(r#"{{"event":"mod.kick","data":{{"targetUserId":"{id}"}}}}"#);
        assert!(matches!(FromClient::parse(&kick), Ok(FromClient::Kick { .. })));
        let reversed = r#"{"data":{"text":"hi"},"event":"chat"}"#;
        assert!(
            matches!(FromClient::parse(reversed), Ok(FromClient::Chat { text }) if text == "hi")
        );
        for (bad, told) in [
            ("", "Malformed JSON"),
            ("{", "Malformed JSON"),
            ("[]", "Unknown event or unexpected data"),
            (r#""chat""#, "Unknown event or unexpected data"),
            (r#"{"event":"chat"}"#, "Unknown event or unexpected data"),
            (r#"{"event":"nope","data":{}}"#, "Unknown event or unexpected data"),
            (r#"{"event":"chat","data":{"text":1}}"#, "Unknown event or unexpected data"),
            (r#"{"event":"chat","data":{"text":"a","x":1}}"#, "Unknown event or unexpected data"),
            (r#"{"event":"chat","data":{"text":"a"},"x":1}"#, "Unknown event or unexpected data"),
            (r#"{"event":"chat","event":"chat","data":{}}"#, "Unknown event or unexpected data"),
            (
                r#"{"event":"mod.kick","data":{"targetUserId":"me"}}"#,
                "Unknown event or unexpected data",
            ),
        ] {
            assert_eq!(FromClient::parse(bad).err(), Some(told), "{bad}");
        }
    }

    #[test]
    fn frames_are_written_as_promised() {
        let id: Id = "0199d3c0-0000-7000-8000-000000000000".parse().unwrap();
        let users = vec![Present { user_id: id, name: "Ada" }];
        for (frame, text) in [
            (
                ToClient::Presence { users },
                r#"{"event":"presence","data":{"users":[{"userId":"0199d3c0-0000-7000-8000-000000000000","name":"Ada"}]}}"#,
            ),
            (
                ToClient::Expiring { in_seconds: 30 },
                r#"{"event":"auth.expiring","data":{"inSeconds":30}}"#,
            ),
            (ToClient::Error { message: "No" }, r#"{"event":"error","data":{"message":"No"}}"#),
        ] {
            assert_eq!(frame.text(), text);
        }
    }
}
