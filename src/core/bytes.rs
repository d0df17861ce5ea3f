//! A size in bytes, printed in units that a person reads.

use std::fmt;

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    /// Decimal places only where they say something: `812 B`, `38.2 GB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        let mut size = self.0 as f64 / 1024.0;
        let mut unit = "kB";
        for next in UNITS.iter().skip(1) {
            if size < 1023.95 {
                break;
            }
            size /= 1024.0;
            unit = next;
        }
        write!(f, "{size:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_postgresql_prints_them() {
        assert_eq!(Bytes(812).to_string(), "812 B");
        assert_eq!(Bytes(8192).to_string(), "8.0 kB");
        assert_eq!(Bytes(1024 * 1024 - 1).to_string(), "1.0 MB");
        assert_eq!(Bytes(41_016_000_000).to_string(), "38.2 GB");
        assert_eq!(Bytes(u64::MAX).to_string(), "16384.0 PB");
    }
}
