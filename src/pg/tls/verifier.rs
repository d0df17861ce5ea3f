//! Whether a server is who it should be, by libpq's rules on top of rustls' own checks.
//!
//! Two things that PostgreSQL's manual teaches, and that rustls refuses, are taken as libpq takes
//! them: a self-signed certificate that is itself in the root file, and the common name of a
//! certificate that has no alternative names.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::oid::db::{rfc4519::COMMON_NAME, rfc5280::ID_CE_SUBJECT_ALT_NAME};
use x509_cert::der::{Decode, Encode};

/// Vouches for servers.
pub(super) struct Verifier {
    /// Nothing where anybody is taken.
    trust: Option<Trust>,
    checks_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

struct Trust {
    roots: Vec<CertificateDer<'static>>,
    chain: Arc<WebPkiServerVerifier>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("checks_name", &self.checks_name).finish_non_exhaustive()
    }
}

impl Verifier {
    /// Takes anybody who has the key to the certificate shown.
    pub(super) fn of_anybody(provider: &CryptoProvider) -> Self {
        Self { trust: None, checks_name: false, algorithms: provider.signature_verification_algorithms }
    }

    /// Takes whom the roots vouch for, and, where asked, only under their name. Gives the reason
    /// where the roots or the lists cannot be read.
    pub(super) fn of_roots(
        roots: Vec<CertificateDer<'static>>,
        revoked: Vec<CertificateRevocationListDer<'static>>,
        checks_name: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, String> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots.iter().cloned());
        let mut chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
        if !revoked.is_empty() {
            chain = chain.with_crls(revoked).enforce_revocation_expiration();
        }
        let chain = chain.build().map_err(|error| error.to_string())?;
        let algorithms = provider.signature_verification_algorithms;
        Ok(Self { trust: Some(Trust { roots, chain }), checks_name, algorithms })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(trust) = &self.trust else { return Ok(ServerCertVerified::assertion()) };
        // The name is what the chain's verifier looks at last: a complaint about it says that all
        // the rest holds.
        let result = if trust.roots.iter().any(|root| root.as_ref() == certificate.as_ref()) {
            is_valid_at(certificate, now)
                .and_then(|()| verify_server_name(&ParsedCertificate::try_from(certificate)?, name))
                .map(|()| ServerCertVerified::assertion())
        } else {
            trust.chain.verify_server_cert(certificate, intermediates, name, ocsp, now)
        };
        match result {
            Err(Error::InvalidCertificate(error)) if is_about_name(&error) => {
                if !self.checks_name || has_common_name(certificate, name) {
                    Ok(ServerCertVerified::assertion())
                } else {
                    Err(error.into())
                }
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // A certificate of X.509 version 1, as older openssl makes them, is none to rustls; that its
        // owner has the key can be checked all the same, and channel binding depends on that.
        if self.trust.is_none() && ParsedCertificate::try_from(certificate).is_err() {
            let parsed = parsed(certificate)?;
            let key = parsed.tbs_certificate.subject_public_key_info.to_der().map_err(|_| encoding())?;
            let key = SubjectPublicKeyInfoDer::from(key);
            return verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms);
        }
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn is_about_name(error: &CertificateError) -> bool {
    matches!(error, CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })
}

fn encoding() -> Error {
    CertificateError::BadEncoding.into()
}

fn parsed(certificate: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::from_der(certificate).map_err(|_| encoding())
}

/// Whether a certificate that is its own root is in its time.
fn is_valid_at(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let validity = parsed(certificate)?.tbs_certificate.validity;
    let begin = UnixTime::since_unix_epoch(validity.not_before.to_unix_duration());
    let end = UnixTime::since_unix_epoch(validity.not_after.to_unix_duration());
    if now < begin {
        return Err(CertificateError::NotValidYetContext { time: now, not_before: begin }.into());
    }
    if now > end {
        return Err(CertificateError::ExpiredContext { time: now, not_after: end }.into());
    }
    Ok(())
}

/// Whether a certificate without alternative names has the name as its common one.
fn has_common_name(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let Ok(certificate) = parsed(certificate) else { return false };
    let certificate = certificate.tbs_certificate;
    let extensions = certificate.extensions.unwrap_or_default();
    if extensions.iter().any(|extension| extension.extn_id == ID_CE_SUBJECT_ALT_NAME) {
        return false;
    }
    let names = certificate.subject.0.iter().flat_map(|set| set.0.iter());
    let mut common = names.filter(|name| name.oid == COMMON_NAME).map(|name| name.value.value());
    let Some(common) = common.next().and_then(|bytes| std::str::from_utf8(bytes).ok()) else { return false };
    is_called(common, &name.to_str())
}

/// Whether a certificate's name is a host's; `*.` stands for one label, as in libpq.
fn is_called(pattern: &str, host: &str) -> bool {
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    let rest = pattern.strip_prefix("*.").filter(|rest| rest.contains('.'));
    let wild = rest.zip(host.split_once('.')).is_some_and(|(rest, (_, after))| rest.eq_ignore_ascii_case(after));
    wild && host.parse::<std::net::IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_name_matches_as_in_libpq() {
        for (pattern, host, matches) in [
            ("db.example", "DB.example", true),
            ("*.example.com", "db.example.com", true),
            ("*.example.com", "a.db.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.com", "example.com", false),
            ("*", "db", false),
            ("*.0.0.1", "127.0.0.1", false),
            ("127.0.0.1", "127.0.0.1", true),
        ] {
            assert_eq!(is_called(pattern, host), matches, "{pattern} {host}");
        }
    }
}
