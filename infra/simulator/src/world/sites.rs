//! One site of the account. The main site has the id `main-site` and cannot be deleted.

use serde_json::{Map, Value, json};

use super::World;

/// Id of the main site.
pub(crate) const MAIN: &str = "main-site";

/// A site. `document` holds everything except `id` and `uri`.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) id: String,
    pub(crate) document: Map<String, Value>,
}

impl Site {
    /// A text field of the document.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.document.get(field).and_then(Value::as_str)
    }

    /// The resource as it is answered.
    pub(crate) fn render(&self, world: &World, base: &str) -> Value {
        let mut resource = self.document.clone();
        resource.insert("uri".into(), json!(format!("{base}{}/sites/{}", world.account_path(), self.id)));
        resource.insert("id".into(), json!(self.id));
        Value::Object(resource)
    }
}

impl World {
    /// The reference an extension holds to a site.
    pub(crate) fn site_reference(&self, id: &str) -> Option<Value> {
        let site = self.sites.iter().find(|site| site.id == id)?;
        Some(json!({"id": site.id, "name": site.text("name").unwrap_or_default()}))
    }
}
