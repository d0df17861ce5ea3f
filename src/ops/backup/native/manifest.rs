//! PostgreSQL's `backup_manifest`: which files a backup has, and which WAL it needs ("Backup Manifest
//! Format" in PostgreSQL's manual).

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::core::Bytes;
use crate::ops::backup::hex;
use crate::ops::backup::record::WalRange;
use crate::ops::backup::wal::Lsn;

/// How the manifest's file is called.
pub const NAME: &str = "backup_manifest";

/// A manifest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// Every file by its path in the data folder: how large it is, and its SHA-256.
    pub files: BTreeMap<String, (u64, String)>,
    /// The WAL that must be replayed, in the order of time.
    pub wal: Vec<WalRange>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "Files")]
    files: Vec<RawFile>,
    #[serde(rename = "WAL-Ranges", default)]
    wal: Vec<RawRange>,
    #[serde(rename = "Manifest-Checksum")]
    checksum: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawFile {
    path: Option<String>,
    #[serde(rename = "Encoded-Path")]
    encoded: Option<String>,
    size: u64,
    #[serde(rename = "Checksum-Algorithm")]
    algorithm: Option<String>,
    checksum: Option<String>,
}

#[derive(Deserialize)]
struct RawRange {
    #[serde(rename = "Timeline")]
    timeline: u32,
    #[serde(rename = "Start-LSN")]
    from: String,
    #[serde(rename = "End-LSN")]
    until: String,
}

/// Before the manifest's own checksum, which is of all that is before its line.
const CHECKSUM_LINE: &[u8] = b"\"Manifest-Checksum\"";

impl Manifest {
    /// Reads one.
    ///
    /// # Errors
    /// Why it cannot be trusted.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, String> {
        let raw: Raw = serde_json::from_slice(bytes).map_err(|error| format!("it is no manifest: {error}"))?;
        let end = bytes.windows(CHECKSUM_LINE.len()).rposition(|part| part == CHECKSUM_LINE);
        let summed = bytes.get(..end.unwrap_or(0)).unwrap_or_default();
        if hex(&Sha256::digest(summed)) != raw.checksum {
            return Err("it is not as it was written: its checksum differs".to_owned());
        }
        let mut files = BTreeMap::new();
        for file in raw.files {
            let path = match (file.path, file.encoded) {
                (Some(path), _) => path,
                (None, Some(encoded)) => unhex(&encoded).ok_or("a path in it is none")?,
                (None, None) => return Err("a file in it has no path".to_owned()),
            };
            match (file.algorithm.as_deref(), file.checksum) {
                (Some("SHA256"), Some(checksum)) => _ = files.insert(path, (file.size, checksum)),
                _ => return Err(format!("{path} has no SHA-256 in it")),
            }
        }
        let range = |raw: &RawRange| {
            Ok(WalRange { timeline: raw.timeline, from: raw.from.parse::<Lsn>()?, until: raw.until.parse::<Lsn>()? })
        };
        let mut wal = raw.wal.iter().map(range).collect::<Result<Vec<WalRange>, String>>()?;
        wal.sort_by_key(|range| (range.from, range.timeline));
        Ok(Self { files, wal })
    }

    /// How large the files are, all of them together.
    pub fn bytes(&self) -> Bytes {
        Bytes(self.files.values().map(|(bytes, _)| bytes).sum())
    }
}

/// A path that is no UTF-8 keeps what can be shown of it: it is only compared with itself.
fn unhex(text: &str) -> Option<String> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
    Some(String::from_utf8_lossy(&bytes?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(files: &str) -> String {
        let body = format!(
            "{{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n{files}\n],\n\"WAL-Ranges\": [\n\
             {{ \"Timeline\": 1, \"Start-LSN\": \"0/2000028\", \"End-LSN\": \"0/2000100\" }}\n],\n"
        );
        format!("{body}\"Manifest-Checksum\": \"{}\"}}\n", hex(&Sha256::digest(body.as_bytes())))
    }

    const FILE: &str = r#"{ "Path": "base/1/2", "Size": 8192, "Last-Modified": "2026-01-01 00:00:00 GMT", "Checksum-Algorithm": "SHA256", "Checksum": "ab" }"#;

    #[test]
    fn files_and_wal_are_read() {
        let encoded = r#"{ "Encoded-Path": "ff61", "Size": 1, "Checksum-Algorithm": "SHA256", "Checksum": "cd" }"#;
        let manifest = Manifest::of_bytes(text(&format!("{FILE},\n{encoded}")).as_bytes()).unwrap();
        assert_eq!(manifest.files.get("base/1/2"), Some(&(8192, "ab".to_owned())));
        assert_eq!(manifest.files.get("\u{fffd}a"), Some(&(1, "cd".to_owned())));
        assert_eq!(manifest.bytes(), Bytes(8193));
        assert_eq!(manifest.wal, [WalRange { timeline: 1, from: Lsn(0x200_0028), until: Lsn(0x200_0100) }]);
    }

    #[test]
    fn one_that_was_changed_is_not_trusted() {
        let good = text(FILE);
        for (from, to) in
            [("8192", "8193"), ("\"ab\"", "\"ac\""), ("0/2000100", "0/2000000"), ("Timeline\": 1", "Timeline\": 2")]
        {
            assert!(good.contains(from));
            assert!(Manifest::of_bytes(good.replace(from, to).as_bytes()).is_err(), "{from}");
        }
        assert!(Manifest::of_bytes(text(&FILE.replace("SHA256", "CRC32C")).as_bytes()).is_err());
        assert!(Manifest::of_bytes(b"{}").is_err());
    }
}
