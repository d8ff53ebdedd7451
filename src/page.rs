//! Long lists, a page at a time, the newest first.
//!
//! A page begins behind the last row of the one before, not at a number: what is added meanwhile
//! neither repeats a row nor hides one.

use crate::db::Id;

/// Where a page begins, and how long it is at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The last row of the page before; `None` for the first page.
    pub cursor: Option<Id>,
    /// The most rows of the page.
    pub limit: usize,
}

impl Window {
    /// How many rows to read: one more than the page holds tells whether there is another page.
    pub fn to_read(self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// Makes a page of `rows`, of which there are [`Self::to_read`] where there are enough.
    pub fn page<T>(self, mut rows: Vec<T>, id: impl Fn(&T) -> Id) -> Page<T> {
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next_cursor = rows.last().filter(|_| has_more).map(id);
        Page { rows, next_cursor }
    }
}

/// Some rows of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, the newest first.
    pub rows: Vec<T>,
    /// The cursor of the next page, if there is one.
    pub next_cursor: Option<Id>,
}
