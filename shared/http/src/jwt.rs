//! The cryptography of bearer tokens: HS256 by ring, which TLS has brought along already.
//!
//! It must never take another algorithm or another kind of key: we issue no other tokens.

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    signature::{self, Signer, Verifier},
};
use ring::hmac;

static RING: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match (algorithm, key.family()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac) => Ok(Box::new(Secret::new(key.as_bytes()))),
        _ => Err(wrong()),
    },
    verifier_factory: |algorithm, key| match (algorithm, key.kind()) {
        (Algorithm::HS256, DecodingKeyKind::SecretOrDer(secret)) if is_secret(key) => {
            Ok(Box::new(Secret::new(secret)))
        }
        _ => Err(wrong()),
    },
    // For publishing keys of our own, which we have none of.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Gives `jsonwebtoken` its cryptography. A second call changes nothing.
pub(crate) fn install() {
    let _ = RING.install_default();
}

fn is_secret(key: &DecodingKey) -> bool {
    key.family() == AlgorithmFamily::Hmac
}

fn wrong() -> Error {
    ErrorKind::InvalidAlgorithm.into()
}

/// A shared secret, which signs and checks alike.
struct Secret(hmac::Key);

impl Secret {
    fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }
}

impl Signer<Vec<u8>> for Secret {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl JwtSigner for Secret {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for Secret {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        hmac::verify(&self.0, message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Secret {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{
        EncodingKey,
        crypto::{sign, verify},
    };

    use super::*;

    const SECRET: &str =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T+1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==";

    fn secret() -> DecodingKey {
        install();
        DecodingKey::from_base64_secret(SECRET).unwrap()
    }

    /// RFC 7515, appendix A.1.
    #[test]
    fn a_signature_made_by_others_holds_for_its_message_and_no_other() {
        let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(verify(signature, message.as_bytes(), &secret(), Algorithm::HS256).unwrap());
        let other = format!("{message}x");
        assert!(!verify(signature, other.as_bytes(), &secret(), Algorithm::HS256).unwrap());
        let key = EncodingKey::from_base64_secret(SECRET).unwrap();
        assert_eq!(sign(message.as_bytes(), &key, Algorithm::HS256).unwrap(), signature);
    }

    #[test]
    fn there_is_no_other_algorithm() {
        for algorithm in [
            Algorithm::HS384,
            Algorithm::HS512,
            Algorithm::RS256,
            Algorithm::PS256,
            Algorithm::ES256,
            Algorithm::EdDSA,
        ] {
            assert!(verify("AAAA", b"message", &secret(), algorithm).is_err(), "{algorithm:?}");
            let signed = sign(b"message", &EncodingKey::from_secret(b"secret"), algorithm);
            assert!(signed.is_err(), "{algorithm:?}");
        }
        // A public key is no secret, whatever a header says.
        let public = DecodingKey::from_ed_components("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert!(verify("AAAA", b"message", &public, Algorithm::HS256).is_err());
    }
}
