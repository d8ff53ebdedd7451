//! Reading query strings, strictly: known parameters only, each once.

use actix_web::HttpRequest;
use actix_web::web::Query;
use serde::de::DeserializeOwned;

use crate::db::Id;
use crate::error::{ApiError, Code, FieldError};
use crate::page::Window;

/// Rows of a page, unless asked for otherwise.
const DEFAULT_LIMIT: usize = 50;
/// The most rows of a page.
const MAX_LIMIT: usize = 200;

/// Reads the query as a `T`, which has to deny unknown fields and take texts only: what is wrong
/// with one of those is for [`window`] and [`id`] to say.
pub fn read<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, ApiError> {
    let query = Query::<T>::from_query(request.query_string());
    query.map(Query::into_inner).map_err(|_| {
        let detail = "the query has a parameter that this call does not know, or one twice";
        ApiError::new(Code::MalformedRequest, detail)
    })
}

/// The page that `limit` and `cursor` ask for; notes among `errors` what is wrong with them.
pub fn window(
    limit: Option<&str>,
    cursor: Option<&str>,
    errors: &mut Vec<FieldError>,
) -> Option<Window> {
    let wanted = limit.map_or(Some(DEFAULT_LIMIT), |limit| limit.parse().ok());
    let limit = wanted.filter(|limit| (1..=MAX_LIMIT).contains(limit));
    if limit.is_none() {
        let message = "limit is a number from 1 to 200.";
        errors.push(FieldError::new("limit", "OUT_OF_RANGE", message));
    }
    let cursor = id(cursor, "cursor", errors);
    limit.map(|limit| Window { cursor, limit })
}

/// An id that may be there; notes it among `errors` where it is none.
pub fn id(text: Option<&str>, field: &'static str, errors: &mut Vec<FieldError>) -> Option<Id> {
    let id = text?.parse().ok();
    if id.is_none() {
        errors.push(FieldError::new(field, "NO_ID", format!("{field} is no id.")));
    }
    id
}
