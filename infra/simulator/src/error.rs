//! Errors as RingCentral writes them: the resource body with `errors[]` and the OAuth body with `error`. It
//! decides on shapes and codes only; who answers what is decided by the operations.

use http::StatusCode;
use serde_json::{Map, Value, json};

/// An answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    code: &'static str,
    message: Box<str>,
    /// Top-level `errorCode` where it is a word and differs from the nested code.
    word: Option<&'static str>,
    parameter: Option<Box<str>>,
    permission: Option<&'static str>,
    /// OAuth `error` of the token endpoints.
    oauth: Option<&'static str>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<Box<str>>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            word: None,
            parameter: None,
            permission: None,
            oauth: None,
        }
    }

    pub(crate) fn bad_request(code: &'static str, message: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// CMN-101: the value of a parameter cannot be used.
    pub(crate) fn invalid(parameter: &str) -> Self {
        Self::bad_request("CMN-101", format!("Parameter [{parameter}] value is invalid")).about(parameter)
    }

    /// CMN-100: a mandatory parameter is missing.
    pub(crate) fn missing(parameter: &str) -> Self {
        Self::bad_request("CMN-100", format!("Parameter [{parameter}] is mandatory")).about(parameter)
    }

    /// CMN-102: what the parameter names does not exist.
    pub(crate) fn not_found(parameter: &str) -> Self {
        let message = format!("Resource for parameter [{parameter}] is not found");
        Self::new(StatusCode::NOT_FOUND, "CMN-102", message).about(parameter)
    }

    /// CMN-406: another resource already has this value.
    pub(crate) fn duplicate(parameter: &str) -> Self {
        Self::bad_request("CMN-406", format!("Duplicate value for parameter [{parameter}] found"))
            .about(parameter)
    }

    /// CMN-401: the app has not got the permission.
    pub(crate) fn lacks_permission(permission: &'static str) -> Self {
        let message = format!(
            "In order to call this API endpoint, application needs to have [{permission}] permission"
        );
        let mut error =
            Self::new(StatusCode::FORBIDDEN, "CMN-401", message).worded("InsufficientPermissions");
        error.permission = Some(permission);
        error
    }

    /// 401 on a resource: the token is missing, unknown, expired or dead.
    pub(crate) fn unauthorized(code: &'static str, message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, message)
    }

    /// An error of the token endpoints.
    pub(crate) fn oauth(status: StatusCode, error: &'static str, code: &'static str, message: &str) -> Self {
        let mut built = Self::new(status, code, message);
        built.oauth = Some(error);
        built
    }

    pub(crate) fn about(mut self, parameter: &str) -> Self {
        self.parameter = Some(parameter.into());
        self
    }

    pub(crate) fn worded(mut self, word: &'static str) -> Self {
        self.word = Some(word);
        self
    }

    /// The JSON body.
    pub(crate) fn body(&self) -> Value {
        let mut detail = Map::new();
        detail.insert("errorCode".into(), json!(self.code));
        detail.insert("message".into(), json!(self.message));
        let mut body = Map::new();
        match self.oauth {
            Some(error) => {
                body.insert("error".into(), json!(error));
                body.insert("error_description".into(), json!(self.message));
            }
            None => {
                body.insert("errorCode".into(), json!(self.word.unwrap_or(self.code)));
                body.insert("message".into(), json!(self.message));
            }
        }
        let extras = [("parameterName", self.parameter.as_deref()), ("permissionName", self.permission)];
        for (name, value) in extras {
            if let Some(value) = value {
                detail.insert(name.into(), json!(value));
                body.insert(name.into(), json!(value));
            }
        }
        body.insert("errors".into(), json!([detail]));
        Value::Object(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_error_names_the_parameter_twice() {
        assert_eq!(
            ApiError::invalid("perPage").body(),
            json!({
                "errorCode": "CMN-101",
                "message": "Parameter [perPage] value is invalid",
                "errors": [{
                    "errorCode": "CMN-101",
                    "message": "Parameter [perPage] value is invalid",
                    "parameterName": "perPage"
                }],
                "parameterName": "perPage"
            })
        );
    }

    #[test]
    fn an_oauth_error_has_its_own_shape() {
        let error = ApiError::oauth(StatusCode::BAD_REQUEST, "invalid_grant", "OAU-210", "Token expired");
        assert_eq!(
            error.body(),
            json!({
                "error": "invalid_grant",
                "error_description": "Token expired",
                "errors": [{"errorCode": "OAU-210", "message": "Token expired"}]
            })
        );
    }
}
