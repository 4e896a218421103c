//! TLS of a process: which cryptography, and whose certificates are trusted.
//!
//! Both are compiled in, because a cold start pays for them before anything else (docs/adr/0005-tls-that-starts-fast.md). It must
//! never trust less than the file it is told to, or more.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

/// The variable that names a file of trusted certificates. It is then the only one that counts.
const FILE: &str = "SSL_CERT_FILE";

/// TLS that can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of trusted certificates is no such file.
    #[error("the certificates of {FILE}={} can't be used: {reason}", file.display())]
    Roots {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The cryptography does not know TLS 1.2 or 1.3.
    #[error(transparent)]
    Versions(#[from] rustls::Error),
}

/// The TLS of every client in the process, built once. It trusts `SSL_CERT_FILE` if that is set, else Mozilla's roots as they were
/// when this was built.
pub(crate) fn client() -> Result<ClientConfig, TlsError> {
    static SHARED: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(shared) = SHARED.get() {
        return Ok(shared.clone());
    }
    let built = build()?;
    Ok(SHARED.get_or_init(|| built).clone())
}

fn build() -> Result<ClientConfig, TlsError> {
    let roots = match std::env::var_os(FILE).filter(|file| !file.is_empty()) {
        Some(file) => read(Path::new(&file))?,
        // Parsed when the crate was built: nothing but pointers is copied here.
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
    };
    let mut config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn read(file: &Path) -> Result<RootCertStore, TlsError> {
    let failed = |reason: String| TlsError::Roots { file: file.to_owned(), reason };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| failed(error.to_string()))? {
        let certificate = certificate.map_err(|error| failed(error.to_string()))?;
        roots.add(certificate).map_err(|error| failed(error.to_string()))?;
    }
    if roots.is_empty() { Err(failed("there are none".to_owned())) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The subject of a root, as bytes in which its name can be found.
    fn trusts(name: &str) -> bool {
        let found = |subject: &[u8]| subject.windows(name.len()).any(|part| part == name.as_bytes());
        webpki_roots::TLS_SERVER_ROOTS.iter().any(|root| found(root.subject.as_ref()))
    }

    #[test]
    fn those_who_vouch_for_aws_and_for_ringcentral_are_trusted() {
        for name in
            ["Amazon Root CA 1", "Amazon Root CA 3", "Starfield Services Root", "DigiCert Global Root G2"]
        {
            assert!(trusts(name), "{name}");
        }
        assert!(!trusts("Nobody's Root"));
    }

    #[test]
    fn a_file_that_holds_no_certificate_is_an_error_and_not_an_empty_trust() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        for file in ["Cargo.toml", "no-such-file"] {
            let error = read(&here.join(file)).unwrap_err();
            assert!(error.to_string().contains(file), "{error}");
        }
    }
}
