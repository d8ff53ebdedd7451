//! What the API's document says, held against every answer that a test gets.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

use super::Answer;

/// Headers that only some answers have: where one comes, the document has to say so.
const SOMETIMES: [&str; 12] = [
    "Allow",
    "ETag",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Set-Cookie",
    "traceresponse",
    "WWW-Authenticate",
    "X-Auth-Role",
    "X-Auth-Session",
    "X-Auth-User",
    "X-Request-Id",
];

/// Failures of calls that are none: their path or method is not there.
const NO_CALL: [&str; 6] = [
    "HEADERS_TOO_LARGE",
    "INTERNAL",
    "MALFORMED_REQUEST",
    "METHOD_NOT_ALLOWED",
    "NOT_FOUND",
    "REQUEST_TIMEOUT",
];

/// The document, as whoever asks for it gets it.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let name = symbolon::settings::http::DEFAULT_COOKIE_NAME;
        serde_json::to_value(symbolon::openapi::document(name)).unwrap()
    })
}

/// What of an answer the document does not know.
pub fn faults(method: &str, path: &str, answer: &Answer) -> Vec<String> {
    let path = path.split(['?', '#']).next().unwrap();
    // What a browser asks before it calls from another origin, which is CORS's and no call.
    if is_page(path) || method == "OPTIONS" {
        return Vec::new();
    }
    let operation = operation(method, path);
    if operation.is_none() && answer.code_is_among(&NO_CALL, method) {
        return Vec::new();
    }
    let Some(operation) = operation else { return vec!["there is no such call".to_owned()] };
    let Some(response) = operation["responses"].get(answer.status.to_string()) else {
        return vec!["its status is not documented".to_owned()];
    };
    let response = resolve(response);
    let mut faults: Vec<String> = SOMETIMES
        .iter()
        .filter(|name| answer.headers.contains_key(**name) && response["headers"][**name].is_null())
        .map(|name| format!("{name} is not documented"))
        .collect();
    faults.extend(faults_of_body(method, response, answer));
    faults
}

/// Pages and their files are for people, and the document is for programs.
pub fn is_page(path: &str) -> bool {
    ["/", "/admin", "/account", "/docs", "/.well-known/change-password"].contains(&path)
        || path.starts_with("/account/")
        || path.starts_with("/docs/")
}

fn faults_of_body(method: &str, response: &'static Value, answer: &Answer) -> Vec<String> {
    let Some(contents) = response["content"].as_object().filter(|_| method != "HEAD") else {
        return Some("there is a body".to_owned())
            .filter(|_| !answer.text.is_empty())
            .into_iter()
            .collect();
    };
    let (media_type, content) = contents.iter().next().unwrap();
    if answer.header("content-type") != Some(media_type) {
        return vec![format!("it is no {media_type}")];
    }
    let Ok(body) = serde_json::from_str(&answer.text) else {
        return vec!["it is no JSON".to_owned()];
    };
    let mut faults = Vec::new();
    compare(&[&content["schema"]], &body, "body", &mut faults);
    faults
}

impl Answer {
    fn code_is_among(&self, codes: &[&str], method: &str) -> bool {
        // An answer to HEAD has no body, so no code.
        codes.contains(&&*self.code()) || (method == "HEAD" && self.status >= 400)
    }
}

/// The operation of a concrete path.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let is_it = |template: &str| {
        let (template, path) = (template.split('/'), path.split('/'));
        template.clone().count() == path.clone().count()
            && template
                .zip(path)
                .all(|(one, other)| one == other || one == "{id}" && !other.is_empty())
    };
    let paths = document()["paths"].as_object().unwrap();
    let (_, found) = paths.iter().find(|(template, _)| is_it(template))?;
    found.get(method.to_lowercase())
}

fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(place) => document().pointer(place.strip_prefix('#').unwrap()).expect(place),
        None => value,
    }
}

/// Notes what of `value` does not fit all of `schemas` together: a type, an unknown value, a field that is
/// missing, and any field that none of them names.
fn compare(schemas: &[&'static Value], value: &Value, at: &str, faults: &mut Vec<String>) {
    let mut parts = Vec::new();
    for schema in schemas {
        flatten(schema, &mut parts);
    }
    let mut fields: BTreeMap<&str, Vec<&'static Value>> = BTreeMap::new();
    let mut is_closed = false;
    for part in parts {
        if let Some(choices) = part["oneOf"].as_array() {
            let fits = |choice| {
                let mut faults = Vec::new();
                compare(&[choice], value, at, &mut faults);
                faults.is_empty()
            };
            if !choices.iter().any(fits) {
                faults.push(format!("{at} is none of what it may be: {value}"));
            }
            return;
        }
        if !is_of_type(value, &part["type"]) {
            faults.push(format!("{at} is of a wrong type: {value}"));
        }
        if part["enum"].as_array().is_some_and(|values| !values.contains(value)) {
            faults.push(format!("{at} has a value that is not documented: {value}"));
        }
        for name in part["required"].as_array().into_iter().flatten() {
            if value.get(name.as_str().unwrap()).is_none() {
                faults.push(format!("{at}.{name} is missing"));
            }
        }
        for (name, schema) in part["properties"].as_object().into_iter().flatten() {
            fields.entry(name).or_default().push(schema);
        }
        is_closed |= part["additionalProperties"] == false || part["properties"].is_object();
        for item in value.as_array().into_iter().flatten() {
            compare(&[&part["items"]], item, &format!("{at}[]"), faults);
        }
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        match fields.get(&**name) {
            Some(schemas) => compare(schemas, field, &format!("{at}.{name}"), faults),
            None if is_closed => faults.push(format!("{at}.{name} is not documented")),
            None => {}
        }
    }
}

/// Everything that a schema is put together from.
fn flatten(schema: &'static Value, parts: &mut Vec<&'static Value>) {
    let schema = resolve(schema);
    match schema["allOf"].as_array() {
        Some(all) => all.iter().for_each(|part| flatten(part, parts)),
        None => parts.push(schema),
    }
}

fn is_of_type(value: &Value, types: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there was no type {other} yet"),
    };
    match types {
        Value::Array(types) => types.iter().any(is),
        Value::Null => true,
        one => is(one),
    }
}
