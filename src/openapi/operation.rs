//! One operation, as a feature describes it: what is its own. What is the same for all is added here.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{
    ContentBuilder, HttpMethod, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
    SecurityRequirement, Type,
};
use utoipa::{IntoParams, ToSchema};

use super::{ACCESS_TOKEN, CLIENT, REFRESH_COOKIE, headers};
use crate::error::Code;
use crate::http::envelope;
use crate::id::Id;

/// Which answers of a call say how it stands with its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limited {
    /// None.
    Never,
    /// All that come after it was counted.
    Always,
    /// Refusals only.
    IfRefused,
}

/// A call, put together by what is said of it.
#[must_use]
pub struct Operation {
    pub(super) method: HttpMethod,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) about: &'static str,
    /// Whether HEAD is answered, too.
    pub(super) also_head: bool,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<RequestBody>,
    pub(super) security: Vec<SecurityRequirement>,
    pub(super) answers: Vec<(u16, Response)>,
    pub(super) failures: Vec<Code>,
    pub(super) limited: Limited,
    /// Every schema that is referred to, by its name.
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
}

impl Operation {
    /// A GET of `path`, which generated clients call by the name `id`.
    pub fn get(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(HttpMethod::Get, path, id, summary)
    }

    /// A POST, as [`Self::get`].
    pub fn post(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(HttpMethod::Post, path, id, summary)
    }

    /// A PATCH, as [`Self::get`].
    pub fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(HttpMethod::Patch, path, id, summary)
    }

    /// A DELETE, as [`Self::get`].
    pub fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(HttpMethod::Delete, path, id, summary)
    }

    fn new(
        method: HttpMethod,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        let parameters = if path.contains("{id}") { vec![id_in_path()] } else { Vec::new() };
        Self {
            method,
            path,
            id,
            summary,
            about: "",
            also_head: false,
            parameters,
            body: None,
            security: Vec::new(),
            answers: Vec::new(),
            failures: EVERYWHERE.to_vec(),
            limited: Limited::Never,
            schemas: Vec::new(),
        }
    }

    /// What a caller has to know, in Markdown.
    pub fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// HEAD is answered like GET, without the body.
    pub fn also_head(self) -> Self {
        Self { also_head: true, ..self }
    }

    /// Parameters of the query.
    pub fn query<T: IntoParams>(mut self) -> Self {
        self.parameters.extend(T::into_params(|| Some(ParameterIn::Query)));
        self
    }

    /// A header that may come along.
    pub fn header(mut self, name: &str, schema: ObjectBuilder, about: &str) -> Self {
        let header = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(about))
            .schema(Some(schema));
        self.parameters.push(header.build());
        self
    }

    /// A body that has to be there, of JSON.
    pub fn body<T: ToSchema>(self) -> Self {
        self.takes::<T>(Required::True)
    }

    /// A body that may be left out, of JSON.
    pub fn optional_body<T: ToSchema>(self) -> Self {
        self.takes::<T>(Required::False)
    }

    fn takes<T: ToSchema>(mut self, required: Required) -> Self {
        let schema = self.refer::<T>();
        self.takes_as("application/json", schema.into(), required)
    }

    /// The body has one field at least, none of which has to be there.
    pub fn of_some_fields(mut self) -> Self {
        if let Some((_, RefOr::T(Schema::Object(body)))) = self.schemas.last_mut() {
            body.min_properties = Some(1);
        }
        self
    }

    /// A form that has to be there.
    pub fn form(self, schema: ObjectBuilder) -> Self {
        self.takes_as("application/x-www-form-urlencoded", schema.into(), Required::True)
    }

    fn takes_as(mut self, media_type: &str, schema: RefOr<Schema>, required: Required) -> Self {
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let body = RequestBodyBuilder::new().content(media_type, content);
        self.body = Some(body.required(Some(required)).build());
        self.failures.extend([Code::PayloadTooLarge, Code::UnsupportedMediaType]);
        self
    }

    /// Succeeds with a JSON body.
    pub fn answers<T: ToSchema>(mut self, status: u16, about: &str) -> Self {
        let schema = self.refer::<T>();
        self.answers_as(status, about, schema)
    }

    /// Succeeds with JSON of a form that others have fixed.
    pub fn answers_as(self, status: u16, about: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        let content = ContentBuilder::new().schema(Some(schema.into())).build();
        let answer = ResponseBuilder::new().description(about);
        self.answered(status, answer.content("application/json", content).build())
    }

    /// Succeeds without a body.
    pub fn done(self, status: u16, about: &str) -> Self {
        self.answered(status, Response::new(about))
    }

    fn answered(mut self, status: u16, mut answer: Response) -> Self {
        if envelope::is_private(self.path) {
            headers::add(&mut answer, headers::CACHE_CONTROL);
        }
        self.answers.push((status, answer));
        self
    }

    /// The success that was described last has this header.
    pub fn with(mut self, header: &str) -> Self {
        if let Some((_, answer)) = self.answers.last_mut() {
            headers::add(answer, header);
        }
        self
    }

    /// Caches may keep the answer, and ask by its tag whether it is still good.
    pub fn kept_by_tag(self) -> Self {
        let tag = ObjectBuilder::new().schema_type(Type::String);
        self.with(headers::ETAG)
            .with(headers::CACHE_CONTROL)
            .header("If-None-Match", tag, "The `ETag` of a copy: 304 where it is still good.")
            .done(304, "The copy is still good.")
            .with(headers::ETAG)
            .with(headers::CACHE_CONTROL)
    }

    /// For whoever holds an access token, and has proven the address where that is asked for.
    pub fn for_users(self) -> Self {
        self.even_unverified().fails(&[Code::EmailNotVerified])
    }

    /// For whoever holds an access token.
    pub fn even_unverified(self) -> Self {
        let needs = SecurityRequirement::new(ACCESS_TOKEN, NO_SCOPES);
        self.needs(needs).fails(&[
            Code::TokenMissing,
            Code::TokenInvalid,
            Code::TokenExpired,
            Code::SessionRevoked,
            Code::Unavailable,
        ])
    }

    /// For administrators.
    pub fn for_admins(self) -> Self {
        self.for_users().fails(&[Code::Forbidden])
    }

    /// For other services, by credentials of theirs.
    pub fn for_clients(self) -> Self {
        let needs = SecurityRequirement::new(CLIENT, NO_SCOPES);
        self.needs(needs).fails(&[Code::InvalidClient])
    }

    /// Acts on a refresh token, in the cookie or in the body, beside what it needs otherwise.
    pub fn for_refresh_tokens(mut self) -> Self {
        let others = self.security.pop().unwrap_or_default();
        let cookie = others.clone().add(REFRESH_COOKIE, NO_SCOPES);
        self.needs(cookie).needs(others).fails(&[
            Code::OriginRejected,
            Code::RefreshTokenMissing,
            Code::RefreshTokenInvalid,
            Code::RefreshTokenExpired,
            Code::Unavailable,
        ])
    }

    fn needs(mut self, requirement: SecurityRequirement) -> Self {
        self.security.push(requirement);
        self
    }

    /// Waits for the database, or for a queue: either may be out of reach or full.
    pub fn may_be_unavailable(self) -> Self {
        self.fails(&[Code::Unavailable])
    }

    /// How often it may be called is limited.
    pub fn limited(self) -> Self {
        Self { limited: Limited::Always, ..self }.fails(&[Code::RateLimited])
    }

    /// How often it may be refused is limited.
    pub fn limited_if_refused(self) -> Self {
        Self { limited: Limited::IfRefused, ..self }.fails(&[Code::RateLimited])
    }

    /// Fails by these codes, beside the general ones.
    pub fn fails(mut self, codes: &[Code]) -> Self {
        self.failures.extend(codes);
        self
    }

    /// A reference to the schema of `T`, which becomes a part of the document.
    fn refer<T: ToSchema>(&mut self) -> Ref {
        T::schemas(&mut self.schemas);
        self.schemas.push((T::name().into_owned(), T::schema()));
        Ref::from_schema_name(T::name())
    }
}

/// Access is not divided any further.
const NO_SCOPES: [&str; 0] = [];

/// What may happen to any call.
const EVERYWHERE: [Code; 5] = [
    Code::MalformedRequest,
    Code::MethodNotAllowed,
    Code::RequestTimeout,
    Code::HeadersTooLarge,
    Code::Internal,
];

fn id_in_path() -> Parameter {
    ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(Ref::from_schema_name(Id::name())))
        .build()
}
