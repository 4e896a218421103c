//! The cryptography of bearer tokens: ring's, which TLS has brought along already.
//!
//! Owns which algorithms there are and how each is checked: HS256, RS256, ES256 and EdDSA. It must never take a key for another
//! family than its own, or sign with anything but a shared secret: we issue no other tokens.

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    signature::{self, Signer, Verifier},
};
use ring::{
    error::Unspecified,
    hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
        UnparsedPublicKey, VerificationAlgorithm,
    },
};

static RING: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(signer(*algorithm, key)?)),
    verifier_factory: |algorithm, key| Ok(Box::new(verifier(*algorithm, key)?)),
    // For publishing keys of our own, which we have none of.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Gives `jsonwebtoken` its cryptography. A second call changes nothing.
pub(crate) fn install() {
    let _ = RING.install_default();
}

/// HS256 with a secret.
struct Secret(hmac::Key);

/// A public key and what is checked with it.
struct Public {
    algorithm: Algorithm,
    key: DecodingKey,
}

fn signer(algorithm: Algorithm, key: &EncodingKey) -> Result<Secret, Error> {
    match (algorithm, key.family()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac) => {
            Ok(Secret(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes())))
        }
        (Algorithm::HS256, _) => Err(ErrorKind::InvalidKeyFormat.into()),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Public, Error> {
    let family = match algorithm {
        Algorithm::HS256 => AlgorithmFamily::Hmac,
        Algorithm::RS256 => AlgorithmFamily::Rsa,
        Algorithm::ES256 => AlgorithmFamily::Ec,
        Algorithm::EdDSA => AlgorithmFamily::Ed,
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    };
    match key.family() == family {
        true => Ok(Public { algorithm, key: key.clone() }),
        false => Err(ErrorKind::InvalidKeyFormat.into()),
    }
}

impl Public {
    fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), Unspecified> {
        let public: &'static dyn VerificationAlgorithm = match (self.algorithm, self.key.kind()) {
            (Algorithm::HS256, DecodingKeyKind::SecretOrDer(secret)) => {
                return hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret), message, signature);
            }
            (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                return RsaPublicKeyComponents { n, e }.verify(
                    &RSA_PKCS1_2048_8192_SHA256,
                    message,
                    signature,
                );
            }
            (Algorithm::RS256, _) => &RSA_PKCS1_2048_8192_SHA256,
            (Algorithm::ES256, _) => &ECDSA_P256_SHA256_FIXED,
            (Algorithm::EdDSA, _) => &ED25519,
            _ => return Err(Unspecified),
        };
        let key = self.key.try_get_as_bytes().map_err(|_| Unspecified)?;
        UnparsedPublicKey::new(public, key).verify(message, signature)
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

impl Verifier<Vec<u8>> for Public {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        self.check(message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Public {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::crypto::{sign, verify};

    use super::*;

    /// What RFC 7515 signs in its appendices A.1 and A.3, and everybody else here.
    const PAYLOAD: &str =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const SECRET: &str =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T+1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==";

    fn secret() -> DecodingKey {
        install();
        DecodingKey::from_base64_secret(SECRET).unwrap()
    }

    /// A signature holds for its message and no other.
    fn holds(algorithm: Algorithm, key: &DecodingKey, message: &str, signature: &str) {
        install();
        assert!(verify(signature, message.as_bytes(), key, algorithm).unwrap(), "{algorithm:?}");
        let other = format!("{message}x");
        assert!(!verify(signature, other.as_bytes(), key, algorithm).unwrap(), "{algorithm:?}");
    }

    #[test]
    fn signatures_made_by_others_hold() {
        let message = format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}");
        let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        holds(Algorithm::HS256, &secret(), &message, signature);
        let key = EncodingKey::from_base64_secret(SECRET).unwrap();
        assert_eq!(sign(message.as_bytes(), &key, Algorithm::HS256).unwrap(), signature);

        // OpenSSL's.
        let key = DecodingKey::from_rsa_components(
            "u_EPIf6lefIp2csfPU2gZg6d-fAP5SUeEjj4blUJ8XmqOxvmsGaW80bU2xIWM8Ym0UIJ-86CHWFhKYCA3B6J6W4OaMaFT3nnoNeVSQhpv2mF8mwQ2C1sFNi8_dtndToD7R1sEl29cOExH8BVrGRM0A9JtIWOa-LZ4WQK1z4RRl2_HIHHPFDCdZev5BWd82-KzzPhJaOOnYL0kGs4ajEUP-Tlq6YjfTn6ZpYBeo5LLyuyeTzJs8zpZy0wnrZADVY5r6ZSNeLq42Fexpo05Yb_9uNSgQVF4vzOEomB-5Q0pkMKrQfUYjudS7xAxdVOBwkEh1zobazDpPBYRa4VDf2GPQ",
            "AQAB",
        );
        holds(
            Algorithm::RS256,
            &key.unwrap(),
            &format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}"),
            "ngCV-YNsd84yEnfqv4ivQdJ7dGNuD6G7n1rxECxJa8Lxh1wunaIlQdiK4DfpNiHrC2JL5-B821WlQ9xc0N8l1kr3VuGK4sUyvlSfkySmD9wqGTtXO_qW3VeSOyW_SGnD1yO6wsDvboA2BdkGsZBKMaaNC8D8Q4MX-W6fUKhRYmfPynOsDgzpAW5b6TZrTiqgg1WZi8EKShCu90YaLSnB0myRI2LsjmyHB28H9W_SZCByKplsK1jP4cCYZNu0H78beCaymAm9I4B7EUZ9wEPjNl4aoGmP_fzp7w9MuQcJXfKVHXjNWQExHtj6gygTOThu2TZPxiKe_J69w5YYiZq5Cg",
        );

        let key = DecodingKey::from_ec_components(
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        );
        holds(
            Algorithm::ES256,
            &key.unwrap(),
            &format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}"),
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        );

        // RFC 8037, appendix A.4.
        let key = DecodingKey::from_ed_components("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        holds(
            Algorithm::EdDSA,
            &key.unwrap(),
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        );
    }

    #[test]
    fn a_key_is_good_for_its_own_family_only() {
        let key = secret();
        for algorithm in
            [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::HS512, Algorithm::PS256]
        {
            assert!(verify("AAAA", b"message", &key, algorithm).is_err(), "{algorithm:?}");
            let signed = sign(b"message", &EncodingKey::from_secret(b"secret"), algorithm);
            assert!(signed.is_err(), "{algorithm:?}");
        }
    }
}
