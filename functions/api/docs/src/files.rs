//! The files of the docs page: ours, which are small, and Swagger UI's, which lie in the binary compressed.

use std::{borrow::Cow, sync::Arc, sync::LazyLock};

use sha2::{Digest, Sha256};
use utoipa_swagger_ui::Config;

/// Swagger UI's that the page loads.
const VENDORED: [(&str, &str); 2] = [
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
];
const OURS: [(&str, &str, &str); 4] = [
    ("index.html", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("page/page.js")),
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

/// A file of the page.
pub(crate) struct File {
    name: &'static str,
    pub(crate) content_type: &'static str,
    /// Weak: the same whether it is sent compressed or not.
    pub(crate) tag: String,
    pub(crate) gzipped: bool,
    pub(crate) bytes: Cow<'static, [u8]>,
}

impl File {
    /// The file of this name, if the page has one.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        static ALL: LazyLock<Vec<File>> = LazyLock::new(|| vendored().chain(ours()).collect());
        ALL.iter().find(|file| file.name == name)
    }
}

/// The `ETag` of a text.
pub(crate) fn tag(bytes: &[u8]) -> String {
    let digest = hex::encode(Sha256::digest(bytes));
    format!("W/\"{}\"", &digest[..32])
}

fn vendored() -> impl Iterator<Item = File> {
    let config = Arc::new(Config::new([""]));
    VENDORED.into_iter().filter_map(move |(name, content_type)| {
        let file = utoipa_swagger_ui::serve(name, config.clone()).ok().flatten()?;
        let bytes = Cow::Owned(file.bytes.into_owned());
        Some(File { name, content_type, tag: tag(&bytes), gzipped: file.gzpipped, bytes })
    })
}

fn ours() -> impl Iterator<Item = File> {
    OURS.into_iter().map(|(name, content_type, text)| {
        let bytes = Cow::Borrowed(text.as_bytes());
        File { name, content_type, tag: tag(&bytes), gzipped: false, bytes }
    })
}
