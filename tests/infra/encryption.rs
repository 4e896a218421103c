//! Everything at rest is encrypted, everything that matters can be brought back, and nothing secret passes the template.

use crate::template::Template;

#[test]
fn tables_are_encrypted_and_can_be_brought_back() {
    let template = Template::load();
    for (id, table) in template.all("AWS::DynamoDB::Table") {
        assert_eq!(table["SSESpecification"]["SSEEnabled"], true, "{id}");
        assert_eq!(table["SSESpecification"]["SSEType"], "KMS", "{id}");
        assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{id}");
        assert_eq!(table["DeletionProtectionEnabled"]["Fn::If"][0], "IsProd", "{id}");
        assert_eq!(template.0["Resources"][id]["UpdateReplacePolicy"], "Retain", "{id}");
    }
}

#[test]
fn queues_are_encrypted_and_take_nothing_in_the_clear() {
    let template = Template::load();
    let policies = template.all("AWS::SQS::QueuePolicy");
    let denied: Vec<_> = policies
        .iter()
        .filter(|(_, policy)| {
            let statement = &policy["PolicyDocument"]["Statement"][0];
            statement["Effect"] == "Deny" && statement["Condition"]["Bool"]["aws:SecureTransport"] == "false"
        })
        .flat_map(|(_, policy)| policy["Queues"].as_array().unwrap())
        .map(|queue| queue["Ref"].as_str().unwrap())
        .collect();
    for (id, queue) in template.all("AWS::SQS::Queue") {
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{id}");
        assert!(denied.contains(&id), "{id} takes messages without TLS");
    }
}

#[test]
fn the_key_of_bearer_tokens_is_made_where_it_stays() {
    let template = Template::load();
    let secrets = template.all("AWS::SecretsManager::Secret");
    let (_, auth) = secrets.iter().find(|(id, _)| *id == "AuthSecret").unwrap();
    let prefix = template
        .resolved(&template.0["Globals"]["Function"]["Environment"]["Variables"]["TRUNKLINE_SECRETS"]);
    assert_eq!(template.resolved(&auth["Name"]), format!("{prefix}/auth"));
    assert_eq!(auth["GenerateSecretString"]["GenerateStringKey"], "hs256");
    assert!(
        auth["GenerateSecretString"]["PasswordLength"].as_u64().unwrap() >= 43,
        "256 bits of letters and digits"
    );
    for (id, secret) in secrets {
        assert!(secret["SecretString"].is_null(), "{id} is written in the template");
    }
    for (name, parameter) in template.0["Parameters"].as_object().unwrap() {
        assert!(parameter["NoEcho"].is_null(), "the secret {name} passes through a parameter");
    }
}

#[test]
fn no_variable_of_a_function_holds_a_secret() {
    let template = Template::load();
    // Where secrets are, not what they are.
    let places = ["TRUNKLINE_SECRETS"];
    let telling = ["SECRET", "TOKEN", "PASSWORD", "JWT", "CREDENTIAL", "PRIVATE", "API_KEY", "ACCESS_KEY"];
    for function in template.functions() {
        for (name, value) in function.properties["Environment"]["Variables"].as_object().unwrap() {
            let suspect = telling.iter().any(|word| name.contains(word)) && !places.contains(&name.as_str());
            assert!(!suspect, "{}: {name}", function.id);
            let text = value.to_string();
            let resolved = text.contains("resolve:secretsmanager") || text.contains("resolve:ssm-secure");
            assert!(!resolved, "{}: {name} is resolved into the function's configuration", function.id);
            // Whatever varies comes from a parameter or a resource; a long literal can only be something pasted.
            assert!(value.as_str().is_none_or(|literal| literal.len() < 16), "{}: {name}", function.id);
        }
    }
}
