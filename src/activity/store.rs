//! The `hourly_counts` table.

use diesel::prelude::*;

use super::{Count, Kind};
use crate::db::schema::hourly_counts;
use crate::db::{AnyConnection, Moment};

/// Adds `counts` to what the hours have. Two that begin an hour at once are a unique violation.
pub fn add(connection: &mut AnyConnection, counts: &[Count]) -> QueryResult<()> {
    for &Count { hour, kind, count } in counts {
        let row = hourly_counts::table.find((hour, kind.name()));
        let changed = diesel::update(row)
            .set(hourly_counts::count.eq(hourly_counts::count + count))
            .execute(connection)?;
        if changed == 0 {
            diesel::insert_into(hourly_counts::table)
                .values((
                    hourly_counts::hour.eq(hour),
                    hourly_counts::kind.eq(kind.name()),
                    hourly_counts::count.eq(count),
                ))
                .execute(connection)?;
        }
    }
    Ok(())
}

/// What happened from the hour `since` on, of all instances together.
pub fn since(connection: &mut AnyConnection, since: Moment) -> QueryResult<Vec<Count>> {
    let rows: Vec<(Moment, String, i64)> =
        hourly_counts::table.filter(hourly_counts::hour.ge(since)).load(connection)?;
    let count = |(hour, name, count): (Moment, String, i64)| {
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name)?;
        Some(Count { hour, kind, count })
    };
    Ok(rows.into_iter().filter_map(count).collect())
}

/// Deletes the counts of at most `limit` hours before `before`; returns how many counts.
pub fn delete_older(
    connection: &mut AnyConnection,
    before: Moment,
    limit: i64,
) -> QueryResult<usize> {
    let old: Vec<Moment> = hourly_counts::table
        .filter(hourly_counts::hour.lt(before))
        .order(hourly_counts::hour)
        .limit(limit)
        .select(hourly_counts::hour)
        .load(connection)?;
    diesel::delete(hourly_counts::table.filter(hourly_counts::hour.eq_any(old))).execute(connection)
}
