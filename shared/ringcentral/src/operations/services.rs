//! RingCentral's operations: services. Written by `generate.py`.

super::operations! {
    CAI_SPEAKER_DIARIZE: "caiSpeakerDiarize" POST "/ai/audio/v1/async/speaker-diarize" Heavy "AI" "";
    CAI_SPEECH_TO_TEXT: "caiSpeechToText" POST "/ai/audio/v1/async/speech-to-text" Heavy "AI" "";
    CAI_ANALYZE_INTERACTION: "caiAnalyzeInteraction" POST "/ai/insights/v1/async/analyze-interaction" Heavy "AI" "";
    GET_RECORDING_INSIGHTS: "getRecordingInsights" GET "/ai/ringsense/v1/public/accounts/{accountId}/domains/{domain}/records/{sourceRecordId}/insights" Light "RingSense" "";
    GET_SESSION_INSIGHTS: "getSessionInsights" GET "/ai/ringsense/v1/public/accounts/{accountId}/domains/{domain}/sessions/{sourceSessionId}/insights" Light "RingSense" "";
    CAI_JOB_STATUS_GET: "caiJobStatusGet" GET "/ai/status/v1/jobs/{jobId}" Heavy "AI" "";
    CAI_PUNCTUATE: "caiPunctuate" POST "/ai/text/v1/async/punctuate" Heavy "AI" "";
    CAI_SUMMARIZE: "caiSummarize" POST "/ai/text/v1/async/summarize" Heavy "AI" "";
    ANALYTICS_CALLS_AGGREGATION_FETCH: "analyticsCallsAggregationFetch" POST "/analytics/calls/v1/accounts/{accountId}/aggregation/fetch" Light "Analytics" "";
    ANALYTICS_CALLS_TIMELINE_FETCH: "analyticsCallsTimelineFetch" POST "/analytics/calls/v1/accounts/{accountId}/timeline/fetch" Light "Analytics" "";
    SCIM_LIST_RESOURCE_TYPES2: "scimListResourceTypes2" GET "/scim/v2/ResourceTypes" Light "ReadAccounts" "";
    SCIM_GET_RESOURCE_TYPE2: "scimGetResourceType2" GET "/scim/v2/ResourceTypes/{type}" Light "ReadAccounts" "";
    SCIM_LIST_SCHEMAS2: "scimListSchemas2" GET "/scim/v2/Schemas" Light "ReadAccounts" "";
    SCIM_GET_SCHEMA2: "scimGetSchema2" GET "/scim/v2/Schemas/{uri}" Light "ReadAccounts" "";
    SCIM_GET_PROVIDER_CONFIG2: "scimGetProviderConfig2" GET "/scim/v2/ServiceProviderConfig" Light "ReadAccounts" "";
    SCIM_SEARCH_VIA_GET2: "scimSearchViaGet2" GET "/scim/v2/Users" Light "ReadAccounts" "";
    SCIM_CREATE_USER2: "scimCreateUser2" POST "/scim/v2/Users" Heavy "EditAccounts" "";
    SCIM_SEARCH_VIA_POST2: "scimSearchViaPost2" POST "/scim/v2/Users/.search" Light "ReadAccounts" "";
    SCIM_DELETE_USER2: "scimDeleteUser2" DELETE "/scim/v2/Users/{scimUserId}" Heavy "EditAccounts" "";
    SCIM_GET_USER2: "scimGetUser2" GET "/scim/v2/Users/{scimUserId}" Light "ReadAccounts" "";
    SCIM_PATCH_USER2: "scimPatchUser2" PATCH "/scim/v2/Users/{scimUserId}" Heavy "EditAccounts" "";
    SCIM_UPDATE_USER2: "scimUpdateUser2" PUT "/scim/v2/Users/{scimUserId}" Heavy "EditAccounts" "";
}
