//! The binaries that are measured, built as they are deployed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::{MeterError, io},
    sample::Function,
};

/// What everything is compared with.
pub(crate) const HELLO: &str = "hello";

/// Which payload each function is measured with: what it is there for, or close to it.
const PAYLOADS: &[(&str, &str)] = &[
    (HELLO, "events/health/shallow.json"),
    ("api-authorizer", "events/authorizer/allowed.json"),
    ("api-docs", "events/docs/openapi.json"),
    ("api-extensions", "events/extensions/list.json"),
    ("api-health", "events/health/shallow.json"),
    ("api-platform", "events/platform/limits.json"),
    ("api-subscriptions", "events/subscriptions/list.json"),
    ("events-dispatch", "events/dispatch/deliveries.json"),
    ("events-receive", "events/receive/delivery.json"),
    ("events-renew", "events/renew/schedule.json"),
];

/// Every function of the workspace and the hello-world, from the root of the workspace.
pub(crate) fn functions(folder: &Path) -> Result<Vec<Function>, MeterError> {
    functions_below(Path::new("functions"), folder)
}

fn functions_below(source: &Path, folder: &Path) -> Result<Vec<Function>, MeterError> {
    let mut names = vec![HELLO.to_owned()];
    for group in folders(source)? {
        for function in folders(&group)? {
            names.push(format!("{}-{}", name(&group), name(&function)));
        }
    }
    names.into_iter().map(|name| Function::new(name, folder)).collect()
}

impl Function {
    fn new(name: String, folder: &Path) -> Result<Self, MeterError> {
        let payload = PAYLOADS.iter().find(|(function, _)| *function == name).map(|(_, file)| *file);
        let Some(payload) = payload else {
            let reason = "no payload is chosen to measure it with".to_owned();
            return Err(MeterError::Function { function: name, reason });
        };
        Ok(Self { binary: folder.join(&name), name, payload: payload.into() })
    }
}

/// Builds them for this machine, each with the features it has when it is built alone, as `sam build` does.
pub(crate) fn build(functions: &[Function]) -> Result<(), MeterError> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for function in functions {
        let mut command = Command::new(&cargo);
        command.args(["build", "--release", "--locked", "--package", &function.name]);
        let status = command.status().map_err(io("cargo can't be started"))?;
        if !status.success() {
            let reason = "it can't be built".to_owned();
            return Err(MeterError::Function { function: function.name.clone(), reason });
        }
    }
    Ok(())
}

/// Copies them: how fast a file is mapped depends on how it was written, and linkers write as they like; where a copy comes to lie
/// in memory makes a tenth of a start.
pub(crate) fn copy(functions: &[Function], folder: &Path) -> Result<Vec<Function>, MeterError> {
    let copy = |function: &Function| {
        let copy = Function { binary: folder.join(&function.name), ..function.clone() };
        let write = || {
            fs::write(&copy.binary, fs::read(&function.binary)?)?;
            fs::set_permissions(&copy.binary, fs::metadata(&function.binary)?.permissions())
        };
        write().map_err(io(function.binary.display().to_string()))?;
        Ok(copy)
    };
    functions.iter().map(copy).collect()
}

/// Where cargo puts them.
pub(crate) fn folder() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from).join("release")
}

fn folders(of: &Path) -> Result<Vec<PathBuf>, MeterError> {
    let unreadable = |error| MeterError::Io(of.display().to_string(), error);
    let mut folders = Vec::new();
    for entry in fs::read_dir(of).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_a_payload_that_exists() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let functions = functions_below(&root.join("functions"), Path::new("")).unwrap();
        assert_eq!(functions.len(), PAYLOADS.len());
        for function in functions {
            assert!(root.join(&function.payload).is_file(), "{}", function.payload.display());
        }
    }
}
