//! What a role allows, as plain actions and ARNs.

use serde_json::Value;

use crate::template::Template;

/// One statement of a role's policies.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) actions: Vec<String>,
    pub(crate) resources: Vec<String>,
}

impl Template {
    /// Everything a role allows: its own policies and those of the template that are attached to it.
    pub(crate) fn statements(&self, role: &str) -> Vec<Statement> {
        let properties = self.properties(role);
        let own = properties["Policies"].as_array().into_iter().flatten();
        let attached = properties["ManagedPolicyArns"].as_array().into_iter().flatten().map(|policy| {
            let id = policy["Ref"].as_str();
            self.properties(id.unwrap_or_else(|| panic!("{role}: {policy} is not in this template")))
        });
        let documents = own.chain(attached).map(|policy| &policy["PolicyDocument"]);
        let statements = documents.flat_map(|document| document["Statement"].as_array().unwrap());
        statements
            .map(|statement| {
                assert_eq!(statement["Effect"], "Allow", "{role}");
                let resolved = |value: &Value| match self.resolve(value) {
                    Value::Array(items) => {
                        items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
                    }
                    item => vec![item.as_str().unwrap().to_owned()],
                };
                let actions = resolved(&statement["Action"]);
                Statement { actions, resources: resolved(&statement["Resource"]) }
            })
            .collect()
    }
}

impl Statement {
    /// Each action on each resource.
    pub(crate) fn permissions(&self) -> impl Iterator<Item = (&str, &str)> {
        let on = |action| self.resources.iter().map(move |resource| (action, resource.as_str()));
        self.actions.iter().map(String::as_str).flat_map(on)
    }

    pub(crate) fn allows(&self, action: &str, arn: &str) -> bool {
        self.actions.iter().any(|allowed| allowed == action)
            && self.resources.iter().any(|pattern| matches(pattern, arn))
    }
}

/// IAM's wildcard, which stands for any run of characters.
pub(crate) fn matches(pattern: &str, arn: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == arn,
        Some((before, after)) => arn.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|skipped| rest.is_char_boundary(skipped) && matches(after, &rest[skipped..]))
        }),
    }
}

#[test]
fn a_wildcard_stands_for_any_run_of_characters() {
    assert!(
        matches("arn:x/tenants/*", "arn:x/tenants/acme-AbCdEf")
            && matches("a*c", "abbc")
            && matches("a", "a")
    );
    assert!(
        !matches("arn:x/tenants/*", "arn:x/auth-AbCdEf") && !matches("a*c", "abcd") && !matches("a", "ab")
    );
}
