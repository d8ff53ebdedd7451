//! Failures as answers: one for each status, with the codes that it may come with.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, Type};

use super::headers;
use crate::error::Code;
use crate::http::problem::{self, Problem};

/// The name of the schema of every failure's body.
pub(super) const PROBLEM: &str = "Problem";

/// Answers for these failures, by their status. A status that comes with one code only is the same
/// for every call, so that one is described among the components.
pub(super) fn answers(
    codes: &[Code],
    are_limited: bool,
) -> impl Iterator<Item = (String, RefOr<Response>)> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    // In the table's order, each once.
    for &code in Code::ALL.iter().filter(|code| codes.contains(code)) {
        by_status.entry(code.status().as_u16()).or_default().push(code);
    }
    by_status.into_iter().map(move |(status, codes)| {
        let tells_limits = are_limited && codes.iter().any(|code| comes_after_limits(*code));
        let answer = match codes[..] {
            [code] if !tells_limits => RefOr::Ref(Ref::from_response_name(format!("{code:?}"))),
            _ => {
                let mut answer = answer(&codes);
                if tells_limits {
                    headers::add_limits(&mut answer);
                }
                RefOr::T(answer)
            }
        };
        (status.to_string(), answer)
    })
}

/// Whether a call may have been counted when it fails like this.
fn comes_after_limits(code: Code) -> bool {
    !matches!(
        code,
        Code::MethodNotAllowed
            | Code::RequestTimeout
            | Code::PayloadTooLarge
            | Code::UnsupportedMediaType
            | Code::HeadersTooLarge
            | Code::OriginRejected
    )
}

/// Every failure by itself, by the name that it is referred to by.
pub(super) fn alone() -> impl Iterator<Item = (String, Response)> {
    Code::ALL.iter().map(|&code| (format!("{code:?}"), answer(&[code])))
}

fn answer(codes: &[Code]) -> Response {
    let sentences = codes.iter().map(|code| format!("`{}`: {}.", code.name(), code.title()));
    let description = sentences.collect::<Vec<_>>().join("\n\n");
    let names = codes.iter().map(|code| code.name());
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
    let schema = AllOfBuilder::new()
        .item(Ref::from_schema_name(PROBLEM))
        .item(ObjectBuilder::new().property("code", code));
    let mut content = ContentBuilder::new().schema(Some(schema));
    if let [code] = codes {
        content = content.example(Some(json!(Problem::new(&(*code).into(), "Xb3Tn0cLQ9mKf2Za"))));
    }
    let answer = ResponseBuilder::new().description(description);
    let mut answer = answer.content(problem::MEDIA_TYPE, content.build()).build();
    headers::add_to_all(&mut answer);
    for &code in codes {
        headers::add_of_failure(&mut answer, code);
    }
    answer
}
