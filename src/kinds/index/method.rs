//! What PostgreSQL's own access methods can do (`pg_indexam_has_property`, the same in 14 to 18).

/// One access method.
pub struct Method {
    name: &'static str,
    /// Whether an index of it can be unique.
    pub unique: bool,
    /// Whether it can have more than one key.
    pub many: bool,
    /// Whether it can include columns that are no keys.
    pub include: bool,
    /// Whether it keeps an order.
    pub ordered: bool,
}

static METHODS: &[Method] = &[
    Method { name: "btree", unique: true, many: true, include: true, ordered: true },
    Method { name: "hash", unique: false, many: false, include: false, ordered: false },
    Method { name: "gist", unique: false, many: true, include: true, ordered: false },
    Method { name: "gin", unique: false, many: true, include: false, ordered: false },
    Method { name: "spgist", unique: false, many: false, include: true, ordered: false },
    Method { name: "brin", unique: false, many: true, include: false, ordered: false },
];

/// A method of PostgreSQL's own; `None` for an extension's, of which nothing is known offline.
pub fn by_name(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

/// What an index may ask of its method: the property that says whether the method can, in the words of
/// `pg_indexam_has_property`, and what to say where it cannot.
pub const UNIQUE: (&str, &str) = ("can_unique", "cannot be unique");
/// See [`UNIQUE`].
pub const INCLUDE: (&str, &str) = ("can_include", "cannot include columns that are no keys");
/// See [`UNIQUE`].
pub const MANY: (&str, &str) = ("can_multi_col", "has only one key");
/// See [`UNIQUE`].
pub const ORDERED: (&str, &str) = ("can_order", "keeps no order, so `desc` and `nulls` say nothing");
