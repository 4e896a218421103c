//! The base of an HTTP server, as settings give it.

use std::{fmt, str::FromStr};

use http::Uri;

/// `http://` or `https://`, a host and perhaps a path; no trailing slash, user, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl(String);

/// A text that is no such URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a URL such as https://example.com, with http:// or https:// and without a user, a query or a fragment"
)]
pub struct InvalidUrl;

impl FromStr for HttpUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let uri: Uri = text.trim().parse().map_err(|_| InvalidUrl)?;
        let authority = uri.authority().ok_or(InvalidUrl)?;
        let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        let plain = uri.query().is_none() && !text.contains(['#', '@']) && !authority.host().is_empty();
        match scheme && plain {
            true => Ok(Self(text.trim().trim_end_matches('/').to_owned())),
            false => Err(InvalidUrl),
        }
    }
}

impl HttpUrl {
    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<HttpUrl> for String {
    fn from(url: HttpUrl) -> Self {
        url.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_scheme_and_a_host() {
        for (text, url) in [
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("https://example.com/gateway", "https://example.com/gateway"),
            (" https://[::1]:1 ", "https://[::1]:1"),
        ] {
            assert_eq!(text.parse::<HttpUrl>().map(String::from), Ok(url.to_owned()));
        }
        for text in [
            "",
            "nonsense",
            "platform.ringcentral.com",
            "ftp://x",
            "https://",
            "https://a@b",
            "https://a?b",
            "https://a#b",
        ] {
            assert_eq!(text.parse::<HttpUrl>(), Err(InvalidUrl), "{text}");
        }
    }
}
