//! Extensions: users, call queues and everything else that has a short number.

use ringcentral::{
    CallError, Page, Request, RingCentral,
    models::Extension,
    operations::{CREATE_EXTENSION, DELETE_EXTENSION, LIST_EXTENSIONS, READ_EXTENSION, UPDATE_EXTENSION},
};
use serde_json::{Value, value::RawValue};
use tenant::TenantId;

use crate::once::{Look, LookFirst, create_once};

/// Which extensions to list. Empty means all.
#[derive(Debug, Clone, Default)]
pub struct ExtensionFilter {
    /// Only these statuses.
    pub status: Vec<String>,
    /// Only these types.
    pub kind: Vec<String>,
    /// Only these email addresses.
    pub email: Vec<String>,
    /// Only this short number.
    pub extension_number: Option<String>,
    /// From 1.
    pub page: Option<u32>,
    /// Records a page.
    pub per_page: Option<u32>,
}

impl ExtensionFilter {
    /// The filter as RingCentral's query parameters.
    #[must_use]
    pub fn query(&self) -> Vec<(String, String)> {
        let mut query = Vec::new();
        let mut add = |name: &str, value: &str| query.push((name.to_owned(), value.to_owned()));
        self.status.iter().for_each(|value| add("status", value));
        self.kind.iter().for_each(|value| add("type", value));
        self.email.iter().for_each(|value| add("email", value));
        self.extension_number.iter().for_each(|value| add("extensionNumber", value));
        self.page.iter().for_each(|value| add("page", &value.to_string()));
        self.per_page.iter().for_each(|value| add("perPage", &value.to_string()));
        query
    }
}

/// The extensions of a tenant's account.
#[derive(Debug, Clone)]
pub struct Extensions(RingCentral);

impl Extensions {
    /// Extensions through this client.
    #[must_use]
    pub fn new(client: RingCentral) -> Self {
        Self(client)
    }

    /// One page of extensions.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn list(&self, tenant: &TenantId, filter: &ExtensionFilter) -> Result<Page, CallError> {
        let request = filter
            .query()
            .into_iter()
            .fold(Request::of(&LIST_EXTENSIONS), |request, (name, value)| request.query(name, value));
        self.0.page(tenant, &request).await
    }

    /// Creates an extension, once: when an attempt's outcome is unknown it looks before it tries again.
    ///
    /// # Errors
    /// [`CallError`]; one that [`CallError::is_ambiguous`] only if looking was not possible either.
    pub async fn create(
        &self,
        tenant: &TenantId,
        wanted: &Value,
        look_first: LookFirst,
    ) -> Result<Box<RawValue>, CallError> {
        let request = Request::of(&CREATE_EXTENSION).json(wanted).map_err(|error| unreadable(&error))?;
        create_once(&self.0, tenant, &request, look_first, || self.look(tenant, wanted)).await
    }

    /// One extension, whole.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn read(&self, tenant: &TenantId, id: &str) -> Result<Box<RawValue>, CallError> {
        self.answer(tenant, &Request::of(&READ_EXTENSION).parameter("extensionId", id)).await
    }

    /// Changes the given fields of an extension.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn update(
        &self,
        tenant: &TenantId,
        id: &str,
        changes: &Value,
    ) -> Result<Box<RawValue>, CallError> {
        let request = Request::of(&UPDATE_EXTENSION).parameter("extensionId", id);
        self.answer(tenant, &request.json(changes).map_err(|error| unreadable(&error))?).await
    }

    /// Deletes an extension. Its phone numbers stay in the inventory unless the query says otherwise.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn delete(
        &self,
        tenant: &TenantId,
        id: &str,
        keep: &[(String, bool)],
    ) -> Result<(), CallError> {
        let request = Request::of(&DELETE_EXTENSION).parameter("extensionId", id);
        let request =
            keep.iter().fold(request, |request, (name, value)| request.query(name, value.to_string()));
        self.0.call(tenant, &request).await.map(drop)
    }

    async fn answer(&self, tenant: &TenantId, request: &Request) -> Result<Box<RawValue>, CallError> {
        self.0.call(tenant, request).await?.raw().map_err(|error| unreadable(&error))
    }

    /// The extension that an earlier attempt at this creation left behind.
    async fn look(&self, tenant: &TenantId, wanted: &Value) -> Result<Look, CallError> {
        if !can_look(wanted) {
            return Ok(Look::Impossible);
        }
        let text = |pointer: &str| wanted.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let extension_number = text("/extensionNumber");
        let email = match &extension_number {
            Some(_) => Vec::new(),
            None => text("/contact/email").into_iter().collect(),
        };
        let filter =
            ExtensionFilter { extension_number, email, per_page: Some(100), ..ExtensionFilter::default() };
        let records = self.list(tenant, &filter).await?.records;
        let extensions =
            records.iter().filter_map(|record| serde_json::from_str::<Extension>(record.get()).ok());
        match extensions.into_iter().find(|extension| is_the_same(extension, wanted)) {
            // The list leaves fields out that the creation returns.
            Some(extension) => self.read(tenant, &extension.id.0).await.map(Look::Found),
            None => Ok(Look::Nothing),
        }
    }
}

/// Something in the wanted extension can be looked for.
fn can_look(wanted: &Value) -> bool {
    ["/extensionNumber", "/contact/email"]
        .iter()
        .any(|pointer| wanted.pointer(pointer).is_some_and(Value::is_string))
}

/// The same number, type and name: nobody else can have made it by chance.
fn is_the_same(extension: &Extension, wanted: &Value) -> bool {
    let contact = extension.rest.get("contact");
    let same = |pointer: &str, actual: Option<&str>| match wanted.pointer(pointer).and_then(Value::as_str) {
        Some(wanted) => Some(wanted) == actual,
        None => true,
    };
    let of_contact = |field: &str| contact.and_then(|contact| contact.get(field)).and_then(Value::as_str);
    same("/extensionNumber", extension.extension_number.as_deref())
        && same("/type", extension.kind.as_deref())
        && same("/contact/email", of_contact("email"))
        && same("/contact/firstName", of_contact("firstName"))
        && same("/contact/lastName", of_contact("lastName"))
}

fn unreadable(error: &serde_json::Error) -> CallError {
    CallError::Unreadable { operation: "extension", reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_same_number_type_and_name_is_the_same_extension() {
        let found = json!({"id": 5, "extensionNumber": "201", "type": "User", "contact": {"firstName": "Ann", "email": "a@x.io"}});
        let found: Extension = serde_json::from_value(found).unwrap();
        assert!(is_the_same(&found, &json!({"extensionNumber": "201", "contact": {"firstName": "Ann"}})));
        assert!(!is_the_same(&found, &json!({"extensionNumber": "201", "contact": {"firstName": "Bob"}})));
        assert!(!is_the_same(&found, &json!({"extensionNumber": "202"})));
        assert!(!can_look(&json!({"type": "User"})));
    }
}
