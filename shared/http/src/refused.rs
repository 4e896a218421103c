//! What is refused before any route is asked.

use axum::extract::Request;
use percent_encoding::percent_decode_str;

use crate::Problem;

/// Rides on a request that was none: the routes answer with its problem.
#[derive(Debug, Clone)]
pub struct Refused(pub Problem);

/// Why no route may see this request, if that is so.
pub(crate) fn refusal(request: &Request) -> Option<Problem> {
    if let Some(Refused(problem)) = request.extensions().get() {
        return Some(problem.clone());
    }
    // Whoever stands before us may climb, or not: nobody must depend on which.
    let dots = |segment: &str| {
        let segment: Vec<u8> = percent_decode_str(segment).collect();
        matches!(&segment[..], b"." | b"..")
    };
    let path = request.uri().path();
    path.split('/').any(dots).then(|| Problem::field("path", "must not have . or .. as a segment"))
}
