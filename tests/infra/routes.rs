//! Every operation that is described has a route to the function that serves it, and no route leads elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::OpenApi;

use crate::{complaints::Complaints, template::Template};

/// Routes that no operation describes: the pages of the documentation, and Gateway v2's address for deliveries.
const UNDESCRIBED: [(&str, &str); 5] = [
    ("ANY /docs", "api-docs"),
    ("ANY /docs/{proxy+}", "api-docs"),
    ("ANY /api/openapi.json", "api-docs"),
    ("POST /api/webhooks/events", "events-receive"),
    ("POST /api/webhooks/validate", "events-receive"),
];

/// The binary behind each route.
pub(crate) fn routes(template: &Template) -> BTreeMap<String, String> {
    let functions = template.functions();
    let routes = template.all("AWS::ApiGatewayV2::Route").into_iter().map(|(id, route)| {
        let target = route["Target"]["Fn::Sub"].as_str().unwrap();
        let integration = target.strip_prefix("integrations/${").and_then(|target| target.strip_suffix('}'));
        let integration =
            template.properties(integration.unwrap_or_else(|| panic!("{id} leads to {target}")));
        assert_eq!(integration["IntegrationType"], "AWS_PROXY", "{id}");
        assert_eq!(integration["PayloadFormatVersion"], "2.0", "{id}");
        let alias = integration["IntegrationUri"]["Ref"].as_str().unwrap();
        let function = functions.iter().find(|function| alias == format!("{}.Alias", function.id)).unwrap();
        (route["RouteKey"].as_str().unwrap().to_owned(), function.binary.clone())
    });
    let all: Vec<_> = routes.collect();
    let unique: BTreeMap<_, _> = all.iter().cloned().collect();
    assert_eq!(unique.len(), all.len(), "a route is there twice");
    unique
}

/// The route API Gateway chooses: the method's own goes before the one for all methods.
pub(crate) fn route<'a>(
    routes: &'a BTreeMap<String, String>,
    method: &str,
    path: &str,
) -> Option<(&'a str, &'a str)> {
    let method = method.to_uppercase();
    let found = [method.as_str(), "ANY"]
        .into_iter()
        .find_map(|method| routes.get_key_value(&format!("{method} {path}")));
    found.map(|(key, binary)| (key.as_str(), binary.as_str()))
}

fn described() -> [(&'static str, OpenApi); 5] {
    [
        ("api-extensions", api_extensions::description()),
        ("api-health", api_health::description()),
        ("api-platform", api_platform::description()),
        ("api-subscriptions", api_subscriptions::description()),
        ("events-receive", events_receive::description()),
    ]
}

#[test]
fn every_operation_has_a_route_to_its_function() {
    let routes = routes(&Template::load());
    let mut used: BTreeSet<_> = UNDESCRIBED.iter().map(|(key, _)| (*key).to_owned()).collect();
    let mut operations = 0;
    for (binary, description) in described() {
        let description = serde_json::to_value(description).unwrap();
        for (path, methods) in description["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                let (key, serves) =
                    route(&routes, method, path).unwrap_or_else(|| panic!("{method} {path} has no route"));
                assert_eq!(serves, binary, "{method} {path} by way of {key}");
                used.insert(key.to_owned());
                operations += 1;
            }
        }
    }
    let whole = serde_json::to_value(api_docs::description()).unwrap();
    let all = whole["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len());
    assert_eq!(operations, all.sum::<usize>(), "a function is described that is not looked at here");
    let idle: Vec<_> = routes.keys().filter(|key| !used.contains(*key)).collect();
    assert!(idle.is_empty(), "no operation is behind {idle:?}");
}

#[test]
fn what_is_not_described_leads_where_it_should() {
    let routes = routes(&Template::load());
    for (key, binary) in UNDESCRIBED {
        assert_eq!(routes.get(key).map(String::as_str), Some(binary), "{key}");
    }
}

/// A route asks for a bearer token at the door if the operations behind it do; the others have no door.
pub(crate) fn secured_where_described(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    let routes = routes(template);
    let mut secured = BTreeSet::new();
    for (_, description) in described() {
        let description = serde_json::to_value(description).unwrap();
        for (path, methods) in description["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                // An operation that says nothing is under the whole API's security; one that lets everybody in says so.
                if operation.get("security").is_none()
                    && let Some((key, _)) = route(&routes, method, path)
                {
                    secured.insert(key);
                }
            }
        }
    }
    for (id, properties) in template.all("AWS::ApiGatewayV2::Route") {
        let key = properties["RouteKey"].as_str().unwrap();
        let door = properties["AuthorizationType"] == "CUSTOM";
        if secured.contains(key) {
            let by = properties["AuthorizerId"]["Ref"] == "Authorizer";
            complaints.unless(door && by, format!("{id}: {key} is open"));
        } else {
            complaints.unless(!door, format!("{id}: {key} asks for a bearer token, the API does not"));
        }
    }
    complaints
}

#[test]
fn a_route_is_open_only_if_its_operations_are() {
    let template = Template::load();
    let doors = template.all("AWS::ApiGatewayV2::Route").into_iter();
    assert!(doors.filter(|(_, route)| route["AuthorizationType"] == "CUSTOM").count() >= 11);
    secured_where_described(&template).none();
}

#[test]
fn only_this_api_may_invoke_what_is_behind_it() {
    let template = Template::load();
    let api = template.all("AWS::ApiGatewayV2::Api")[0].0;
    let permissions: BTreeMap<_, _> = template
        .all("AWS::Lambda::Permission")
        .into_iter()
        // Those of a function's own URL are looked at in `urls`.
        .filter(|(_, permission)| permission["Principal"] != "*")
        .map(|(_, permission)| (permission["FunctionName"]["Ref"].as_str().unwrap(), permission))
        .collect();
    let integrations = template.all("AWS::ApiGatewayV2::Integration");
    // The one more is the authorizer's.
    assert_eq!(permissions.len(), integrations.len() + 1);
    for (id, integration) in integrations {
        let alias = integration["IntegrationUri"]["Ref"].as_str().unwrap();
        let permission = permissions.get(alias).unwrap_or_else(|| panic!("{id} may not invoke {alias}"));
        assert_eq!(permission["Principal"], "apigateway.amazonaws.com", "{id}");
        let source = template.resolved(&permission["SourceArn"]);
        assert!(source.ends_with(&format!(":{api}/$default/*")), "{id} invokes {alias} for {source}");
    }
}
