//! The one parameter in a path.

use axum::extract::{FromRequestParts, MatchedPath, Path};
use http::request::Parts;

use crate::Problem;

/// The value of the route's only parameter, decoded.
#[derive(Debug, Clone)]
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let route = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned());
        let Ok(Path(value)) = Path::<String>::from_request_parts(parts, state).await else {
            let name = route.as_deref().and_then(|route| route.split_once('{')?.1.split_once('}'));
            return Err(Problem::field(name.map_or("path", |(name, _)| name), "must be UTF-8"));
        };
        Ok(Self(value))
    }
}
