//! A server of S3's protocol on loopback, with TLS and with requests that must be signed: it keeps its buckets
//! in a folder, and can be made to fail.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

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
    /// What it does to one of the next.
    fault: Mutex<Option<Fault>>,
    /// Whether it has done so.
    failed: AtomicBool,
    /// How many came.
    came: AtomicU64,
}

/// What is done to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// It is answered that it cannot be done now.
    Unable,
    /// It is answered that it may not be done.
    Refuses,
    /// It is done, and not answered.
    Silent,
    /// It is done, and a byte of each data file in the bucket is another one afterwards. Only what puts something counts.
    Spoils,
    /// It is done, and half of what is answered arrives; all of it where there are no two halves.
    Cut,
}

#[derive(Clone, Copy)]
struct Fault {
    /// So many requests are answered first.
    after: u32,
    how: How,
    /// Whether the same is done to all that follow.
    lasts: bool,
}

impl Behaviour {
    /// What is to be done to a request that has come.
    fn next(&self, method: &Method) -> Option<How> {
        self.came.fetch_add(1, Ordering::SeqCst);
        let mut fault = self.fault.lock().unwrap();
        let found = fault.as_mut().filter(|fault| !matches!(fault.how, How::Spoils) || *method == Method::PUT)?;
        if found.after > 0 {
            found.after -= 1;
            return None;
        }
        let how = found.how;
        if !found.lasts {
            *fault = None;
        }
        self.failed.store(true, Ordering::SeqCst);
        Some(how)
    }

    /// Whether an object is asked for whose name is only what others begin with. Its folder is there, which
    /// s3s-fs takes for a defect of its own.
    fn is_no_object<B>(&self, request: &Request<B>) -> bool {
        let is_asked = matches!(*request.method(), Method::GET | Method::HEAD);
        let path = request.uri().path().trim_start_matches('/');
        is_asked && path.trim_end_matches('/').contains('/') && self.folder.join(path).is_dir()
    }
}

/// An error as S3 says it.
fn said(status: StatusCode, code: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("<Error><Code>{code}</Code></Error>")));
    *response.status_mut() = status;
    response
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
            fault: Mutex::new(None),
            failed: AtomicBool::new(false),
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

    /// Answers so many more requests, and then fails: once, or from then on.
    pub fn fails(&self, after: u32, how: How, lasts: bool) {
        self.behaviour.failed.store(false, Ordering::SeqCst);
        *self.behaviour.fault.lock().unwrap() = Some(Fault { after, how, lasts });
    }

    /// Answers all again. Gives whether it has failed.
    pub fn well(&self) -> bool {
        *self.behaviour.fault.lock().unwrap() = None;
        self.behaviour.failed.swap(false, Ordering::SeqCst)
    }

    /// How many requests have come.
    pub fn came(&self) -> u64 {
        self.behaviour.came.load(Ordering::SeqCst)
    }

    /// How many parts there are of uploads that nobody has ended.
    pub fn unfinished(&self) -> usize {
        let names = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().contains("upload_id")).count()
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
        // An answer in two pieces would wait for the other side's word on the first.
        let _ = socket.set_nodelay(true);
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
) -> Result<Response<Body>, io::Error> {
    let how = behaviour.next(request.method());
    match how {
        Some(How::Unable) => return Ok(said(StatusCode::SERVICE_UNAVAILABLE, "SlowDown")),
        Some(How::Refuses) => return Ok(said(StatusCode::FORBIDDEN, "AccessDenied")),
        _ => {}
    }
    let answered = if behaviour.is_no_object(&request) {
        said(StatusCode::NOT_FOUND, "NoSuchKey")
    } else {
        service.call(request.map(Body::from)).await.map_err(|error| io::Error::other(format!("{error:?}")))?
    };
    match how {
        Some(How::Silent) => Err(io::Error::other("nothing is answered")),
        Some(How::Spoils) => {
            spoil(&behaviour.folder)?;
            Ok(answered)
        }
        Some(How::Cut) => half(answered).await,
        _ => Ok(answered),
    }
}

fn spoil(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            spoil(&path)?;
        } else if path.to_string_lossy().ends_with(".parquet") {
            let mut bytes = fs::read(&path)?;
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes)?;
        }
    }
    Ok(())
}

/// The first half of an answer, which says that it is all of it.
async fn half(answered: Response<Body>) -> Result<Response<Body>, io::Error> {
    let (mut parts, mut body) = answered.into_parts();
    let whole = body.store_all_limited(1 << 30).await.map_err(io::Error::other)?;
    if whole.len() < 2 {
        return Ok(Response::from_parts(parts, Body::from(whole)));
    }
    parts.headers.insert("content-length", whole.len().into());
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let first = whole.slice(..whole.len() / 2);
    tokio::spawn(async move {
        let _ = sender.send(first).await;
    });
    Ok(Response::from_parts(parts, Body::http_body(Half(receiver))))
}

/// A body that ends before it is to.
struct Half(tokio::sync::mpsc::Receiver<hyper::body::Bytes>);

impl hyper::body::Body for Half {
    type Data = hyper::body::Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        match self.0.poll_recv(context) {
            Poll::Ready(Some(bytes)) => Poll::Ready(Some(Ok(hyper::body::Frame::data(bytes)))),
            Poll::Ready(None) => Poll::Ready(Some(Err(io::Error::other("the rest is lost")))),
            Poll::Pending => Poll::Pending,
        }
    }
}
