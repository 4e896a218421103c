//! The call log of the company and of an extension.

use std::time::Duration;

use super::extension_id;
use crate::call::{Call, Owner, Reply};
use crate::clock::earlier;
use crate::error::ApiError;
use crate::page::Page;
use crate::world::World;
use crate::world::calls::CallRecord;

const DAY: Duration = Duration::from_secs(86_400);

/// Which log is read: the records of one extension, or all, and the path their URIs start with.
struct Log {
    extension: Option<u64>,
    path: String,
    detailed: bool,
}

impl Log {
    fn of(world: &World, call: &Call, owner: &Owner) -> Result<Self, ApiError> {
        let user = call.row.path.contains("{extensionId}");
        let extension = if user { Some(extension_id(world, call, owner)?) } else { None };
        let parent = extension.map_or_else(|| world.account_path(), |id| world.extension_path(id));
        let view = call.query.choices("view", &["Simple", "Detailed"])?;
        Ok(Self { extension, path: format!("{parent}/call-log"), detailed: view.contains(&"Detailed") })
    }

    fn holds(&self, record: &CallRecord) -> bool {
        self.extension.is_none_or(|extension| extension == record.extension)
    }
}

/// `readCompanyCallLog` and `readUserCallLog`: newest first, both dates inclusive at the millisecond, the last
/// 24 h when no dates are given.
pub(super) fn list(world: &World, call: &Call, owner: &Owner) -> Result<Reply, ApiError> {
    let log = Log::of(world, call, owner)?;
    let page = Page::asked(call)?;
    let query = &call.query;
    let to = query.moment("dateTo")?.unwrap_or(call.now);
    let from = query.moment("dateFrom")?.unwrap_or_else(|| earlier(to, DAY));
    let directions = query.choices("direction", &["Inbound", "Outbound"])?;
    let types = query.choices("type", &["Voice", "Fax"])?;
    let transports = query.choices("transport", &["PSTN", "VoIP"])?;
    let recordings = query.choices("recordingType", &["Automatic", "OnDemand", "All"])?;
    let with_recording = query.get("withRecording") == Some("true");
    if query.get("sessionId").is_some() && (query.get("dateFrom").or(query.get("dateTo"))).is_some() {
        let message =
            "Parameter [sessionId] is not allowed for usage along with parameter [dateFrom] or [dateTo]";
        return Err(ApiError::bad_request("CLG-110", message).about("sessionId"));
    }
    let by_session = query.get("sessionId").or(query.get("telephonySessionId")).is_some();

    let any = |wanted: &[&str], value: &str| wanted.is_empty() || wanted.contains(&value);
    let equal = |name: &str, value: &str| query.get(name).is_none_or(|wanted| wanted == value);
    let in_range = |record: &CallRecord| {
        let start = record.start.as_millisecond();
        (from.as_millisecond()..=to.as_millisecond()).contains(&start) || by_session
    };
    let recorded = |record: &CallRecord| match record.recording_at(call.now) {
        Some(recording) => {
            recordings.is_empty() || recordings.contains(&"All") || recordings.contains(&recording.kind)
        }
        None => recordings.is_empty() && !with_recording,
    };
    let matching: Vec<&CallRecord> = world
        .calls
        .iter()
        .filter(|record| record.start <= call.now && log.holds(record) && in_range(record))
        .filter(|record| any(&directions, record.direction) && any(&types, record.kind))
        .filter(|record| any(&transports, record.transport) && recorded(record))
        .filter(|record| equal("sessionId", &record.session_id))
        .filter(|record| equal("telephonySessionId", &record.telephony_session_id))
        .filter(|record| equal("extensionNumber", &record.extension_number))
        .filter(|record| query.get("phoneNumber").is_none_or(|number| record.involves(number)))
        .collect();
    Ok(Reply::ok(page.envelope(call, &matching, false, |record| {
        record.render(world, &call.base, &log.path, log.detailed, call.now)
    })))
}

/// `readCompanyCallRecord` and `readUserCallRecord`, one id.
pub(super) fn read(world: &World, call: &Call, owner: &Owner) -> Result<Reply, ApiError> {
    let log = Log::of(world, call, owner)?;
    let id = call.parameter("callRecordId");
    let found =
        world.calls.iter().find(|record| record.id == id && record.start <= call.now && log.holds(record));
    let record = found.ok_or_else(|| ApiError::not_found("callRecordId"))?;
    Ok(Reply::ok(record.render(world, &call.base, &log.path, log.detailed, call.now)))
}
