//! `symbolon prune`.

use super::{CommonArgs, Failure, operator, print};
use crate::background::Stop;
use crate::prune::{Pruned, Pruner};
use crate::settings::Faults;

/// Deletes what is past its time and says how much that was.
pub(super) fn run(args: &CommonArgs) -> Result<(), Failure> {
    let settings = args.start(Faults::default())?;
    let operator = operator(&settings)?;
    let pruner = Pruner {
        database: operator.database,
        clock: operator.clock,
        retention: settings.audit_retention,
        instance: None,
    };
    let Pruned { sessions, tokens, events, counts } = pruner.prune(&Stop::default())?;
    print(format_args!(
        "deleted {sessions} ended sessions, {tokens} expired links, {events} old audit events and \
         {counts} hourly counts"
    ))?;
    Ok(())
}
