//! The pages in `docs/`, run as a reader would run them: files are written, statements sent,
//! commands run and their output compared, and the steps of workflow files run in their order.
//!
//! A page says where it runs in its first comment: `<!-- tier: postgres, databases: 2 -->`. A comment
//! before a block says what it is: `file: PATH`, `sql: 1` (of which database; `everywhere`), `run` or
//! `run, exits 2`, `output` of the run before it (`…` stands for any text, or alone for any lines), or
//! `workflow: PATH`, possibly `, exits 2` of its last step. What is only to be looked at is `shown`.

mod page;
mod workflow;

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Failed, Trial};

use crate::cli::{Ran, Workplace};
use crate::servers::{Db, Servers, Tier};
use page::{Block, Page};

/// The trials of the pages that ask for this tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let mut trials = Vec::new();
    for path in pages() {
        let page = Page::read(&path);
        if page.tier.as_deref() != Some(tier.name()) {
            continue;
        }
        let servers = servers.clone();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        trials.push(Trial::test(format!("{tier}::docs::{stem}"), move || -> Result<(), Failed> {
            let databases = (0..page.databases).map(|_| servers.db(tier)).collect::<Result<Vec<_>, _>>()?;
            Reader::new(&databases).read(&page);
            Ok(())
        }));
    }
    trials
}

/// Every page.
pub fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut pages: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

/// Someone who does what a page says.
struct Reader<'a> {
    databases: &'a [Db],
    place: Workplace<'a>,
    last: Option<Ran>,
}

impl<'a> Reader<'a> {
    fn new(databases: &'a [Db]) -> Self {
        let reader = Self { databases, place: Workplace::new(&databases[0]), last: None };
        // What a pipeline would call and the tests cannot: it only says that it was called.
        std::fs::create_dir(reader.place.path().join(".bin")).unwrap();
        for name in ["gh", "glab"] {
            let text = format!(".bin/{name}.sh");
            reader.place.write(&text, "#!/bin/sh\nprintf '%s\\n' \"$0 $*\" >> .bin/called\n");
            crate::cli::executable(reader.place.path().join(text), &reader.place.path().join(".bin").join(name));
        }
        reader
    }

    fn read(mut self, page: &Page) {
        for block in &page.blocks {
            self.follow(block);
        }
    }

    fn follow(&mut self, block: &Block) {
        let at = format!("line {} of the page", block.line);
        let code = block.mark.exits;
        match block.mark.word.as_str() {
            "shown" => {}
            "file" => self.write(&block.mark.value, &block.text),
            "sql" => self.sql(&block.mark.value, &block.text),
            "run" => self.last = Some(self.sh(&block.text, &[]).expect_at(code, &at)),
            "output" => {
                let out = &self.last.as_ref().unwrap_or_else(|| panic!("{at}: nothing was run before it")).out;
                assert!(page::matches(&block.text, out), "{at}: the page says\n{}\nand it is\n{out}", block.text);
            }
            "workflow" => {
                self.write(&block.mark.value, &block.text);
                let steps = workflow::steps(&block.text);
                assert!(steps.iter().any(|step| step.script.contains("chronoform ")), "{at}: it runs nothing");
                for (index, step) in steps.iter().enumerate() {
                    let wanted = if index + 1 == steps.len() { code } else { 0 };
                    self.sh(&step.script, &step.environment).expect_at(wanted, &format!("{at}, step {index}"));
                }
            }
            other => panic!("{at}: `{other}` is no mark"),
        }
    }

    fn write(&self, path: &str, text: &str) {
        let path = Path::new(path);
        assert!(path.is_relative() && !path.components().any(|part| part.as_os_str() == ".."), "{}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(self.place.path().join(folder)).unwrap();
        }
        std::fs::write(self.place.path().join(path), text).unwrap();
    }

    fn sql(&self, which: &str, text: &str) {
        match which {
            "everywhere" => self.databases.iter().for_each(|db| db.run(text)),
            number => self.databases[number.parse::<usize>().unwrap_or(1) - 1].run(text),
        }
    }

    /// Runs a script as CI systems do, with what their environment holds.
    fn sh(&self, script: &str, environment: &[(String, String)]) -> Ran {
        let program = Path::new(env!("CARGO_BIN_EXE_chronoform"));
        let folder = program.parent().unwrap().display().to_string();
        let path = format!("{}:{folder}:{}", self.place.path().join(".bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.args(["-e", "-o", "pipefail", "-c", script]).current_dir(self.place.path());
        for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("PG") || n.starts_with("CHRONOFORM_")) {
            command.env_remove(name);
        }
        command.env("PATH", path).env("NO_COLOR", "1").env("GITHUB_STEP_SUMMARY", ".bin/summary");
        let urls = self.databases.iter().map(Db::url);
        for (name, url) in ["PRODUCTION_URL", "STAGING_URL"].iter().zip(urls.clone()) {
            command.env(name, url);
        }
        command.env("DATABASE_URL", urls.clone().next().unwrap());
        // A secret of the CI system stands in the environment already; the rest is of no matter here.
        for (name, value) in environment.iter().filter(|(_, value)| !value.contains("${{ secrets.")) {
            command.env(name, value);
        }
        Ran::of(&command.output().unwrap())
    }
}
