//! TLS in front of a server on loopback, with an authority made for this run: what a handshake costs has to be measured too.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::error::{MeterError, ground};

/// Certificates that only this run trusts, and the doors that show them.
pub(crate) struct Doors {
    /// The authority's certificate, as a file for `SSL_CERT_FILE`.
    pub(crate) authority: PathBuf,
    acceptor: TlsAcceptor,
    running: JoinSet<()>,
    _folder: tempfile::TempDir,
}

impl Doors {
    /// Makes an authority and a certificate for loopback.
    pub(crate) fn new() -> Result<Self, MeterError> {
        let (authority, config) = certificates().map_err(ground("certificates"))?;
        let folder = tempfile::tempdir().map_err(ground("a folder"))?;
        let file = folder.path().join("authority.pem");
        std::fs::write(&file, authority).map_err(ground("a file"))?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { authority: file, acceptor, running: JoinSet::new(), _folder: folder })
    }

    /// Opens a door to a server; returns its URL.
    pub(crate) async fn before(&mut self, server: SocketAddr) -> io::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("https://{}", listener.local_addr()?);
        let acceptor = self.acceptor.clone();
        self.running.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that goes in the middle is no news: it was killed when it had been measured.
                    let _ = pass(&acceptor, stream, server).await;
                });
            }
        });
        Ok(url)
    }
}

async fn pass(acceptor: &TlsAcceptor, stream: TcpStream, server: SocketAddr) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut inside = acceptor.accept(stream).await?;
    let mut outside = TcpStream::connect(server).await?;
    outside.set_nodelay(true)?;
    copy_bidirectional(&mut inside, &mut outside).await.map(drop)
}

fn certificates() -> Result<(String, ServerConfig), Box<dyn std::error::Error + Send + Sync>> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok((authority, config))
}
