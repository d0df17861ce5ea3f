//! Several targets at once: each with a context and a session of its own, and nothing printed
//! before all have ended, so that no target's words stand between another's.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use crate::cli::context::Context;
use crate::cli::out;
use crate::diag::{Diagnostic, Exit, Failure, Severity, code};
use crate::plan::{Message, Target};
use crate::report::{Ending, Member};

/// How many targets are looked at at once where nothing is said: a target is one session, and most
/// of its time is spent waiting for its server.
const LOOKING: usize = 8;
/// What a thread may need: as much as the program's first.
const STACK: usize = 8 * 1024 * 1024;

/// A target, with what was read and what came of it.
pub struct One<T> {
    /// Its name.
    pub name: String,
    /// What it was read with; it holds what is still to be said.
    pub context: Context,
    /// What came of it.
    pub result: Result<T, Failure>,
}

impl<T> One<T> {
    /// The exit code that it asks for: its failure's, or else that of what was found.
    pub fn exit(&self, found: impl FnOnce(&T) -> Exit) -> Exit {
        match &self.result {
            Err(failure) => failure.exit(),
            Ok(value) => found(value),
        }
    }

    /// Its line of a report. What was found says how it is to be taken.
    pub fn member<'a, P>(&'a self, found: impl FnOnce(&'a T) -> (P, &'static str, Ending)) -> Member<P> {
        let name = self.name.clone();
        let (found, result, ending, messages) = match &self.result {
            Ok(value) => {
                let (found, result, ending) = found(value);
                (Some(found), result.to_owned(), ending, Vec::new())
            }
            Err(failure) => (None, failure_word(failure), Ending::Badly, failure.0.iter().map(Message::from).collect()),
        };
        Member { name, found, result, ending, messages }
    }
}

/// A failure in a word: the code of its first error.
pub fn failure_word(failure: &Failure) -> String {
    let first = failure.0.iter().find(|diagnostic| diagnostic.is_error());
    first.map_or_else(|| "failed".to_owned(), |diagnostic| diagnostic.code.name.to_owned())
}

/// Looks at every target; the results are in the order of the names.
///
/// # Errors
/// When the configuration cannot be used. What fails for one target is that one's result.
pub fn look<T: Send>(
    names: &[String],
    parallel: Option<NonZeroUsize>,
    context: &mut Context,
    work: impl Fn(&mut Context) -> Result<T, Failure> + Sync,
) -> Result<Vec<One<T>>, Failure> {
    let contexts = names.iter().map(|name| Ok((name.clone(), context.of_target(name)?)));
    let contexts = contexts.collect::<Result<Vec<_>, Failure>>()?;
    let one = |(name, mut context): (String, Context)| {
        let result = work(&mut context);
        One { name, context, result }
    };
    Ok(spread(contexts, parallel.map_or(LOOKING, NonZeroUsize::get), one))
}

/// Works through items on so many threads at once; the results are in the items' order.
pub fn spread<I: Send, O: Send>(items: Vec<I>, parallel: usize, work: impl Fn(I) -> O + Sync) -> Vec<O> {
    let threads = parallel.min(items.len());
    let queue = Mutex::new(items.into_iter().enumerate());
    let done: Mutex<Vec<(usize, O)>> = Mutex::new(Vec::new());
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let labour = || {
        while let Some((index, item)) = take() {
            let result = work(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // Where no further thread can be had, those that there are do the work.
            let _ = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, labour);
        }
        labour();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What is to be said of each target that is the same database as others: once a database, under its
/// first name.
pub fn same_database<'a>(
    found: impl Iterator<Item = (&'a str, &'a Target)>,
    severity: Severity,
) -> BTreeMap<String, Diagnostic> {
    let mut databases: BTreeMap<(&str, u32), (Vec<&'a str>, &Target)> = BTreeMap::new();
    for (name, target) in found {
        let key = (target.system_identifier.as_str(), target.database_oid);
        databases.entry(key).or_insert_with(|| (Vec::new(), target)).0.push(name);
    }
    let mut said = BTreeMap::new();
    for (names, target) in databases.into_values().filter(|(names, _)| names.len() > 1) {
        let diagnostic = Diagnostic { severity, ..one_database(&names, &target.database, &target.host) };
        said.extend(names.iter().map(|name| ((*name).to_owned(), diagnostic.clone())));
    }
    said
}

/// That some targets are one database.
pub fn one_database(names: &[&str], database: &str, host: &str) -> Diagnostic {
    let list = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    let message = format!("the targets {list} are one database, `{database}` on {host}");
    Diagnostic::warning(&code::SAME_DATABASE, message)
        .why("what one of them is given, the others have too, and each undoes what it wants otherwise")
        .help("give each target a `url` of its own, or take all but one out of `chronoform.yaml`")
}

/// Says of targets that they are one database, and gives what was said, by their names.
pub fn say_same_database<T>(
    found: &mut [One<T>],
    severity: Severity,
    target: impl Fn(&T) -> &Target,
) -> BTreeMap<String, Diagnostic> {
    let targets = found.iter().filter_map(|one| Some((one.name.as_str(), target(one.result.as_ref().ok()?))));
    let said = same_database(targets, severity);
    for one in found {
        one.context.diagnostics.extend(said.get(&one.name).cloned());
    }
    said
}

/// The exit code of several: the worst. What stopped part-way is worse than what did not begin for
/// an error, that worse than a refusal, and that worse than a difference.
pub fn worst(exits: impl Iterator<Item = Exit>) -> Exit {
    let rank = |exit: &Exit| match exit {
        Exit::Done => 0,
        Exit::Differences => 1,
        Exit::Refused => 2,
        Exit::Error => 3,
        Exit::Partial | Exit::Abort => 4,
    };
    exits.max_by_key(rank).unwrap_or(Exit::Done)
}

/// Says on standard error what is to be said of each target. What is the same of several, such as
/// an error in a policy, is said once.
pub fn say<T>(targets: &mut [One<T>]) {
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for target in targets {
        let mut diagnostics = std::mem::take(&mut target.context.diagnostics);
        diagnostics.extend(target.result.as_ref().err().map(|failure| failure.0.clone()).unwrap_or_default());
        let text = target.context.shown(&diagnostics);
        match said.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) => names.push(target.name.clone()),
            None => said.push((text, vec![target.name.clone()])),
        }
    }
    for (text, names) in said.iter().filter(|(text, _)| !text.is_empty()) {
        let noun = if names.len() == 1 { "target" } else { "targets" };
        out::eprint(&format!("{noun} {}:\n{text}", names.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn so_many_work_at_once_and_the_order_is_kept() {
        // Four that wait for each other end only where all four run at once.
        let (together, running, most) = (Barrier::new(4), AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |item: usize| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            together.wait();
            running.fetch_sub(1, Ordering::SeqCst);
            item * 2
        };
        assert_eq!(spread((0..8).collect(), 4, work), [0, 2, 4, 6, 8, 10, 12, 14]);
        assert_eq!(most.load(Ordering::SeqCst), 4);
        assert_eq!(spread(vec![1, 2, 3], 1, |item| item), [1, 2, 3]);
        assert!(spread(Vec::<u8>::new(), 8, |item| item).is_empty());
    }

    #[test]
    fn targets_of_one_database_are_noticed_whatever_they_are_reached_by() {
        let target = |host: &str, system_identifier: &str, database_oid| Target {
            host: host.to_owned(),
            port: 5432,
            database: "d".to_owned(),
            database_oid,
            system_identifier: system_identifier.to_owned(),
            server_version: "17.5".to_owned(),
            timescaledb: None,
            name: None,
        };
        let (a, b) = (target("a.example", "7", 5), target("127.0.0.1", "7", 5));
        let (c, d) = (target("a.example", "7", 6), target("a.example", "8", 5));
        let said = same_database([("a", &a), ("c", &c), ("d", &d), ("b", &b)].into_iter(), Severity::Error);
        assert_eq!(said.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert!(said["a"].is_error());
        assert_eq!(said["a"].message, "the targets `a` and `b` are one database, `d` on a.example");
        assert_eq!(said["a"], said["b"]);
    }

    #[test]
    fn the_worst_exit_counts() {
        let worst = |exits: &[Exit]| worst(exits.iter().copied());
        assert_eq!(worst(&[]), Exit::Done);
        assert_eq!(worst(&[Exit::Done, Exit::Differences]), Exit::Differences);
        assert_eq!(worst(&[Exit::Refused, Exit::Differences]), Exit::Refused);
        assert_eq!(worst(&[Exit::Refused, Exit::Error, Exit::Done]), Exit::Error);
        assert_eq!(worst(&[Exit::Error, Exit::Partial, Exit::Refused]), Exit::Partial);
    }
}
