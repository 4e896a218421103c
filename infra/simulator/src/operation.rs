//! The operations the simulator serves: method, path, throttling group and app permission of each. One typed
//! table; an operation that is not in it does not exist (404 CMN-120).

use http::Method;
use percent_encoding::percent_decode_str;

use crate::config::Group;

/// One operation, named by its RingCentral `operationId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    ReadApiVersions,
    GetToken,
    RevokeToken,
    ReadAccountInfo,
    ListExtensions,
    CreateExtension,
    ReadExtension,
    UpdateExtension,
    DeleteExtension,
    ListSites,
    CreateSite,
    ReadSite,
    UpdateSite,
    DeleteSite,
    ReadCompanyCallLog,
    ReadCompanyCallRecord,
    ReadUserCallLog,
    ReadUserCallRecord,
    ListMessages,
    ReadMessage,
    CreateSubscription,
    ListSubscriptions,
    ReadSubscription,
    UpdateSubscription,
    DeleteSubscription,
    RenewSubscription,
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) operation: Operation,
    /// RingCentral's `operationId`.
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// Absent: the operation is not throttled.
    pub(crate) group: Option<Group>,
    /// App permission the caller needs.
    pub(crate) permission: Option<&'static str>,
}

macro_rules! row {
    ($operation:ident, $id:literal, $method:ident, $path:literal, $group:expr, $permission:expr) => {
        Row {
            operation: Operation::$operation,
            id: $id,
            method: Method::$method,
            path: $path,
            group: $group,
            permission: $permission,
        }
    };
}

const AUTH: Option<Group> = Some(Group::Auth);
const LIGHT: Option<Group> = Some(Group::Light);
const MEDIUM: Option<Group> = Some(Group::Medium);
const HEAVY: Option<Group> = Some(Group::Heavy);
const READ: Option<&str> = Some("ReadAccounts");
const EDIT: Option<&str> = Some("EditAccounts");
const EDIT_EXTENSIONS: Option<&str> = Some("EditExtensions");
const CALLS: Option<&str> = Some("ReadCallLog");
const MESSAGES: Option<&str> = Some("ReadMessages");
const WEBHOOK: Option<&str> = Some("SubscriptionWebhook");

#[rustfmt::skip]
static TABLE: [Row; 26] = [
    row!(ReadApiVersions, "readAPIVersions", GET, "/restapi", None, None),
    row!(GetToken, "getToken", POST, "/restapi/oauth/token", AUTH, None),
    row!(RevokeToken, "revokeToken", POST, "/restapi/oauth/revoke", AUTH, None),
    row!(ReadAccountInfo, "readAccountInfo", GET, "/restapi/v1.0/account/{accountId}", LIGHT, READ),
    row!(ListExtensions, "listExtensions", GET, "/restapi/v1.0/account/{accountId}/extension", MEDIUM, READ),
    row!(CreateExtension, "createExtension", POST, "/restapi/v1.0/account/{accountId}/extension", MEDIUM, EDIT),
    row!(ReadExtension, "readExtension", GET, "/restapi/v1.0/account/{accountId}/extension/{extensionId}", LIGHT, READ),
    row!(UpdateExtension, "updateExtension", PUT, "/restapi/v1.0/account/{accountId}/extension/{extensionId}", MEDIUM, EDIT_EXTENSIONS),
    row!(DeleteExtension, "deleteExtension", DELETE, "/restapi/v1.0/account/{accountId}/extension/{extensionId}", MEDIUM, EDIT),
    row!(ListSites, "listSites", GET, "/restapi/v1.0/account/{accountId}/sites", LIGHT, READ),
    row!(CreateSite, "createSite", POST, "/restapi/v1.0/account/{accountId}/sites", MEDIUM, EDIT),
    row!(ReadSite, "readSite", GET, "/restapi/v1.0/account/{accountId}/sites/{siteId}", LIGHT, READ),
    row!(UpdateSite, "updateSite", PUT, "/restapi/v1.0/account/{accountId}/sites/{siteId}", LIGHT, EDIT_EXTENSIONS),
    row!(DeleteSite, "deleteSite", DELETE, "/restapi/v1.0/account/{accountId}/sites/{siteId}", LIGHT, EDIT),
    row!(ReadCompanyCallLog, "readCompanyCallLog", GET, "/restapi/v1.0/account/{accountId}/call-log", HEAVY, CALLS),
    row!(ReadCompanyCallRecord, "readCompanyCallRecord", GET, "/restapi/v1.0/account/{accountId}/call-log/{callRecordId}", HEAVY, CALLS),
    row!(ReadUserCallLog, "readUserCallLog", GET, "/restapi/v1.0/account/{accountId}/extension/{extensionId}/call-log", HEAVY, CALLS),
    row!(ReadUserCallRecord, "readUserCallRecord", GET, "/restapi/v1.0/account/{accountId}/extension/{extensionId}/call-log/{callRecordId}", HEAVY, CALLS),
    row!(ListMessages, "listMessages", GET, "/restapi/v1.0/account/{accountId}/extension/{extensionId}/message-store", LIGHT, MESSAGES),
    row!(ReadMessage, "readMessage", GET, "/restapi/v1.0/account/{accountId}/extension/{extensionId}/message-store/{messageId}", LIGHT, MESSAGES),
    row!(CreateSubscription, "createSubscription", POST, "/restapi/v1.0/subscription", MEDIUM, WEBHOOK),
    row!(ListSubscriptions, "listSubscriptions", GET, "/restapi/v1.0/subscription", LIGHT, None),
    row!(ReadSubscription, "readSubscription", GET, "/restapi/v1.0/subscription/{subscriptionId}", LIGHT, None),
    row!(UpdateSubscription, "updateSubscription", PUT, "/restapi/v1.0/subscription/{subscriptionId}", MEDIUM, WEBHOOK),
    row!(DeleteSubscription, "deleteSubscription", DELETE, "/restapi/v1.0/subscription/{subscriptionId}", MEDIUM, None),
    row!(RenewSubscription, "renewSubscription", POST, "/restapi/v1.0/subscription/{subscriptionId}/renew", LIGHT, WEBHOOK),
];

/// The operation a request asks for and its path parameters, decoded.
pub(crate) fn find(method: &Method, path: &str) -> Option<(&'static Row, Vec<(&'static str, String)>)> {
    TABLE.iter().filter(|row| row.method == *method).find_map(|row| Some((row, parameters(row.path, path)?)))
}

fn parameters(pattern: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut given = path.trim_end_matches('/').split('/');
    let mut found = Vec::new();
    for expected in pattern.split('/') {
        let given = given.next()?;
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !given.is_empty() => {
                found.push((name, percent_decode_str(given).decode_utf8().ok()?.into_owned()));
            }
            None if expected == given => {}
            _ => return None,
        }
    }
    given.next().is_none().then_some(found)
}

/// Whether an app with the permissions `granted` may do what needs `wanted`.
pub(crate) fn allows(granted: &[String], wanted: &str) -> bool {
    granted.iter().any(|name| name == wanted || includes(name).contains(&wanted))
}

fn includes(permission: &str) -> &'static [&'static str] {
    match permission {
        "EditAccounts" => &["ReadAccounts", "EditExtensions"],
        "ReadCallRecording" => &["ReadCallLog"],
        "SMS" | "Faxes" | "InternalMessages" | "EditMessages" => &["ReadMessages"],
        _ => &[],
    }
}

/// The scope of a token: the permissions of the app and all they include, sorted.
pub(crate) fn scope(granted: &[String]) -> String {
    let mut names: Vec<&str> = granted
        .iter()
        .flat_map(|name| std::iter::once(name.as_str()).chain(includes(name).iter().copied()))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_its_operation_and_parameters() {
        let (row, parameters) = find(&Method::GET, "/restapi/v1.0/account/~/extension/400%2A8").unwrap();
        assert_eq!(row.operation, Operation::ReadExtension);
        assert_eq!(parameters, [("accountId", "~".to_owned()), ("extensionId", "400*8".to_owned())]);
        assert!(find(&Method::GET, "/restapi/v1.0/account/~/extension/1/2").is_none());
        assert!(find(&Method::PATCH, "/restapi/v1.0/subscription").is_none());
    }

    #[test]
    fn edit_accounts_includes_reading() {
        assert!(allows(&["EditAccounts".into()], "ReadAccounts"));
        assert!(!allows(&["ReadAccounts".into()], "EditAccounts"));
    }
}
