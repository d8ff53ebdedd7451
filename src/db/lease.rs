//! What only one instance does at a time: a row says who, and until when.

use diesel::prelude::*;

use super::schema::leases;
use super::{AnyConnection, Id, Moment, QueryResult};

/// Takes or prolongs the lease of `name` for `holder`, until `ends_at`; `false` while another has it.
/// The transaction holds the lease's row, so what else it does, nobody does beside it.
pub fn take(
    connection: &mut AnyConnection,
    name: &str,
    holder: Id,
    now: Moment,
    ends_at: Moment,
) -> QueryResult<bool> {
    diesel::update(leases::table.find(name))
        .filter(leases::ends_at.le(now).or(leases::holder.eq(holder)))
        .set((leases::holder.eq(holder), leases::ends_at.eq(ends_at)))
        .execute(connection)
        .map(|changed| changed == 1)
}
