//! What the server on the other end is: versions, edition, identity.

use std::fmt;
use std::str::FromStr;

/// A dotted version; missing parts are zero and a suffix (`-dev`, `beta1`) is dropped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
    /// The third.
    pub patch: u32,
}

impl Version {
    /// A version of two numbers.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor, patch: 0 }
    }
}

impl FromStr for Version {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let first = text.split_whitespace().next().ok_or(())?;
        let mut parts = first.split('.').map(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u32>().ok()
        });
        let major = parts.next().flatten().ok_or(())?;
        let minor = parts.next().flatten().unwrap_or(0);
        let patch = parts.next().flatten().unwrap_or(0);
        Ok(Self { major, minor, patch })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch > 0 { write!(f, ".{}", self.patch) } else { Ok(()) }
    }
}

/// What TimescaleDB's licence setting lets the server do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edition {
    /// `timescaledb.license = timescale`: everything.
    Community,
    /// `timescaledb.license = apache`: no compression, policies, jobs or continuous aggregates
    /// (SQLSTATE 0A000 when called; seen on 2.19.3).
    Apache,
    /// The setting could not be read: treated as the lesser of the two.
    Unknown,
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Community => "Community edition",
            Self::Apache => "Apache edition",
            Self::Unknown => "unknown edition",
        })
    }
}

/// TimescaleDB, as installed in the database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timescale {
    /// The extension's version as the catalog gives it.
    pub version_text: String,
    /// The same, comparable.
    pub version: Version,
    /// What the licence allows.
    pub edition: Edition,
    /// The value of `timescaledb.license` itself.
    pub license: String,
    /// The schema that holds its functions, `public` unless the owner chose another.
    pub schema: String,
}

/// The server and database a session is connected to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// The host as connected to, for people.
    pub host: String,
    /// The TCP port, or 0 where it is not known.
    pub port: u16,
    /// The database's name.
    pub database: String,
    /// The cluster's system identifier (`pg_control_system()`), as text.
    pub system_identifier: String,
    /// The database's OID, which tells two databases of the same name apart in time.
    pub database_oid: u32,
    /// PostgreSQL's version as the server prints it.
    pub version_text: String,
    /// PostgreSQL's version.
    pub version: Version,
    /// TimescaleDB, where the extension exists in this database.
    pub timescaledb: Option<Timescale>,
    /// The versions of TimescaleDB that the server could install, newest last.
    pub timescaledb_available: bool,
    /// The role that the session acts as.
    pub user: String,
    /// Whether that role is a superuser.
    pub superuser: bool,
    /// Whether the session can write: false on a standby or with `default_transaction_read_only`.
    pub read_only: bool,
    /// Whether the server holds one session only (it has no backend process to name): then nothing
    /// may wait for a second one, and no lock conflict can arise.
    pub single_session: bool,
    /// The server's clock when the snapshot was taken, in microseconds since 1970-01-01 UTC.
    pub now_micros: i64,
}

impl Server {
    /// TimescaleDB's version, where it is installed.
    pub fn timescale_version(&self) -> Option<Version> {
        self.timescaledb.as_ref().map(|timescale| timescale.version)
    }

    /// Whether policies, compression and continuous aggregates can work here.
    pub fn has_community_features(&self) -> bool {
        self.timescaledb.as_ref().is_some_and(|timescale| timescale.edition == Edition::Community)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let read = |text: &str| text.parse::<Version>().unwrap();
        assert_eq!(read("2.23.0-dev"), Version::new(2, 23));
        assert_eq!(read("17beta1"), Version::new(17, 0));
        assert_eq!(read("15.18 (Debian 15.18-0+deb12u1)"), Version::new(15, 18));
        assert!(read("2.9") < read("2.13.1"));
        assert!("next".parse::<Version>().is_err());
        assert_eq!(read("2.19.3").to_string(), "2.19.3");
    }
}
