//! Places and segments of WAL, as every server names them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ops::backup::record::WalRange;

/// A place in WAL: a number of bytes, printed as the server does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Lsn(pub u64);

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

impl std::str::FromStr for Lsn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let part = |text: &str| {
            let is_hex = !text.is_empty() && text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten()
        };
        let parts = text.split_once('/').and_then(|(high, low)| Some((part(high)?, part(low)?)));
        parts.map(|(high, low)| Self(high << 32 | low)).ok_or_else(|| format!("`{text}` is no place in WAL"))
    }
}

impl Serialize for Lsn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lsn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One segment of WAL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Segment {
    /// The timeline.
    pub timeline: u32,
    /// Which it is, counted from the beginning of all WAL.
    pub number: u64,
}

impl Segment {
    /// The one that a place is in.
    pub fn at(timeline: u32, lsn: Lsn, segment_bytes: u64) -> Self {
        Self { timeline, number: lsn.0 / segment_bytes.max(1) }
    }

    /// Its file's name (`XLogFileName` in `xlog_internal.h`).
    pub fn name(self, segment_bytes: u64) -> String {
        let each = 0x1_0000_0000 / segment_bytes.max(1);
        format!("{:08X}{:08X}{:08X}", self.timeline, self.number / each.max(1), self.number % each.max(1))
    }

    /// Reads such a name.
    pub fn read(name: &str, segment_bytes: u64) -> Option<Self> {
        if name.len() != 24 || !is_hex(name) {
            return None;
        }
        let part = |range: std::ops::Range<usize>| u64::from_str_radix(name.get(range)?, 16).ok();
        let each = 0x1_0000_0000 / segment_bytes.max(1);
        let timeline = u32::try_from(part(0..8)?).ok()?;
        Some(Self { timeline, number: part(8..16)? * each + part(16..24)? })
    }
}

/// As the server writes them.
pub fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
}

/// The segments that a backup's WAL is in.
pub fn segments(ranges: &[WalRange], segment_bytes: u64) -> Vec<String> {
    let mut names = Vec::new();
    for range in ranges {
        let first = Segment::at(range.timeline, range.from, segment_bytes);
        // Its end is the first byte that is not needed.
        let last = Segment::at(range.timeline, Lsn(range.until.0.saturating_sub(1)), segment_bytes);
        names.extend((first.number..=last.number).map(|number| Segment { number, ..first }.name(segment_bytes)));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 1 << 24;

    #[test]
    fn segments_are_named_as_the_server_names_them() {
        let name = |timeline: u32, lsn: &str, size: u64| Segment::at(timeline, lsn.parse().unwrap(), size).name(size);
        assert_eq!(name(1, "0/1000000", SIZE), "000000010000000000000001");
        assert_eq!(name(1, "0/1FFFFFF", SIZE), "000000010000000000000001");
        assert_eq!(name(2, "16/B374D848", SIZE), "0000000200000016000000B3");
        assert_eq!(name(1, "0/40000000", 1 << 30), "000000010000000000000001");
        assert_eq!(name(1, "1/0", 1 << 20), "000000010000000100000000");
        for name in ["0000000200000016000000B3", "000000010000000000000001"] {
            assert_eq!(Segment::read(name, SIZE).unwrap().name(SIZE), name);
        }
        assert_eq!(Segment::read("0000000200000016000000B", SIZE), None);
        assert_eq!(Segment::read("0000000200000016000000b3", SIZE), None);
    }

    #[test]
    fn places_in_wal_are_read_as_they_are_printed() {
        for text in ["0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF"] {
            assert_eq!(text.parse::<Lsn>().unwrap().to_string(), text);
        }
        for wrong in ["", "/", "0", "0/", "/0", "g/0", "0/100000000", "0/-1", "0/0/0", " 0/0"] {
            assert!(wrong.parse::<Lsn>().is_err(), "{wrong}");
        }
    }
}
