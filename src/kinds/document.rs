//! The documents that sections sit in.

/// A kind of document.
pub struct Document {
    /// Its `kind:`.
    pub kind: &'static str,
    /// What it is, for the schema and the manual.
    pub about: &'static str,
    /// Whether its name is a relation's, with a schema.
    pub relation: bool,
}

/// Every document kind that this version knows.
pub static DOCUMENTS: &[Document] = &[
    Document {
        kind: "table",
        about: "How one existing table is kept: as a hypertable or not, with its columnstore, retention, indexes and storage parameters.",
        relation: true,
    },
    Document {
        kind: "continuous_aggregate",
        about: "A continuous aggregate: the query that it is made from, the policies that refresh it, and how it is kept, with its columnstore, retention and indexes.",
        relation: true,
    },
    Document { kind: "extension", about: "An extension that the database must, or must not, have.", relation: false },
];

/// The document of a `kind:`.
pub fn by_kind(kind: &str) -> Option<&'static Document> {
    DOCUMENTS.iter().find(|document| document.kind == kind)
}
