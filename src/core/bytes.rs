//! A size in bytes, printed in units that a person reads.

use std::fmt;
use std::str::FromStr;

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

/// A text is not a size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotBytes;

impl FromStr for Bytes {
    type Err = NotBytes;

    /// A whole number and a unit as PostgreSQL knows them, in powers of 1024: `64 MB`, `8kB`.
    fn from_str(text: &str) -> Result<Self, NotBytes> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let power = match unit.trim() {
            "B" => 0,
            "kB" => 1,
            "MB" => 2,
            "GB" => 3,
            "TB" => 4,
            _ => return Err(NotBytes),
        };
        let number: u64 = number.parse().map_err(|_| NotBytes)?;
        number.checked_mul(1024_u64.pow(power)).map(Self).ok_or(NotBytes)
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

    #[test]
    fn sizes_are_read_as_postgresql_reads_them() {
        assert_eq!("64 MB".parse(), Ok(Bytes(64 << 20)));
        assert_eq!("8kB".parse(), Ok(Bytes(8192)));
        assert_eq!("0 B".parse(), Ok(Bytes(0)));
        for wrong in ["", "64", "MB", "-1 MB", "1.5 GB", "64 mb", "99999999999 TB", "6 4 MB"] {
            assert_eq!(wrong.parse::<Bytes>(), Err(NotBytes), "{wrong}");
        }
    }
}
