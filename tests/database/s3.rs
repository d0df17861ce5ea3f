//! A server of S3's protocol on loopback, with TLS and with requests that must be signed: it keeps its buckets
//! in a folder, and can be made to fail.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use s3s::Body;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::connect::certificates::{Authority, Wish};

/// Who may come in.
pub const KEY: &str = "CHRONOFORMTESTS";
/// The secret that signs.
pub const SECRET: &str = "hunter2-of-the-bucket-Never-Shown";
/// The bucket that is there.
pub const BUCKET: &str = "kept";

/// What it does to requests.
struct Behaviour {
    /// Where its buckets are.
    folder: PathBuf,
    /// How many more are answered as they should; below nothing, all are.
    answers: AtomicI64,
    /// How many came.
    came: AtomicU64,
}

impl Behaviour {
    /// Whether an object is asked for whose name is only what others begin with. Its folder is there, which
    /// s3s-fs takes for a defect of its own.
    fn is_no_object<B>(&self, request: &Request<B>) -> bool {
        let is_asked = matches!(*request.method(), Method::GET | Method::HEAD);
        let path = request.uri().path().trim_start_matches('/');
        is_asked && path.trim_end_matches('/').contains('/') && self.folder.join(path).is_dir()
    }
}

/// As S3 says it.
fn no_such_key() -> Response<Body> {
    let mut missing = Response::new(Body::from("<Error><Code>NoSuchKey</Code></Error>".to_owned()));
    *missing.status_mut() = StatusCode::NOT_FOUND;
    missing
}

/// The server, until it is dropped.
pub struct S3Server {
    /// Ends with it.
    _runtime: Runtime,
    folder: tempfile::TempDir,
    port: u16,
    authority: String,
    behaviour: Arc<Behaviour>,
}

impl S3Server {
    pub fn start() -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| error.to_string();
        let folder = tempfile::tempdir().map_err(|error| wrong(&error))?;
        fs::create_dir(folder.path().join(BUCKET)).map_err(|error| wrong(&error))?;
        let files = FileSystem::new(folder.path()).map_err(|error| format!("{error:?}"))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = builder.build();
        let authority = Authority::new("the tests' own");
        let acceptor = acceptor(&authority)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| wrong(&error))?;
        let listener = runtime.block_on(TcpListener::bind(("0.0.0.0", 0))).map_err(|error| wrong(&error))?;
        let port = listener.local_addr().map_err(|error| wrong(&error))?.port();
        let behaviour = Arc::new(Behaviour {
            folder: folder.path().to_owned(),
            answers: AtomicI64::new(-1),
            came: AtomicU64::new(0),
        });
        runtime.spawn(serve(listener, acceptor, service, behaviour.clone()));
        Ok(Self { _runtime: runtime, folder, port, authority: authority.certificate, behaviour })
    }

    /// Where it listens, as a policy writes it.
    pub fn endpoint(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Writes the certificate of its authority where whoever comes can read it.
    pub fn trust(&self, file: &Path) {
        fs::write(file, &self.authority).unwrap();
    }

    /// The folder of the bucket.
    pub fn bucket(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// Answers so many more requests, and then only that it cannot; `None`: answers all.
    pub fn answers(&self, more: Option<u32>) {
        self.behaviour.answers.store(more.map_or(-1, i64::from), Ordering::SeqCst);
    }
}

fn acceptor(authority: &Authority) -> Result<TlsAcceptor, String> {
    let signed =
        authority.signs(&Wish { common_name: "localhost", names: &["localhost", "127.0.0.1"], ..Wish::default() });
    let chain = vec![CertificateDer::from_pem_slice(signed.certificate.as_bytes()).map_err(|error| error.to_string())?];
    let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).map_err(|error| error.to_string())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| error.to_string())?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, service: S3Service, behaviour: Arc<Behaviour>) {
    while let Ok((socket, _)) = listener.accept().await {
        let (acceptor, service, behaviour) = (acceptor.clone(), service.clone(), behaviour.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(socket).await else { return };
            let answer = service_fn(move |request| answer(service.clone(), behaviour.clone(), request));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

async fn answer(
    service: S3Service,
    behaviour: Arc<Behaviour>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    behaviour.came.fetch_add(1, Ordering::SeqCst);
    let taken = behaviour.answers.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
        0 => None,
        left if left < 0 => Some(left),
        left => Some(left - 1),
    });
    let answered = match taken {
        Ok(_) if behaviour.is_no_object(&request) => return Ok(no_such_key()),
        Ok(_) => service.call(request.map(Body::from)).await.ok(),
        Err(_) => None,
    };
    Ok(answered.unwrap_or_else(|| {
        let mut failed = Response::new(Body::empty());
        *failed.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        failed
    }))
}
