//! The access key of an embedded AWS that another process has started.
//!
//! Owns the way to it: the endpoint tells in which file the key lies, and only its owner can read that file. It must never take
//! anything else from a file than a key.

use std::{path::PathBuf, time::Duration};

use embedded_aws::ACCESS_KEY_FILE;
use loopback::Key;
use serde::Deserialize;

/// How long the endpoint may take to tell.
const PATIENCE: Duration = Duration::from_secs(3);

/// An endpoint whose key can't be found.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Nothing listens there.
    #[error(
        "--aws: nothing answers at {url}; start the gateway whose AWS it is, and give what stands in its <data>/aws-endpoint"
    )]
    Silent {
        /// Where it should be.
        url: String,
        /// What happened.
        #[source]
        cause: reqwest::Error,
    },
    /// The file with the key can't be read.
    #[error("--aws: the key of {url} lies in {}, which can't be read", file.display())]
    File {
        /// Where the AWS is.
        url: String,
        /// Where its key is.
        file: PathBuf,
        /// What happened.
        #[source]
        cause: std::io::Error,
    },
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Told {
    access_key_file: Option<PathBuf>,
}

/// The key of the AWS at this URL; `None` for one that is not ours and takes any.
///
/// # Errors
/// [`KeyError`].
pub(crate) async fn find(url: &str) -> Result<Option<Key>, KeyError> {
    let silent = |cause| KeyError::Silent { url: url.to_owned(), cause };
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().map_err(silent)?;
    let answer = client.get(format!("{url}/_aws/")).send().await.map_err(silent)?;
    let told: Told = match answer.status().is_success() {
        true => answer.json().await.unwrap_or_default(),
        false => Told::default(),
    };
    // A stranger that answers there may not choose what we read and send to it.
    let ours = |file: &PathBuf| file.file_name().is_some_and(|name| name == ACCESS_KEY_FILE);
    let Some(file) = told.access_key_file.filter(ours) else { return Ok(None) };
    match Key::read(&file) {
        Ok(key) => Ok(Some(key)),
        Err(cause) => Err(KeyError::File { url: url.to_owned(), file, cause }),
    }
}
