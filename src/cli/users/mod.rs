//! `symbolon users`.

mod export;
mod import;

use std::io::{ErrorKind, Read};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};

use crate::accounts::email::EmailAddress;
use crate::accounts::operator::Operator;
use crate::accounts::user::{Role, User};
use crate::cli::{CommonArgs, Failure, print};
use crate::crypto::password::{Password, PasswordHash};
use crate::passwords::policy::PasswordPolicy;
use crate::random;
use crate::settings::Faults;
use crate::settings::passwords::{PasswordRuleArgs, PasswordRules};

/// Make and change accounts.
#[derive(Debug, Args)]
pub(super) struct UsersArgs {
    #[command(subcommand)]
    command: UsersCommand,
}

#[derive(Debug, Subcommand)]
enum UsersCommand {
    /// Make an administrator; prints a generated password once, unless one is given
    CreateAdmin(PasswordOf),
    /// Give a user a new password and end the user's sessions; prints a generated one once, unless one is given
    ResetPassword(PasswordOf),
    /// Set a user's role
    SetRole {
        #[command(flatten)]
        target: Target,
        /// The role
        #[arg(value_enum)]
        role: Role,
    },
    /// Disable an account and end its sessions
    Disable(Target),
    /// Enable an account; its former sessions stay ended
    Enable(Target),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    /// List every account: id, address, role, state, name, separated by tabs
    List(CommonArgs),
}

#[derive(Debug, Args)]
struct Target {
    /// The user's address
    email: String,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Args)]
struct PasswordOf {
    #[command(flatten)]
    target: Target,
    /// Read the password from standard input, up to the end of its first line
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    passwords: PasswordRuleArgs,
}

/// Users read from the database at once.
const PAGE: i64 = 500;

/// Runs one of the subcommands.
pub(super) fn run(args: &UsersArgs) -> Result<(), Failure> {
    match &args.command {
        UsersCommand::CreateAdmin(args) => create_admin(args),
        UsersCommand::ResetPassword(args) => reset_password(args),
        UsersCommand::SetRole { target, role } => {
            let (operator, user) = target.find()?;
            if !operator.set_role(&user, *role)? {
                return Err(last_admin(&user));
            }
            print(format_args!("{} is {} now", user.email, role.name()))?;
            Ok(())
        }
        UsersCommand::Disable(target) => {
            let (operator, user) = target.find()?;
            let ended = operator.disable(&user)?.ok_or_else(|| last_admin(&user))?;
            print(format_args!("{} is disabled, {ended} sessions were ended", user.email))?;
            Ok(())
        }
        UsersCommand::Enable(target) => {
            let (operator, user) = target.find()?;
            operator.enable(&user)?;
            print(format_args!("{} is enabled", user.email))?;
            Ok(())
        }
        UsersCommand::Import(args) => import::run(args),
        UsersCommand::Export(args) => export::run(args),
        UsersCommand::List(common) => list(&common.operator(Faults::default())?),
    }
}

impl Target {
    fn find(&self) -> Result<(Operator, User), Failure> {
        let operator = self.common.operator(Faults::default())?;
        let user = known(&operator, &self.email)?;
        Ok((operator, user))
    }
}

fn last_admin(user: &User) -> Failure {
    format!("{} is the last administrator: make another one first", user.email).into()
}

/// The user of an address that has to exist.
pub(super) fn known(operator: &Operator, email: &str) -> Result<User, Failure> {
    let address = parse(email)?;
    operator.find(&address)?.ok_or_else(|| format!("there is no user {email}").into())
}

fn parse(email: &str) -> Result<EmailAddress, Failure> {
    EmailAddress::parse(email).ok_or_else(|| format!("`{email}` is no e-mail address").into())
}

fn create_admin(args: &PasswordOf) -> Result<(), Failure> {
    let (operator, settings) = args.start()?;
    let email = parse(&args.target.email)?;
    let (hash, generated) = args.password(&operator, &settings, &email)?;
    let user = operator
        .create_admin(&email, &hash)?
        .ok_or_else(|| format!("there is a user {} already", email.typed()))?;
    print(format_args!("{} is an administrator now", user.email))?;
    show(generated)
}

fn reset_password(args: &PasswordOf) -> Result<(), Failure> {
    let (operator, settings) = args.start()?;
    let user = known(&operator, &args.target.email)?;
    let (hash, generated) = args.password(&operator, &settings, &parse(&args.target.email)?)?;
    let ended = operator.reset_password(&user, &hash)?;
    print(format_args!("{} has a new password, {ended} sessions were ended", user.email))?;
    show(generated)
}

fn show(generated: Option<Password>) -> Result<(), Failure> {
    if let Some(password) = generated {
        print(format_args!("password: {}", password.expose()))?;
    }
    Ok(())
}

impl PasswordOf {
    fn start(&self) -> Result<(Operator, PasswordRules), Failure> {
        let mut faults = Faults::default();
        let settings = self.passwords.check(&mut faults);
        Ok((self.target.common.operator(faults)?, settings))
    }

    /// The hash of the password that was given or generated, and the latter itself.
    fn password(
        &self,
        operator: &Operator,
        settings: &PasswordRules,
        email: &EmailAddress,
    ) -> Result<(PasswordHash, Option<Password>), Failure> {
        let (password, is_generated) = if self.password_stdin {
            (read_password()?, false)
        } else {
            let bytes: [u8; 18] = random::bytes(&*operator.random);
            (Password::new(URL_SAFE_NO_PAD.encode(bytes)), true)
        };
        let policy = PasswordPolicy::new(settings.min_length);
        if !is_generated && let Some(objection) = policy.objection(&password, email.typed(), None) {
            return Err(objection.message.into());
        }
        let hash = PasswordHash::new(&password, settings.bcrypt_cost, &*operator.random)?;
        Ok((hash, is_generated.then_some(password)))
    }
}

fn read_password() -> Result<Password, Failure> {
    let mut text = String::new();
    std::io::stdin().take(16 * 1024).read_to_string(&mut text)?;
    let first = text.lines().next().unwrap_or_default().to_owned();
    Ok(Password::new(first))
}

fn list(operator: &Operator) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = operator.page(after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.id);
        for user in page {
            let state = if user.is_active() { "enabled" } else { "disabled" };
            let name = user.name.unwrap_or_default();
            let line =
                format!("{}\t{}\t{}\t{state}\t{name}", user.id, user.email, user.role.name());
            match print(line) {
                // `| head` has read enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                printed => printed?,
            }
        }
    }
}
