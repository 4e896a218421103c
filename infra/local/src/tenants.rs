//! `trunkline tenant`: another tenant on this machine; and what the gateway knows of its tenants at the start.
//!
//! Owns the secrets `trunkline/tenants/<tenant>` of one machine. It must never change the webhook keys of a tenant that exists.

use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tenant::TenantId;

use crate::{
    Cloud, CloudError, CredentialsError, PREFIX, RingCentralAccess, TENANT,
    cloud::{prepare, random, read, store},
};

/// Users of the simulated company that tenants can log in as: the first is the tenant `default`.
pub(crate) const SIMULATED_USERS: usize = 10;

/// Adds a tenant to a gateway of this machine, running or not.
///
/// Its RingCentral is that of the RC_* variables; without them it is another user of the simulated company, with a rate budget and
/// subscriptions of its own. `trunkline token --tenant NAME …` then issues tokens for it. A tenant that exists keeps its webhook keys.
#[derive(Debug, Clone, Args)]
pub struct NewTenant {
    /// Its name: 1 to 64 of a-z, 0-9 and -
    pub name: TenantId,
    /// The data folder of the gateway
    #[arg(long, default_value = ".trunkline")]
    pub data: PathBuf,
}

/// A tenant that can't be added.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// The secrets can't be reached.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The credentials are not right.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The gateway uses a real RingCentral, and this tenant would have no credentials.
    #[error(
        "this gateway does not use the simulated RingCentral: set RC_APP_CLIENT_ID, RC_APP_CLIENT_SECRET and RC_USER_JWT (and \
         RC_SERVER_URL) to those of the tenant"
    )]
    NoCredentials,
    /// Every simulated user is some tenant's.
    #[error("the simulated company has no user left for another tenant; ten share it at most")]
    Full,
}

impl NewTenant {
    /// Adds it, and tells what was done.
    ///
    /// # Errors
    /// [`TenantError`].
    pub async fn add(&self) -> Result<String, TenantError> {
        let given = RingCentralAccess::find(|name| std::env::var(name).ok(), Path::new("."))?;
        let cloud = Cloud::of_folder(&self.data).await?;
        let added = self.add_to(&cloud, given).await;
        cloud.close().await;
        added
    }

    async fn add_to(&self, cloud: &Cloud, given: Option<RingCentralAccess>) -> Result<String, TenantError> {
        let client = aws_sdk_secretsmanager::Client::new(&cloud.sdk);
        let known = read(&client, &secret(self.name.as_str())).await?.is_some();
        let access = match given {
            None if known => return Ok(format!("the tenant {} is there already", self.name)),
            None => Some(simulated(&client).await?),
            given => given,
        };
        keep(&client, self.name.as_str(), access.as_ref()).await?;
        let done = if known { "has new credentials" } else { "is there" };
        Ok(format!(
            "the tenant {} {done}; its subscriptions are renewed from the gateway's next start on",
            self.name
        ))
    }
}

/// The name of a tenant's secret.
fn secret(tenant: &str) -> String {
    format!("tenants/{tenant}")
}

/// Writes what a gateway needs of a tenant: what exists stays, but for RingCentral's credentials if new ones are given.
pub(crate) async fn keep(
    client: &aws_sdk_secretsmanager::Client,
    tenant: &str,
    access: Option<&RingCentralAccess>,
) -> Result<(), CloudError> {
    store(client, &secret(tenant), |known| {
        let fresh = || json!({ "webhooks": { "current": { "id": "1", "secret": random() } } });
        let mut secret = known.unwrap_or_else(fresh);
        if let Some(access) = access {
            secret["ringcentral"] = json!({
                "server_url": access.server_url,
                "client_id": access.client_id,
                "client_secret": access.client_secret.expose_secret(),
                "jwt": access.jwt.expose_secret(),
            });
        }
        secret
    })
    .await
}

/// Every tenant of this machine. `default` comes first, whether it has a secret yet or not.
pub(crate) async fn all(client: &aws_sdk_secretsmanager::Client) -> Result<Vec<String>, CloudError> {
    let prefix = format!("{PREFIX}/tenants/");
    let mut tenants = vec![TENANT.to_owned()];
    let mut token = None;
    loop {
        let page = client.list_secrets().set_next_token(token).send().await.map_err(prepare("secrets"))?;
        let names = page.secret_list.unwrap_or_default().into_iter().filter_map(|secret| secret.name);
        let found = names.filter_map(|name| name.strip_prefix(&prefix).map(str::to_owned));
        tenants.extend(found.filter(|name| name != TENANT && name.parse::<TenantId>().is_ok()));
        token = page.next_token;
        if token.is_none() {
            return Ok(tenants);
        }
    }
}

/// Tells the other tenants of the simulated company where it is now: it has another port after each start.
pub(crate) async fn follow(
    client: &aws_sdk_secretsmanager::Client,
    access: &RingCentralAccess,
) -> Result<(), CloudError> {
    for tenant in all(client).await?.into_iter().filter(|tenant| tenant != TENANT) {
        store(client, &secret(&tenant), |known| {
            let mut secret = known.unwrap_or_default();
            if secret["ringcentral"]["client_id"] == access.client_id.as_str() {
                secret["ringcentral"]["server_url"] = json!(access.server_url);
            }
            secret
        })
        .await?;
    }
    Ok(())
}

/// The first user of the simulated company that no tenant logs in as.
async fn simulated(client: &aws_sdk_secretsmanager::Client) -> Result<RingCentralAccess, TenantError> {
    let main = read(client, &secret(TENANT)).await?.unwrap_or_default();
    let demo = RingCentralAccess::demo(String::new());
    let (Some(url), true) = (
        main["ringcentral"]["server_url"].as_str(),
        main["ringcentral"]["client_id"] == demo.client_id.as_str(),
    ) else {
        return Err(TenantError::NoCredentials);
    };
    let mut taken: Vec<Value> = Vec::new();
    for tenant in all(client).await? {
        let known = read(client, &secret(&tenant)).await?.unwrap_or_default();
        taken.push(known["ringcentral"]["jwt"].clone());
    }
    let users = (1..=SIMULATED_USERS).map(|user| RingCentralAccess::demo_user(url.to_owned(), user));
    let mut free = users.filter(|access| taken.iter().all(|jwt| jwt != access.jwt.expose_secret()));
    free.next().ok_or(TenantError::Full)
}
