//! Files and folders that only their owner can read.

use std::{
    io::{self, Write},
    path::Path,
};

/// Writes a file that only its owner can read. It takes the place of what was there: neither the rights of an older file nor
/// what a link pointed to are touched, and a reader sees the old text or the new one.
///
/// # Errors
/// What the system says.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made with the rights 0600, under a name that nothing else has.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// Makes a folder that only its owner can enter; one that is there already keeps its rights.
///
/// # Errors
/// What the system says.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn rights(path: &Path) -> u32 {
        std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn regression_a_secret_keeps_no_wider_rights_of_an_older_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev-token");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&path, "new").unwrap();
        assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), rights(&path)), ("new", 0o600));
    }

    #[test]
    fn regression_a_secret_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("dev-token"), folder.path().join("elsewhere"));
        std::fs::write(&other, "untouched").unwrap();
        symlink(&other, &path).unwrap();
        write_private(&path, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "untouched");
        assert!(!path.is_symlink());
        assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), rights(&path)), ("new", 0o600));
    }

    #[test]
    fn a_folder_is_made_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        private_folder(&path).unwrap();
        assert_eq!(rights(&path), 0o700);
    }
}
