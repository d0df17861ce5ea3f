//! Buckets in S3, or in what speaks its protocol: objects that are put, read, listed and removed.
//!
//! Requests go over TLS, are signed together with the digest of what they carry, and are tried again for a few
//! seconds where a server says that it cannot now. An object is put whole or not at all, and none that is there
//! is ever overwritten. The only room that speaks HTTP.

mod answer;
mod error;
mod http;
mod sign;

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt as _;

use sha2::{Digest as _, Sha256};

pub use error::{BucketError, Sort};
use http::{Asked, Client, Content, broken_off};
use sign::hex;

/// A file of at most so many bytes is put by one request, and a larger one in parts of so many.
const PART: u64 = 8 << 20;
/// S3 takes no more parts of one object.
const PARTS: u64 = 10_000;
/// So much of a part is read at once.
const BUFFER: usize = 256 << 10;

/// Where a bucket is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// Its name.
    pub bucket: String,
    /// The host that serves it, perhaps with a port.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// What all keys begin with: nothing, or parts that end with a slash.
    pub prefix: String,
    /// Whether the bucket's name goes into the path, and not before the host's.
    pub path_style: bool,
    /// The authorities that the server's certificate may be of, where it is not one of the system's.
    pub ca_file: Option<String>,
    /// Whether the server's certificate is looked at.
    pub verify_tls: bool,
}

impl Address {
    fn host(&self) -> String {
        if self.path_style { self.endpoint.clone() } else { format!("{}.{}", self.bucket, self.endpoint) }
    }

    fn path(&self, key: &str) -> String {
        let key = if key.is_empty() { String::new() } else { format!("{}{key}", self.prefix) };
        if self.path_style { format!("/{}/{key}", self.bucket) } else { format!("/{key}") }
    }

    /// An object as it is named to people; nothing names the folder.
    pub fn shown(&self, key: &str) -> String {
        format!("s3://{}/{}{key}", self.bucket, self.prefix)
    }
}

/// What lets in. It is shown nowhere.
#[derive(Clone)]
pub struct Keys {
    /// The access key.
    pub key: String,
    /// The secret access key.
    pub secret: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(***)")
    }
}

/// A bucket, below its prefix.
pub struct Bucket {
    client: Client,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("address", self.address()).finish_non_exhaustive()
    }
}

/// Whether something was put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Put {
    /// It is there now.
    Done,
    /// Something was there already, and is untouched.
    There,
}

/// Nobody asks for anything to stop.
fn on() -> bool {
    false
}

impl Bucket {
    /// One by its address.
    ///
    /// # Errors
    /// When there are no certificates to trust.
    pub fn new(address: Address, keys: Keys) -> Result<Self, BucketError> {
        Ok(Self { client: Client::new(address, keys)? })
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        self.client.address()
    }

    /// Every key that begins with something, without the bucket's own prefix, in their order.
    ///
    /// # Errors
    /// What the server says.
    pub fn list(&self, beginning: &str) -> Result<Vec<String>, BucketError> {
        let own = &self.address().prefix;
        let prefix = format!("{own}{beginning}");
        let mut keys = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut query = vec![("list-type", "2"), ("prefix", prefix.as_str())];
            query.extend(next.as_deref().map(|token| ("continuation-token", token)));
            let asked = Asked { method: "GET", key: "", query: &query, headers: &[], content: Content::Nothing };
            let what = format!("listing {}", self.address().shown(beginning));
            let page = self.client.ask_then(&asked, &on, |answer| {
                // One that was cut off is asked for again.
                answer::page(&answer.text()?).ok_or_else(|| {
                    BucketError::new(Sort::Unreachable, format!("{what}: the server's answer is no listing"))
                })
            })?;
            keys.extend(page.keys.iter().filter_map(|key| key.strip_prefix(own.as_str())).map(str::to_owned));
            if page.next.is_some() && page.next == next {
                return Err(BucketError::new(Sort::Other, format!("{what}: the server gives the same page again")));
            }
            match page.next {
                Some(token) => next = Some(token),
                None => break,
            }
        }
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    /// How many bytes an object has, where it is there.
    ///
    /// # Errors
    /// What the server says.
    pub fn length(&self, key: &str) -> Result<Option<u64>, BucketError> {
        let asked = Asked { method: "HEAD", key, query: &[], headers: &[], content: Content::Nothing };
        match self.client.ask(&asked, &on) {
            Ok(answer) => {
                let length = answer.header("content-length").and_then(|length| length.parse().ok());
                let why = || format!("{}: the server does not say how long it is", self.address().shown(key));
                length.map(Some).ok_or_else(|| BucketError::new(Sort::Other, why()))
            }
            Err(error) if error.is_no_object() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A small object, all of it.
    ///
    /// # Errors
    /// What the server says; [`Sort::Other`] where it is larger than `limit`.
    pub fn get(&self, key: &str, limit: u64) -> Result<Vec<u8>, BucketError> {
        let asked = Asked { method: "GET", key, query: &[], headers: &[], content: Content::Nothing };
        let what = self.address().shown(key);
        let bytes = self.client.ask_then(&asked, &on, |answer| {
            let mut bytes = Vec::new();
            let read = answer.reader().take(limit + 1).read_to_end(&mut bytes);
            read.map_err(|error| broken_off(&what, error)).map(|_| bytes)
        })?;
        match bytes.len() as u64 > limit {
            true => Err(BucketError::new(Sort::Other, format!("{what}: it has more than {limit} bytes"))),
            false => Ok(bytes),
        }
    }

    /// So many bytes of an object, or as many as there are, from a place on.
    ///
    /// # Errors
    /// What the server says.
    pub fn get_part(&self, key: &str, from: u64, length: usize) -> Result<Vec<u8>, BucketError> {
        let Some(last) = (length as u64).checked_sub(1) else { return Ok(Vec::new()) };
        let range = [("range", format!("bytes={from}-{}", from.saturating_add(last)))];
        let asked = Asked { method: "GET", key, query: &[], headers: &range, content: Content::Nothing };
        let what = self.address().shown(key);
        let bytes = self.client.ask_then(&asked, &on, |answer| {
            // A server that knows no ranges gives all of it.
            if answer.header("content-range").is_none_or(|range| !range.starts_with(&format!("bytes {from}-"))) {
                let message = format!("{what}: the server gives no part of an object");
                return Err(BucketError::new(Sort::Other, message));
            }
            let mut bytes = Vec::new();
            let read = answer.reader().take(length as u64).read_to_end(&mut bytes);
            read.map_err(|error| broken_off(&what, error)).map(|_| bytes)
        })?;
        Ok(bytes)
    }

    /// Writes an object into an empty file. What was lost on the way is asked for again from there on.
    ///
    /// # Errors
    /// What the server or the file says.
    pub fn fetch(&self, key: &str, file: &File, stop: &dyn Fn() -> bool) -> Result<u64, BucketError> {
        let what = self.address().shown(key);
        let mut written = 0;
        let mut lost = 0;
        loop {
            let range = if written > 0 { vec![("range", format!("bytes={written}-"))] } else { Vec::new() };
            let asked = Asked { method: "GET", key, query: &[], headers: &range, content: Content::Nothing };
            let answer = self.client.ask(&asked, stop)?;
            let goes_on = answer.header("content-range").is_some_and(|r| r.starts_with(&format!("bytes {written}-")));
            if written > 0 && !goes_on {
                return Err(BucketError::new(Sort::Other, format!("{what}: the server gives no part of an object")));
            }
            match copy(answer.reader(), file, &mut written, stop, &what) {
                Ok(()) => return Ok(written),
                Err(error) if error.sort == Sort::Unreachable && lost < http::TRIES => lost += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts a small object where none is.
    ///
    /// # Errors
    /// What the server says.
    pub fn put(&self, key: &str, bytes: &[u8]) -> Result<Put, BucketError> {
        self.carefully(key, |headers| {
            let asked = Asked { method: "PUT", key, query: &[], headers, content: Content::Bytes(bytes) };
            self.client.ask(&asked, &on).map(|_| ())
        })
    }

    /// Puts a file where no object is: in one request, or in parts where it is large.
    ///
    /// # Errors
    /// What the server or the file says. Then nothing is there.
    pub fn put_file(&self, key: &str, file: &File, stop: &dyn Fn() -> bool) -> Result<Put, BucketError> {
        let length = file.metadata()?.len();
        if self.length(key)?.is_some() {
            return Ok(Put::There);
        }
        if length <= PART {
            let digest = digest(file, 0, length)?;
            return self.carefully(key, |headers| {
                let content = Content::Part { part: Part { file, at: 0, end: length }, digest: digest.clone() };
                self.client.ask(&Asked { method: "PUT", key, query: &[], headers, content }, stop).map(|_| ())
            });
        }
        let upload = self.begin_parts(key, stop)?;
        let put = self.put_parts(key, &upload, file, length, stop);
        if !matches!(put, Ok(Put::Done)) {
            // What cannot be given up is for the bucket's own rules to remove.
            let query = [("uploadId", upload.as_str())];
            let asked = Asked { method: "DELETE", key, query: &query, headers: &[], content: Content::Nothing };
            let _ = self.client.ask(&asked, &on);
        }
        put
    }

    /// Only where nothing is. A server that knows no such condition is asked first.
    fn carefully(
        &self,
        key: &str,
        run: impl Fn(&[(&'static str, String)]) -> Result<(), BucketError>,
    ) -> Result<Put, BucketError> {
        let condition = [("if-none-match", "*".to_owned())];
        match run(&condition) {
            Ok(()) => Ok(Put::Done),
            // It may have been a try of this very request whose answer was lost.
            Err(error) if error.sort == Sort::Occupied => Ok(Put::There),
            Err(error) if error.sort == Sort::Other && error.message.contains("NotImplemented") => {
                match self.length(key)? {
                    Some(_) => Ok(Put::There),
                    None => run(&[]).map(|()| Put::Done),
                }
            }
            Err(error) => Err(error),
        }
    }

    fn begin_parts(&self, key: &str, stop: &dyn Fn() -> bool) -> Result<String, BucketError> {
        let query = [("uploads", "")];
        let asked = Asked { method: "POST", key, query: &query, headers: &[], content: Content::Nothing };
        let what = self.address().shown(key);
        self.client.ask_then(&asked, stop, |answer| {
            let id = answer::text(&answer.text()?, "UploadId").filter(|id| !id.is_empty());
            id.ok_or_else(|| BucketError::new(Sort::Other, format!("{what}: the server begins no upload in parts")))
        })
    }

    fn put_parts(
        &self,
        key: &str,
        upload: &str,
        file: &File,
        length: u64,
        stop: &dyn Fn() -> bool,
    ) -> Result<Put, BucketError> {
        let size = PART.max(length.div_ceil(PARTS));
        let mut list = String::from("<CompleteMultipartUpload>");
        let mut at = 0;
        for number in 1.. {
            let end = length.min(at + size);
            let tag = self.put_part(key, (upload, number), (file, at, end), stop)?;
            list.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", escaped(&tag)));
            at = end;
            if at >= length {
                break;
            }
        }
        list.push_str("</CompleteMultipartUpload>");
        let query = [("uploadId", upload)];
        let what = self.address().shown(key);
        let put = self.carefully(key, |headers| {
            let content = Content::Bytes(list.as_bytes());
            let asked = Asked { method: "POST", key, query: &query, headers, content };
            self.client.ask_then(&asked, stop, |answer| {
                // What it says at last may be an error, although it began as if all was well.
                let text = answer.text()?;
                match answer::code(&text) {
                    Some(code) if matches!(code.as_str(), "InternalError" | "SlowDown" | "ServiceUnavailable") => {
                        Err(BucketError::new(Sort::Unreachable, format!("{what}: the server answers {code}")))
                    }
                    Some(code) => Err(BucketError::new(Sort::Other, format!("{what}: the server answers {code}"))),
                    None if text.contains("</CompleteMultipartUploadResult>") => Ok(()),
                    None => Err(BucketError::new(Sort::Unreachable, format!("{what}: the server's answer is cut off"))),
                }
            })
        });
        match put {
            // The upload is gone, perhaps: a try whose answer was lost has ended it. Servers say that in several ways.
            Err(error) if error.sort != Sort::Stopped => match self.length(key) {
                Ok(Some(there)) if there == length => Ok(Put::Done),
                _ => Err(error),
            },
            put => put,
        }
    }

    fn put_part(
        &self,
        key: &str,
        (upload, number): (&str, u64),
        (file, at, end): (&File, u64, u64),
        stop: &dyn Fn() -> bool,
    ) -> Result<String, BucketError> {
        let digest = digest(file, at, end)?;
        let number = number.to_string();
        let query = [("partNumber", number.as_str()), ("uploadId", upload)];
        let content = Content::Part { part: Part { file, at, end }, digest };
        let answer = self.client.ask(&Asked { method: "PUT", key, query: &query, headers: &[], content }, stop)?;
        let why = || format!("{}: the server gives no tag for a part", self.address().shown(key));
        answer.header("etag").ok_or_else(|| BucketError::new(Sort::Other, why()))
    }

    /// Removes an object. One that is not there is gone.
    ///
    /// # Errors
    /// What the server says.
    pub fn remove(&self, key: &str) -> Result<(), BucketError> {
        let asked = Asked { method: "DELETE", key, query: &[], headers: &[], content: Content::Nothing };
        match self.client.ask(&asked, &on) {
            Err(error) if !error.is_no_object() => Err(error),
            _ => Ok(()),
        }
    }
}

/// A text within XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A part of a file, read where it is, whatever else reads the file.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Part<'_> {
    /// How many bytes are left of it.
    fn length(&self) -> u64 {
        self.end.saturating_sub(self.at)
    }
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length()).unwrap_or(usize::MAX);
        let most = left.min(buffer.len());
        let read = self.file.read_at(buffer.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// The SHA-256 of a part of a file, in hexadecimal.
fn digest(file: &File, at: u64, end: u64) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut part = Part { file, at, end };
    let mut buffer = vec![0; BUFFER];
    loop {
        match part.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            read => digest.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

fn copy(
    mut from: impl Read,
    mut file: &File,
    written: &mut u64,
    stop: &dyn Fn() -> bool,
    what: &str,
) -> Result<(), BucketError> {
    let mut buffer = vec![0; BUFFER];
    loop {
        if stop() {
            return Err(BucketError::new(Sort::Stopped, "it was interrupted"));
        }
        let read = from.read(&mut buffer).map_err(|error| broken_off(what, error))?;
        if read == 0 {
            return Ok(());
        }
        file.write_all(buffer.get(..read).unwrap_or_default())?;
        *written += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(path_style: bool) -> Address {
        Address {
            bucket: "kept".to_owned(),
            endpoint: "s3.example.com:9000".to_owned(),
            region: "r".to_owned(),
            prefix: "cold/".to_owned(),
            path_style,
            ca_file: None,
            verify_tls: true,
        }
    }

    #[test]
    fn the_buckets_name_is_where_its_server_looks_for_it() {
        let (host, path) = (address(false), address(true));
        assert_eq!((host.host().as_str(), host.path("a/b").as_str()), ("kept.s3.example.com:9000", "/cold/a/b"));
        assert_eq!((path.host().as_str(), path.path("a/b").as_str()), ("s3.example.com:9000", "/kept/cold/a/b"));
        assert_eq!((host.path("").as_str(), path.path("").as_str()), ("/", "/kept/"));
        assert_eq!(host.shown("a"), "s3://kept/cold/a");
    }

    #[test]
    fn no_secret_is_shown() {
        let keys = Keys { key: "k".to_owned(), secret: "hunter2".to_owned() };
        let bucket = Bucket::new(Address { verify_tls: false, ..address(true) }, keys.clone()).unwrap();
        assert!(!format!("{bucket:?} {keys:?}").contains("hunter2"));
    }

    #[test]
    fn a_part_is_read_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, b"0123456789").unwrap();
        let file = File::open(path).unwrap();
        let mut text = String::new();
        Part { file: &file, at: 3, end: 7 }.read_to_string(&mut text).unwrap();
        assert_eq!(text, "3456");
        assert_eq!(digest(&file, 3, 7).unwrap(), hex(&Sha256::digest(b"3456")));
    }

    #[test]
    fn nobody_there_is_told() {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let address = Address { endpoint: format!("127.0.0.1:{port}"), verify_tls: false, ..address(true) };
        let keys = Keys { key: "k".to_owned(), secret: "s".to_owned() };
        let error = Bucket::new(address, keys).unwrap().list("").unwrap_err();
        assert_eq!(error.sort, Sort::Unreachable, "{error}");
        assert!(error.to_string().contains("5 tries"), "{error}");
    }
}
