//! Where RingCentral is and who we are there: the environment, a file, or the simulator's demo app.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Gateway v2's file, and the one RingCentral's console offers for download.
const FILE: &str = "config/rc_credentials.json";
const PRODUCTION: &str = "https://platform.ringcentral.com";

/// Credentials that are there only in part.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Some are set, this one is not.
    #[error("{0} is not set, although other variables of RingCentral are")]
    Incomplete(&'static str),
    /// The file is not what it should be.
    #[error("{FILE} can't be read: {0}")]
    File(String),
}

/// A RingCentral and the right to use it.
#[derive(Debug, Clone)]
pub struct RingCentralAccess {
    /// The platform's URL without a trailing slash.
    pub server_url: String,
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: SecretString,
    /// The user's JWT credential.
    pub jwt: SecretString,
}

/// Gateway v2's shape or the console's, whose JWTs stand under names of the user's choice.
#[derive(Deserialize)]
struct File {
    #[serde(alias = "server", alias = "server_url", alias = "base_url", alias = "RC_BASE_URL")]
    #[serde(alias = "RC_SERVER_URL")]
    server: Option<String>,
    #[serde(alias = "clientId", alias = "RC_CLIENT_ID", alias = "RC_APP_CLIENT_ID")]
    client_id: String,
    #[serde(alias = "clientSecret", alias = "RC_CLIENT_SECRET", alias = "RC_APP_CLIENT_SECRET")]
    client_secret: SecretString,
    #[serde(alias = "jwt_token", alias = "RC_JWT", alias = "RC_USER_JWT")]
    jwt: Jwt,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Jwt {
    One(SecretString),
    Named(std::collections::BTreeMap<String, SecretString>),
}

impl RingCentralAccess {
    /// Looks in the environment, then in the folder's file; `None` if there is nothing in either.
    ///
    /// # Errors
    /// [`CredentialsError`] if there is something, but not all of it.
    pub fn find(
        variable: impl Fn(&str) -> Option<String>,
        folder: &Path,
    ) -> Result<Option<Self>, CredentialsError> {
        let either =
            |names: [&str; 2]| names.into_iter().find_map(|name| variable(name).filter(|v| !v.is_empty()));
        let id = either(["RC_APP_CLIENT_ID", "RC_CLIENT_ID"]);
        let secret = either(["RC_APP_CLIENT_SECRET", "RC_CLIENT_SECRET"]);
        let jwt = either(["RC_USER_JWT", "RC_JWT"]);
        let server = either(["RC_SERVER_URL", "RC_BASE_URL"]);
        if id.is_none() && secret.is_none() && jwt.is_none() {
            let file = Self::from_file(&folder.join(FILE))?;
            // Who says where RingCentral is does not want a simulated one.
            return match (file, server) {
                (None, Some(_)) => Err(CredentialsError::Incomplete("RC_APP_CLIENT_ID")),
                (file, _) => Ok(file),
            };
        }
        Ok(Some(Self {
            server_url: base(server),
            client_id: id.ok_or(CredentialsError::Incomplete("RC_APP_CLIENT_ID"))?,
            client_secret: secret.ok_or(CredentialsError::Incomplete("RC_APP_CLIENT_SECRET"))?.into(),
            jwt: jwt.ok_or(CredentialsError::Incomplete("RC_USER_JWT"))?.into(),
        }))
    }

    /// The simulator's demo app.
    #[must_use]
    pub fn demo(server_url: String) -> Self {
        Self::demo_user(server_url, 1)
    }

    /// The simulator's demo app, with this of its users.
    #[must_use]
    pub fn demo_user(server_url: String, user: usize) -> Self {
        let demo = simulator::Credentials::demo_user(user);
        Self {
            server_url,
            client_id: demo.client_id,
            client_secret: demo.client_secret.into(),
            jwt: demo.jwt.into(),
        }
    }

    /// Whether these are the simulator's demo app and its first user: whoever uses them needs not be told that they hold.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        let (demo, jwt) = (Self::demo(String::new()), self.jwt.expose_secret());
        self.client_id == demo.client_id
            && self.client_secret.expose_secret() == demo.client_secret.expose_secret()
            && jwt == demo.jwt.expose_secret()
    }

    fn from_file(path: &Path) -> Result<Option<Self>, CredentialsError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(CredentialsError::File(error.to_string())),
        };
        let file: File =
            serde_json::from_str(&text).map_err(|error| CredentialsError::File(error.to_string()))?;
        let jwt = match file.jwt {
            Jwt::One(jwt) => Some(jwt),
            Jwt::Named(jwts) => jwts.into_values().next(),
        };
        Ok(Some(Self {
            server_url: base(file.server),
            client_id: file.client_id,
            client_secret: file.client_secret,
            jwt: jwt.ok_or_else(|| CredentialsError::File("it has no JWT".to_owned()))?,
        }))
    }
}

/// The platform's base: some settings carry the path of the API as well.
fn base(url: Option<String>) -> String {
    let url = url.unwrap_or_else(|| PRODUCTION.to_owned());
    let url = url.split("/restapi").next().unwrap_or_default();
    url.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn find(set: &[(&str, &str)], folder: &Path) -> Result<Option<RingCentralAccess>, CredentialsError> {
        let of = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        RingCentralAccess::find(of, folder)
    }

    #[test]
    fn both_families_of_variables_work_and_half_of_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(find(&[], folder.path()).unwrap().is_none());
        let v2 = [
            ("RC_CLIENT_ID", "i"),
            ("RC_CLIENT_SECRET", "s"),
            ("RC_JWT", "j"),
            ("RC_BASE_URL", "https://x/restapi/v1.0"),
        ];
        assert_eq!(find(&v2, folder.path()).unwrap().unwrap().server_url, "https://x");
        let nowhere = find(&[("RC_SERVER_URL", "https://x")], folder.path()).unwrap_err();
        assert!(nowhere.to_string().contains("RC_APP_CLIENT_ID"), "regression: {nowhere}");
        let half = find(&[("RC_APP_CLIENT_ID", "i"), ("RC_USER_JWT", "j")], folder.path()).unwrap_err();
        assert!(half.to_string().contains("RC_APP_CLIENT_SECRET"), "{half}");
    }

    #[test]
    fn a_credentials_file_is_read_in_either_shape() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("config")).unwrap();
        for text in [
            r#"{"base_url": "https://y", "client_id": "i", "client_secret": "s", "jwt": "j"}"#,
            r#"{"server": "https://y", "clientId": "i", "clientSecret": "s", "jwt": {"me": "j"}}"#,
        ] {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            let found = find(&[], folder.path()).unwrap().unwrap();
            assert_eq!((found.server_url.as_str(), found.jwt.expose_secret()), ("https://y", "j"));
        }
        std::fs::write(folder.path().join(FILE), "{}").unwrap();
        assert!(find(&[], folder.path()).is_err());
    }
}
