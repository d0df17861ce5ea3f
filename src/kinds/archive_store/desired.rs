//! The `archive_store` document.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::core::{Address, Bytes, Desired, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::archive_store::location::{self, Location};
use crate::kinds::archive_store::{COMPRESSION, CURRENT, ENCRYPTION, FORMER_KEYS, KEEP, ROW_GROUP, STATE};
use crate::kinds::backup::told;
use crate::kinds::bucket::secret;
use crate::kinds::repository::FILE;

/// The smallest and the largest row group: below, a file's columns are too short to compress well;
/// above, writing one takes too much memory.
const ROW_GROUPS: std::ops::RangeInclusive<u64> = (1 << 20)..=(1 << 30);
const DEFAULT_ROW_GROUP: Bytes = Bytes(128 << 20);

/// A place where chunks are kept as files once they are old, and how they are written there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveStore {
    /// Where the files are.
    pub location: Location,
    /// How they are written.
    #[serde(default)]
    pub format: Format,
    /// How they are encrypted; without it, they are not. What is there already stays as it is.
    pub encryption: Option<Encryption>,
    /// How long an archived chunk is kept, counted from the end of its range; then `run archive --allow
    /// deletes_data` removes it. Without it, and for chunks whose time is a whole number, for ever.
    #[schemars(example = &"7 years")]
    pub keep: Option<String>,
}

/// How files are encrypted: each as a whole, in the format of Tink's streaming AEAD `AES256_GCM_HKDF_1MB`. Without
/// the key, nobody reads them again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// The cipher.
    #[serde(default)]
    pub cipher: Cipher,
    /// The key, out of the environment: 64 hexadecimal digits, as `openssl rand -hex 32` makes them.
    #[schemars(example = &"${env.ARCHIVE_KEY}")]
    pub key: Option<String>,
    /// A file whose first line is the key.
    #[schemars(example = &"/run/secrets/archive_key")]
    pub key_file: Option<String>,
    /// Files whose first lines are keys that the store had before: what was written with one of them is read with
    /// it still.
    #[serde(default)]
    #[schemars(example = &["/run/secrets/archive_key_2025"])]
    pub former_key_files: Vec<String>,
}

/// A cipher.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[schemars(extend("default" = "aes-256"))]
pub enum Cipher {
    /// AES with a key of 256 bits.
    #[default]
    #[serde(rename = "aes-256")]
    Aes256,
}

/// How files are written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// Apache Parquet.
    #[serde(default)]
    pub parquet: Parquet,
}

/// Apache Parquet.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parquet {
    /// How its pages are compressed.
    #[serde(default)]
    pub compression: Compression,
    /// How much of a table's rows, before compression, one row group holds.
    #[schemars(extend("default" = "128 MB"), example = &"64 MB")]
    pub row_group: Option<String>,
}

/// How pages are compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("default" = "zstd"))]
pub enum Compression {
    /// Zstandard.
    #[default]
    Zstd,
}

/// The keys of [`ArchiveStore`] itself; the rest of the document is its head.
const KEYS: [&str; 4] = ["location", "format", "encryption", "keep"];

/// The resource of a document.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let own = input.own(&KEYS);
    let section = SectionInput { value: &own, ..*input };
    let Some(raw) = section.read::<ArchiveStore>(sink) else { return Vec::new() };
    let mut desired = input.desired(Address::global(super::ID, &input.head.name), None);
    let before = sink.len();
    location::read(&raw.location, input, &mut desired, sink);
    if let Some(Encryption { cipher: Cipher::Aes256, key, key_file, former_key_files }) = &raw.encryption {
        if let Some(from) = secret(input, (key.as_ref(), key_file.as_ref()), "/encryption", "key", sink) {
            input.set(&mut desired, ENCRYPTION, "/encryption", Value::text(from));
        }
        let former = former_key_files.iter().enumerate();
        let former: Vec<String> = former
            .filter_map(|(at, path)| told(input, path, &format!("/encryption/former_key_files/{at}"), sink))
            .map(|path| format!("{FILE}{path}"))
            .collect();
        if !former.is_empty() {
            input.set(&mut desired, FORMER_KEYS, "/encryption/former_key_files", Value::texts(former));
        }
    }
    if sink.iter().skip(before).any(Diagnostic::is_error) {
        return Vec::new();
    }
    let compression = match raw.format.parquet.compression {
        Compression::Zstd => "zstd",
    };
    input.set(&mut desired, COMPRESSION, "/format", Value::text(compression));
    let Some(row_group) = row_group(raw.format.parquet.row_group.as_deref(), input, sink) else { return Vec::new() };
    input.set(&mut desired, ROW_GROUP, "/format", Value::Int(row_group));
    if let Some(keep) = &raw.keep {
        match input.interval(keep, "/keep", sink) {
            Some(interval) => {
                input.set(&mut desired, KEEP, "/keep", Value::Interval(interval));
                input.set(&mut desired, STATE, "/keep", Value::text(CURRENT));
            }
            None => return Vec::new(),
        }
    }
    vec![desired]
}

fn row_group(written: Option<&str>, input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Option<i64> {
    let Some(text) = written else { return i64::try_from(DEFAULT_ROW_GROUP.0).ok() };
    let bytes = text.parse::<Bytes>().ok().filter(|bytes| ROW_GROUPS.contains(&bytes.0));
    let read = bytes.and_then(|bytes| i64::try_from(bytes.0).ok());
    if read.is_none() {
        sink.push(
            Diagnostic::error(&code::WRONG_VALUE, format!("`{text}` is no size of a row group"))
                .at(input.place("/format/parquet/row_group"))
                .help("write a size between `1 MB` and `1 GB`"),
        );
    }
    read
}
