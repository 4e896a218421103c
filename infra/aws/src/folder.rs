//! The data folder: one process at a time, files nobody else may read.
//!
//! It owns the folder's lock and the creation of the database files. It never reads or writes their content.

use crate::StartError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

const LOCK_FILE: &str = "aws.lock";

/// A data folder that belongs to this process, or nothing at all for an AWS that lives in memory.
#[derive(Debug)]
pub(crate) struct Folder {
    path: Option<PathBuf>,
    // The operating system releases the lock with the handle, so a process that was killed leaves none behind.
    _lock: Option<File>,
}

impl Folder {
    /// Creates the folder where needed and takes its lock.
    pub(crate) fn claim(path: Option<PathBuf>) -> Result<Self, StartError> {
        let Some(path) = path else { return Ok(Self { path: None, _lock: None }) };
        let failed = |source: io::Error| StartError::Folder { folder: path.clone(), source };
        std::fs::create_dir_all(&path).map_err(failed)?;
        let lock = private_file(&path.join(LOCK_FILE)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: Some(path), _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => Err(StartError::InUse { folder: path }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Where the database `name` is kept, or `None` in memory. The file exists and is private on return.
    pub(crate) fn database(&self, name: &str) -> Result<Option<PathBuf>, StartError> {
        let Some(folder) = &self.path else { return Ok(None) };
        let path = folder.join(name);
        // SQLite takes an empty file for an empty database, and gives its log files the same permissions.
        private_file(&path).map_err(|source| StartError::Folder { folder: folder.clone(), source })?;
        Ok(Some(path))
    }
}

#[cfg(unix)]
fn private_file(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}
