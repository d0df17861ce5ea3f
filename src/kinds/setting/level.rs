//! Where a parameter is set: for the whole server, for the database, or for a role.

use crate::core::name::quote_identifier;

/// The three levels, the last with or without the database.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Level {
    /// `ALTER SYSTEM`.
    Server,
    /// `ALTER DATABASE`, of the database that is connected to.
    Database,
    /// `ALTER ROLE`.
    Role {
        /// The role's exact name.
        role: String,
        /// Only in the database that is connected to.
        in_database: bool,
    },
}

const ROLE: &str = "role ";
const IN_DATABASE: &str = " in database";

impl Level {
    /// The container in addresses.
    pub fn container(&self) -> String {
        match self {
            Self::Server => "server".to_owned(),
            Self::Database => "database".to_owned(),
            Self::Role { role, in_database } => {
                format!("{ROLE}{}{}", quote_identifier(role), if *in_database { IN_DATABASE } else { "" })
            }
        }
    }

    /// Reads [`Self::container`]; `None` for anything else.
    pub fn read(container: &str) -> Option<Self> {
        match container {
            "server" => return Some(Self::Server),
            "database" => return Some(Self::Database),
            _ => {}
        }
        let rest = container.strip_prefix(ROLE)?;
        // A bare name holds no space, and a quoted one ends with its quote.
        let (role, in_database) = match rest.strip_suffix(IN_DATABASE) {
            Some(role) => (role, true),
            None => (rest, false),
        };
        let role = match role.strip_prefix('"').and_then(|role| role.strip_suffix('"')) {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => role.to_owned(),
        };
        let level = Self::Role { role, in_database };
        (level.container() == container).then_some(level)
    }

    /// The role, where it is a role's.
    pub fn role(&self) -> Option<&str> {
        match self {
            Self::Role { role, .. } => Some(role),
            Self::Server | Self::Database => None,
        }
    }

    /// For whom, in a sentence.
    pub fn words(&self) -> String {
        match self {
            Self::Server => "the server".to_owned(),
            Self::Database => "the database".to_owned(),
            Self::Role { role, in_database: false } => format!("the role \"{role}\""),
            Self::Role { role, in_database: true } => format!("the role \"{role}\" in this database"),
        }
    }
}
