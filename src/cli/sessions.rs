//! `symbolon sessions`.

use clap::{Args, Subcommand};

use super::users::known;
use super::{CommonArgs, Failure, print};
use crate::settings::Faults;

/// End sessions.
#[derive(Debug, Args)]
pub(super) struct SessionsArgs {
    #[command(subcommand)]
    command: SessionsCommand,
}

#[derive(Debug, Subcommand)]
enum SessionsCommand {
    /// End sessions at once: of everybody, or of one user
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
struct RevokeArgs {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// Every session of every user
    #[arg(long)]
    all: bool,
    /// Every session of the user with this address
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
}

/// Ends sessions and says how many.
pub(super) fn run(args: &SessionsArgs) -> Result<(), Failure> {
    let SessionsCommand::Revoke(RevokeArgs { whose, common }) = &args.command;
    let operator = common.operator(Faults::default())?;
    let user = whose.user.as_deref().map(|email| known(&operator, email)).transpose()?;
    let ended = operator.revoke_sessions(user.as_ref())?;
    print(format_args!("ended {ended} sessions"))?;
    Ok(())
}
