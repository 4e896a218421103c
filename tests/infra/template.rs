//! `template.yaml` as JSON: CloudFormation's tags become the functions they stand for.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// The template.
pub(crate) struct Template(pub(crate) Value);

/// A function with what it takes over from `Globals`.
#[derive(Debug)]
pub(crate) struct Function {
    /// Its logical id.
    pub(crate) id: String,
    /// The binary it runs, which is named as its crate.
    pub(crate) binary: String,
    pub(crate) properties: Value,
}

impl Function {
    /// The id of its role.
    pub(crate) fn role(&self) -> &str {
        self.properties["Role"]["Fn::GetAtt"][0].as_str().unwrap()
    }
}

/// A path in the workspace.
pub(crate) fn path(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(of)
}

pub(crate) fn text(of: &str) -> String {
    std::fs::read_to_string(path(of)).unwrap_or_else(|error| panic!("{of}: {error}"))
}

impl Template {
    pub(crate) fn load() -> Self {
        Self::of("template.yaml")
    }

    /// Another template of the workspace.
    pub(crate) fn of(file: &str) -> Self {
        Self(json(yaml_serde::from_str(&text(file)).unwrap()))
    }

    /// The template with a value at this JSON pointer. `Value::Null` takes away what is there.
    pub(crate) fn with(mut self, pointer: &str, value: Value) -> Self {
        let (place, key) = pointer.rsplit_once('/').unwrap();
        let place = self.0.pointer_mut(place).unwrap_or_else(|| panic!("the template has no {place}"));
        match (place, value) {
            (Value::Object(entries), Value::Null) => {
                assert!(entries.remove(key).is_some(), "the template has no {pointer}");
            }
            (Value::Object(entries), value) => {
                entries.insert(key.to_owned(), value);
            }
            (Value::Array(items), value) => items[key.parse::<usize>().unwrap()] = value,
            (scalar, _) => panic!("{pointer}: {scalar} has no parts"),
        }
        self
    }

    /// The resources of a type: logical ids and properties.
    pub(crate) fn all(&self, kind: &str) -> Vec<(&str, &Value)> {
        let resources = self.0["Resources"].as_object().unwrap().iter();
        let of_kind = resources.filter(|(_, resource)| resource["Type"] == kind);
        of_kind.map(|(id, resource)| (id.as_str(), &resource["Properties"])).collect()
    }

    /// The properties of a resource.
    pub(crate) fn properties(&self, id: &str) -> &Value {
        let resource = &self.0["Resources"][id];
        assert!(resource.is_object(), "the template has no resource {id}");
        &resource["Properties"]
    }

    pub(crate) fn functions(&self) -> Vec<Function> {
        let functions = self.all("AWS::Serverless::Function").into_iter().map(|(id, own)| {
            let mut properties = self.0["Globals"]["Function"].clone();
            merge(&mut properties, own);
            let build = &self.0["Resources"][id]["Metadata"];
            assert_eq!(build["BuildMethod"], "rust-cargolambda", "{id}");
            let binary = build["BuildProperties"]["Binary"].as_str().unwrap().to_owned();
            Function { id: id.to_owned(), binary, properties }
        });
        functions.collect()
    }

    /// The function that runs this binary.
    pub(crate) fn function(&self, binary: &str) -> Function {
        let found = self.functions().into_iter().find(|function| function.binary == binary);
        found.unwrap_or_else(|| panic!("no function runs {binary}"))
    }
}

/// As SAM merges `Globals`: maps are united, everything else is replaced.
fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

fn json(yaml: yaml_serde::Value) -> Value {
    match yaml {
        yaml_serde::Value::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let value = json(tagged.value);
            match (tag.trim_start_matches('!'), value) {
                (tag @ ("Ref" | "Condition"), value) => json!({ tag: value }),
                ("GetAtt", Value::String(path)) => {
                    let (resource, attribute) = path.split_once('.').unwrap();
                    json!({ "Fn::GetAtt": [resource, attribute] })
                }
                (tag, value) => json!({ format!("Fn::{tag}"): value }),
            }
        }
        yaml_serde::Value::Sequence(items) => items.into_iter().map(json).collect(),
        yaml_serde::Value::Mapping(entries) => {
            let entry =
                |(key, value): (yaml_serde::Value, _)| (key.as_str().unwrap().to_owned(), json(value));
            Value::Object(entries.into_iter().map(entry).collect::<Map<_, _>>())
        }
        scalar => serde_json::to_value(scalar).unwrap(),
    }
}

#[test]
fn tags_become_the_functions_they_stand_for() {
    let yaml =
        "a: !Ref B\nc: !GetAtt D.Arn\ne: [!Sub 'x-${F}', 1, true]\ng: !If [H, !Ref I, !Ref AWS::NoValue]";
    let expected = json!({
        "a": {"Ref": "B"},
        "c": {"Fn::GetAtt": ["D", "Arn"]},
        "e": [{"Fn::Sub": "x-${F}"}, 1, true],
        "g": {"Fn::If": ["H", {"Ref": "I"}, {"Ref": "AWS::NoValue"}]}
    });
    assert_eq!(json(yaml_serde::from_str(yaml).unwrap()), expected);
}
