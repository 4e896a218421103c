//! What a function may do is what the ports in its context are for: its role is held against the types of its `Context`.
//!
//! The stories in `permissions` prove that a function needs each permission it has. This proves that no permission is there
//! for something that is no port of the function.

use crate::{
    complaints::Complaints,
    functions::crates,
    roles::by_lambda,
    statement::{Statement, matches},
    template::{Template, text},
};

/// What a port does on a resource of the AWS in the tests.
struct Grant {
    /// The end of the resource's ARN, wildcards included.
    on: &'static str,
    actions: &'static [&'static str],
}

const fn grant(on: &'static str, actions: &'static [&'static str]) -> Grant {
    Grant { on, actions }
}

const AUTH: Grant = grant(":secret:trunkline/auth-AbCdEf", &["secretsmanager:GetSecretValue"]);
const TENANTS: Grant = grant(":secret:trunkline/tenants/*", &["secretsmanager:GetSecretValue"]);
const WINDOWS: Grant =
    grant(":table/trunkline-windows", &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"]);
const TOKENS: Grant = grant(":table/trunkline-tokens", &["dynamodb:GetItem", "dynamodb:UpdateItem"]);
const REQUESTS: Grant =
    grant(":table/trunkline-requests", &["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]);
const EVENTS_READ: Grant = grant(":table/trunkline-events", &["dynamodb:Query", "dynamodb:BatchGetItem"]);
const EVENTS_WRITTEN: Grant = grant(":table/trunkline-events", &["dynamodb:PutItem"]);
const QUEUE: Grant = grant(":trunkline-events", &["sqs:SendMessage", "sqs:GetQueueAttributes"]);
const DEAD_LETTERS: Grant = grant(":trunkline-events-dlq", &["sqs:SendMessage"]);

/// The types a context is made of, and what each is for at most. A new port is a line here.
const PORTS: [(&str, &[Grant]); 15] = [
    ("Access", &[AUTH]),
    ("RingCentral", &[WINDOWS, TOKENS, TENANTS]),
    ("Extensions", &[WINDOWS, TOKENS, TENANTS]),
    ("Sites", &[WINDOWS, TOKENS, TENANTS]),
    ("Idempotency", &[REQUESTS]),
    ("EventStore", &[EVENTS_READ]),
    ("Processor", &[EVENTS_WRITTEN]),
    ("SigningKeySource", &[TENANTS]),
    ("DeliveryQueue", &[QUEUE, DEAD_LETTERS]),
    ("Tables", &[WINDOWS]),
    ("SharedClock", &[]),
    ("TenantId", &[]),
    ("Arc", &[]),
    ("dyn", &[]),
    ("str", &[]),
];

impl Grant {
    fn covers(&self, action: &str, resource: &str) -> bool {
        // A role may name less than the whole of what a port can touch, never more.
        let part = matches(&format!("*{}", self.on), resource);
        part && self.actions.contains(&action)
    }
}

/// The types in a crate's `Context`; none if it has no context.
fn context_of(folder: &str) -> Vec<String> {
    let source = text(&format!("{folder}/src/lib.rs"));
    let fields = source.split_once("pub struct Context {").and_then(|(_, rest)| rest.split_once("\n}"));
    let fields = fields.map_or("", |(fields, _)| fields).lines().map(str::trim);
    let types =
        fields.filter(|line| !line.starts_with("//")).filter_map(|line| Some(line.split_once(": ")?.1));
    let words = types.flat_map(|of| of.split(|c: char| !c.is_alphanumeric()));
    // The length of an array is no port.
    words.filter(|word| word.starts_with(|c: char| c.is_alphabetic())).map(str::to_owned).collect()
}

/// Every permission of a function is for a port of its context, and every port of it is allowed something.
pub(crate) fn roles_are_for_ports(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    for (folder, binary) in crates() {
        let function = template.function(&binary);
        let mut ports = Vec::new();
        for name in context_of(&folder) {
            match PORTS.iter().find(|(port, _)| *port == name) {
                Some(port) => ports.push(port),
                None => {
                    complaints.unless(false, format!("nobody says what the port {name} of {binary} is for"))
                }
            }
        }
        let statements = template.statements(function.role());
        let all = || statements.iter().flat_map(Statement::permissions);
        for (action, resource) in all().filter(|(action, on)| !by_lambda(template, &function, action, on)) {
            let is_for =
                ports.iter().flat_map(|(_, grants)| *grants).any(|grant| grant.covers(action, resource));
            complaints.unless(is_for, format!("{binary} has no port that needs {action} on {resource}"));
        }
        for (port, grants) in ports.iter().filter(|(_, grants)| !grants.is_empty()) {
            let works = all().any(|(action, on)| grants.iter().any(|grant| grant.covers(action, on)));
            complaints.unless(works, format!("{binary} may do nothing of what its port {port} is for"));
        }
    }
    complaints
}

#[test]
fn every_permission_is_for_a_port_and_every_port_has_its_permissions() {
    assert_eq!(context_of("functions/api/platform"), ["RingCentral", "SharedClock", "Access"]);
    assert_eq!(context_of("functions/api/docs"), Vec::<String>::new());
    roles_are_for_ports(&Template::load()).none();
}
