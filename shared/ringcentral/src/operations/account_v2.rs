//! RingCentral's operations: account v2. Written by `generate.py`.

super::operations! {
    GET_ACCOUNT_INFO_V2: "getAccountInfoV2" GET "/restapi/v2/accounts/{accountId}" Light "ReadAccounts" "ReadCompanyInfo";
    POST_BATCH_PROVISION_USERS: "postBatchProvisionUsers" POST "/restapi/v2/accounts/{accountId}/batch-provisioning/users" Heavy "EditAccounts" "";
    LIST_COST_CENTERS: "listCostCenters" GET "/restapi/v2/accounts/{accountId}/cost-centers" Light "ReadAccounts" "CostCenterManagement";
    DELETE_DEVICE_FROM_INVENTORY: "deleteDeviceFromInventory" DELETE "/restapi/v2/accounts/{accountId}/device-inventory" Heavy "EditAccounts" "";
    ADD_DEVICE_TO_INVENTORY: "addDeviceToInventory" POST "/restapi/v2/accounts/{accountId}/device-inventory" Heavy "EditAccounts" "";
    BULK_ADD_DEVICES_V2: "bulkAddDevicesV2" POST "/restapi/v2/accounts/{accountId}/devices/bulk-add" Heavy "EditAccounts" "AddRemoveDevices";
    REMOVE_LINE_JWS_PUBLIC: "removeLineJWSPublic" DELETE "/restapi/v2/accounts/{accountId}/devices/{deviceId}" Medium "EditAccounts" "EditAccountDevices";
    BULK_DELETE_USERS_V2: "bulkDeleteUsersV2" DELETE "/restapi/v2/accounts/{accountId}/extensions" Heavy "EditAccounts" "Users";
    READ_CALL_FLIP_SETTINGS: "readCallFlipSettings" GET "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/call-flip-numbers" Light "ReadAccounts" "";
    UPDATE_CALL_FLIP_SETTINGS: "updateCallFlipSettings" PUT "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/call-flip-numbers" Medium "EditExtensions" "";
    LIST_CIC_STATES: "listCicStates" GET "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/states" Medium "ReadAccounts" "";
    READ_CIC_STATE: "readCicState" GET "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/states/{stateId}" Medium "ReadAccounts" "";
    UPDATE_CIC_STATE: "updateCicState" PATCH "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/states/{stateId}" Medium "EditExtensions" "";
    DELETE_FORWARDING_TARGETS: "deleteForwardingTargets" DELETE "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/voice/forwarding-targets" Medium "EditExtensions" "";
    READ_FORWARDING_TARGETS: "readForwardingTargets" GET "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/voice/forwarding-targets" Medium "ReadAccounts" "";
    LIST_EXTENSIONS_USING_FORWARDING_DEVICE_TARGET: "listExtensionsUsingForwardingDeviceTarget" GET "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/voice/forwarding-targets/devices/{deviceId}/extensions" Medium "ReadAccounts" "";
    LIST_VOICE_INTERACTION_RULES: "listVoiceInteractionRules" GET "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/voice/interaction-rules" Medium "ReadAccounts" "";
    CREATE_VOICE_INTERACTION_RULE: "createVoiceInteractionRule" POST "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/voice/interaction-rules" Medium "EditExtensions" "";
    DELETE_VOICE_INTERACTION_RULE: "deleteVoiceInteractionRule" DELETE "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/voice/interaction-rules/{ruleId}" Medium "EditExtensions" "";
    READ_VOICE_INTERACTION_RULE: "readVoiceInteractionRule" GET "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/voice/interaction-rules/{ruleId}" Medium "ReadAccounts" "";
    UPDATE_VOICE_INTERACTION_RULE: "updateVoiceInteractionRule" PATCH "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/voice/interaction-rules/{ruleId}" Medium "EditExtensions" "";
    LIST_VOICE_STATE_BASED_RULES: "listVoiceStateBasedRules" GET "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/voice/state-rules" Medium "ReadAccounts" "";
    READ_VOICE_STATE_BASED_RULE: "readVoiceStateBasedRule" GET "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/voice/state-rules/{stateId}" Medium "ReadAccounts" "";
    UPDATE_VOICE_STATE_BASED_RULE: "updateVoiceStateBasedRule" PATCH "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/comm-handling/voice/state-rules/{stateId}" Medium "EditExtensions" "";
    REPLACE_DEVICES_JWS_PUBLIC: "replaceDevicesJWSPublic" POST "/restapi/v2/accounts/{accountId}/extensions/{extensionId}/devices/{deviceId}/replace" Medium "EditAccounts" "EditUserDevices";
    DELETE_NUMBERS_FROM_INVENTORY_V2: "deleteNumbersFromInventoryV2" DELETE "/restapi/v2/accounts/{accountId}/phone-numbers" Medium "EditAccounts" "EditCompanyPhoneNumbers";
    LIST_ACCOUNT_PHONE_NUMBERS_V2: "listAccountPhoneNumbersV2" GET "/restapi/v2/accounts/{accountId}/phone-numbers" Heavy "ReadAccounts" "ReadCompanyPhoneNumbers";
    ADD_NUMBERS_TO_INVENTORY_V2: "addNumbersToInventoryV2" POST "/restapi/v2/accounts/{accountId}/phone-numbers/bulk-add" Heavy "EditAccounts" "EditCompanyPhoneNumbers";
    GET_BULK_ADD_TASK_RESULTS_V2: "getBulkAddTaskResultsV2" GET "/restapi/v2/accounts/{accountId}/phone-numbers/bulk-add/{taskId}" Heavy "EditAccounts" "EditCompanyPhoneNumbers";
    ASSIGN_PHONE_NUMBER_V2: "assignPhoneNumberV2" PATCH "/restapi/v2/accounts/{accountId}/phone-numbers/{phoneNumberId}" Medium "EditAccounts" "EditCompanyPhoneNumbers";
    REPLACE_PHONE_NUMBER_V2: "replacePhoneNumberV2" POST "/restapi/v2/accounts/{accountId}/phone-numbers/{phoneNumberId}/replace" Medium "EditAccounts" "EditCompanyPhoneNumbers";
    GET_ACCOUNT_REGIONAL_SETTINGS: "getAccountRegionalSettings" GET "/restapi/v2/accounts/{accountId}/regional-settings" Light "ReadAccounts" "";
    PATCH_ACCOUNT_REGIONAL_SETTINGS: "patchAccountRegionalSettings" PATCH "/restapi/v2/accounts/{accountId}/regional-settings" Medium "EditAccounts" "";
    SEND_ACTIVATION_EMAIL_V2: "sendActivationEmailV2" POST "/restapi/v2/accounts/{accountId}/send-activation-email" Medium "EditAccounts" "AccountAdministration";
    SEND_WELCOME_EMAIL_V2: "sendWelcomeEmailV2" POST "/restapi/v2/accounts/{accountId}/send-welcome-email" Medium "EditExtensions" "Users";
    LIST_SMS_CONSENT_RECORDS: "listSmsConsentRecords" GET "/restapi/v2/accounts/{accountId}/sms/consents" Light "SMS" "";
    EDIT_SMS_CONSENT_RECORDS: "editSmsConsentRecords" PATCH "/restapi/v2/accounts/{accountId}/sms/consents" Light "SMS" "";
    EXPORT_SMS_CONSENT_RECORDS: "exportSmsConsentRecords" GET "/restapi/v2/accounts/{accountId}/sms/consents/export" Light "SMS" "";
    LIST_SMS_CONSENT_HISTORY_RECORDS: "listSmsConsentHistoryRecords" GET "/restapi/v2/accounts/{accountId}/sms/consents/history" Light "SMS" "";
    SEARCH_SMS_CONSENT_RECORDS: "searchSmsConsentRecords" POST "/restapi/v2/accounts/{accountId}/sms/consents/search" Light "SMS" "";
    PARSE_PHONE_NUMBER_V2: "parsePhoneNumberV2" POST "/restapi/v2/number-parser/parse" Light "" "";
}
