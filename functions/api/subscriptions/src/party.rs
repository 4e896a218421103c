//! The shape of a party in the state of a call; `events` folds it.

use serde::Serialize;
use utoipa::ToSchema;

/// One leg of a call.
#[derive(Serialize, ToSchema)]
#[schema(as = Party)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartyShape {
    /// The sequence of the event that told its status; null if that event had none.
    #[schema(required = true)]
    sequence: Option<i64>,
    /// `Setup`, `Proceeding`, `Answered`, `Disconnected`, … An open set of RingCentral's.
    #[schema(nullable = false)]
    status: Option<String>,
    /// Why it is in that state: `BlindTransfer`, `AttendedTransfer`, …
    #[schema(nullable = false)]
    reason: Option<String>,
    /// `Inbound` or `Outbound`.
    #[schema(nullable = false)]
    direction: Option<String>,
    /// The extension, if the party is one of the account.
    #[schema(nullable = false)]
    extension_id: Option<String>,
    /// Who calls.
    #[schema(nullable = false)]
    from: Option<CorrespondentShape>,
    /// Who is called; of a queue's call the queue, until a member takes it.
    #[schema(nullable = false)]
    to: Option<CorrespondentShape>,
    /// Whether the call came by a queue.
    #[schema(nullable = false)]
    queue_call: Option<bool>,
    /// Whether it ended unanswered.
    #[schema(nullable = false)]
    missed_call: Option<bool>,
    /// Missing where there are none.
    #[schema(required = false)]
    recordings: Vec<RecordingShape>,
}

/// Either end of a leg.
#[derive(Serialize, ToSchema)]
#[schema(as = Correspondent)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CorrespondentShape {
    /// The number, of the public network or an extension's.
    #[schema(nullable = false)]
    phone_number: Option<String>,
    #[schema(nullable = false)]
    name: Option<String>,
    /// The extension, if it is one of the account.
    #[schema(nullable = false)]
    extension_id: Option<String>,
}

/// A recording of a leg.
#[derive(Serialize, ToSchema)]
#[schema(as = Recording)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecordingShape {
    /// RingCentral's id of it.
    id: String,
    /// Whether it is being made; false while it is paused.
    #[schema(nullable = false)]
    active: Option<bool>,
}
