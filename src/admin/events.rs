//! What happened, as administrators read it.

use crate::app::App;
use crate::audit::store::{self, Filter, Recorded};
use crate::db::DbError;
use crate::page::{Page, Window};

/// A page of the events that `filter` lets through.
pub fn list(app: &App, filter: Filter, window: Window) -> Result<Page<Recorded>, DbError> {
    let rows = app
        .database
        .read(|connection| store::page(connection, filter, window.cursor, window.to_read()))?;
    Ok(window.page(rows, |event| event.id))
}
