//! What there is beside relations, of which no policy speaks yet: the database's own, the server's,
//! and the roles', which are the server's too and have much that is of the database.

use crate::core::glob;

/// What is looked for beside relations.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Beside {
    /// What belongs to the database that is connected to.
    pub database: bool,
    /// What belongs to the server as a whole, and to no role.
    pub server: bool,
    /// Patterns for roles, with all that is theirs: see [`glob`]. [`EVERYBODY`] stands for what every
    /// role has.
    pub roles: Vec<String>,
}

/// The name by which a pattern finds what every role has. No role can be called so.
pub const EVERYBODY: &str = "public";

/// Whose something is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Owner {
    /// The database's.
    Database,
    /// The server's.
    Server,
    /// A role's, or it is one.
    Role(String),
    /// Every role's.
    Everybody,
}

/// A resource that belongs to no relation, by its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Discovered {
    /// What stands for a schema in its address, where anything does.
    pub container: Option<String>,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub owner: Owner,
}

impl Beside {
    /// Whether nothing is looked for.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether somebody's is looked for.
    pub fn takes(&self, owner: &Owner) -> bool {
        match owner {
            Owner::Database => self.database,
            Owner::Server => self.server,
            Owner::Role(name) => self.takes_role(name),
            Owner::Everybody => self.takes_role(EVERYBODY),
        }
    }

    fn takes_role(&self, name: &str) -> bool {
        self.roles.iter().any(|pattern| glob::matches(pattern, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for_is_taken() {
        let none = Beside::default();
        let role = |name: &str| Owner::Role(name.to_owned());
        for owner in [Owner::Database, Owner::Server, role("app"), Owner::Everybody] {
            assert!(!none.takes(&owner));
        }
        let some = Beside { database: true, server: false, roles: vec!["app_*".to_owned(), "public".to_owned()] };
        assert!(some.takes(&Owner::Database) && !some.takes(&Owner::Server) && some.takes(&Owner::Everybody));
        assert!(some.takes(&role("app_x")) && !some.takes(&role("app")) && !some.takes(&role("APP_x")));
        let all = Beside { roles: vec!["*".to_owned()], ..Beside::default() };
        assert!(all.takes(&Owner::Everybody) && all.takes(&role("any")) && !all.takes(&Owner::Database));
    }
}
