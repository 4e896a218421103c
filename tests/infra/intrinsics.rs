//! What CloudFormation would make of the template for a stack named `trunkline` whose parameters are left at their defaults.
//!
//! The names are those of the AWS that runs in the tests, so what the template says of a table or queue holds there too.

use serde_json::Value;

use crate::template::Template;

const ACCOUNT: &str = embedded_aws::ACCOUNT;
const REGION: &str = embedded_aws::REGION;

impl Template {
    /// A value with everything in it that CloudFormation would fill in.
    pub(crate) fn resolve(&self, value: &Value) -> Value {
        if let Some(resolved) = self.intrinsic(value) {
            return resolved;
        }
        match value {
            // What is left out by `AWS::NoValue` is not there.
            Value::Array(items) => {
                items.iter().map(|item| self.resolve(item)).filter(|item| !item.is_null()).collect()
            }
            Value::Object(entries) => {
                entries.iter().map(|(key, value)| (key.clone(), self.resolve(value))).collect()
            }
            scalar => scalar.clone(),
        }
    }

    /// A value that becomes a text or number.
    pub(crate) fn resolved(&self, value: &Value) -> String {
        match self.resolve(value) {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            other => panic!("{value} becomes {other}, not a text"),
        }
    }

    /// Whether the parameters leave a resource in.
    pub(crate) fn is_there(&self, id: &str) -> bool {
        let condition = self.0["Resources"][id]["Condition"].as_str();
        condition.is_none_or(|condition| self.holds(&self.0["Conditions"][condition]))
    }

    fn intrinsic(&self, value: &Value) -> Option<Value> {
        let (function, argument) = value.as_object().filter(|object| object.len() == 1)?.iter().next()?;
        Some(match (function.as_str(), argument) {
            ("Ref", Value::String(name)) => self.reference(name),
            ("Fn::GetAtt", Value::Array(path)) => {
                self.attribute(path[0].as_str().unwrap(), path[1].as_str().unwrap()).into()
            }
            ("Fn::Sub", Value::String(text)) => self.substitute(text, &Value::Null).into(),
            ("Fn::Sub", Value::Array(parts)) => {
                self.substitute(parts[0].as_str().unwrap(), &self.resolve(&parts[1])).into()
            }
            ("Fn::If", Value::Array(parts)) => {
                let holds = self.holds(&self.0["Conditions"][parts[0].as_str().unwrap()]);
                self.resolve(&parts[if holds { 1 } else { 2 }])
            }
            (other, _) if other.starts_with("Fn::") => panic!("{other} is not understood here"),
            _ => return None,
        })
    }

    fn reference(&self, name: &str) -> Value {
        match name {
            "AWS::NoValue" => return Value::Null,
            "AWS::StackName" => return "trunkline".into(),
            "AWS::Region" => return REGION.into(),
            "AWS::AccountId" => return ACCOUNT.into(),
            "AWS::Partition" => return "aws".into(),
            "AWS::URLSuffix" => return "amazonaws.com".into(),
            _ => {}
        }
        if let Some(parameter) = self.0["Parameters"].get(name) {
            return parameter["Default"].clone();
        }
        // The alias of a function is referred to as if it were its attribute.
        if let Some(function) = name.strip_suffix(".Alias") {
            return format!("{}:live", self.attribute(function, "Arn")).into();
        }
        let properties = self.properties(name);
        match self.0["Resources"][name]["Type"].as_str().unwrap() {
            "AWS::SQS::Queue" => {
                let queue = self.resolved(&properties["QueueName"]);
                format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue}").into()
            }
            "AWS::SecretsManager::Secret" => secret_arn(&self.resolved(&properties["Name"])).into(),
            "AWS::Logs::LogGroup" => self.resolve(&properties["LogGroupName"]),
            "AWS::Serverless::Function" => self.resolve(&properties["FunctionName"]),
            _ => name.into(),
        }
    }

    fn attribute(&self, resource: &str, attribute: &str) -> String {
        let properties = self.properties(resource);
        let named = |property: &str| self.resolved(&properties[property]);
        let arn = |service: &str, rest: String| format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}");
        match (self.0["Resources"][resource]["Type"].as_str().unwrap(), attribute) {
            ("AWS::DynamoDB::Table", "Arn") => arn("dynamodb", format!("table/{}", named("TableName"))),
            ("AWS::SQS::Queue", "Arn") => arn("sqs", named("QueueName")),
            ("AWS::SQS::Queue", "QueueName") => named("QueueName"),
            ("AWS::Logs::LogGroup", "Arn") => arn("logs", format!("log-group:{}:*", named("LogGroupName"))),
            ("AWS::Serverless::Function", "Arn") => {
                arn("lambda", format!("function:{}", named("FunctionName")))
            }
            ("AWS::IAM::Role", "Arn") => format!("arn:aws:iam::{ACCOUNT}:role/{resource}"),
            ("AWS::ApiGatewayV2::Api", "ApiEndpoint") => {
                format!("https://api.execute-api.{REGION}.amazonaws.com")
            }
            ("AWS::Lambda::Url", "FunctionUrl") => format!("https://abc.lambda-url.{REGION}.on.aws/"),
            (kind, attribute) => panic!("{kind} has no attribute {attribute} here"),
        }
    }

    fn substitute(&self, text: &str, own: &Value) -> String {
        let mut parts = text.split("${");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap_or_else(|| panic!("{text} has an open brace"));
            let value = match (own[name].as_str(), name.split_once('.')) {
                (Some(own), _) => own.to_owned(),
                (None, Some((resource, attribute))) if attribute != "Alias" => {
                    self.attribute(resource, attribute)
                }
                _ => self.resolved(&serde_json::json!({ "Ref": name })),
            };
            out.push_str(&value);
            out.push_str(rest);
        }
        out
    }

    fn holds(&self, condition: &Value) -> bool {
        if let Some(sides) = condition.get("Fn::Equals") {
            return self.resolved(&sides[0]) == self.resolved(&sides[1]);
        }
        if let Some(all) = condition.get("Fn::And") {
            return all.as_array().unwrap().iter().all(|one| self.holds(one));
        }
        if let Some(name) = condition["Condition"].as_str() {
            return self.holds(&self.0["Conditions"][name]);
        }
        match condition.get("Fn::Not") {
            Some(inner) => !self.holds(&inner[0]),
            None => panic!("the condition {condition} is not understood here"),
        }
    }
}

/// Secrets Manager adds six characters of its own to a secret's name.
pub(crate) fn secret_arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf")
}
