//! The API as a document (`OpenAPI` 3.1), made of the types that the handlers use.
//!
//! Each feature says in its `operations.rs` what is its own: bodies, answers, codes. What is the same
//! for all stands here: [`failures`], [`headers`], and what can happen to any [`operation`].

pub mod failures;
pub mod headers;
pub mod operation;
pub mod routes;

use std::collections::BTreeMap;

use utoipa::openapi::info::LicenseBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, Paths, RefOr, ResponsesBuilder,
    Schema, Server,
};
use utoipa::{PartialSchema, ToSchema};

use self::operation::{Limited, Operation};
use crate::http::problem::Problem;
use crate::{accounts, addresses, admin, discovery, health, passwords, sessions};

/// The security schemes' names.
const ACCESS_TOKEN: &str = "accessToken";
const REFRESH_COOKIE: &str = "refreshCookie";
const CLIENT: &str = "introspectionClient";

const LICENSE: &str = env!("CARGO_PKG_LICENSE");

/// The features, in the order in which somebody meets them.
fn features() -> [(&'static str, &'static str, Vec<Operation>); 7] {
    [
        ("accounts", "Signing up and in, and one's own account", accounts::operations::all()),
        ("sessions", "Tokens and the sessions behind them", sessions::operations::all()),
        ("passwords", "Changing one, and setting a new one", passwords::operations::all()),
        ("addresses", "Proving an e-mail address, replacing one", addresses::operations::all()),
        ("administration", "For administrators", admin::operations::all()),
        ("services", "What other services ask", discovery::operations::all()),
        ("the service itself", "For whoever runs it", service_itself()),
    ]
}

fn service_itself() -> Vec<Operation> {
    let mut operations = health::operations();
    operations.push(routes::operation());
    operations
}

/// The whole document, of a service whose refresh cookie is called `cookie`.
pub fn document(cookie: &str) -> OpenApi {
    let mut paths = Paths::new();
    let mut schemas: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
    let mut tags = Vec::new();
    for (tag, about, operations) in features() {
        tags.push(TagBuilder::new().name(tag).description(Some(about)).build());
        for operation in operations {
            schemas.extend(operation.schemas.iter().cloned());
            if operation.also_head {
                let head = operation.build(tag, true);
                paths.add_path_operation(operation.path, vec![HttpMethod::Head], head);
            }
            let built = operation.build(tag, false);
            paths.add_path_operation(operation.path, vec![operation.method], built);
        }
    }
    let license = LicenseBuilder::new().name(LICENSE).identifier(Some(LICENSE));
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Symbolon")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(include_str!("description.md")))
                .license(Some(license.build())),
        )
        // Wherever the document was found.
        .servers(Some([Server::new("/")]))
        .tags(Some(tags))
        .paths(paths)
        .components(Some(components(cookie, schemas)))
        .build()
}

fn components(cookie: &str, mut schemas: BTreeMap<String, RefOr<Schema>>) -> Components {
    let mut of_failures = vec![(failures::PROBLEM.to_owned(), Problem::schema())];
    Problem::schemas(&mut of_failures);
    schemas.extend(of_failures);
    let mut components = Components::new();
    components.schemas = schemas;
    components.responses =
        failures::alone().map(|(name, answer)| (name, RefOr::T(answer))).collect();
    components.headers =
        headers::all().map(|(name, header)| (name.to_owned(), RefOr::T(header))).collect();
    for (name, scheme) in security_schemes(cookie) {
        components.add_security_scheme(name, scheme);
    }
    components
}

fn security_schemes(cookie: &str) -> [(&'static str, SecurityScheme); 3] {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("The access token, from the answer to a sign-in or a refresh."));
    let refresh = ApiKeyValue::with_description(
        cookie,
        "The refresh token of a session whose transport is `cookie`. Browsers keep and send it by \
         themselves.",
    );
    let basic = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some("The id and secret of a client, as in `INTROSPECTION_CLIENTS`."));
    [
        (ACCESS_TOKEN, SecurityScheme::Http(bearer.build())),
        (REFRESH_COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(refresh))),
        (CLIENT, SecurityScheme::Http(basic.build())),
    ]
}

impl Operation {
    /// This operation as the document has it, or what HEAD makes of it.
    fn build(&self, tag: &str, is_head: bool) -> utoipa::openapi::path::Operation {
        let id = if is_head { format!("{}Head", self.id) } else { self.id.to_owned() };
        let mut responses = ResponsesBuilder::new();
        for (status, answer) in &self.answers {
            let mut answer = answer.clone();
            headers::add_to_all(&mut answer);
            if self.limited == Limited::Always {
                headers::add_limits(&mut answer);
            }
            if is_head {
                answer.content.clear();
            }
            responses = responses.response(status.to_string(), answer);
        }
        for (status, answer) in failures::answers(&self.failures, self.limited != Limited::Never) {
            responses = responses.response(status, answer);
        }
        let mut operation = utoipa::openapi::path::OperationBuilder::new()
            .tag(tag)
            .operation_id(Some(id))
            .summary(Some(self.summary))
            .request_body(self.body.clone())
            .responses(responses.build());
        if !self.about.is_empty() {
            operation = operation.description(Some(self.about));
        }
        if !self.parameters.is_empty() {
            operation = operation.parameters(Some(self.parameters.clone()));
        }
        if !self.security.is_empty() {
            operation = operation.securities(Some(self.security.clone()));
        }
        operation.build()
    }
}
