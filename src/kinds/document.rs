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

impl Document {
    /// Whether what it describes can have had another name before: a table, which is others' to rename.
    pub fn can_move(&self) -> bool {
        self.kind == "table"
    }

    /// The pointers at which it may name a secret, by a reference to the environment that stays as it is
    /// written: its value is looked for when it is needed.
    pub fn secrets(&self) -> &'static [&'static str] {
        match self.kind {
            "backup" => &["/encryption/key", "/repository/s3/key", "/repository/s3/secret"],
            "archive_store" => &["/encryption/key", "/location/s3/key", "/location/s3/secret"],
            _ => &[],
        }
    }

    /// Whether it makes no resource of its own and speaks of other documents: then its schema is
    /// the loader's, and it is read also where only some of the project's files are chosen.
    pub fn is_rule(&self) -> bool {
        matches!(self.kind, "class" | "guardrail")
    }
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
    Document {
        kind: "job",
        about: "A user-defined action: a procedure that TimescaleDB runs on a schedule. Its name is the policy's choice.",
        relation: false,
    },
    Document {
        kind: "archive_store",
        about: "A place where old chunks are kept as files: which folder or bucket, how they are written, and for how long. A table's `archive` section names it.",
        relation: false,
    },
    Document {
        kind: "backup",
        about: "How the whole server is backed up: where to, when, what is kept, and how it is proved that it can be brought back.",
        relation: false,
    },
    Document {
        kind: "class",
        about: "Defaults for the documents that it matches: a document's own keys win, mappings are merged key by key, and anything else is taken as a whole.",
        relation: false,
    },
    Document {
        kind: "guardrail",
        about: "An assertion over what the policies want, what is live and what a plan would do. Where it does not hold, nothing is applied, and no command-line option overrides it.",
        relation: false,
    },
    Document { kind: "extension", about: "An extension that the database must, or must not, have.", relation: false },
    Document {
        kind: "role",
        about: "A role of the server, what it is a member of and what it is granted. With the name `public`, what everybody is granted.",
        relation: false,
    },
    Document {
        kind: "setting",
        about: "Parameters of the server, set for all of it, for the database, or for one role.",
        relation: false,
    },
];

/// The document of a `kind:`.
pub fn by_kind(kind: &str) -> Option<&'static Document> {
    DOCUMENTS.iter().find(|document| document.kind == kind)
}
