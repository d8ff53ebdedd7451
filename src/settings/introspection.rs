//! Who may introspect tokens.

#![expect(clippy::doc_markdown, reason = "these comments are what `--help` prints, to people")]

use clap::Args;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::Environment;
use super::faults::{Faults, list};
use super::tokens::weakness;
use crate::secret::Secret;

/// What the command line and the environment say about introspection.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Introspection")]
pub struct IntrospectionArgs {
    /// Services that may ask whether an access token is good, as `id:secret` separated by commas
    #[arg(long, env = "INTROSPECTION_CLIENTS", hide_env_values = true, value_name = "CLIENTS")]
    introspection_clients: Option<Secret>,
    /// File that holds INTROSPECTION_CLIENTS
    #[arg(long, env = "INTROSPECTION_CLIENTS_FILE", value_name = "FILE")]
    introspection_clients_file: Option<String>,
}

/// Valid settings of introspection.
#[derive(Debug, Clone, Default)]
pub struct IntrospectionSettings {
    clients: Vec<Client>,
}

#[derive(Debug, Clone)]
struct Client {
    id: String,
    secret: Secret,
}

impl IntrospectionArgs {
    /// Checks these settings.
    pub fn check(&self, environment: Environment, faults: &mut Faults) -> IntrospectionSettings {
        const NAME: &str = "INTROSPECTION_CLIENTS";
        let file = self.introspection_clients_file.as_deref();
        let given = faults.secret(NAME, self.introspection_clients.as_ref(), file);
        let mut clients: Vec<Client> = Vec::new();
        for (number, text) in (1..).zip(list(given.as_ref().map(Secret::expose))) {
            // No message repeats what may be a secret.
            let Some((id, secret)) = text.split_once(':').filter(|(id, _)| !id.is_empty()) else {
                faults.note(NAME, format_args!("client {number} is not written as id:secret"));
                continue;
            };
            let secret = Secret::new(secret);
            if secret.expose().is_empty() {
                faults.note(NAME, format_args!("`{id}` has no secret"));
            } else if let Some(weakness) = weakness(&secret)
                && environment.is_production()
            {
                faults.note(NAME, format_args!("the secret of `{id}` {weakness}"));
            }
            if clients.iter().any(|client| client.id == id) {
                faults.note(NAME, format_args!("`{id}` is there twice"));
            }
            clients.push(Client { id: id.to_owned(), secret });
        }
        IntrospectionSettings { clients }
    }
}

impl IntrospectionSettings {
    /// Whether anybody may introspect.
    pub fn has_clients(&self) -> bool {
        !self.clients.is_empty()
    }

    /// Whether these are the credentials of a client; takes as long whichever of them is wrong.
    ///
    /// They may be encoded as in a form, as RFC 6749, 2.3.1 wants it and few programs do it.
    pub fn admits(&self, id: &str, secret: &str) -> bool {
        let presented = [digest(id, secret), digest(&form_decoded(id), &form_decoded(secret))];
        let is = |client: &Client| {
            let expected = digest(&client.id, client.secret.expose());
            presented.iter().fold(Choice::from(0), |any, one| any | one.ct_eq(&expected))
        };
        self.clients.iter().fold(Choice::from(0), |any, client| any | is(client)).into()
    }
}

/// One part of a form, as which it has neither `&` nor `=`.
fn form_decoded(text: &str) -> String {
    let text = text.replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(text.as_bytes()).map(|(part, _)| part.into_owned()).collect()
}

/// One value for what the two are together, which is all that has to be right.
fn digest(id: &str, secret: &str) -> [u8; 32] {
    Sha256::digest(format!("{id}:{secret}")).into()
}
