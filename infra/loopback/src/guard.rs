//! Who is let in.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, Uri, header, uri::Authority};

use crate::Key;

/// Looks at each request of a port before anything else does.
#[derive(Debug, Clone)]
pub struct Guard(Key);

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request was meant for another host, or comes from a page of one.
    #[error("this port is for this machine: call it 127.0.0.1, localhost or [::1], and not from a web page")]
    Foreign,
    /// The request does not bring the key.
    #[error("this port asks for its key")]
    Stranger,
}

impl Guard {
    /// A guard that lets this key in.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self(key)
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.0
    }

    /// Whether a request was made on this machine, to this machine, by something else than a foreign web page.
    ///
    /// # Errors
    /// [`Refusal::Foreign`].
    pub fn at_home(headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let named = hosts.next().is_some_and(|host| host.to_str().is_ok_and(is_here));
        let addressed = uri.authority().is_none_or(|authority| is_here(authority.as_str()));
        let asked_by_us = headers.get_all(header::ORIGIN).iter().all(|origin| {
            let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            origin.is_some_and(|(_, host)| is_here(host))
        });
        match named && hosts.next().is_none() && addressed && asked_by_us {
            true => Ok(()),
            false => Err(Refusal::Foreign),
        }
    }

    /// Whether a request may pass: made at home, and with the key. The key may be an AWS access key id, a bearer token, or the name
    /// or the password of HTTP Basic.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
        Self::at_home(headers, uri)?;
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match value.is_some_and(|value| self.opened_by(value)) {
            true => Ok(()),
            false => Err(Refusal::Stranger),
        }
    }

    fn opened_by(&self, authorization: &str) -> bool {
        let Some((scheme, rest)) = authorization.split_once(' ') else { return false };
        match scheme.to_ascii_lowercase().as_str() {
            "aws4-hmac-sha256" => {
                let credential = rest.split(',').find_map(|part| part.trim().strip_prefix("Credential="));
                credential.and_then(|credential| credential.split('/').next()).is_some_and(|id| self.0.is(id))
            }
            "bearer" => self.0.is(rest.trim()),
            "basic" => {
                let pair = STANDARD.decode(rest.trim()).ok().and_then(|pair| String::from_utf8(pair).ok());
                let pair = pair.as_deref().and_then(|pair| pair.split_once(':'));
                pair.is_some_and(|(name, password)| self.0.is(name) | self.0.is(password))
            }
            _ => false,
        }
    }
}

/// Whether a host, with or without a port, is this machine's loopback.
fn is_here(host: &str) -> bool {
    let authority = host.parse::<Authority>();
    authority.is_ok_and(|authority| {
        !host.contains('@') && matches!(authority.host(), "127.0.0.1" | "localhost" | "[::1]")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789ABCDEF0123456789ABCDEF";

    fn check(headers: &[(&'static str, &str)]) -> Result<(), Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Guard::new(KEY.parse().unwrap()).check(&map, &Uri::from_static("/"))
    }

    #[test]
    fn only_this_machine_is_let_in() {
        let bearer = format!("Bearer {KEY}");
        let authorization = ("authorization", bearer.as_str());
        for host in ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "[::1]:8080"] {
            assert_eq!(check(&[("host", host), authorization]), Ok(()), "{host}");
        }
        for host in
            ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "a@127.0.0.1", "", "0.0.0.0"]
        {
            assert_eq!(check(&[("host", host), authorization]), Err(Refusal::Foreign), "{host}");
        }
        assert_eq!(check(&[authorization]), Err(Refusal::Foreign), "no host at all");
        let two = [("host", "127.0.0.1"), ("host", "evil.example"), authorization];
        assert_eq!(check(&two), Err(Refusal::Foreign), "two hosts");
        for (origin, passes) in
            [("http://127.0.0.1:8080", true), ("https://evil.example", false), ("null", false)]
        {
            let answer = check(&[("host", "127.0.0.1"), ("origin", origin), authorization]);
            assert_eq!(answer.is_ok(), passes, "{origin}");
        }
    }

    #[test]
    fn only_the_key_opens() {
        let aws = |key: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"
            )
        };
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        let with = |value: &str| check(&[("host", "127.0.0.1"), ("authorization", value)]);
        for value in
            [aws(KEY), format!("Bearer {KEY}"), basic(&format!("admin:{KEY}")), basic(&format!("{KEY}:"))]
        {
            assert_eq!(with(&value), Ok(()), "{value}");
        }
        let short = KEY.get(1..).unwrap();
        for value in
            [aws("local"), aws(short), aws(""), "Bearer".to_owned(), format!("Digest {KEY}"), basic("a:b")]
        {
            assert_eq!(with(&value), Err(Refusal::Stranger), "{value}");
        }
        assert_eq!(check(&[("host", "127.0.0.1")]), Err(Refusal::Stranger));
    }
}
