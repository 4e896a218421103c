//! The key of a port.

use std::{fmt, io, path::Path, str::FromStr};

use rand::RngExt;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::write_private;

/// A key that opens a port of this machine: 16 to 64 letters and digits. It fits where AWS has an access key id.
#[derive(Clone)]
pub struct Key(SecretString);

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key has 16 to 64 letters and digits")]
pub struct InvalidKey;

impl Key {
    /// A key that no other was before.
    #[must_use]
    pub fn random() -> Self {
        Self(hex::encode_upper(rand::rng().random::<[u8; 16]>()).into())
    }

    /// The key in this file; a new one is written where there is none.
    ///
    /// # Errors
    /// If the file can be neither read nor written.
    pub fn kept(path: &Path) -> io::Result<Self> {
        match Self::read(path) {
            // Written again, so that a file with wider rights does not keep them.
            Ok(key) => write_private(path, key.expose()).map(|()| key),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {
                let key = Self::random();
                write_private(path, key.expose()).map(|()| key)
            }
            Err(error) => Err(error),
        }
    }

    /// The key in this file.
    ///
    /// # Errors
    /// If the file can't be read, or holds something else.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        text.trim().parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// The key as text, for the one request or file that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether this text is the key, in a time that does not tell how much of it is.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.expose().as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let fits = (16..=64).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric());
        if fits { Ok(Self(text.to_owned().into())) } else { Err(InvalidKey) }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.expose())
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_key_is_the_same_the_next_time_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = Key::kept(&path).unwrap();
        assert_eq!(Key::kept(&path).unwrap(), key);
        assert_ne!(Key::random(), key);
        assert_eq!(format!("{key:?}"), "Key");
        std::fs::write(&path, "torn").unwrap();
        assert_ne!(Key::kept(&path).unwrap(), key);
    }
}
