//! `symbolon users export`.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::accounts::import::Line;
use crate::accounts::operator::Operator;
use crate::cli::progress::Progress;
use crate::cli::{CommonArgs, Failure, print};
use crate::private_files;
use crate::settings::Faults;

/// Write every user as a line of JSON that `users import` takes
///
/// The lines hold the hashes of all passwords: whoever has them can try passwords at leisure, so
/// keep them as secret as the database. Sessions, audit and the times of last sign-ins are left out.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The file to make, for its owner alone [default: standard output]
    file: Option<PathBuf>,
    /// Overwrite the file if there is one
    #[arg(long, requires = "file")]
    force: bool,
    #[command(flatten)]
    common: CommonArgs,
}

pub(super) fn run(args: &ExportArgs) -> Result<(), Failure> {
    let operator = args.common.operator(Faults::default())?;
    let Some(path) = &args.file else {
        return match write_users(&operator, io::stdout().lock(), |_| ())? {
            // `| head` has read enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written.map(drop)?),
        };
    };
    let file = create(path, args.force)?;
    let progress = Progress::of("exported", "users", None);
    let written = write_users(&operator, file, |count| progress.at(count));
    progress.end();
    let count = written.and_then(|written| Ok(written?));
    let count = count.map_err(|error| format!("{} is incomplete: {error}", path.display()))?;
    print(format_args!("exported {count} users"))?;
    Ok(())
}

/// Makes the file for its owner alone; only with `force` in the place of one that exists.
fn create(path: &Path, force: bool) -> Result<File, Failure> {
    let mut options = private_files::write_options();
    let file = if force {
        options.create(true).truncate(true).open(path)
    } else {
        options.create_new(true).open(path)
    };
    let file = file.and_then(|file| private_files::make_private(&file).map(|()| file));
    file.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            format!("{} exists: --force overwrites it", path.display()).into()
        }
        _ => format!("cannot write {}: {error}", path.display()).into(),
    })
}

/// Writes a line a user and tells `each` how many they are; all of them, or why no further.
fn write_users(
    operator: &Operator,
    output: impl Write,
    each: impl Fn(usize),
) -> Result<io::Result<usize>, Failure> {
    let mut output = BufWriter::new(output);
    let mut count = 0;
    let written = operator.export(|user, hash| {
        serde_json::to_writer(&mut output, &Line::of(user, hash))?;
        output.write_all(b"\n")?;
        count += 1;
        each(count);
        Ok(())
    })?;
    Ok(written.and_then(|()| output.flush()).map(|()| count))
}
