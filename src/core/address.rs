//! Where a resource is: its kind, and the object that it describes.

use std::borrow::Cow;
use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize};

use crate::core::QualifiedName;
use crate::core::name::quote_identifier;

/// The schema in which TimescaleDB keeps what it makes.
pub const INTERNAL_SCHEMA: &str = "_timescaledb_internal";

/// The name of a kind of resource, such as `retention`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct KindId(Cow<'static, str>);

impl Ord for KindId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (own, other) = (self.as_str(), other.as_str());
        // Most that are compared are the very same text.
        if std::ptr::eq(own, other) { std::cmp::Ordering::Equal } else { own.cmp(other) }
    }
}

impl PartialOrd for KindId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl KindId {
    /// A kind known when the program was built.
    pub const fn new(id: &'static str) -> Self {
        Self(Cow::Borrowed(id))
    }

    /// A kind read from a plan or a ledger, which may be unknown to this version.
    pub fn read(id: &str) -> Self {
        Self(Cow::Owned(id.to_owned()))
    }

    /// The kind's name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KindId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A resource's identity: kind, schema where the object has one, and name.
///
/// The printed form is for people; code compares and stores the parts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Address {
    /// What kind of resource it is.
    pub kind: KindId,
    /// The schema, for an object that lives in one.
    pub schema: Option<String>,
    /// The object's exact name.
    pub name: String,
}

impl Address {
    /// The address of something in a schema.
    pub fn in_schema(kind: KindId, object: &QualifiedName) -> Self {
        Self { kind, schema: Some(object.schema.clone()), name: object.name.clone() }
    }

    /// The address of something that belongs to the whole database.
    pub fn global(kind: KindId, name: impl Into<String>) -> Self {
        Self { kind, schema: None, name: name.into() }
    }

    /// What it is called in a sentence, where its relation is known. Of what TimescaleDB keeps in its own
    /// schema, such as the indexes of a continuous aggregate, the relation says more than the schema.
    pub fn told(&self, on: Option<&QualifiedName>) -> String {
        match on {
            Some(on) if self.schema.as_deref() == Some(INTERNAL_SCHEMA) => {
                format!("{} {} on {on}", self.kind.as_str().replace('_', " "), quote_identifier(&self.name))
            }
            _ => self.to_string(),
        }
    }

    /// The object's qualified name, where it lives in a schema.
    pub fn object(&self) -> Option<QualifiedName> {
        self.schema.as_ref().map(|schema| QualifiedName::new(schema, &self.name))
    }
}

/// As an object of `address` (printed, for people), `kind`, `schema` and `name`.
impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Address", 4)?;
        object.serialize_field("address", &self.to_string())?;
        object.serialize_field("kind", self.kind.as_str())?;
        object.serialize_field("schema", &self.schema)?;
        object.serialize_field("name", &self.name)?;
        object.end()
    }
}

/// Reads the parts; the printed form is never split.
impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Parts {
            kind: String,
            schema: Option<String>,
            name: String,
        }
        let parts = Parts::deserialize(deserializer)?;
        Ok(Self { kind: KindId::read(&parts.kind), schema: parts.schema, name: parts.name })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.kind)?;
        if let Some(schema) = &self.schema {
            write!(f, "{}.", quote_identifier(schema))?;
        }
        f.write_str(&quote_identifier(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_prints_with_quotes_only_where_needed() {
        let plain = Address::in_schema(KindId::new("retention"), &QualifiedName::new("public", "market_data"));
        assert_eq!(plain.to_string(), "retention.public.market_data");
        let odd = Address::in_schema(KindId::new("index"), &QualifiedName::new("Odd", "a.b"));
        assert_eq!(odd.to_string(), "index.\"Odd\".\"a.b\"");
        assert_eq!(Address::global(KindId::new("extension"), "timescaledb").to_string(), "extension.timescaledb");
    }

    #[test]
    fn what_timescaledb_keeps_is_told_by_its_relation() {
        let on = QualifiedName::new("public", "hourly");
        let index = |schema: &str| Address::in_schema(KindId::new("index"), &QualifiedName::new(schema, "Ix"));
        assert_eq!(index(INTERNAL_SCHEMA).told(Some(&on)), "index \"Ix\" on public.hourly");
        assert_eq!(index(INTERNAL_SCHEMA).told(None), "index._timescaledb_internal.\"Ix\"");
        assert_eq!(index("public").told(Some(&on)), "index.public.\"Ix\"");
    }
}
