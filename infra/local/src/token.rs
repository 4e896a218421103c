//! `trunkline token`: issues a bearer token for a caller of the API.
//!
//! Owns where the signing key comes from: a data folder, or standard input. It must never show the key.

use std::{io::Read, path::PathBuf};

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use tenant::TenantId;
use trunkline_http::{Claims, Role, TokenKeys};

use crate::{Cloud, CloudError};

/// The longest a token may last (days).
const LONGEST: f64 = 366.0;

/// Issues a bearer token of the API and prints it.
///
/// For a gateway of this machine: trunkline token --tenant default --role viewer --for me --data .trunkline
///
/// For a deployment, with the signing key on standard input:
/// aws secretsmanager get-secret-value --secret-id STACK/auth --query SecretString --output text |
/// trunkline token --tenant acme --role operator --for crm --days 30 --key -
#[derive(Debug, Clone, Args)]
pub struct Token {
    /// Whose data it opens
    #[arg(long)]
    pub tenant: TenantId,
    /// What it allows: viewer reads, operator changes too, admin deletes and subscribes too
    #[arg(long, value_parser = role, value_name = "viewer|operator|admin")]
    pub role: Role,
    /// Who it is for: 1 to 128 visible characters of ASCII. Idempotency keys are theirs
    #[arg(long = "for", value_parser = subject, value_name = "SUBJECT")]
    pub subject: String,
    /// How long it lasts (days)
    #[arg(long, default_value_t = 30.0, value_parser = days)]
    pub days: f64,
    /// The data folder of a gateway on this machine, running or not
    #[arg(long, default_value = ".trunkline", conflicts_with = "key")]
    pub data: PathBuf,
    /// `-`: the key is read from standard input, as the secret `<stack>/auth` holds it
    #[arg(long, value_parser = ["-"], value_name = "-")]
    pub key: Option<String>,
}

/// A token that can't be issued.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The key in the data folder can't be reached.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// Standard input is something else.
    #[error(
        "standard input is not the secret <stack>/auth: a JSON object with the key, of at least 32 bytes, as `hs256`"
    )]
    NoKey,
    /// It can't be signed.
    #[error("the token can't be signed")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Token {
    /// Issues the token.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn issue(&self) -> Result<SecretString, TokenError> {
        let keys = match self.key {
            Some(_) => from_standard_input()?,
            None => {
                let cloud = Cloud::of_folder(&self.data).await?;
                let keys = cloud.token_keys().await;
                cloud.close().await;
                keys?
            }
        };
        self.signed(&keys)
    }

    fn signed(&self, keys: &TokenKeys) -> Result<SecretString, TokenError> {
        // Up to 366 days: the cast can't lose anything.
        let end = now() + (self.days * 86_400.0) as u64;
        let claims = Claims::new(&self.subject, self.tenant.clone(), self.role, end);
        keys.issue(&claims).map_err(|error| TokenError::Sign(Box::new(error)))
    }
}

/// Seconds since the epoch.
pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn from_standard_input() -> Result<TokenKeys, TokenError> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|_| TokenError::NoKey)?;
    let text = SecretString::from(text);
    serde_json::from_str(text.expose_secret()).map_err(|_| TokenError::NoKey)
}

fn role(text: &str) -> Result<Role, &'static str> {
    serde_json::from_value(serde_json::Value::from(text)).map_err(|_| "must be viewer, operator or admin")
}

fn subject(text: &str) -> Result<String, &'static str> {
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err("must have 1 to 128 visible characters of ASCII") }
}

fn days(text: &str) -> Result<f64, &'static str> {
    let days = text.parse().ok().filter(|days| *days > 0.0 && *days <= LONGEST);
    days.ok_or("must be a number of days above 0, up to 366")
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use std::sync::Arc;
    use trunkline_http::Access;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        token: Token,
    }

    fn token(arguments: &[&str]) -> Result<Token, clap::Error> {
        let line = [&["token", "--tenant", "acme", "--for", "crm", "--role"], arguments].concat();
        Line::try_parse_from(line).map(|line| line.token)
    }

    #[tokio::test]
    async fn a_token_opens_what_it_was_issued_for() {
        let keys = TokenKeys::hs256("a key of at least thirty-two characters".to_owned().into());
        let issued = token(&["operator"]).unwrap().signed(&keys).unwrap();
        let authorization = format!("Bearer {}", issued.expose_secret());
        let caller = Access::new(Arc::new(keys)).caller(Some(&authorization)).await.unwrap().unwrap();
        let (tenant, subject) = (caller.tenant.as_str(), caller.subject.as_str());
        assert_eq!((tenant, subject, caller.role), ("acme", "crm", Role::Operator));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_the_name_of_its_option() {
        for (arguments, named) in [
            (&["robot"][..], "--role"),
            (&["viewer", "--days", "0"], "--days"),
            (&["viewer", "--days", "NaN"], "--days"),
            (&["viewer", "--tenant", "Acme!"], "--tenant"),
            (&["viewer", "--key", "secret"], "--key"),
        ] {
            let refused = token(arguments).unwrap_err().to_string();
            assert!(refused.contains(named), "{refused}");
        }
    }
}
