//! Where a store is: a folder, or a bucket.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::core::{Desired, Place, Value};
use crate::diag::{Code, Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::archive_store::{PATH, S3 as S3_ATTRIBUTE, SPOOL, SPOOL_DEFAULT, s3};
use crate::kinds::bucket::{S3, secret};

/// Where files are: a folder, or a bucket.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// A folder of the machine that runs Chronoform, by its absolute path. It is made where it is
    /// missing.
    #[schemars(example = &"/var/lib/chronoform/archive")]
    pub path: Option<String>,
    /// A bucket in S3, or in what speaks its protocol.
    #[schemars(example = &serde_json::json!({"bucket": "archive", "endpoint": "s3.eu-central-1.amazonaws.com", "region": "eu-central-1", "key": "${env.ARCHIVE_S3_KEY}", "secret": "${env.ARCHIVE_S3_SECRET}"}))]
    pub s3: Option<S3>,
    /// For a bucket, a folder of the machine that runs Chronoform with room for the files of one chunk,
    /// by its absolute path: they are written there before they are put into the bucket, and read back to
    /// there. They have no names, and are gone when they are closed, however that comes about.
    #[schemars(extend("default" = "/var/tmp"), example = &"/var/tmp")]
    pub spool: Option<String>,
}

/// Reads where a store is into its resource.
pub fn read(raw: &Location, input: &SectionInput<'_>, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
    let mut reader = Reader { input, sink };
    match (&raw.path, &raw.s3) {
        (Some(path), None) => {
            if reader.is_absolute(path, "/location/path") {
                input.set(desired, PATH, "/location/path", Value::text(path));
            }
            if raw.spool.is_some() {
                let help = "take `spool` out: a file is written beside the others, and then given its name";
                reader.error(&code::POLICY_CONFLICT, "/location/spool", "`spool` is for a bucket", help);
            }
        }
        (None, Some(bucket)) => {
            let spool = raw.spool.as_deref().unwrap_or(SPOOL_DEFAULT);
            let spool = reader.is_absolute(spool, "/location/spool").then_some(spool);
            if let Some(mut read) = reader.bucket(bucket) {
                read.extend(spool.map(|spool| (SPOOL.to_owned(), Value::text(spool))));
                input.set(desired, S3_ATTRIBUTE, "/location/s3", Value::Map(read));
            }
        }
        (Some(_), Some(_)) => {
            let help = "write one of them; where S3's is a folder, write `s3: {prefix: folder}`";
            reader.error(&code::POLICY_CONFLICT, "/location", "a store is in a folder or in S3", help);
        }
        (None, None) => {
            let help = "write `path: /var/lib/chronoform/archive`, or `s3: {bucket: …, endpoint: …, region: …}`";
            reader.error(&code::MISSING_KEY, "/location", "a store needs its `path`, or `s3`", help);
        }
    }
}

/// No two stores may be at one place, nor one within another: what one removes may be the other's.
pub fn check(own: &[&Desired], sink: &mut Vec<Diagnostic>) {
    for (number, store) in own.iter().enumerate() {
        let mut before = own.iter().take(number);
        let Some(other) = before.find(|other| is_within(store, other) || is_within(other, store)) else { continue };
        let (name, known) = (&store.address.name, &other.address.name);
        sink.push(
            Diagnostic::error(&code::POLICY_CONFLICT, format!("`{name}` and `{known}` are stores at the same place"))
                .at(place_of(store))
                .and_at(place_of(other), "the other")
                .why("what one of them holds would be listed, proved and, once it has expired, removed as the other's")
                .help("give each a folder, a bucket or a prefix of its own, none within the other's"),
        );
    }
}

fn place_of(store: &Desired) -> &Place {
    store.place_of(if store.get(PATH).is_some() { PATH } else { S3_ATTRIBUTE })
}

fn is_within(store: &Desired, other: &Desired) -> bool {
    let path = |store: &Desired| store.get(PATH).and_then(Value::as_text).map(plain);
    if let (Some(path), Some(around)) = (path(store), path(other)) {
        return path.starts_with(around);
    }
    let (Some(Value::Map(bucket)), Some(Value::Map(around))) = (store.get(S3_ATTRIBUTE), other.get(S3_ATTRIBUTE))
    else {
        return false;
    };
    let prefix = |bucket: &BTreeMap<String, Value>| bucket.get(s3::PREFIX).and_then(Value::as_text).map(str::to_owned);
    [s3::BUCKET, s3::ENDPOINT].iter().all(|name| bucket.get(*name) == around.get(*name))
        && prefix(bucket).unwrap_or_default().starts_with(&prefix(around).unwrap_or_default())
}

/// A path without what leads back.
fn plain(path: &str) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

struct Reader<'a> {
    input: &'a SectionInput<'a>,
    sink: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn error(&mut self, code: &'static Code, below: &str, message: &str, help: &str) {
        self.sink.push(Diagnostic::error(code, message).at(self.input.place(below)).help(help));
    }

    fn is_absolute(&mut self, path: &str, below: &str) -> bool {
        let is = Path::new(path).is_absolute() && !path.contains('\0');
        if !is {
            self.sink.push(
                Diagnostic::error(&code::WRONG_VALUE, format!("`{}` is no absolute path", path.escape_debug()))
                    .at(self.input.place(below))
                    .why("a relative one would be another folder for whoever runs it from elsewhere")
                    .help("write the whole path, such as `/var/lib/chronoform/archive`"),
            );
        }
        is
    }

    fn bucket(&mut self, raw: &S3) -> Option<BTreeMap<String, Value>> {
        let before = self.sink.len();
        let place = "/location/s3";
        for (name, text) in [("endpoint", &raw.endpoint), ("region", &raw.region)] {
            if text.is_none() {
                let help = "write both, as the bucket's own documentation has them";
                self.error(&code::MISSING_KEY, place, &format!("a bucket needs its `{name}`"), help);
            }
        }
        let endpoint = raw.endpoint.as_deref().unwrap_or_default();
        let region = raw.region.as_deref().unwrap_or_default();
        let plain = |text: &str, more: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(char::from(byte)))
        };
        for (name, text, is_written, more, such) in [
            ("bucket", raw.bucket.as_str(), true, "-._", "archive"),
            ("endpoint", endpoint, raw.endpoint.is_some(), "-._:[]", "s3.eu-central-1.amazonaws.com"),
            ("region", region, raw.region.is_some(), "-._", "eu-central-1"),
        ] {
            if is_written && !plain(text, more) {
                let message = format!("`{}` is no {name}", text.escape_debug());
                let help = format!("write it alone, without `https://` and without blanks: `{name}: {such}`");
                self.error(&code::WRONG_VALUE, &format!("{place}/{name}"), &message, &help);
            }
        }
        let prefix = self.prefix(raw.prefix.as_deref().unwrap_or_default());
        let key = secret(self.input, (raw.key.as_ref(), raw.key_file.as_ref()), place, "key", self.sink);
        let from = (raw.secret.as_ref(), raw.secret_file.as_ref());
        let secret = secret(self.input, from, place, "secret", self.sink);
        if let Some(path) = &raw.ca_file {
            self.is_absolute(path, "/location/s3/ca_file");
        }
        if self.sink.iter().skip(before).any(Diagnostic::is_error) {
            return None;
        }
        let (key, secret) = (key?, secret?);
        let mut read: BTreeMap<String, Value> = [
            (s3::BUCKET, raw.bucket.as_str()),
            (s3::ENDPOINT, endpoint),
            (s3::REGION, region),
            (s3::PREFIX, prefix.as_str()),
            (s3::URI_STYLE, raw.uri_style.as_str()),
            (s3::KEY, key.as_str()),
            (s3::SECRET, secret.as_str()),
        ]
        .into_iter()
        .map(|(name, text)| (name.to_owned(), Value::text(text)))
        .collect();
        read.insert(s3::VERIFY_TLS.to_owned(), Value::Bool(raw.verify_tls));
        read.extend(raw.ca_file.as_ref().map(|path| (s3::CA_FILE.to_owned(), Value::text(path))));
        Some(read)
    }

    /// What keys begin with: parts between slashes, and a slash at the end.
    fn prefix(&mut self, written: &str) -> String {
        let inner = written.trim_matches('/');
        if inner.is_empty() {
            return String::new();
        }
        let is_odd = |part: &str| matches!(part, "" | "." | "..") || part.chars().any(char::is_control);
        if inner.split('/').any(is_odd) || inner.len() > 500 {
            let message = format!("`{}` is no prefix", written.escape_debug());
            let help = "write names between slashes, such as `production/archive`";
            self.error(&code::WRONG_VALUE, "/location/s3/prefix", &message, help);
        }
        format!("{inner}/")
    }
}
