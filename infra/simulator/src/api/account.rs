//! `readAccountInfo` and `readAPIVersions`.

use serde_json::json;

use crate::call::{Call, Reply};
use crate::world::World;
use crate::world::extensions::regional_settings;

pub(super) fn read(world: &World, call: &Call) -> Reply {
    let uri = format!("{}{}", call.base, world.account_path());
    let operator = format!("{}{}", call.base, world.extension_path(world.account_id));
    Reply::ok(json!({
        "uri": uri,
        "id": world.account_id,
        "mainNumber": world.main_number,
        "status": "Confirmed",
        "setupWizardState": "Completed",
        "federated": false,
        "cfid": "18885550100",
        "operator": {"uri": operator, "id": world.account_id, "extensionNumber": "101"},
        "serviceInfo": {
            "uri": format!("{uri}/service-info"),
            "brand": {"id": "1210", "name": "RingCentral",
                "homeCountry": {"id": "1", "name": "United States", "isoCode": "US", "callingCode": "1"}},
            "servicePlan": {"id": "1216", "name": "Professional", "edition": "Unknown"},
            "billingPlan": {"id": "159", "name": "Monthly", "durationUnit": "Month", "duration": 1,
                "type": "Regular", "includedPhoneLines": 100},
        },
        "regionalSettings": regional_settings(),
    }))
}

/// The versions of the API: one.
pub(super) fn versions(call: &Call) -> Reply {
    let uri = format!("{}/restapi", call.base);
    Reply::ok(json!({
        "uri": uri,
        "apiVersions": [{"uri": format!("{uri}/v1.0"), "versionString": "1.0.64",
            "releaseDate": "2026-01-15T00:00:00.000Z", "uriString": "v1.0"}],
        "serverVersion": "26.1",
        "serverRevision": "simulated",
    }))
}
