//! Everything at rest is encrypted, everything that matters can be brought back, and nothing secret passes the template.

use serde_json::{Value, json};

use crate::{complaints::Complaints, template::Template};

/// Whether a property is the deployment's own key, if it has one.
fn own_key(property: &Value) -> bool {
    *property == json!({"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]})
}

/// Tables, queues, logs and secrets are encrypted, with the deployment's own key if it has one.
pub(crate) fn everything_at_rest(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    for (id, table) in template.all("AWS::DynamoDB::Table") {
        let encryption = &table["SSESpecification"];
        let kms = encryption["SSEEnabled"] == true && encryption["SSEType"] == "KMS";
        complaints.unless(kms && own_key(&encryption["KMSMasterKeyId"]), format!("{id} is not encrypted"));
    }
    for (id, queue) in template.all("AWS::SQS::Queue") {
        let encrypted = template.resolve(&queue["SqsManagedSseEnabled"]) == true;
        complaints.unless(encrypted && own_key(&queue["KmsMasterKeyId"]), format!("{id} is not encrypted"));
    }
    // Logs and secrets always are, with a key of AWS's if no other is named.
    for kind in ["AWS::Logs::LogGroup", "AWS::SecretsManager::Secret"] {
        for (id, properties) in template.all(kind) {
            complaints.unless(own_key(&properties["KmsKeyId"]), format!("{id} is not under our own key"));
        }
    }
    complaints
}

/// No variable of a function holds a secret.
pub(crate) fn no_secret_in_a_variable(template: &Template) -> Complaints {
    // Where secrets are, not what they are.
    let places = ["TRUNKLINE_SECRETS"];
    let telling = ["SECRET", "TOKEN", "PASSWORD", "JWT", "CREDENTIAL", "PRIVATE", "API_KEY", "ACCESS_KEY"];
    let mut complaints = Complaints::default();
    for function in template.functions() {
        for (name, value) in function.properties["Environment"]["Variables"].as_object().unwrap() {
            let suspect = telling.iter().any(|word| name.contains(word)) && !places.contains(&name.as_str());
            let text = value.to_string();
            let resolved = text.contains("resolve:secretsmanager") || text.contains("resolve:ssm-secure");
            // Whatever varies comes from a parameter or a resource; a long literal can only be something pasted.
            let pasted = value.as_str().is_some_and(|literal| literal.len() >= 16);
            complaints.unless(
                !suspect && !resolved && !pasted,
                format!("{} may be a secret in the variables of {}", name, function.id),
            );
        }
    }
    complaints
}

#[test]
fn everything_at_rest_is_encrypted() {
    everything_at_rest(&Template::load()).none();
}

#[test]
fn no_variable_of_a_function_holds_a_secret() {
    no_secret_in_a_variable(&Template::load()).none();
}

#[test]
fn tables_can_be_brought_back() {
    let template = Template::load();
    for (id, table) in template.all("AWS::DynamoDB::Table") {
        assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{id}");
        assert_eq!(table["DeletionProtectionEnabled"]["Fn::If"][0], "IsProd", "{id}");
        assert_eq!(template.0["Resources"][id]["UpdateReplacePolicy"], "Retain", "{id}");
    }
}

#[test]
fn queues_take_nothing_in_the_clear() {
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
    for (id, _) in template.all("AWS::SQS::Queue") {
        assert!(denied.contains(&id), "{id} takes messages without TLS");
    }
}

/// With a key of one's own, whoever touches data may use it, for that data only.
#[test]
fn whoever_reads_data_may_use_the_key_it_is_encrypted_with() {
    let template = Template::load();
    let policies = template.all("AWS::IAM::ManagedPolicy");
    let (id, policy) = policies.iter().find(|(_, policy)| policy["Roles"].is_array()).unwrap();
    assert_eq!(template.0["Resources"][id]["Condition"], "HasKey");
    let statement = &policy["PolicyDocument"]["Statement"][0];
    assert_eq!(statement["Resource"], json!({"Ref": "KmsKeyArn"}));
    assert!(statement["Condition"]["StringEquals"]["kms:ViaService"].is_array());
    let roles = template.resolve(&policy["Roles"]);
    for function in template.functions() {
        let statements = template.statements(function.role());
        let data = statements.iter().flat_map(|statement| &statement.actions).any(|action| {
            ["dynamodb:", "sqs:", "secretsmanager:"].iter().any(|service| action.starts_with(service))
        });
        let may = roles.as_array().unwrap().contains(&function.role().into());
        assert_eq!(may, data, "{}: uses the key, and touches data", function.id);
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
