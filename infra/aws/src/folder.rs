//! The data folder: one process at a time, files nobody else may read.
//!
//! It owns the folder's lock and the creation of the database files. It never reads or writes their content.

use crate::StartError;
use loopback::Key;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const LOCK_FILE: &str = "aws.lock";

/// The file in the data folder that holds the key of the endpoint.
pub const ACCESS_KEY_FILE: &str = "aws-access-key";

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
        loopback::private_folder(&path).map_err(failed)?;
        let mut lock = private_file(&path.join(LOCK_FILE)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {
                // Whom the next one finds here, and can name.
                lock.set_len(0).and_then(|()| write!(lock, "{}", std::process::id())).map_err(failed)?;
                Ok(Self { path: Some(path), _lock: Some(lock) })
            }
            Err(TryLockError::WouldBlock) => Err(StartError::InUse { holder: holder(&path), folder: path }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The key of the endpoint: the one of the last time, or a new one.
    pub(crate) fn key(&self) -> Result<Key, StartError> {
        let Some(folder) = &self.path else { return Ok(Key::random()) };
        let failed = |source| StartError::Folder { folder: folder.clone(), source };
        Key::kept(&folder.join(ACCESS_KEY_FILE)).map_err(failed)
    }

    /// Where the key of the endpoint can be read, if it can.
    pub(crate) fn key_file(&self) -> Option<PathBuf> {
        let folder = self.path.as_ref()?;
        Some(std::path::absolute(folder).unwrap_or_else(|_| folder.clone()).join(ACCESS_KEY_FILE))
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

/// Looks whether a process has this folder, and changes nothing.
///
/// # Errors
/// [`StartError::InUse`], or [`StartError::Folder`] if it can't be looked at.
pub fn look_at(folder: &Path) -> Result<(), StartError> {
    let failed = |source: io::Error| StartError::Folder { folder: folder.to_owned(), source };
    let lock = match File::open(folder.join(LOCK_FILE)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            Err(StartError::InUse { holder: holder(folder), folder: folder.to_owned() })
        }
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The process that holds the folder, if it has said so.
fn holder(folder: &Path) -> Option<u32> {
    std::fs::read_to_string(folder.join(LOCK_FILE)).ok()?.trim().parse().ok()
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
