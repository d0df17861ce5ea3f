//! What is granted on the targets that are named, and what there is to be granted on.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::name::quote_identifier;
use crate::core::{Address, Live, Param, QualifiedName, Query, Row, RowError, Server, Value};
use crate::kinds::Scope;
use crate::kinds::grant::parts::{self, Part, Parts};
use crate::kinds::grant::target::Target;
use crate::kinds::grant::{COLUMNS, GRANTED, ID, OTHER, WITH_OPTION};
use crate::kinds::role;

/// The container of what is said of targets themselves; no role is called so.
const TARGET: &str = "";

/// The fact of by whom, other than the owner, each privilege was granted.
pub const GIVEN_BY: &str = "given_by";
/// The fact of to whom each privilege was passed on.
pub const PASSED_TO: &str = "passed_to";

/// The fact of who owns what a resource is on.
pub const OWNER: &str = "owner";

/// The fact of what a resource is beside: the address's container and name of one that policies or the
/// ledger name. For one that they do not, its own.
pub const BESIDE: &str = "beside";

/// The fact that it is on what TimescaleDB keeps of a hypertable or an aggregate that is there.
pub const PART: &str = "part";

/// The fact, and what is said of no target, of what each role is a member of.
const MEMBERSHIPS: &str = "memberships";

fn memberships_address() -> Address {
    Address { kind: ID, schema: Some(TARGET.to_owned()), name: MEMBERSHIPS.to_owned() }
}

/// What the roles that are named are members of, and what these are, and so on: member and role.
pub fn memberships(live: &BTreeMap<Address, Live>) -> impl Iterator<Item = (&str, &str)> {
    let of = live.get(&memberships_address()).and_then(|live| match live.fact(MEMBERSHIPS) {
        Some(Value::Map(of)) => Some(of),
        _ => None,
    });
    of.into_iter()
        .flatten()
        .flat_map(|(member, of)| of.as_list().iter().filter_map(Value::as_text).map(move |of| (member.as_str(), of)))
}

/// The query; `None` where neither a grant nor a role is named. Of a role that is, all memberships and
/// all privileges are read.
pub fn query(server: &Server, scope: &Scope) -> Option<Query> {
    let named = scope.contained.get(ID.as_str()).map(Vec::as_slice).unwrap_or_default();
    let described = scope.globals.get(role::ID.as_str()).into_iter().flatten();
    let grantees: BTreeSet<&str> =
        named.iter().map(|(grantee, _)| grantee.as_str()).chain(described.map(String::as_str)).collect();
    if grantees.is_empty() {
        return None;
    }
    let targets: BTreeSet<Target> = named.iter().filter_map(|(_, name)| Target::read(name)).collect();
    let (mut relations, mut functions) = (Vec::new(), Vec::new());
    let (mut whole, mut schemas) = (BTreeSet::new(), BTreeSet::new());
    let (mut roles, mut makers) = (BTreeSet::new(), BTreeSet::new());
    for target in targets {
        match target {
            Target::Database => {}
            Target::Schema(name) => _ = schemas.insert(name),
            // What is granted on these is read of every role that is described.
            Target::Type(_) => {}
            Target::Table(name) | Target::Sequence(name) => relations.push(name),
            Target::TablesIn(schema) | Target::SequencesIn(schema) | Target::FunctionsIn(schema) => {
                whole.insert(schema);
            }
            Target::Function(name, _) => functions.push(name),
            Target::Role(role) => _ = roles.insert(role),
            Target::Later { by, schema, .. } => {
                makers.insert(by);
                schemas.extend(schema);
            }
        }
    }
    let halves = |names: &[QualifiedName]| {
        [
            Param::texts(names.iter().map(|name| name.schema.clone())),
            Param::texts(names.iter().map(|name| name.name.clone())),
        ]
    };
    let [relation_schemas, relation_names] = halves(&relations);
    let [function_schemas, function_names] = halves(&functions);
    let params = vec![
        relation_schemas,
        relation_names,
        Param::texts(whole),
        function_schemas,
        function_names,
        Param::texts(schemas),
        Param::texts(roles),
        Param::texts(grantees),
        Param::texts(makers),
        Param::texts(named.iter().map(|(grantee, _)| grantee.clone())),
        Param::texts(named.iter().map(|(_, target)| target.clone())),
        Param::Int(i64::from(scope.export)),
    ];
    Some(Query { sql: include_str!("observe.sql").replace("{parts}", role::parts(server)), params })
}

/// Everything in its rows.
///
/// # Errors
/// When the rows are not those of `observe.sql`.
pub fn read(rows: &[Row]) -> Result<Vec<Live>, RowError> {
    let mut found = Found::default();
    for row in rows {
        match row.text("what")? {
            "object" => found.object(row)?,
            "named" => _ = found.named.insert((row.text("grantee")?.to_owned(), row.text("name")?.to_owned())),
            "role" => _ = found.targets.insert(Target::Role(row.text("name")?.to_owned()), Object::default()),
            _ => {}
        }
    }
    for row in rows {
        match row.text("what")? {
            "granted" => found.granted(row)?,
            "columns" => found.columns(row)?,
            "later" => found.one(&later(row, row.text("sort")?)?, row)?,
            "initial" if row.text("sort")? == "later" => found.initial(&later(row, row.text("name")?)?, row)?,
            "initial" => targets(row)?.iter().try_for_each(|target| found.initial(target, row))?,
            "beyond" | "beyond columns" => found.beyond(row)?,
            "passed" => found.passed(row)?,
            "member" => found.member(row)?,
            "above" => {
                let of = found.above.entry(row.text("grantee")?.to_owned()).or_default();
                of.insert(row.text("name")?.to_owned());
            }
            _ => {}
        }
    }
    Ok(found.into_live())
}

/// A target that exists.
#[derive(Default)]
struct Object {
    /// How many objects it stands for.
    members: i64,
    /// How many of them the session's role owns.
    owned: i64,
    /// Who owns one that it does not.
    owner: Option<String>,
    /// How many of them each role owns.
    owners: BTreeMap<String, i64>,
}

impl Object {
    /// How many of its objects are not a role's own.
    fn not_of(&self, role: &str) -> i64 {
        self.members - self.owners.get(role).copied().unwrap_or_default()
    }
}

/// On how many of a target's objects a privilege is granted, and on how many to be passed on.
type Counts = BTreeMap<String, (i64, i64)>;

/// Roles, by the privilege that they have given or been given.
pub type ByPrivilege = BTreeMap<String, BTreeSet<String>>;

#[derive(Default)]
struct Found {
    targets: BTreeMap<Target, Object>,
    granted: BTreeMap<(String, Target), Counts>,
    /// The columns on which a privilege is granted by themselves, of each object.
    columns: BTreeMap<(String, Target), BTreeMap<String, Vec<String>>>,
    /// What the server and its extensions grant by themselves, and whether to be passed on.
    initial: BTreeMap<(String, Target), BTreeMap<String, bool>>,
    /// What each grantee has by itself beyond that, on single things, and how it is granted.
    beyond: BTreeMap<(String, Target), BTreeMap<String, String>>,
    /// What of that is on a part of a hypertable or an aggregate.
    parts: BTreeSet<Target>,
    /// Who owns what is granted beyond that.
    owners: BTreeMap<Target, String>,
    /// By whom a privilege was granted that is not the owner, to each grantee.
    given_by: BTreeMap<(String, Target), ByPrivilege>,
    /// To whom a grantee has passed a privilege on.
    passed_to: BTreeMap<(String, Target), ByPrivilege>,
    members: Vec<Live>,
    /// What each role is a member of, from those that are named on upwards.
    above: BTreeMap<String, BTreeSet<String>>,
    /// What policies or the ledger name, by grantee and target.
    named: BTreeSet<(String, String)>,
}

impl Found {
    fn object(&mut self, row: &Row) -> Result<(), RowError> {
        let owned = row.bool("owned")?;
        let owner = row.text("owner")?;
        for target in targets(row)? {
            let object = self.targets.entry(target).or_default();
            object.members += 1;
            object.owned += i64::from(owned);
            *object.owners.entry(owner.to_owned()).or_default() += 1;
            if !owned {
                object.owner.get_or_insert_with(|| owner.to_owned());
            }
        }
        Ok(())
    }

    fn granted(&mut self, row: &Row) -> Result<(), RowError> {
        targets(row)?.iter().try_for_each(|target| self.one(target, row))
    }

    fn columns(&mut self, row: &Row) -> Result<(), RowError> {
        for target in targets(row)? {
            let of = self.columns.entry((row.text("grantee")?.to_owned(), target)).or_default();
            of.entry(row.text("privilege")?.to_owned()).or_default().push(row.text("arguments")?.to_owned());
        }
        Ok(())
    }

    fn one(&mut self, target: &Target, row: &Row) -> Result<(), RowError> {
        let counts = self.granted.entry((row.text("grantee")?.to_owned(), target.clone())).or_default();
        let count = counts.entry(row.text("privilege")?.to_owned()).or_default();
        count.0 += 1;
        count.1 += i64::from(row.bool("grantable")?);
        Ok(())
    }

    fn initial(&mut self, target: &Target, row: &Row) -> Result<(), RowError> {
        let of = self.initial.entry((row.text("grantee")?.to_owned(), target.clone())).or_default();
        of.insert(row.text("privilege")?.to_owned(), row.bool("grantable")?);
        Ok(())
    }

    fn beyond(&mut self, row: &Row) -> Result<(), RowError> {
        let Some(target) = targets(row)?.into_iter().next() else { return Ok(()) };
        if let Some(owner) = row.maybe_text("owner")? {
            self.owners.insert(target.clone(), owner.to_owned());
        }
        if row.maybe_int("count")?.is_some() {
            self.parts.insert(target.clone());
        }
        let of = self.beyond.entry((row.text("grantee")?.to_owned(), target)).or_default();
        let privilege = row.text("privilege")?.to_owned();
        if row.text("what")? == "beyond" {
            of.insert(privilege, if row.bool("grantable")? { WITH_OPTION } else { GRANTED }.to_owned());
        } else {
            // What is granted on the whole says more.
            let columns = format!("{COLUMNS}{}", row.text("arguments")?);
            of.entry(privilege).or_insert(columns);
        }
        Ok(())
    }

    /// What each grantee has of single things: where nothing names it, a resource; otherwise something said
    /// of the target, so that the resource that is named stays as it is.
    fn beside(&self) -> impl Iterator<Item = Live> {
        self.beyond.iter().map(|((grantee, target), has)| {
            let of = (grantee.clone(), target.name());
            let mut live = resource(grantee, target);
            if self.named.contains(&of) {
                live = beside_of(grantee, target);
            }
            live.attributes.extend(has.iter().map(|(name, how)| (name.clone(), Value::text(how))));
            live.set_fact(BESIDE, Value::texts([of.0, of.1]));
            if self.parts.contains(target) {
                live.set_fact(PART, true);
            }
            if let Some(owner) = self.owners.get(target) {
                live.set_fact(OWNER, Value::text(owner));
            }
            live
        })
    }

    fn passed(&mut self, row: &Row) -> Result<(), RowError> {
        let (by, to, privilege) = (row.text("by")?, row.text("grantee")?, row.text("privilege")?);
        let own = row.text("sort")? == "role" && row.bool("owned")?;
        for target in targets(row)? {
            for (of, role, other) in [(&mut self.given_by, to, by), (&mut self.passed_to, by, to)] {
                if own && role == to {
                    continue;
                }
                let of = of.entry((role.to_owned(), target.clone())).or_default();
                of.entry(privilege.to_owned()).or_default().insert(other.to_owned());
            }
        }
        Ok(())
    }

    fn member(&mut self, row: &Row) -> Result<(), RowError> {
        let mut live = resource(row.text("grantee")?, &Target::Role(row.text("name")?.to_owned()));
        live.set("member", true);
        live.set("admin", row.bool("grantable")?);
        // Servers before 16 have neither.
        for option in ["inherit", "may_set"] {
            if let Ok(value) = row.bool(option) {
                live.set(if option == "inherit" { "inherit" } else { "set" }, value);
            }
        }
        self.members.push(live);
        Ok(())
    }

    /// A resource for each grantee and target that is named and has something.
    fn privileges(&self) -> Vec<Live> {
        let mut all = Vec::new();
        let mut parts = self.parts();
        let known: BTreeSet<&(String, Target)> =
            self.granted.keys().chain(self.columns.keys()).chain(self.initial.keys()).collect();
        for key in known {
            let (grantee, target) = key;
            if !self.named.contains(&(grantee.clone(), target.name())) {
                continue;
            }
            let members = self.targets.get(target).map_or(1, |object| object.not_of(grantee));
            let mut live = resource(grantee, target);
            for (privilege, columns) in self.columns.get(key).into_iter().flatten() {
                let value = match (target, columns.as_slice()) {
                    (Target::Table(_), [columns]) => format!("{COLUMNS}{columns}"),
                    _ => format!("{COLUMNS}of {} of {members}", columns.len()),
                };
                live.set(privilege, Value::Text(value));
            }
            let columns = live.attributes.clone();
            live.set_fact("columns", Value::Map(columns.into_iter().collect()));
            if let Some(initial) = self.initial.get(key) {
                let value = |option: &bool| Value::text(if *option { WITH_OPTION } else { GRANTED });
                let initial = initial.iter().map(|(privilege, option)| (privilege.clone(), value(option)));
                live.set_fact("initial", Value::Map(initial.collect()));
            }
            for (privilege, (count, grantable)) in self.granted.get(key).into_iter().flatten() {
                let (count, grantable) = (*count, *grantable);
                live.set(privilege, Value::Text(parts::told(count, grantable, members)));
            }
            self.tell_givers(&mut live, key);
            if let Some(parts) = parts.remove(key) {
                parts::tell(&mut live, parts, members);
            }
            all.push(live);
        }
        all
    }

    /// What each grantee has on each of the things that a whole target stands for.
    fn parts(&self) -> BTreeMap<(String, Target), Parts> {
        let mut found: BTreeMap<(String, Target), Parts> = BTreeMap::new();
        let mut add = |key: &(String, Target), privilege: &str, how: String| {
            let (grantee, target) = key;
            let Some(whole) = target.whole() else { return };
            let parts = found.entry((grantee.clone(), whole)).or_default();
            let part = parts.entry(target.name()).or_insert_with(|| Part {
                given_by: self.given_by.get(key).cloned().unwrap_or_default(),
                passed_to: self.passed_to.get(key).cloned().unwrap_or_default(),
                ..Part::default()
            });
            part.has.entry(privilege.to_owned()).or_insert(how);
        };
        for (key, counts) in &self.granted {
            for (privilege, (_, grantable)) in counts {
                add(key, privilege, if *grantable > 0 { WITH_OPTION } else { GRANTED }.to_owned());
            }
        }
        for (key, columns) in &self.columns {
            for (privilege, columns) in columns {
                add(key, privilege, format!("{COLUMNS}{}", columns.join(", ")));
            }
        }
        found
    }

    fn tell_givers(&self, live: &mut Live, key: &(String, Target)) {
        for (fact, of) in [(GIVEN_BY, &self.given_by), (PASSED_TO, &self.passed_to)] {
            if let Some(of) = of.get(key) {
                let roles = |(privilege, roles): (&String, &BTreeSet<String>)| {
                    (privilege.clone(), Value::texts(roles.iter().cloned()))
                };
                live.set_fact(fact, Value::Map(of.iter().map(roles).collect()));
            }
        }
    }

    fn into_live(mut self) -> Vec<Live> {
        let mut all = self.privileges();
        all.extend(self.beside());
        let unsaid = self.named.iter().filter(|(_, name)| name.starts_with(OTHER));
        all.extend(unsaid.map(|(grantee, name)| {
            Live::new(Address { kind: ID, schema: Some(grantee.clone()), name: name.clone() }, None)
        }));
        for mut live in std::mem::take(&mut self.members) {
            if let (Some(member), Some(of)) = (live.address.schema.clone(), Target::read(&live.address.name)) {
                self.tell_givers(&mut live, &(member, of));
            }
            all.push(live);
        }
        if !self.above.is_empty() {
            let mut live = Live::new(memberships_address(), None);
            live.system = true;
            let of = |(member, of): (String, BTreeSet<String>)| (member, Value::texts(of));
            live.set_fact(MEMBERSHIPS, Value::Map(self.above.into_iter().map(of).collect()));
            all.push(live);
        }
        for (target, object) in self.targets {
            let mut live = resource(TARGET, &target);
            live.system = true;
            live.set_fact("members", object.members);
            live.set_fact("owned", object.owned);
            live.set_fact("owner", object.owner.map_or(Value::Null, Value::Text));
            let owners = object.owners.into_iter().map(|(owner, count)| (owner, Value::Int(count))).collect();
            live.set_fact("owners", Value::Map(owners));
            all.push(live);
        }
        all
    }
}

/// What a role makes later.
fn later(row: &Row, what: &str) -> Result<Target, RowError> {
    Ok(Target::Later {
        by: row.text("by")?.to_owned(),
        schema: row.maybe_text("schema")?.map(str::to_owned),
        what: what.to_owned(),
    })
}

/// The targets that an object is, or is part of.
///
/// # Errors
/// When the row is not one of a thing.
pub fn targets(row: &Row) -> Result<Vec<Target>, RowError> {
    let sort = row.text("sort")?;
    if sort == "database" {
        return Ok(vec![Target::Database]);
    }
    if sort == "role" {
        return Ok(vec![Target::Role(row.text("name")?.to_owned())]);
    }
    if sort == "later" {
        return Ok(vec![later(row, row.text("name")?)?]);
    }
    let schema = row.text("schema")?;
    let name = || row.text("name").map(|name| QualifiedName::new(schema, name));
    Ok(match sort {
        "schema" => vec![Target::Schema(schema.to_owned())],
        "type" => vec![Target::Type(name()?)],
        "sequence" => vec![Target::Sequence(name()?), Target::SequencesIn(schema.to_owned())],
        "function" => {
            let arguments = row.text("arguments")?.to_owned();
            vec![Target::Function(name()?, arguments), Target::FunctionsIn(schema.to_owned())]
        }
        _ => vec![Target::Table(name()?), Target::TablesIn(schema.to_owned())],
    })
}

fn resource(grantee: &str, target: &Target) -> Live {
    Live::new(Address { kind: ID, schema: Some(grantee.to_owned()), name: target.name() }, None)
}

/// What is said of a grantee on a target that is named, beside that.
fn beside_of(grantee: &str, target: &Target) -> Live {
    let name = format!("beside {} of {}", target.name(), quote_identifier(grantee));
    let mut live = Live::new(Address { kind: ID, schema: Some(TARGET.to_owned()), name }, None);
    live.system = true;
    live
}

/// What a grantee has on a target that is named and that neither the policies nor the ledger mention: each
/// privilege, with how it is granted.
pub fn unmentioned<'a>(
    live: &'a BTreeMap<Address, Live>,
    grantee: &str,
    target: &Target,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    live.get(&beside_of(grantee, target).address).into_iter().flat_map(|live| live.attributes.iter())
}

/// Whose privileges a resource is beside, or tells, and on what.
pub fn beside_what(live: &Live) -> Option<(String, Target)> {
    match live.fact(BESIDE)?.as_list() {
        [Value::Text(grantee), Value::Text(name)] => Some((grantee.clone(), Target::read(name)?)),
        _ => None,
    }
}

/// What is said of a target, where it exists.
pub fn target_of<'a>(live: &'a BTreeMap<Address, Live>, target: &Target) -> Option<&'a Live> {
    live.get(&Address { kind: ID, schema: Some(TARGET.to_owned()), name: target.name() })
}

/// How many objects a target stands for, and how many of them are a role's own.
pub fn owned_by(live: &BTreeMap<Address, Live>, target: &Target, role: &str) -> (i64, i64) {
    let fact = |name: &str| target_of(live, target).and_then(|live| live.fact(name));
    let owned = match fact("owners") {
        Some(Value::Map(owners)) => owners.get(role).and_then(Value::as_int),
        _ => None,
    };
    (fact("members").and_then(Value::as_int).unwrap_or_default(), owned.unwrap_or_default())
}

/// The functions of a name that there are, as targets are called.
pub fn functions_of<'a>(live: &'a BTreeMap<Address, Live>, name: &QualifiedName) -> Vec<&'a str> {
    let beginning = format!("function {name}(");
    let of = |address: &&'a Address| {
        address.kind == ID && address.schema.as_deref() == Some(TARGET) && address.name.starts_with(&beginning)
    };
    live.keys().filter(of).map(|address| address.name.as_str()).collect()
}
