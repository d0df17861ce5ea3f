//! What is going on, while it goes on: a live line on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::out;
use crate::core::{Action, Step};
use crate::kinds::by_id;
use crate::pg::{Endpoint, Session};
use crate::report;

/// How often a server is asked how far a statement has come.
const POLL: Duration = Duration::from_millis(500);

/// The view of a run.
pub struct Progress {
    quiet: bool,
    /// The target's name before each line, where several are at work: then there is no live line.
    target: Option<String>,
    total: usize,
    bar: Option<ProgressBar>,
    /// Where a second session can ask how far a statement has come.
    watch: Option<Endpoint>,
    watcher: Option<Watcher>,
    /// What was said last of the action: who waits says so again and again.
    said: String,
}

/// A thread that asks; it ends when this is dropped.
struct Watcher {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // A watcher that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

impl Progress {
    /// A view of so many actions. `watch` is where a second session may be opened, if there may be one.
    pub fn new(total: usize, quiet: bool, watch: Option<Endpoint>) -> Self {
        Self { quiet, target: None, total, bar: None, watch, watcher: None, said: String::new() }
    }

    /// The same with a target's name before each line.
    #[must_use]
    pub fn of_target(self, name: &str) -> Self {
        Self { target: Some(name.to_owned()), watch: None, ..self }
    }

    fn line(&self, index: usize, action: &Action) -> String {
        let target = self.target.as_deref().map(|name| format!("{name} ")).unwrap_or_default();
        let address = action.address.told(action.on.as_ref());
        format!("[{target}{}/{}] {} {}", index + 1, self.total, action.op.as_str(), report::clean(&address))
    }

    /// An action begins.
    pub fn action(&mut self, index: usize, action: &Action) {
        self.said.clear();
        if self.quiet {
            return;
        }
        let line = self.line(index, action);
        if self.target.is_none() && io::stderr().is_terminal() {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg}") {
                bar.set_style(style);
            }
            bar.set_prefix(line);
            bar.enable_steady_tick(Duration::from_millis(100));
            self.bar = Some(bar);
        } else {
            out::eprint(&format!("{line}\n"));
        }
    }

    /// A step begins.
    pub fn step(&mut self, action: &Action, at: usize, step: &Step) {
        let first = step.sql.lines().next().unwrap_or_default();
        let Some(bar) = &self.bar else {
            // One of many that each may take long.
            if step.separate && !self.quiet {
                let text = report::clean(first);
                out::eprint(&format!("      step {}/{}: {text}\n", at + 1, action.steps.len()));
            }
            return;
        };
        bar.set_message(format!("step {}/{}: {}", at + 1, action.steps.len(), report::clean(first)));
        let query = by_id(&action.address.kind).and_then(|kind| kind.progress());
        if let (Some(query), Some(endpoint), false) = (query, &self.watch, step.transactional) {
            self.watcher = Some(watch(endpoint.clone(), query, bar.clone()));
        }
    }

    /// A step has ended.
    pub fn step_done(&mut self) {
        self.watcher = None;
    }

    /// Whether it is another text than the last one.
    fn is_news(&mut self, text: &str) -> bool {
        let is_news = self.said != text;
        if is_news {
            text.clone_into(&mut self.said);
        }
        is_news
    }

    /// Something waits.
    pub fn say(&mut self, text: &str) {
        if !self.is_news(text) {
            return;
        }
        match (&self.bar, &self.target, self.quiet) {
            (Some(bar), ..) => bar.set_message(text.to_owned()),
            (None, Some(target), false) => out::eprint(&format!("[{target}] {text}\n")),
            (None, None, false) => out::eprint(&format!("  {text}\n")),
            (None, _, true) => {}
        }
    }

    /// An action has ended.
    pub fn action_done(&mut self, action: &Action, index: usize, ended: &str, took: Duration) {
        self.watcher = None;
        let bar = self.bar.take();
        if let Some(bar) = &bar {
            bar.finish_and_clear();
        }
        if self.quiet {
            return;
        }
        let took = report::elapsed(took);
        let line = match bar.is_some() || self.target.is_some() {
            true => format!("{}: {ended} in {took}\n", self.line(index, action)),
            false => format!("      {ended} in {took}\n"),
        };
        out::eprint(&line);
    }
}

/// Asks the server on a session of its own. Where that cannot be had, the statement goes on unseen.
fn watch(endpoint: Endpoint, query: &'static str, bar: ProgressBar) -> Watcher {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        let Ok(mut session) = Session::connect(&endpoint) else { return };
        while !stopped.load(Ordering::SeqCst) {
            std::thread::sleep(POLL);
            let Ok(rows) = session.query_text(query) else { return };
            let Some(row) = rows.first() else { continue };
            let phase = row.maybe_text("phase").ok().flatten().unwrap_or("working");
            if let (Ok(done), Ok(total)) = (row.int("done"), row.int("total"))
                && total > 0
            {
                bar.set_message(format!("{phase}: {done} of {total} ({} %)", 100 * done / total));
            }
        }
    });
    Watcher { stop, thread: Some(thread) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_told_once() {
        let mut progress = Progress::new(1, false, None);
        let told = ["waits for 1", "waits for 1", "waits for 2", "waits for 2", "waits for 1"];
        assert_eq!(told.map(|text| progress.is_news(text)), [true, false, true, false, true]);
    }
}
