//! Which live job is which policy.
//!
//! The database keeps no name with a job, and a job's number changes when it is made anew. So a job is
//! known by its window, which the server keeps apart from every other of the same aggregate: first by
//! the window that the policies want, then by the one that was last applied. A job whose window was
//! changed on either side is the one that a policy without a job would collide with, or the only one
//! left for the only policy left.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Address, Applied, Desired, Ensure, Live, QualifiedName};
use crate::kinds::refresh::{ID, Window, address};

/// Gives each job the address of the policy that it stands for.
pub fn identify(found: &mut [Live], desired: &BTreeMap<Address, Desired>, applied: &BTreeMap<Address, Applied>) {
    let aggregates: BTreeSet<QualifiedName> = found.iter().filter_map(|live| live.on.clone()).collect();
    for on in aggregates {
        let jobs: Vec<&mut Live> = found.iter_mut().filter(|live| live.on.as_ref() == Some(&on)).collect();
        let of_this = |kind: &Address, other: Option<&QualifiedName>| kind.kind == ID && other == Some(&on);
        let wanted: Vec<&Desired> = desired.values().filter(|d| of_this(&d.address, d.on.as_ref())).collect();
        let then: Vec<&Applied> = applied.values().filter(|a| of_this(&a.address, a.on.as_ref())).collect();
        of_aggregate(&on, jobs, &wanted, &then);
    }
}

fn of_aggregate(on: &QualifiedName, jobs: Vec<&mut Live>, wanted: &[&Desired], then: &[&Applied]) {
    let only = jobs.len() == 1;
    let mut matching = Matching { jobs: jobs.into_iter().map(Some).collect(), taken: BTreeSet::new() };
    let present = || wanted.iter().filter(|wanted| wanted.ensure == Ensure::Present);
    for wanted in present() {
        matching.take(&wanted.address, |live| same_as_wanted(wanted, live));
    }
    for then in then {
        matching.take(&then.address, |live| same_as_applied(then, live));
    }
    for wanted in present() {
        let window = Window::of_desired(wanted);
        matching.take(&wanted.address, |live| Window::of_live(live).overlaps(window));
    }
    let left: Vec<&Address> = wanted
        .iter()
        .map(|wanted| &wanted.address)
        .chain(then.iter().map(|then| &then.address))
        .filter(|address| !matching.taken.contains(address))
        .collect();
    let distinct: BTreeSet<&Address> = left.into_iter().collect();
    if let (1, Some(only)) = (distinct.len(), distinct.first())
        && matching.left() == 1
    {
        matching.take(only, |_| true);
    }
    matching.name_the_rest(on, only);
}

struct Matching<'a> {
    jobs: Vec<Option<&'a mut Live>>,
    taken: BTreeSet<Address>,
}

impl Matching<'_> {
    /// Gives the first job that is left and fits an address that is free.
    fn take(&mut self, address: &Address, fits: impl Fn(&Live) -> bool) {
        if self.taken.contains(address) {
            return;
        }
        let fitting = self.jobs.iter_mut().find(|job| job.as_ref().is_some_and(|live| fits(live)));
        if let Some(live) = fitting.and_then(Option::take) {
            live.address = address.clone();
            self.taken.insert(address.clone());
        }
    }

    fn left(&self) -> usize {
        self.jobs.iter().flatten().count()
    }

    /// Nobody's jobs are called after their windows, and the only one of an aggregate after that.
    fn name_the_rest(&mut self, on: &QualifiedName, only: bool) {
        for live in self.jobs.iter_mut().filter_map(Option::take) {
            let end = |name: &str| live.get(name).map_or_else(|| "none".to_owned(), ToString::to_string);
            let window = format!("{} to {}", end("start_offset"), end("end_offset"));
            let mut name = if only { address(on, None) } else { address(on, Some(&window)) };
            if self.taken.contains(&name) {
                let number = live.fact("job_id").map_or_else(String::new, ToString::to_string);
                name = address(on, Some(&format!("{window}, job {number}")));
            }
            self.taken.insert(name.clone());
            live.address = name;
        }
    }
}

const ENDS: [&str; 2] = ["start_offset", "end_offset"];

fn same_as_wanted(wanted: &Desired, live: &Live) -> bool {
    ENDS.iter().all(|end| wanted.get(end) == live.get(end))
}

fn same_as_applied(then: &Applied, live: &Live) -> bool {
    ENDS.iter().all(|end| {
        let now = live.get(end).map(crate::core::Value::to_json).unwrap_or_default();
        then.attributes.get(*end).cloned().unwrap_or_default() == now
    })
}
