//! `symbolon backup`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::progress::Progress;
use super::{CommonArgs, Failure, print};
use crate::db::backup::Source;
use crate::private_files;
use crate::settings::Faults;
use crate::settings::database::DatabaseUrl;

/// How often one looks how far the copy is.
const GLANCE: Duration = Duration::from_millis(100);

/// Copy the SQLite database into a file, while the service runs
///
/// The copy is the database as it is at one moment. The service is not held up, and nobody is logged
/// out by restoring it later on. PostgreSQL has `pg_dump` for this.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The file to make, for its owner alone; it must not exist
    file: PathBuf,
    #[command(flatten)]
    common: CommonArgs,
}

/// Copies the database under another name, and gives it its own when it is whole and on the disk: who
/// finds the file has a backup, whatever happened meanwhile.
pub(super) fn run(args: &BackupArgs) -> Result<(), Failure> {
    let settings = args.common.start(Faults::default())?;
    let file = &args.file;
    let DatabaseUrl::Sqlite(database) = &settings.url else {
        return Err(format!(
            "the database is PostgreSQL, which is backed up by its own means: \
             pg_dump --format=custom --file={} \"$DATABASE_URL\"",
            file.display()
        )
        .into());
    };
    if !fs::exists(database)? {
        return Err(format!("there is no database {}", database.display()).into());
    }
    if fs::exists(file)? {
        return Err(format!("{} exists, and is not overwritten", file.display()).into());
    }
    let drafts = make_drafts(file)?;
    let draft = drafts.join("symbolon.db");
    let done = copy(database, &draft).and_then(|()| Ok(publish(&draft, file)?));
    // Whether there is a backup counts more than whether the rest stays.
    let _left = fs::remove_dir_all(&drafts);
    done.map_err(|error| format!("cannot back up to {}: {error}", file.display()))?;
    print(format_args!("backed up to {}", file.display()))?;
    Ok(())
}

/// Makes the folder to write into, for its owner alone: SQLite keeps a journal beside the copy. It
/// keeps a second backup to the same place out.
fn make_drafts(file: &Path) -> Result<PathBuf, Failure> {
    let mut name = OsString::from(file);
    name.push(".part");
    let folder = PathBuf::from(name);
    match private_files::make_new_dir(&folder) {
        Ok(()) => Ok(folder),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(format!(
            "{} exists: another backup is writing there, or was killed, in which case delete it",
            folder.display()
        )
        .into()),
        Err(error) => Err(format!("cannot write {}: {error}", folder.display()).into()),
    }
}

/// Copies the database, and says how far that is while it goes on.
fn copy(database: &Path, draft: &Path) -> Result<(), Failure> {
    // SQLite would make it for others to read, too.
    private_files::write_options().create_new(true).open(draft)?;
    let mut source = Source::open(database)?;
    let mebibytes = |bytes: u64| usize::try_from(bytes >> 20).unwrap_or(usize::MAX);
    let progress = Progress::of("copied", "MiB", Some(mebibytes(source.size()?)));
    let name = draft.to_str().ok_or("its name is no UTF-8")?;
    let copied = std::thread::scope(|scope| {
        let copying = scope.spawn(|| source.copy_into(name));
        while !copying.is_finished() {
            progress.at(mebibytes(fs::metadata(draft).map_or(0, |file| file.len())));
            std::thread::sleep(GLANCE);
        }
        copying.join()
    });
    progress.end();
    Ok(copied.map_err(|_| "the copying thread has panicked")??)
}

/// Puts a finished draft in its place, for good.
fn publish(draft: &Path, file: &Path) -> io::Result<()> {
    File::open(draft)?.sync_all()?;
    fs::rename(draft, file)?;
    // The name is an entry of the folder, which is on the disk only then.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
