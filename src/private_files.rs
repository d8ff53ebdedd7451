//! Files and folders for their owner alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::path::Path;

/// Makes `folder` and its parents, for their owner alone where they are new.
pub fn make_dir(folder: &Path) -> std::io::Result<()> {
    private_dir().recursive(true).create(folder)
}

/// Makes `folder` for its owner alone, which must not exist.
pub fn make_new_dir(folder: &Path) -> std::io::Result<()> {
    private_dir().create(folder)
}

fn private_dir() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Options for writing a file that is for its owner alone where it is new.
pub fn write_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Keeps an open file, which may have been anybody's to read, for its owner alone.
pub fn make_private(file: &File) -> std::io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(())
}

/// Whether anybody but its owner may read the file at `path`.
pub fn is_open_to_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}
