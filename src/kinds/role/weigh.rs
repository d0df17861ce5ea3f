//! Who may change a role, who would lock themselves out, and what a role that is to go still has.

use crate::core::{Delta, Desired, Impact, Op, Param, Query, Row, RowError, Server, Value};
use crate::diag::{Code, Diagnostic, code};
use crate::kinds::role::{LOCKS_OUT, ROLE_IN_USE};
use crate::kinds::{Judgement, View, grant};

/// How many objects a message names.
const NAMED: usize = 8;

/// Attributes that only a superuser may give or take.
const SUPERUSERS: [&str; 3] = ["superuser", "replication", "bypassrls"];

/// One query for all deltas.
pub fn query(deltas: &[&Delta], server: &Server) -> Option<Query> {
    let gone = deltas.iter().filter(|delta| delta.is_remove()).map(|delta| delta.address.name.clone());
    let params = vec![Param::texts(gone)];
    let query = || Query { sql: include_str!("weigh.sql").replace("{parts}", super::parts(server)), params };
    (!deltas.is_empty()).then(query)
}

/// See [`crate::kinds::Kind::judge`].
///
/// # Errors
/// When the rows are not those of `weigh.sql`.
pub fn judge(delta: &Delta, others: &[Delta], op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
    let mut judgement = Judgement::default();
    if op == Op::Blocked {
        return Ok(judgement);
    }
    let desired = delta.desired.as_ref().or_else(|| view.desired.get(&delta.address));
    let case = Case { delta, desired, view };
    let me = weights.iter().find(|row| row.text("what").is_ok_and(|what| what == "me"));
    judgement.diagnostics.extend(case.may(me.is_some_and(|row| row.bool("flag").unwrap_or(false))));
    if let Some(me) = me {
        judgement.diagnostics.extend(case.locks_out(me)?);
    }
    if delta.is_remove() {
        judgement.diagnostics.extend(case.in_use(weights, others)?);
        let notes = case.goes_along(weights, others)?;
        judgement.impact = (!notes.is_empty()).then(|| Impact { notes, ..Impact::default() });
    }
    Ok(judgement)
}

struct Case<'a> {
    delta: &'a Delta,
    desired: Option<&'a Desired>,
    view: &'a View<'a>,
}

impl Case<'_> {
    fn error(&self, code: &'static Code, attribute: &str, message: String) -> Diagnostic {
        let diagnostic = Diagnostic::error(code, message);
        match self.desired {
            Some(desired) => diagnostic.at(desired.place_of(attribute)),
            None => diagnostic,
        }
    }

    /// What the session's role may not do.
    fn may(&self, createrole: bool) -> Option<Diagnostic> {
        let server = self.view.server;
        if server.superuser {
            return None;
        }
        let was = |flag: &str| self.delta.live.as_ref().and_then(|live| live.get(flag)?.as_bool()).unwrap_or(false);
        let special = SUPERUSERS.into_iter().find(|flag| {
            let after = self.delta.change(flag).and_then(|change| change.after.as_ref()?.as_bool());
            after.is_some_and(|after| after != was(flag))
        });
        let (attribute, needs) = match special {
            _ if was("superuser") => ("superuser", "only a superuser may change a superuser"),
            Some(flag) => (flag, "only a superuser may give or take that"),
            None if !createrole => ("ensure", "that needs CREATEROLE"),
            None => return None,
        };
        let message =
            format!("the role \"{}\" may not change the role \"{}\": {needs}", server.user, self.delta.address.name);
        Some(self.error(&code::NO_PRIVILEGE, attribute, message).help("connect as a superuser, or as a role that may"))
    }

    /// Whoever applies this must be able to come back, and somebody must be left who may do all.
    fn locks_out(&self, me: &Row) -> Result<Option<Diagnostic>, RowError> {
        let name = self.delta.address.name.as_str();
        let live = |flag: &str| self.delta.live.as_ref().and_then(|live| live.get(flag)?.as_bool()).unwrap_or(false);
        let takes = |flag: &str| {
            let after = self.delta.change(flag).and_then(|change| change.after.as_ref()?.as_bool());
            live(flag) && (self.delta.is_remove() || after == Some(false))
        };
        let expires = self
            .delta
            .change("valid_until")
            .is_some_and(|change| change.after.as_ref().is_some_and(|after| *after != Value::Null));
        let itself = name == self.view.server.user || me.maybe_text("who")? == Some(name);
        let loses = ["superuser", "login", "createrole"].into_iter().find(|flag| takes(flag));
        if itself && (self.delta.is_remove() || loses.is_some()) {
            let attribute = loses.unwrap_or("ensure");
            let message = format!("the role \"{name}\" is the one that applies this, and would lock itself out");
            return Ok(Some(
                self.error(&LOCKS_OUT, attribute, message)
                    .why("it could not undo what it did")
                    .help("connect as another role to change this one"),
            ));
        }
        let last = live("superuser") && live("login") && me.int("number")? <= 1;
        if last && (takes("superuser") || takes("login") || self.delta.is_remove() || expires) {
            let message = format!("\"{name}\" is the last superuser who can log in");
            return Ok(Some(
                self.error(&LOCKS_OUT, loses.unwrap_or("valid_until"), message)
                    .why("without one, some of the server can only be mended with the server stopped")
                    .help("make another superuser first"),
            ));
        }
        Ok(None)
    }

    /// What a query tells of this role.
    fn rows<'a>(&'a self, weights: &'a [Row]) -> impl Iterator<Item = &'a Row> {
        let name = self.delta.address.name.as_str();
        weights.iter().filter(move |row| row.maybe_text("role").is_ok_and(|it| it == Some(name)))
    }

    /// What the server takes along with the role, a sentence each: memberships that the same plan does not
    /// end before, and settings.
    fn goes_along(&self, weights: &[Row], others: &[Delta]) -> Result<Vec<String>, RowError> {
        let name = self.delta.address.name.as_str();
        let (mut members, mut of, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for row in self.rows(weights) {
            let Some(who) = row.maybe_text("who")? else { continue };
            match row.text("what")? {
                "member" if !grant::ends_membership(who, name, others) => {
                    let admin = if row.bool("flag")? { ", with its admin option" } else { "" };
                    members.push(format!("\"{who}\"{admin}"));
                }
                "of" if !grant::ends_membership(name, who, others) => of.push(format!("\"{who}\"")),
                "settings" => notes.push(match row.maybe_text("object")? {
                    Some(database) => format!("its settings in the database \"{database}\" go with it: {who}"),
                    None => format!("its settings go with it: {who}"),
                }),
                _ => {}
            }
        }
        if !of.is_empty() {
            notes.insert(0, format!("it ceases to be a member of {}", of.join(", ")));
        }
        if !members.is_empty() {
            notes.insert(0, format!("nobody is a member of it any more: now it is {}", members.join("; ")));
        }
        Ok(notes)
    }

    /// What would be left without its owner, and what still names the role. What it is granted and loses
    /// by the same plan does not.
    fn in_use(&self, weights: &[Row], others: &[Delta]) -> Result<Option<Diagnostic>, RowError> {
        let name = self.delta.address.name.as_str();
        let (mut owned, mut granted, mut named) = (Vec::new(), Vec::new(), Vec::new());
        let (mut gives, mut on_types) = (false, false);
        for row in self.rows(weights) {
            let what = row.text("what")?;
            if !["owned", "granted", "named"].contains(&what) {
                continue;
            }
            let on_thing = what == "granted" && row.maybe_text("sort")?.is_some();
            if on_thing && grant::is_left_nothing(name, row, others, self.view)? {
                continue;
            }
            if what == "owned" && row.maybe_text("sort")?.is_some() {
                if grant::takes_back(row, others)? {
                    continue;
                }
                gives = true;
            }
            on_types |= on_thing && row.maybe_text("sort")? == Some("type");
            let list = match what {
                "owned" => &mut owned,
                "named" => &mut named,
                _ => &mut granted,
            };
            let object = row.maybe_text("object")?.unwrap_or("something unknown").to_owned();
            if !list.contains(&object) {
                list.push(object);
            }
        }
        let (verb, list, help) = match (owned.is_empty(), granted.is_empty()) {
            (true, true) if named.is_empty() => return Ok(None),
            (true, true) => (
                "is named by",
                named,
                "row security policies are TO it: name other roles in each (ALTER POLICY … TO …), or drop them (DROP \
                 POLICY)",
            ),
            // Default privileges belong to nobody else, and REASSIGN OWNED leaves them (`shdepReassignOwned` in
            // `src/backend/catalog/pg_shdepend.c`).
            (false, _) if gives => (
                "owns",
                owned,
                "revoke default privileges where they are granted (`default_privileges` with its name as `made_by` \
                 and `ensure: absent`), or drop them; give the rest to another role (REASSIGN OWNED BY …), then drop \
                 what is left (DROP OWNED BY …), in each database",
            ),
            (false, _) => {
                ("owns", owned, "give them to another role (REASSIGN OWNED BY …) or drop them, in each database")
            }
            // What default privileges gave with the grant option stays as well: it may have been passed on.
            (true, false) if on_types => (
                "has privileges on",
                granted,
                "on types, no policy says what is granted: REVOKE that (REVOKE … ON TYPE …, or DROP OWNED BY …, in each \
                 database); the rest may be named in its `grants` and `default_privileges` with `ensure: absent`",
            ),
            (true, false) => (
                "has privileges on",
                granted,
                "what the same plan revokes does not count: name these in its `grants` and `default_privileges` with \
                 `ensure: absent`, or REVOKE them (DROP OWNED BY … does, in each database)",
            ),
        };
        let more = list.len().saturating_sub(NAMED);
        let shown: Vec<&str> = list.iter().take(NAMED).map(String::as_str).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!("the role \"{name}\" cannot be dropped: it {verb} {}{more}", shown.join(", "));
        let why =
            "what a role owns or is granted outlives it nowhere, and nothing is dropped that the policy does not name";
        Ok(Some(self.error(&ROLE_IN_USE, "ensure", message).why(why).help(help)))
    }
}
