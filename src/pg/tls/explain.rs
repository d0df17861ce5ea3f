//! What went wrong with TLS, and what to do.

use std::error::Error as StdError;
use std::io;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
use tokio_postgres::config::SslNegotiation;

use crate::pg::tls::{Mode, TlsSettings};

/// Why TLS failed and what to do about it, where it did.
pub(in crate::pg) fn explain(error: &tokio_postgres::Error, settings: &TlsSettings) -> Option<(String, String)> {
    let said = crate::pg::error::chain(error);
    if said.contains("server does not support TLS") {
        let why = "the server does not speak TLS (its `ssl` is off)";
        let weaker = "switch `ssl` on in the server; `sslmode=prefer` or `disable` connects without, unprotected";
        return Some((why.to_owned(), weaker.to_owned()));
    }
    if said.contains("tls handshake eof") {
        let why = "the server ended the connection during the TLS handshake";
        let help = match settings.negotiation {
            SslNegotiation::Direct => "`sslnegotiation=direct` needs PostgreSQL 17 or newer: leave it out",
            _ => "look into the server's log for this moment",
        };
        return Some((why.to_owned(), help.to_owned()));
    }
    let error = found(error)?;
    let (why, help) = match &error {
        Error::InvalidCertificate(error) => certificate(error, settings),
        Error::AlertReceived(alert) => refused(*alert),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => (
            "what answers there is no TLS".to_owned(),
            "check the port; `sslnegotiation=direct` needs PostgreSQL 17 or newer".to_owned(),
        ),
        other => (other.to_string(), "look into the server's log for this moment".to_owned()),
    };
    Some((why, help))
}

/// The TLS library's own error, wherever it is among the causes.
fn found(error: &tokio_postgres::Error) -> Option<Error> {
    let mut next: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(cause) = next {
        if let Some(error) = cause.downcast_ref::<Error>() {
            return Some(error.clone());
        }
        // An I/O error hides the error that it was made of from `source`.
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<Error>()) {
            return Some(error.clone());
        }
        next = cause.source();
    }
    None
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| "?".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

fn certificate(error: &CertificateError, settings: &TlsSettings) -> (String, String) {
    let vouched =
        "name the certificate of whoever signed it in `sslrootcert` or PGSSLROOTCERT; for a self-signed one, itself";
    let (why, help) = match error {
        CertificateError::ExpiredContext { not_after, .. } => (
            format!("the server's certificate expired on {}", day(*not_after)),
            "have it renewed (and check this machine's clock)",
        ),
        CertificateError::Expired => ("the server's certificate has expired".to_owned(), "have it renewed"),
        CertificateError::NotValidYetContext { not_before, .. } => {
            (format!("the server's certificate is only valid from {}", day(*not_before)), "check this machine's clock")
        }
        CertificateError::NotValidForNameContext { expected, presented } => (
            format!("the server's certificate is not for {}{}", shown(expected), presented_names(presented)),
            "connect under a name that the certificate has (`hostaddr` says where that is), or have the host added to it; \
             `sslmode=verify-ca` does not look at the name",
        ),
        CertificateError::UnknownIssuer => {
            ("nobody that `sslrootcert` holds has signed the server's certificate".to_owned(), vouched)
        }
        CertificateError::BadSignature => ("the signature of the server's certificate is false".to_owned(), vouched),
        CertificateError::Revoked => ("the server's certificate has been revoked".to_owned(), "have a new one made"),
        CertificateError::UnknownRevocationStatus => (
            "`sslcrl` does not say whether the server's certificate has been revoked".to_owned(),
            "`sslcrl` must hold a list of every authority between the certificate and its root",
        ),
        CertificateError::ExpiredRevocationListContext { next_update, .. } => (
            format!("the list of revoked certificates in `sslcrl` was due to be renewed on {}", day(*next_update)),
            "fetch the new list",
        ),
        CertificateError::Other(other) => other_certificate(&other.to_string()),
        other => (format!("the server's certificate cannot be trusted: {other}"), vouched),
    };
    // Roots that are there are used in every mode, which surprises in the weaker ones.
    let surprise = if settings.mode < Mode::VerifyCa && settings.has_roots() {
        "; it is checked because there is a root certificate file"
    } else {
        ""
    };
    (format!("{why}{surprise}"), help.to_owned())
}

fn other_certificate(error: &str) -> (String, &'static str) {
    if error.contains("CaUsedAsEndEntity") {
        return (
            "the server's certificate is one of an authority, and is not itself in `sslrootcert`".to_owned(),
            "put that very certificate into `sslrootcert`, or have the server given one that is no authority's",
        );
    }
    if error.contains("UnsupportedCertVersion") {
        return (
            "the server's certificate is of X.509 version 1, which says too little to be checked".to_owned(),
            "have it made again with a subjectAltName (`openssl x509 -req -extfile …`), which makes it version 3",
        );
    }
    (format!("the server's certificate cannot be trusted: {error}"), "have it made again, or look into `sslrootcert`")
}

fn shown(name: &ServerName<'_>) -> String {
    format!("`{}`", name.to_str())
}

fn presented_names(names: &[String]) -> String {
    match names {
        [] => ": it has no alternative names".to_owned(),
        names => {
            let names: Vec<String> = names.iter().map(|name| format!("`{}`", bare(name))).collect();
            format!(", but for {}", names.join(", "))
        }
    }
}

/// A name of a certificate, which rustls gives with its sort around it: `DnsName("localhost")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"')
}

/// The server ended the handshake.
fn refused(alert: AlertDescription) -> (String, String) {
    let (why, help) = match alert {
        AlertDescription::CertificateRequired => (
            "the server asks for a client certificate, and none was shown",
            "name it in `sslcert` and its key in `sslkey`",
        ),
        AlertDescription::UnknownCA => (
            "the server does not know who signed the client certificate",
            "show one that the server's `ssl_ca_file` vouches for",
        ),
        AlertDescription::CertificateExpired => ("the client certificate has expired", "have it renewed"),
        AlertDescription::CertificateRevoked => ("the client certificate has been revoked", "have a new one made"),
        AlertDescription::NoApplicationProtocol => {
            ("what answers there does not speak PostgreSQL's protocol over TLS", "check the host and port")
        }
        AlertDescription::ProtocolVersion => (
            "the server speaks none of TLSv1.2 and TLSv1.3, or not those allowed",
            "look at `ssl_min_protocol_version` on both sides",
        ),
        AlertDescription::HandshakeFailure => {
            ("the server and this program have no way of encryption in common", "look at the server's `ssl_ciphers`")
        }
        other => {
            return (
                format!("the server ended the TLS handshake: {other:?}"),
                "look into the server's log for this moment; it may not accept the client certificate".to_owned(),
            );
        }
    };
    (why.to_owned(), help.to_owned())
}
