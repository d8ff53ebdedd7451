//! `symbolon migrate`.

use super::{CommonArgs, Failure, print};
use crate::db::{Database, migrate};
use crate::settings::Faults;

/// Brings the schema up to date and says what was done.
pub(super) fn run(args: &CommonArgs) -> Result<(), Failure> {
    let settings = args.start(Faults::default())?;
    let versions = migrate::run(&Database::open(&settings)?)?;
    if versions.is_empty() {
        print("the schema is up to date")?;
    }
    for version in versions {
        print(format_args!("migrated to {version}"))?;
    }
    Ok(())
}
