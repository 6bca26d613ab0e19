//! Who is answered where others can ask: who has a token, over TLS.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::app::api::{Reason, Refused};
use crate::diagnostic::Diagnostic;
use crate::hash::sha256;
use crate::kube::decode_base64;

/// A token that can be guessed is none.
const SHORTEST: usize = 16;

/// The tokens that are taken, as their hashes: all are of one length.
pub struct Tokens(Vec<String>);

impl Tokens {
    /// Reads a file with a token a line; empty lines and what begins with `#` are none.
    ///
    /// # Errors
    /// When it cannot be read, has none, or one that is too short.
    pub fn read(file: &Path) -> Result<Tokens, Diagnostic> {
        let text = fs::read_to_string(file).map_err(|error| unreadable(file, &error.to_string()))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let tokens: Vec<&str> = lines.collect();
        let help = "write one a line, as `openssl rand -hex 32` makes them";
        if tokens.is_empty() {
            let message = format!("`{}` has no token", file.display());
            return Err(Diagnostic::error("no-token", message).help(help));
        }
        if tokens.iter().any(|it| it.len() < SHORTEST) {
            let message = format!("`{}` has a token of fewer than {SHORTEST} characters", file.display());
            return Err(Diagnostic::error("short-token", message).because("it can be guessed").help(help));
        }
        Ok(Tokens(tokens.into_iter().map(sha256).collect()))
    }

    /// Looks at whether a request has one of them; where it may, also as a password beside any name. How long that takes says nothing of them.
    ///
    /// # Errors
    /// When it has none.
    pub fn check(&self, headers: &HeaderMap, as_password: bool) -> Result<(), Refused> {
        let said = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok()).unwrap_or("");
        let (scheme, said) = said.split_once(' ').unwrap_or(("", ""));
        let said = match () {
            () if scheme.eq_ignore_ascii_case("bearer") => said.trim().to_owned(),
            () if as_password && scheme.eq_ignore_ascii_case("basic") => password(said).unwrap_or_default(),
            () => String::new(),
        };
        let said = sha256(&said);
        let is_known =
            self.0.iter().fold(0, |found, token| found | token.as_bytes().ct_eq(said.as_bytes()).unwrap_u8());
        if is_known == 1 { Ok(()) } else { Err(Refused::new(Reason::Unauthorized, "Unauthorized")) }
    }
}

/// The password of `Basic` credentials.
fn password(said: &str) -> Option<String> {
    let plain = String::from_utf8(decode_base64(said.trim())?).ok()?;
    Some(plain.split_once(':')?.1.to_owned())
}

/// Where the certificate is, with those up to its root, and its key; both as PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificates.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

impl Identity {
    /// What takes connections under this identity.
    ///
    /// # Errors
    /// When the files cannot be read, or do not belong together.
    pub fn acceptor(&self) -> Result<TlsAcceptor, Diagnostic> {
        let Identity { certificate, key } = self;
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .map_err(|error| unreadable(certificate, &error.to_string()))?;
        if chain.is_empty() {
            return Err(unreadable(certificate, "it has no certificate"));
        }
        let secret =
            PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error.to_string()))?;
        let wrong = |error: rustls::Error| {
            let message =
                format!("`{}` and `{}` cannot be used: {error}", certificate.display(), key.display());
            Diagnostic::error("tls", message).help("name a certificate with the key that it was made for")
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|it| it.with_no_client_auth().with_single_cert(chain, secret))
            .map_err(wrong)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn unreadable(file: &Path, why: &str) -> Diagnostic {
    Diagnostic::error("unreadable", format!("`{}` cannot be read: {why}", file.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_tokens_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tokens");
        let read = |text: &str| {
            fs::write(&file, text).unwrap();
            Tokens::read(&file)
        };
        assert!(read("").is_err() && read("# a comment of some length\n").is_err() && read("short").is_err());
        let tokens = read("# who\n0123456789abcdef\n\n  fedcba9876543210  \n").unwrap();
        let is_taken = |said: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, said.parse().unwrap());
            tokens.check(&headers, false).is_ok()
        };
        let is_password = |said: &str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, said.parse().unwrap())]);
            (tokens.check(&headers, true).is_ok(), tokens.check(&headers, false).is_ok())
        };
        // me:0123456789abcdef, and one that is wrong
        assert_eq!(is_password("Basic bWU6MDEyMzQ1Njc4OWFiY2RlZg=="), (true, false));
        assert_eq!(is_password("Basic bWU6MDEyMzQ1Njc4OWFiY2RlZQ=="), (false, false));
        assert_eq!(is_password("Basic %%"), (false, false));
        assert!(is_taken("Bearer 0123456789abcdef") && is_taken("bearer fedcba9876543210"));
        for wrong in ["Bearer", "Bearer ", "0123456789abcdef", "Basic 0123456789abcdef", "Bearer # who"] {
            assert!(!is_taken(wrong), "{wrong}");
        }
        assert!(!is_taken("Bearer 0123456789abcde") && !is_taken("Bearer 0123456789abcdef0"));
        assert!(tokens.check(&HeaderMap::new(), true).is_err());
    }
}
