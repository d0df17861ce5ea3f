//! One request and its answer: signed, sent, and tried again where that may help.

use std::io::{self, Read};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, SendBody};

use super::answer;
use super::error::{BucketError, Sort};
use super::sign::{Signed, Signer, hex, path, query};
use super::{Address, Keys, Part};

/// How often one request is sent at the most.
pub const TRIES: u32 = 5;
/// The pause after the first try; each one after it is twice as long. All of them are 3 seconds.
const PAUSE: Duration = Duration::from_millis(200);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a connection may be without a byte.
const SILENCE: Duration = Duration::from_secs(60);
/// No answer in XML is larger; a page of a listing has 1,000 keys of at most 1,024 bytes.
const LARGEST: u64 = 16 << 20;

/// What is sent with a request, and again with each try.
pub enum Content<'a> {
    /// Nothing.
    Nothing,
    /// These bytes.
    Bytes(&'a [u8]),
    /// A part of a file.
    Part {
        /// Which.
        part: Part<'a>,
        /// Its SHA-256, in hexadecimal.
        digest: String,
    },
}

/// What is asked.
pub struct Asked<'a> {
    /// GET, PUT, …
    pub method: &'static str,
    /// The object, or nothing for the bucket itself.
    pub key: &'a str,
    /// The query.
    pub query: &'a [(&'a str, &'a str)],
    /// More headers.
    pub headers: &'a [(&'static str, String)],
    /// What is sent with it.
    pub content: Content<'a>,
}

/// What was answered, where it was what was asked for.
pub struct Answer(Response<Body>);

impl Answer {
    /// A header.
    pub fn header(&self, name: &str) -> Option<String> {
        self.0.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }

    /// All of it, as a text.
    pub fn text(mut self) -> Result<String, BucketError> {
        let read = self.0.body_mut().with_config().limit(LARGEST).read_to_string();
        read.map_err(|error| explain("the answer", &error))
    }

    /// A reader of it.
    pub fn reader(self) -> impl Read {
        self.0.into_body().into_reader()
    }
}

/// How one try ended.
enum Tried {
    /// It is worth another one.
    Passing(BucketError),
    /// It is not.
    Ended(BucketError),
}

/// Who asks.
pub struct Client {
    agent: Agent,
    address: Address,
    keys: Keys,
}

impl Client {
    /// One for a bucket.
    ///
    /// # Errors
    /// When there are no certificates to trust.
    pub fn new(address: Address, keys: Keys) -> Result<Self, BucketError> {
        let tls = TlsConfig::builder()
            .root_certs(roots(&address)?)
            .disable_verification(!address.verify_tls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("chronoform/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("")
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .tls_config(tls)
            .build()
            .new_agent();
        Ok(Self { agent, address, keys })
    }

    /// Where it asks.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Asks, until there is an answer that says what is so. `stop` says whether to give up between tries.
    ///
    /// # Errors
    /// What was answered instead.
    pub fn ask(&self, asked: &Asked<'_>, stop: &dyn Fn() -> bool) -> Result<Answer, BucketError> {
        self.ask_then(asked, stop, Ok)
    }

    /// The same, and what is to be done with the answer belongs to the try.
    ///
    /// # Errors
    /// What was answered instead, or what came of it.
    pub fn ask_then<T>(
        &self,
        asked: &Asked<'_>,
        stop: &dyn Fn() -> bool,
        then: impl Fn(Answer) -> Result<T, BucketError>,
    ) -> Result<T, BucketError> {
        let mut pause = PAUSE;
        for tries in 1.. {
            if stop() {
                break;
            }
            let tried = self.once(asked).and_then(|answer| {
                then(answer).map_err(|error| match error.sort {
                    Sort::Unreachable => Tried::Passing(error),
                    _ => Tried::Ended(error),
                })
            });
            match tried {
                Ok(done) => return Ok(done),
                Err(Tried::Passing(error)) if tries >= TRIES => {
                    let message = format!("{} ({TRIES} tries)", error.message);
                    return Err(BucketError { message, ..error });
                }
                Err(Tried::Passing(_)) => {}
                Err(Tried::Ended(error)) => return Err(error),
            }
            thread::sleep(pause);
            pause *= 2;
        }
        Err(BucketError::new(Sort::Stopped, "it was interrupted"))
    }

    fn once(&self, asked: &Asked<'_>) -> Result<Answer, Tried> {
        let what = format!("{} {} at {}", asked.method, self.address.shown(asked.key), self.address.host());
        let request = self.request(asked).map_err(|error| {
            Tried::Ended(BucketError::new(Sort::Other, format!("{what}: the request cannot be made: {error}")))
        })?;
        let sent = match &asked.content {
            Content::Nothing => self.agent.run(request.map(|()| SendBody::none())),
            Content::Bytes(bytes) => self.agent.run(request.map(|()| *bytes)),
            Content::Part { part, .. } => {
                let mut reader = *part;
                self.agent.run(request.map(|()| SendBody::from_reader(&mut reader)))
            }
        };
        let response = sent.map_err(|error| {
            let explained = explain(&what, &error);
            if explained.sort == Sort::Unreachable { Tried::Passing(explained) } else { Tried::Ended(explained) }
        })?;
        let status = response.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(Answer(response));
        }
        // An answer to HEAD has no words.
        let text = if asked.method == "HEAD" { String::new() } else { Answer(response).text().unwrap_or_default() };
        Err(refused(&what, status, answer::code(&text).as_deref(), asked.key.is_empty()))
    }

    fn request(&self, asked: &Asked<'_>) -> Result<Request<()>, ureq::http::Error> {
        let (length, digest) = match &asked.content {
            Content::Nothing => (0, hex(&Sha256::digest(b""))),
            Content::Bytes(bytes) => (bytes.len() as u64, hex(&Sha256::digest(bytes))),
            Content::Part { part, digest } => (part.length(), digest.clone()),
        };
        let moment = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let path = path(&self.address.path(asked.key));
        let query = query(asked.query);
        let host = self.address.host();
        let headers =
            [("host", host.clone()), ("x-amz-content-sha256", digest.clone()), ("x-amz-date", moment.clone())];
        let signer = Signer { key: &self.keys.key, secret: &self.keys.secret, region: &self.address.region };
        let signed = Signed {
            method: asked.method,
            path: &path,
            query: &query,
            headers: &headers,
            digest: &digest,
            moment: &moment,
        };
        let authorization = signer.authorization(&signed);
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request = Request::builder().method(asked.method).uri(format!("https://{host}{path}{mark}{query}"));
        for (name, value) in headers.iter().chain(asked.headers) {
            request = request.header(*name, value);
        }
        if matches!(asked.method, "PUT" | "POST") {
            request = request.header("content-length", length);
        }
        if matches!(asked.content, Content::Part { .. }) {
            // What is refused is refused before all of it is on its way, and then the reason is heard.
            request = request.header("expect", "100-continue");
        }
        request.header("authorization", authorization).body(())
    }
}

/// What the system trusts, or the file that is named.
fn roots(address: &Address) -> Result<RootCerts, BucketError> {
    let untrusted = |why: String| BucketError::new(Sort::Untrusted, why);
    if !address.verify_tls {
        return Ok(RootCerts::new_with_certs(&[]));
    }
    let found: Vec<CertificateDer<'static>> = match &address.ca_file {
        Some(path) => {
            let text = std::fs::read(path).map_err(|error| untrusted(format!("`ca_file`: {path}: {error}")))?;
            let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
            read.ok().filter(|found| !found.is_empty()).ok_or_else(|| {
                untrusted(format!("`ca_file`: {path} holds no certificate: it must have `-----BEGIN CERTIFICATE-----`"))
            })?
        }
        None => rustls_native_certs::load_native_certs().certs,
    };
    if found.is_empty() {
        return Err(untrusted("this machine trusts no authority (Debian: apt install ca-certificates)".to_owned()));
    }
    let each: Vec<Certificate<'static>> = found.iter().map(|one| Certificate::from_der(one).to_owned()).collect();
    Ok(RootCerts::new_with_certs(&each))
}

/// What went wrong on the way.
pub fn explain(what: &str, error: &ureq::Error) -> BucketError {
    let of = |sort, why: String| BucketError::new(sort, format!("{what}: {why}"));
    let inner = match error {
        ureq::Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        ureq::Error::Rustls(error) => Some(error),
        _ => None,
    };
    if let Some(inner) = inner {
        let is_trust = matches!(inner, rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented);
        return match is_trust {
            true => of(Sort::Untrusted, format!("the server's certificate is not trusted: {inner}")),
            false => of(Sort::Unreachable, format!("no TLS: {inner}")),
        };
    }
    match error {
        ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<BucketError>()) {
            Some(own) => own.clone(),
            None => of(Sort::Unreachable, error.to_string()),
        },
        ureq::Error::HostNotFound => of(Sort::Unreachable, "there is no such host".to_owned()),
        ureq::Error::Timeout(_) => of(Sort::Unreachable, "it takes too long".to_owned()),
        ureq::Error::ConnectionFailed | ureq::Error::Protocol(_) | ureq::Error::BodyStalled => {
            of(Sort::Unreachable, error.to_string())
        }
        other => of(Sort::Other, other.to_string()),
    }
}

/// What an answer says that is not the one that was asked for.
fn refused(what: &str, status: u16, code: Option<&str>, of_bucket: bool) -> Tried {
    let said = code.map(|code| format!(" ({code})")).unwrap_or_default();
    let error = |sort| BucketError::new(sort, format!("{what}: the server answers {status}{said}"));
    let elsewhere = ["NoSuchBucket", "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed"];
    match (status, code) {
        (_, Some(code)) if elsewhere.contains(&code) => Tried::Ended(error(Sort::NoBucket)),
        (301 | 307, _) => Tried::Ended(error(Sort::NoBucket)),
        (404, _) if of_bucket => Tried::Ended(error(Sort::NoBucket)),
        (404, _) => Tried::Ended(error(Sort::NoObject)),
        (401 | 403, _) => Tried::Ended(error(Sort::Refused)),
        (412, _) => Tried::Ended(error(Sort::Occupied)),
        // Two at once, of which one is done.
        (409, Some("ConditionalRequestConflict" | "OperationAborted")) => Tried::Passing(error(Sort::Unreachable)),
        (400, Some("RequestTimeout")) | (408 | 429 | 500 | 502 | 503 | 504, _) => {
            Tried::Passing(error(Sort::Unreachable))
        }
        _ => Tried::Ended(error(Sort::Other)),
    }
}

/// An error of reading an answer.
pub fn broken_off(what: &str, error: io::Error) -> BucketError {
    match error.downcast::<ureq::Error>() {
        Ok(inner) => explain(what, &inner),
        Err(error) => explain(what, &ureq::Error::Io(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let sort = |status, code, of_bucket| match refused("GET x", status, code, of_bucket) {
            Tried::Passing(error) => (error.sort, true),
            Tried::Ended(error) => (error.sort, false),
        };
        assert_eq!(sort(403, Some("SignatureDoesNotMatch"), false), (Sort::Refused, false));
        assert_eq!(sort(404, Some("NoSuchKey"), false), (Sort::NoObject, false));
        assert_eq!(sort(404, Some("NoSuchBucket"), false), (Sort::NoBucket, false));
        assert_eq!(sort(404, None, true), (Sort::NoBucket, false));
        assert_eq!(sort(400, Some("AuthorizationHeaderMalformed"), false), (Sort::NoBucket, false));
        assert_eq!(sort(301, Some("PermanentRedirect"), true), (Sort::NoBucket, false));
        assert_eq!(sort(412, None, false), (Sort::Occupied, false));
        assert_eq!(sort(503, Some("SlowDown"), false), (Sort::Unreachable, true));
        assert_eq!(sort(429, None, true), (Sort::Unreachable, true));
        assert_eq!(sort(501, Some("NotImplemented"), false), (Sort::Other, false));
        let Tried::Ended(error) = refused("PUT s3://b/k", 403, Some("AccessDenied"), false) else { panic!() };
        assert_eq!(error.to_string(), "PUT s3://b/k: the server answers 403 (AccessDenied)");
    }
}
