//! `symbolon prune`.

use super::{CommonArgs, Failure, operator, print};
use crate::sessions::prune::{Pruned, prune};
use crate::settings::Faults;

/// Deletes what is past its time and says how much that was.
pub(super) fn run(args: &CommonArgs) -> Result<(), Failure> {
    let settings = args.start(Faults::default())?;
    let operator = operator(&settings)?;
    let Pruned { sessions, events } =
        prune(&operator.database, operator.clock.now(), settings.audit_retention)?;
    print(format_args!("deleted {sessions} ended sessions and {events} old audit events"))?;
    Ok(())
}
