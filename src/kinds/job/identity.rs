//! Which live job is which policy's.
//!
//! TimescaleDB knows a job by a number. From 2.20 on it keeps a name too, which Chronoform gives to
//! every job that it makes or adopts. What has no name is known by what it runs and what it is given;
//! and where the database was changed since, by what the ledger remembers of that. Nothing is ever
//! guessed: where more than one job could be meant, all of them are told, and none is touched.

use std::collections::BTreeMap;

use crate::core::{Address, Applied, Desired, Ensure, Live, Value};

/// What TimescaleDB calls a job that nobody gave a name.
const UNNAMED: &str = "User-Defined Action";
/// The fact of a resource that stands for several jobs: a line about each.
pub const CANDIDATES: &str = "candidates";

/// What is known of one address.
struct Sought<'a> {
    address: &'a Address,
    desired: Option<&'a Desired>,
    applied: Option<&'a Applied>,
}

impl Sought<'_> {
    /// Whether a job of its name is its own: the ledger knows that there is one, or else it runs what
    /// the policy wants to be run.
    fn owns(&self, live: &Live) -> bool {
        let wanted = self.desired.and_then(|desired| desired.get("procedure"));
        self.applied.is_some() || (wanted.is_some() && wanted == live.get("procedure"))
    }

    /// Whether a job runs and is given what the policy says. A policy without a configuration is not
    /// about jobs that have one: several of one procedure are told apart by it.
    fn describes(&self, live: &Live) -> bool {
        let same = |attribute: &str, desired: &Desired| desired.get(attribute) == live.get(attribute);
        self.desired.is_some_and(|desired| same("procedure", desired) && same("config", desired))
    }

    /// Which of several jobs is its own beyond doubt: the only one that is as it is described and as it
    /// was applied, or else the only one that is either.
    fn known_among(&self, candidates: &[Live]) -> Option<usize> {
        let only = |fits: &dyn Fn(&Live) -> bool| {
            let mut fitting = candidates.iter().enumerate().filter(|(_, live)| fits(live)).map(|(at, _)| at);
            let first = fitting.next();
            (first, fitting.next().is_none())
        };
        match only(&|live| self.describes(live) && self.remembers(live)) {
            (None, _) => match only(&|live| self.describes(live) || self.remembers(live)) {
                (found, true) => found,
                (_, false) => None,
            },
            (found, true) => found,
            (_, false) => None,
        }
    }

    fn was_applied(&self, live: &Live, attribute: &str) -> bool {
        let then = self.applied.and_then(|applied| applied.attributes.get(attribute));
        match (then, live.get(attribute)) {
            (Some(then), Some(now)) => *then == now.to_json(),
            (Some(then), None) => then.is_null(),
            // What was not managed says nothing about which job it was.
            (None, _) => attribute == "config",
        }
    }

    /// Whether a job is still as it was applied.
    fn remembers(&self, live: &Live) -> bool {
        self.applied.is_some() && self.was_applied(live, "procedure") && self.was_applied(live, "config")
    }
}

/// The jobs that policies or the ledger know, under their names. Where neither speaks of any, jobs
/// themselves were asked for, and all of them are given.
pub fn identify(
    found: Vec<Live>,
    desired: &BTreeMap<Address, Desired>,
    applied: &BTreeMap<Address, Applied>,
) -> Vec<Live> {
    let mut addresses: Vec<&Address> = desired.keys().chain(applied.keys()).collect();
    addresses.retain(|address| address.kind == super::ID);
    addresses.sort();
    addresses.dedup();
    if addresses.is_empty() {
        return super::export::name(found);
    }
    let sought = |address| Sought { address, desired: desired.get(address), applied: applied.get(address) };
    let open = addresses.into_iter().map(sought);
    let mut matching = Matching { open: open.collect(), free: found, identified: Vec::new() };
    matching.by_name();
    matching.by_description();
    matching.by_memory();
    matching.by_what_is_left();
    matching.identified
}

struct Matching<'a> {
    /// The addresses that no job was found for yet.
    open: Vec<Sought<'a>>,
    /// The jobs that are nobody's yet.
    free: Vec<Live>,
    identified: Vec<Live>,
}

impl Matching<'_> {
    /// A job of the policy's name is its own, if the ledger knows of one or it runs what the policy
    /// says. One that runs something else may be somebody's of the same name.
    ///
    /// A name is no key, though: whoever adds another job of the same one does not make the first any
    /// less known, as long as only that is what was described or applied.
    fn by_name(&mut self) {
        self.each(|sought, live| is_called(live, &sought.address.name));
    }

    /// Jobs that are alike may be any of the policies that describe them alike; there may not be more
    /// of them than policies.
    fn by_description(&mut self) {
        let mut rest = Vec::new();
        while !self.open.is_empty() {
            let first = self.open.remove(0);
            let Some(wanted) = first.desired else {
                rest.push(first);
                continue;
            };
            let alike = |other: &Sought<'_>| {
                let key = |desired: &Desired| [desired.get("procedure").cloned(), desired.get("config").cloned()];
                other.desired.is_some_and(|other| key(other) == key(wanted))
            };
            let (mut group, others): (Vec<_>, Vec<_>) = self.open.drain(..).partition(alike);
            self.open = others;
            group.insert(0, first);
            let fits = |live: &Live| group.first().is_some_and(|sought| sought.describes(live));
            let (candidates, free): (Vec<_>, Vec<_>) = self.free.drain(..).partition(fits);
            self.free = free;
            if candidates.len() > group.len() {
                self.identified.extend(group.iter().map(|sought| several(sought.address, &candidates)));
                continue;
            }
            let mut group = group.into_iter();
            for live in candidates {
                self.identified.extend(group.next().map(|sought| called(live, sought.address)));
            }
            rest.extend(group);
        }
        self.open = rest;
    }

    /// What the ledger remembers, where the policy says something else by now.
    fn by_memory(&mut self) {
        self.each(|sought, live| sought.remembers(live));
    }

    /// A job without a name, of the procedure, that is given something else: the policy's own, changed
    /// by hand, where the ledger knows of it and there is only one; and nobody knows what otherwise.
    fn by_what_is_left(&mut self) {
        for sought in std::mem::take(&mut self.open) {
            let Some(desired) = sought.desired else { continue };
            let left = |live: &&Live| live.get("procedure") == desired.get("procedure") && is_unnamed(live);
            let candidates: Vec<Live> = self.free.iter().filter(left).cloned().collect();
            match candidates.as_slice() {
                [] => {}
                [only] if sought.applied.is_some() => {
                    let id = only.fact("job_id").cloned();
                    self.free.retain(|live| live.fact("job_id") != id.as_ref());
                    self.identified.push(called(only.clone(), sought.address));
                }
                _ if sought.desired.is_some_and(|desired| desired.ensure == Ensure::Absent) => {}
                several_left => self.identified.push(several(sought.address, several_left)),
            }
        }
    }

    /// Gives each open address the one free job that is its own; where there are several, all.
    fn each(&mut self, is_own: impl Fn(&Sought<'_>, &Live) -> bool) {
        for sought in std::mem::take(&mut self.open) {
            let (mut own, free): (Vec<_>, Vec<_>) = self.free.drain(..).partition(|live| is_own(&sought, live));
            self.free = free;
            if let Some(at) = sought.known_among(&own).filter(|_| own.len() > 1) {
                let known = own.remove(at);
                self.free.append(&mut own);
                own.push(known);
            }
            match (own.len(), own.pop()) {
                (1, Some(live)) if sought.owns(&live) => self.identified.push(called(live, sought.address)),
                (_, Some(last)) => {
                    own.push(last);
                    self.identified.push(several(sought.address, &own));
                }
                (_, None) => self.open.push(sought),
            }
        }
    }
}

fn is_called(live: &Live, name: &str) -> bool {
    live.get("job_name").and_then(Value::as_text) == Some(name)
}

/// Whether nobody gave the job a name; where the server keeps none, nobody did.
pub fn is_unnamed(live: &Live) -> bool {
    live.get("job_name").is_none() || is_called(live, UNNAMED)
}

fn called(mut live: Live, address: &Address) -> Live {
    live.address = address.clone();
    live
}

/// A resource that stands for several jobs, of which nobody knows which is meant.
fn several(address: &Address, candidates: &[Live]) -> Live {
    let mut live = Live::new(address.clone(), None);
    live.system = true;
    let line = |live: &Live| {
        let show = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), ToString::to_string);
        let id = show(live.fact("job_id"));
        let (procedure, config) = (show(live.get("procedure")), show(live.get("config")));
        format!("job {id} runs {procedure} with the configuration {config}")
    };
    live.set_fact(CANDIDATES, Value::texts(candidates.iter().map(line)));
    live
}
