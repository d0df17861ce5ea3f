//! The live database as kinds see it while they settle, weigh and judge.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::core::{Address, Desired, Ensure, Interval, KindId, Live, Param, QualifiedName, Server, SqlText};

/// Which relations a snapshot looks at.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Every relation that a document or a ledger row names and that exists, by OID, sorted.
    pub oids: Vec<u32>,
    /// Those of them that are hypertables, each with TimescaleDB's id.
    pub hypertables: Vec<(u32, i64)>,
    /// The names of whole-database objects that documents or the ledger name, by kind.
    pub globals: BTreeMap<String, Vec<String>>,
    /// The same of what has a container in place of a schema, each as its container and its name.
    pub contained: BTreeMap<String, Vec<(String, String)>>,
    /// Every kind that documents or the ledger name a resource of.
    pub kinds: BTreeSet<KindId>,
    /// Whether any relation in scope keeps its rows elsewhere, as a continuous aggregate does.
    pub aggregates: bool,
    /// Whether what is found is to be written as policies: then also what is too dear to ask for each
    /// plan, where [`Kind::export`](crate::kinds::Kind::export) needs it.
    pub export: bool,
}

impl Scope {
    /// The hypertables' OIDs, as a query takes them.
    pub fn hypertable_oids(&self) -> Param {
        Param::Oids(self.hypertables.iter().map(|(oid, _)| *oid).collect())
    }

    /// TimescaleDB's ids of the hypertables, in the same order.
    pub fn hypertable_ids(&self) -> Param {
        Param::Ints(self.hypertables.iter().map(|(_, id)| Some(*id)).collect())
    }
}

/// Every relation in scope that exists.
pub type Relations = BTreeMap<QualifiedName, Relation>;

/// A relation.
#[derive(Clone, PartialEq, Debug)]
pub struct Relation {
    /// The OID of what its rows are in: its own, but of a continuous aggregate that of its
    /// materialization hypertable; 0 where the plan is yet to make it.
    pub oid: u32,
    /// Its name.
    pub name: QualifiedName,
    /// Its sort.
    pub kind: RelationKind,
    /// Its columns in order, without system columns or dropped ones.
    pub columns: Vec<Column>,
    /// Its hypertable, where it is one; of a continuous aggregate the one that its rows are in.
    pub hypertable: Option<Hypertable>,
    /// Where its rows are.
    pub stored: Stored,
    /// Whether its storage holds any page: false means surely empty.
    pub has_pages: bool,
    /// Its owner.
    pub owner: String,
    /// Whether the session's role may alter it (is, or is a member of, the owner).
    pub owned: bool,
    /// Whether its owner may log in, which TimescaleDB asks of whoever has a job.
    pub owner_logs_in: bool,
    /// As the plan makes it anew, where it does, or why the server would refuse that.
    pub coming: Option<Result<Box<Relation>, String>>,
}

impl Relation {
    /// A column by its exact name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// As it is once the plan is carried out: what policies say of it must fit that.
    pub fn to_come(&self) -> &Self {
        if let Some(Ok(coming)) = &self.coming { coming } else { self }
    }
}

/// Where a relation's rows are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Stored {
    /// In itself.
    #[default]
    Itself,
    /// In a hypertable of TimescaleDB's own: the relation is a continuous aggregate.
    In(QualifiedName),
    /// Nowhere yet: the plan makes the relation.
    Nowhere,
}

/// The names by which relations are known, for rows that name what their rows are stored in.
pub struct KnownAs<'a>(BTreeMap<&'a QualifiedName, &'a QualifiedName>);

impl<'a> KnownAs<'a> {
    /// The names of relations in scope.
    pub fn new(relations: &'a Relations) -> Self {
        let stored = relations.values().filter_map(|relation| match &relation.stored {
            Stored::In(hypertable) => Some((hypertable, &relation.name)),
            Stored::Itself | Stored::Nowhere => None,
        });
        Self(stored.collect())
    }

    /// The name that users know for what is stored under another.
    pub fn name(&self, stored: QualifiedName) -> QualifiedName {
        self.0.get(&stored).map_or(stored, |name| (*name).clone())
    }
}

/// The sorts of relation (`pg_class.relkind`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RelationKind {
    /// An ordinary table.
    Table,
    /// A declaratively partitioned table.
    PartitionedTable,
    /// A view, which a continuous aggregate is too.
    View,
    /// A materialized view.
    MaterializedView,
    /// A foreign table.
    ForeignTable,
    /// An index, sequence, composite type or whatever comes next.
    Other,
}

impl RelationKind {
    /// From `pg_class.relkind`.
    pub fn read(relkind: &str) -> Self {
        match relkind {
            "r" => Self::Table,
            "p" => Self::PartitionedTable,
            "v" => Self::View,
            "m" => Self::MaterializedView,
            "f" => Self::ForeignTable,
            _ => Self::Other,
        }
    }

    /// In a sentence, with its article.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Table => "a table",
            Self::PartitionedTable => "a partitioned table",
            Self::View => "a view",
            Self::MaterializedView => "a materialized view",
            Self::ForeignTable => "a foreign table",
            Self::Other => "no table",
        }
    }
}

/// A column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its exact name.
    pub name: String,
    /// Its type as `format_type` prints it, with the modifier.
    pub type_name: String,
    /// The OID of its type, or of the type under its domain.
    pub base_type: u32,
    /// Whether it is NOT NULL.
    pub not_null: bool,
}

/// The type OIDs that TimescaleDB accepts for time (`pg_type.dat`, the same in every version).
pub mod types {
    /// `smallint`.
    pub const INT2: u32 = 21;
    /// `integer`.
    pub const INT4: u32 = 23;
    /// `bigint`.
    pub const INT8: u32 = 20;
    /// `date`.
    pub const DATE: u32 = 1082;
    /// `timestamp without time zone`.
    pub const TIMESTAMP: u32 = 1114;
    /// `timestamp with time zone`.
    pub const TIMESTAMPTZ: u32 = 1184;
}

impl Column {
    /// Whether time is counted in a whole number in it.
    pub fn is_integer(&self) -> bool {
        matches!(self.base_type, types::INT2 | types::INT4 | types::INT8)
    }

    /// Whether it can be a hypertable's time dimension without a conversion function.
    pub fn is_time(&self) -> bool {
        self.is_integer() || matches!(self.base_type, types::DATE | types::TIMESTAMP | types::TIMESTAMPTZ)
    }
}

/// A hypertable's shape.
#[derive(Clone, PartialEq, Debug)]
pub struct Hypertable {
    /// TimescaleDB's id.
    pub id: i64,
    /// Its dimensions, the time one first.
    pub dimensions: Vec<Dimension>,
    /// Whether the columnstore is enabled on it.
    pub columnstore: bool,
    /// How many chunks it has.
    pub chunks: i64,
    /// Whether any of them bears the mark of a run of the archive that has begun with it and not ended its work.
    pub begun: bool,
}

impl Hypertable {
    /// The dimension that time is partitioned by.
    pub fn time(&self) -> Option<&Dimension> {
        self.dimensions.first()
    }

    /// Whether time is a whole number.
    pub fn integer_time(&self) -> bool {
        self.time().is_some_and(|dimension| dimension.interval.is_none() && dimension.integer_interval.is_some())
    }
}

/// Why nobody can tell what the present of whole-number time is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Untold {
    /// The function fails: what the server says.
    Fails(String),
    /// The function is another role's, who could have it do anything with the rights of the one that looks.
    Foreign {
        /// Whose it is.
        owner: String,
        /// Who looks.
        caller: String,
    },
}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fails(why) => write!(f, "fails when it is called: {why}"),
            Self::Foreign { owner, caller } => {
                write!(f, "is code of {owner}'s, and is not run with the rights of {caller}")
            }
        }
    }
}

/// One dimension of a hypertable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dimension {
    /// The column.
    pub column: String,
    /// The chunk interval of a time dimension.
    pub interval: Option<Interval>,
    /// The chunk interval of an integer dimension.
    pub integer_interval: Option<i64>,
    /// The function that tells an integer dimension's now.
    pub integer_now: Option<QualifiedName>,
    /// Whether that is the function of what an aggregate is made from, and its own hypertable has none.
    pub inherits_now: bool,
    /// What that function gives: the present, or why it cannot be told.
    pub present: Option<Result<i64, Untold>>,
    /// The number of hash partitions.
    pub partitions: Option<i64>,
}

/// The canonical form of every expression that was asked for: the server's own text, or the
/// server's complaint. The key is the relation and the text as written.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Canon {
    forms: BTreeMap<(QualifiedName, SqlText), Result<String, String>>,
    mutable: BTreeSet<(QualifiedName, SqlText)>,
    types: BTreeMap<(QualifiedName, SqlText), String>,
}

impl Canon {
    /// Nothing was asked.
    pub const fn new() -> Self {
        Self { forms: BTreeMap::new(), mutable: BTreeSet::new(), types: BTreeMap::new() }
    }

    /// The answer to what was asked.
    pub fn get(&self, asked: &(QualifiedName, SqlText)) -> Option<&Result<String, String>> {
        self.forms.get(asked)
    }

    /// Keeps an answer.
    pub fn insert(&mut self, asked: (QualifiedName, SqlText), answer: Result<String, String>) {
        self.forms.insert(asked, answer);
    }

    /// Whether the server holds an expression for one that is not the same at all times, by the rule
    /// that it has for indexes: a function in it is not IMMUTABLE. Of what was not asked, and of what
    /// is no table's, nothing is known.
    pub fn is_mutable(&self, asked: &(QualifiedName, SqlText)) -> bool {
        self.mutable.contains(asked)
    }

    /// The type of an expression, as `format_type` prints it; unknown of what was not asked or was refused.
    pub fn type_of(&self, asked: &(QualifiedName, SqlText)) -> Option<&str> {
        self.types.get(asked).map(String::as_str)
    }

    /// Keeps the type of an expression.
    pub fn set_type(&mut self, asked: (QualifiedName, SqlText), name: String) {
        self.types.insert(asked, name);
    }

    /// Keeps that an expression is mutable.
    pub fn set_mutable(&mut self, asked: (QualifiedName, SqlText)) {
        self.mutable.insert(asked);
    }
}

impl Extend<((QualifiedName, SqlText), Result<String, String>)> for Canon {
    fn extend<I: IntoIterator<Item = ((QualifiedName, SqlText), Result<String, String>)>>(&mut self, forms: I) {
        self.forms.extend(forms);
    }
}

impl<const N: usize> From<[((QualifiedName, SqlText), Result<String, String>); N]> for Canon {
    fn from(forms: [((QualifiedName, SqlText), Result<String, String>); N]) -> Self {
        Self { forms: BTreeMap::from(forms), ..Self::new() }
    }
}

/// Everything a kind may look at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The server.
    pub server: &'a Server,
    /// The relations in scope.
    pub relations: &'a Relations,
    /// Every live resource in scope.
    pub live: &'a BTreeMap<Address, Live>,
    /// Every desired resource, as written.
    pub desired: &'a BTreeMap<Address, Desired>,
    /// Canonical expressions.
    pub canon: &'a Canon,
}

impl View<'_> {
    /// The `kind:` of the document that describes a relation.
    pub fn document_of(&self, name: &QualifiedName) -> &'static str {
        match self.relations.get(name).map(|relation| &relation.stored) {
            Some(Stored::In(_) | Stored::Nowhere) => "continuous_aggregate",
            Some(Stored::Itself) | None => "table",
        }
    }

    /// Whether a relation is a hypertable, or becomes one by the same plan.
    pub fn is_hypertable(&self, name: &QualifiedName) -> bool {
        self.live_hypertable(name).is_some() || self.wants_hypertable(name)
    }

    /// The live hypertable of a relation.
    pub fn live_hypertable(&self, name: &QualifiedName) -> Option<&Hypertable> {
        self.relations.get(name).and_then(|relation| relation.hypertable.as_ref())
    }

    /// Whether the policies make a hypertable of it.
    pub fn wants_hypertable(&self, name: &QualifiedName) -> bool {
        let address = Address::in_schema(crate::core::KindId::new("hypertable"), name);
        self.desired.get(&address).is_some_and(|hypertable| hypertable.ensure == Ensure::Present)
    }

    /// The column that time is partitioned by: now or, where it is yet to become a hypertable, after the plan.
    pub fn time_column(&self, name: &QualifiedName) -> Option<&Column> {
        self.time_column_of(self.relations.get(name)?)
    }

    /// The same of a relation as it is, or as it is to come.
    pub fn time_column_of<'r>(&self, relation: &'r Relation) -> Option<&'r Column> {
        let column = match &relation.hypertable {
            Some(hypertable) => hypertable.time()?.column.clone(),
            None => {
                let address = Address::in_schema(crate::core::KindId::new("hypertable"), &relation.name);
                self.desired.get(&address)?.get("time_column")?.as_text()?.to_owned()
            }
        };
        relation.column(&column)
    }
}
