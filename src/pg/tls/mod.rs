//! TLS as libpq does it: which mode, whom to trust, and which certificate to show.
//!
//! The rules are those of PostgreSQL's manual ("SSL Support" in the chapter on libpq). Two are
//! stricter here: a file that was named and is not there is an error in every mode, and so is one
//! in ~/.postgresql that is there and cannot be used.

mod explain;
mod verifier;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::SupportedProtocolVersion;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use tokio_postgres::config::SslNegotiation;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::diag::{Diagnostic, Failure, code};
use crate::pg::parameters::Parameters;

pub(super) use explain::explain;
use verifier::Verifier;

/// `sslmode`
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Mode {
    /// Never.
    Disable,
    /// Only where the server insists.
    Allow,
    /// Where the server can.
    Prefer,
    /// Always, with whomever it is.
    Require,
    /// Always, with somebody whom the roots vouch for.
    VerifyCa,
    /// Always, with the very host.
    VerifyFull,
}

const MODES: [(&str, Mode); 6] = [
    ("disable", Mode::Disable),
    ("allow", Mode::Allow),
    ("prefer", Mode::Prefer),
    ("require", Mode::Require),
    ("verify-ca", Mode::VerifyCa),
    ("verify-full", Mode::VerifyFull),
];

/// A file that was named, or the default one where that is there.
#[derive(Clone)]
struct Chosen {
    path: PathBuf,
    named: bool,
}

impl Chosen {
    fn read(said: &Parameters, name: &str, folder: Option<&PathBuf>, default: &str) -> Option<Self> {
        let named = said.get(name).map(|path| Self { path: path.into(), named: true });
        named.or_else(|| folder.map(|folder| Self { path: folder.join(default), named: false }))
    }

    fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Itself, where it is to be used.
    ///
    /// # Errors
    /// When it was named and is not there.
    fn present(&self, what: &str) -> Result<Option<&Path>, Failure> {
        match (self.exists(), self.named) {
            (true, _) => Ok(Some(&self.path)),
            (false, false) => Ok(None),
            (false, true) => Err(unusable(&self.path, what, "it is not there", "check the path")),
        }
    }
}

/// What was said about TLS. The files are read when a server is first spoken to.
#[derive(Clone)]
pub(super) struct TlsSettings {
    pub(super) mode: Mode,
    pub(super) negotiation: SslNegotiation,
    system_roots: bool,
    roots: Option<Chosen>,
    revoked: Option<Chosen>,
    certificate: Option<Chosen>,
    key: Option<Chosen>,
    names_server: bool,
    versions: Vec<&'static SupportedProtocolVersion>,
}

/// Makes TLS connections; nothing where the mode is `disable`.
#[derive(Clone)]
pub(super) struct Connector(MakeRustlsConnect);

impl Connector {
    /// For the driver.
    pub(super) fn make(&self) -> MakeRustlsConnect {
        self.0.clone()
    }
}

impl TlsSettings {
    /// Reads what was said; `folder` is ~/.postgresql.
    ///
    /// # Errors
    /// When a word is none of those known, or two do not go together.
    pub(super) fn read(said: &Parameters, folder: Option<PathBuf>) -> Result<Self, Failure> {
        let folder = folder.as_ref();
        let system_roots = said.get("sslrootcert") == Some("system");
        let default = if system_roots { Mode::VerifyFull } else { Mode::Prefer };
        let mode = said.word("sslmode", &MODES, default)?;
        if system_roots && mode < Mode::VerifyFull && mode != Mode::Disable {
            let why = "with `sslrootcert=system`, whose roots vouch for anybody, it must be verify-full";
            return Err(said.wrong("sslmode", why));
        }
        let negotiations = [("postgres", SslNegotiation::Postgres), ("direct", SslNegotiation::Direct)];
        let negotiation = said.word("sslnegotiation", &negotiations, SslNegotiation::Postgres)?;
        if negotiation == SslNegotiation::Direct && mode < Mode::Require {
            return Err(said.wrong("sslnegotiation", "`direct` needs `sslmode` to be require or stronger"));
        }
        let shows = said.word("sslcertmode", &[("disable", false), ("allow", true)], true)?;
        let yes = [("0", false), ("1", true)];
        Ok(Self {
            mode,
            negotiation,
            system_roots,
            roots: if system_roots { None } else { Chosen::read(said, "sslrootcert", folder, "root.crt") },
            revoked: Chosen::read(said, "sslcrl", folder, "root.crl"),
            certificate: Chosen::read(said, "sslcert", folder, "postgresql.crt").filter(|_| shows),
            key: Chosen::read(said, "sslkey", folder, "postgresql.key"),
            names_server: said.word("sslsni", &yes, true)?,
            versions: versions(said)?,
        })
    }

    /// The variables by which PostgreSQL's own programs do the same.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let mode = MODES.iter().find(|(_, mode)| *mode == self.mode).map_or("prefer", |(word, _)| *word);
        let mut variables = vec![("PGSSLMODE", mode.to_owned())];
        if self.system_roots {
            variables.push(("PGSSLROOTCERT", "system".to_owned()));
        }
        let files = [
            ("PGSSLROOTCERT", &self.roots),
            ("PGSSLCRL", &self.revoked),
            ("PGSSLCERT", &self.certificate),
            ("PGSSLKEY", &self.key),
        ];
        for (variable, chosen) in files {
            if let Some(chosen) = chosen.as_ref().filter(|chosen| chosen.exists()) {
                variables.push((variable, chosen.path.to_string_lossy().into_owned()));
            }
        }
        variables
    }

    /// Reads the files, and makes what speaks TLS.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub(super) fn connector(&self) -> Result<Connector, Failure> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(self.verifier(&provider)?);
        let versions = self.versions.as_slice();
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions);
        let config = config.map_err(|error| internal(&error))?;
        let config = config.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = match self.shown()? {
            None => config.with_no_client_auth(),
            Some((certificates, key, path)) => config.with_client_auth_cert(certificates, key).map_err(|error| {
                let why = format!("it does not go with the key: {error}");
                unusable(&path, "client certificate", &why, "give the certificate and the key that belong together")
            })?,
        };
        config.enable_sni = self.names_server;
        // What libpq says since version 17; a server with direct negotiation insists on it.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Connector(MakeRustlsConnect::new(config)))
    }

    /// Whether there are roots to check a server against.
    fn has_roots(&self) -> bool {
        self.system_roots || self.roots.as_ref().is_some_and(Chosen::exists)
    }

    /// Who vouches for the server. As in libpq, roots that are there are used in every mode.
    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Verifier, Failure> {
        let checks_name = self.mode == Mode::VerifyFull;
        let roots = match &self.roots {
            _ if self.system_roots => Some(system_roots()?),
            Some(chosen) => match chosen.present("root certificate file")? {
                Some(path) => Some(certificates(path, "root certificate file")?),
                None => None,
            },
            None => None,
        };
        let Some(roots) = roots else {
            if self.mode >= Mode::VerifyCa {
                let path = self.roots.as_ref().map(|chosen| chosen.path.clone()).unwrap_or_default();
                let help = "name the certificate of whoever signed the server's in `sslrootcert` or PGSSLROOTCERT \
                            (`system` for the roots that this machine trusts)";
                return Err(unusable(&path, "root certificate file", "it is not there", help));
            }
            return Ok(Verifier::of_anybody(provider));
        };
        let revoked = match self.revoked.as_ref().map(|chosen| chosen.present("revocation list")).transpose()?.flatten()
        {
            Some(path) => objects::<CertificateRevocationListDer<'static>>(path, "revocation list")?,
            None => Vec::new(),
        };
        let named = self.roots.as_ref().map(|chosen| chosen.path.clone()).unwrap_or_default();
        Verifier::of_roots(roots, revoked, checks_name, provider)
            .map_err(|why| unusable(&named, "root certificate file", &why, "it must hold certificates in PEM"))
    }

    /// The client's own certificate and key, where there are any.
    #[allow(clippy::type_complexity, reason = "three things that go together once")]
    fn shown(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>, PathBuf)>, Failure> {
        let chosen =
            self.certificate.as_ref().map(|chosen| chosen.present("client certificate")).transpose()?.flatten();
        let Some(path) = chosen else { return Ok(None) };
        let certificates = certificates(path, "client certificate")?;
        let Some(key) = &self.key else {
            return Err(unusable(path, "client certificate", "there is no key for it", "name the key in `sslkey`"));
        };
        if !key.exists() {
            let help = "name the key that belongs to the client certificate in `sslkey` or PGSSLKEY";
            return Err(unusable(&key.path, "client key", "it is not there", help));
        }
        Ok(Some((certificates, private_key(&key.path)?, path.to_owned())))
    }
}

fn versions(said: &Parameters) -> Result<Vec<&'static SupportedProtocolVersion>, Failure> {
    let names = [("TLSv1", 0), ("TLSv1.1", 1), ("TLSv1.2", 2), ("TLSv1.3", 3)];
    let least = said.word("ssl_min_protocol_version", &names, 2)?;
    let most = said.word("ssl_max_protocol_version", &names, 3)?;
    let all: [(i32, &'static SupportedProtocolVersion); 2] = [(3, &TLS13), (2, &TLS12)];
    let found: Vec<_> =
        all.into_iter().filter(|(number, _)| (least..=most).contains(number)).map(|(_, version)| version).collect();
    if found.is_empty() {
        return Err(said.wrong("ssl_max_protocol_version", "this program speaks TLSv1.2 and TLSv1.3"));
    }
    Ok(found)
}

fn system_roots() -> Result<Vec<CertificateDer<'static>>, Failure> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
        let message = format!("the roots that this machine trusts cannot be used: {why}");
        let help = "install them (Debian: apt install ca-certificates), or name a file in `sslrootcert`";
        return Err(Diagnostic::error(&code::BAD_CONFIG, message).help(help).into());
    }
    Ok(found.certs)
}

fn certificates(path: &Path, what: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let found = objects(path, what)?;
    if found.is_empty() {
        return Err(unusable(path, what, "it holds no certificate", "it must hold `-----BEGIN CERTIFICATE-----`"));
    }
    Ok(found)
}

fn objects<T: PemObject>(path: &Path, what: &str) -> Result<Vec<T>, Failure> {
    let text = std::fs::read(path).map_err(|error| unusable(path, what, &error.to_string(), "check the path"))?;
    let found: Result<Vec<T>, pem::Error> = T::pem_slice_iter(&text).collect();
    found.map_err(|error| unusable(path, what, &format!("it is not PEM: {error}"), "convert it with `openssl`"))
}

/// The key, which nobody else may read: mode 0600 or less, or 0640 or less where it is root's.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Failure> {
    let bad = |why: &str, help: &str| unusable(path, "client key", why, help);
    let metadata = std::fs::metadata(path).map_err(|error| bad(&error.to_string(), "check the path"))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let others = if metadata.uid() == 0 { 0o037 } else { 0o077 };
        if metadata.mode() & others != 0 {
            return Err(bad("others may read it", &format!("`chmod 600 {}`", path.display())));
        }
    }
    if !metadata.is_file() {
        return Err(bad("it is no file", "check the path"));
    }
    let text = std::fs::read(path).map_err(|error| bad(&error.to_string(), "check the path"))?;
    if text.windows(9).any(|part| part == b"ENCRYPTED") {
        let help = "store the key without a passphrase, mode 0600: `openssl pkey -in KEY -out NEW`";
        return Err(bad("it is protected by a passphrase, which this program does not ask for", help));
    }
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| bad("it holds no private key in PEM", "convert it: `openssl pkey -in KEY -out NEW`"))
}

fn unusable(path: &Path, what: &str, why: &str, help: &str) -> Failure {
    let message = format!("the {what} {} cannot be used: {why}", path.display());
    Diagnostic::error(&code::BAD_CONFIG, message).help(help).into()
}

fn internal(error: &rustls::Error) -> Failure {
    Diagnostic::error(&code::INTERNAL, format!("TLS cannot be set up: {error}")).into()
}
