//! The flags, each with its one home here: help, completions and the manual come from it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use crate::cli::archive::ArchiveArgs;
pub use crate::cli::backup::BackupArgs;
use crate::cli::publish::Destination;
pub use crate::cli::run_args::RunArgs;
use crate::cli::run_args::waiting;
use crate::core::Hazard;

/// Policy-as-code for TimescaleDB and PostgreSQL: plan, apply and drift, with a ledger.
#[derive(Parser, Debug)]
#[command(name = "chronoform", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The command line of this process.
    ///
    /// # Errors
    /// What is wrong with it, or the help that it asks for.
    pub fn read() -> Result<Self, clap::Error> {
        Self::of(&command().try_get_matches().map_err(without_misleading_tips)?)
    }

    fn of(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        let mut cli = <Self as clap::FromArgMatches>::from_arg_matches(matches)?;
        // A global option is known to the command that it was given with.
        let mut innermost = matches;
        while let Some((_, within)) = innermost.subcommand() {
            innermost = within;
        }
        cli.global.url_is_given = innermost.value_source("url") == Some(clap::parser::ValueSource::CommandLine);
        Ok(cli)
    }
}

/// Another command has `--allow`: what begins alike is something else.
fn without_misleading_tips(mut error: clap::Error) -> clap::Error {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let is_allow = matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(it)) if it == "--allow");
    if error.kind() == ErrorKind::UnknownArgument && is_allow {
        error.remove(ContextKind::SuggestedArg);
        // It names that as well.
        error.remove(ContextKind::Usage);
        let tip = "hazards are allowed when the plan is applied: `chronoform apply --allow HAZARD`; a plan names them";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

const EXIT_CODES: &str = "Exit codes:
  0  done, or nothing to do
  1  an error; nothing was changed
  2  differences found (`drift` always, `plan` with --detailed-exitcode)
  3  refused: a hazard not allowed, a protected resource, a guardrail, a stale plan, the wrong database
  4  apply or run stopped part-way; the ledger says where
  200  only `backup fetch-wal`: WAL is there and cannot be given, and the server must not go on without it
With several targets, the worst of them: 4, then 1, 3, 2, 0.";

/// The whole command line, for completions and the manual.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// What every command takes.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The database: a URL or `key=value` text, as for psql. What it leaves open is filled in from the
    /// service that it or PGSERVICE names, then from PG* variables, then from ~/.pgpass. The URL of
    /// a --target counts before it.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub url: Option<String>,
    /// Whether the URL was given by name, and not found in the environment.
    #[arg(skip)]
    pub url_is_given: bool,
    /// The ledger's file; `.chronoform/ledger.db` where neither this nor chronoform.yaml names one.
    #[arg(long, global = true, env = "CHRONOFORM_LEDGER", value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// Let a ledger that belongs to another database hold this one as well.
    #[arg(long, global = true)]
    pub allow_new_database: bool,
    /// The target in chronoform.yaml to work on; where it has a URL, that one is used, and --url and
    /// DATABASE_URL are not. `plan`, `apply`, `drift` and `validate` take patterns (`'prod-*'`) and
    /// several, and work on all that match.
    #[arg(long = "target", global = true, value_name = "NAME")]
    pub targets: Vec<String>,
    /// Work on every target in chronoform.yaml.
    #[arg(long, global = true, conflicts_with = "targets")]
    pub all_targets: bool,
    /// A variable for `${var.NAME}` in policies; once for each, and before those of files.
    #[arg(long = "var", global = true, value_name = "NAME=VALUE", value_parser = pair)]
    pub vars: Vec<(String, String)>,
    /// A YAML file of variables, a line `NAME: value` for each; once for each file.
    #[arg(long = "var-file", global = true, value_name = "FILE")]
    pub var_files: Vec<PathBuf>,
    /// How to print the result.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Whether to colour text.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Only the totals.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Also the SQL, and what is in sync; three times (-vvv), also every statement that is sent, as a
    /// script for psql on standard error.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    if name.is_empty() { Err("the name is empty".to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}

/// The output formats.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a pull-request comment.
    Markdown,
    /// One self-contained page.
    Html,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit's XML, for test reports.
    Junit,
}

impl Format {
    /// The format of a word.
    pub fn read(word: &str) -> Option<Self> {
        Self::from_str(word, false).ok()
    }
}

/// Which drift counts.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Gate {
    /// All of it.
    #[default]
    Any,
    /// What an earlier report did not have.
    New,
}

/// When to colour.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Command {
    /// Whether it works on several targets at once.
    pub fn takes_several_targets(&self) -> bool {
        matches!(self, Self::Validate(_) | Self::Plan(_) | Self::Apply(_) | Self::Drift(_))
    }

    /// Whether its result has this format.
    pub fn has_format(&self, format: Format) -> bool {
        let collected = matches!(format, Format::Sarif | Format::Junit);
        !collected || matches!(self, Self::Validate(_) | Self::Plan(_) | Self::Drift(_))
    }
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Check policy files without a database: every error at once, each with its place.
    #[command(
        after_help = "Examples:\n  chronoform validate\n  chronoform validate policies/trades.yaml --format sarif --out policies.sarif"
    )]
    Validate(ValidateArgs),
    /// Show what would change, why, how risky it is, and with which SQL.
    #[command(
        after_help = "Examples:\n  chronoform plan\n  chronoform plan --out plan.json --detailed-exitcode\n  chronoform plan --target 'prod-*' --out plans"
    )]
    Plan(PlanArgs),
    /// Bring the database to its policies. Asks first.
    #[command(
        after_help = "Examples:\n  chronoform apply\n  chronoform apply --plan plan.json --auto-approve --allow builds_index"
    )]
    Apply(ApplyArgs),
    /// Do the work that is due by the policies. Asks first.
    #[command(
        after_help = "Examples:\n  chronoform run --dry-run\n  chronoform run maintenance --max-runtime 2h --auto-approve"
    )]
    Run(RunArgs),
    /// List, prove, look at and bring back what `run archive` has written.
    #[command(
        after_help = "Examples:\n  chronoform archive list\n  chronoform archive restore public.trades --from 2026-01-01 --to 2026-02-01"
    )]
    Archive(ArchiveArgs),
    /// List, make, prove, drill and restore backups of the whole server.
    #[command(
        after_help = "Examples:\n  chronoform backup list\n  chronoform backup restore --to /srv/restored --time 2026-11-26T09:30:00Z"
    )]
    Backup(BackupArgs),
    /// Compare the live database with what was last applied and with the policies.
    #[command(after_help = "Examples:\n  chronoform drift\n  chronoform drift --record --gate new --format json")]
    Drift(DriftArgs),
    /// Write policies for what is live, so that a plan has nothing to do.
    #[command(
        after_help = "Examples:\n  chronoform import --schema public --out policies\n  chronoform import --table 'public.md_*' --out policies --adopt\n  chronoform import --role 'app_*' --role public --out policies"
    )]
    Import(ImportArgs),
    /// Look into the record of what was done.
    #[command(after_help = "Examples:\n  chronoform ledger log --limit 5\n  chronoform ledger show 12")]
    Ledger(LedgerArgs),
    /// Print the JSON Schema of a kind of document, or of all.
    #[command(after_help = "Examples:\n  chronoform schema table\n  chronoform schema --out schemas")]
    Schema(SchemaArgs),
    /// Rewrite policy files in one layout, comments kept.
    #[command(after_help = "Examples:\n  chronoform fmt\n  chronoform fmt --check policies/trades.yaml")]
    Fmt(FmtArgs),
    /// Show the whole loop on an embedded TimescaleDB.
    #[command(after_help = "Examples:\n  chronoform demo\n  chronoform demo --keep --port 5433")]
    Demo(DemoArgs),
    /// Print a completion script for a shell.
    #[command(after_help = "Example:\n  chronoform completions bash")]
    Completions(CompletionsArgs),
    /// Print the manual page of the program or of a command.
    #[command(after_help = "Examples:\n  chronoform man plan\n  chronoform man --out man")]
    Man(ManArgs),
}

/// Policy files and folders.
#[derive(Args, Debug, Clone, Default)]
pub struct Paths {
    /// Policy files or folders; `policies` where none is given and chronoform.yaml names none.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// `validate`
#[derive(Args, Debug)]
pub struct ValidateArgs {
    /// Where the policies are.
    #[command(flatten)]
    pub paths: Paths,
    /// Write the report to a file instead; `FORMAT=FILE` writes one in that format besides. May be
    /// given several times.
    #[arg(long, value_name = "[FORMAT=]FILE")]
    pub out: Vec<Destination>,
}

/// `plan`
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// Where the policies are.
    #[command(flatten)]
    pub paths: Paths,
    /// Also write the plan as JSON, for `apply --plan`. With several targets it is a folder, and
    /// holds a file for each: NAME.json.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How many targets to work on at once; 8 where nothing is said.
    #[arg(long, value_name = "NUMBER")]
    pub parallel: Option<NonZeroUsize>,
    /// End with 2 where anything would change.
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// `apply`
#[derive(Args, Debug)]
pub struct ApplyArgs {
    /// Where the policies are.
    #[command(flatten)]
    pub paths: Paths,
    /// Apply exactly this plan, made by `plan --out`; with several targets the folder of their plans.
    #[arg(long, value_name = "FILE", conflicts_with = "paths")]
    pub plan: Option<PathBuf>,
    /// How many targets to change at once; one after another where nothing is said.
    #[arg(long, value_name = "NUMBER")]
    pub parallel: Option<NonZeroUsize>,
    /// With several targets: go on with the others when one fails or is refused.
    #[arg(long)]
    pub keep_going: bool,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
    /// Allow a hazard that the plan names: deletes_data, rewrites_table, blocks_writes, blocks_reads,
    /// builds_index, needs_restart or leaves_backups; once for each.
    #[arg(long, value_name = "HAZARD", value_parser = hazard)]
    pub allow: Vec<Hazard>,
    /// How long to wait for another apply to end, such as `2 minutes`; a number alone is seconds.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = waiting)]
    pub lock_timeout: Duration,
    /// How long an action may wait for locks that other sessions hold, such as `5 minutes`; a number alone
    /// is seconds. It tries for two seconds at a time, so that nobody queues behind it for longer.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = waiting)]
    pub patience: Duration,
}

pub(super) fn hazard(name: &str) -> Result<Hazard, String> {
    Hazard::read(name).ok_or_else(|| {
        let known: Vec<&str> = Hazard::ALL.iter().map(|hazard| hazard.as_str()).collect();
        format!("the hazards are {}", known.join(", "))
    })
}

/// `drift`
#[derive(Args, Debug)]
pub struct DriftArgs {
    /// Where the policies are.
    #[command(flatten)]
    pub paths: Paths,
    /// Which drift ends with 2: any, or only what an earlier report did not have. That is the one in
    /// --baseline, or the last that --record wrote.
    #[arg(long, value_enum, default_value_t = Gate::Any)]
    pub gate: Gate,
    /// The earlier report, as `drift --format json` wrote it.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Record what differs in the ledger, for a later `--gate new`. Name the same policies each time.
    #[arg(long)]
    pub record: bool,
    /// Write the report to a file instead; `FORMAT=FILE` writes one in that format besides. May be
    /// given several times.
    #[arg(long, value_name = "[FORMAT=]FILE")]
    pub out: Vec<Destination>,
    /// How many targets to look at at once; 8 where nothing is said.
    #[arg(long, value_name = "NUMBER")]
    pub parallel: Option<NonZeroUsize>,
}

/// `import`
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// Only the tables of this schema, by its exact name; once for each.
    #[arg(long = "schema", value_name = "SCHEMA")]
    pub schemas: Vec<String>,
    /// Only the tables that fit this pattern, such as `public.md_*` or `*.ticks`, and nothing that
    /// belongs to the whole database; once for each. Without a schema it is that of --schema, or
    /// `public`.
    #[arg(long = "table", value_name = "GLOB")]
    pub tables: Vec<String>,
    /// Also the roles that fit this pattern, such as `app_*`, each with its memberships, what it is
    /// granted in this database, and its settings; once for each. `public` is what everybody is granted.
    #[arg(long = "role", value_name = "GLOB")]
    pub roles: Vec<String>,
    /// Also the settings of the whole server: what ALTER SYSTEM set.
    #[arg(long)]
    pub server_settings: bool,
    /// The folder to write to, one file a table. Without it, all is printed as one text.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Also record what is written as managed, so that taking it out of a policy later removes it.
    #[arg(long, requires = "out")]
    pub adopt: bool,
    /// Write anew what an earlier import wrote, whatever was changed in it since.
    #[arg(long, requires = "out")]
    pub force: bool,
    /// With --adopt, how long to wait for an apply to end, such as `2 minutes`; a number alone is seconds.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = waiting)]
    pub lock_timeout: Duration,
}

/// `ledger`
#[derive(Args, Debug)]
pub struct LedgerArgs {
    /// What to look at.
    #[command(subcommand)]
    pub command: LedgerCommand,
}

/// What `ledger` can do.
#[derive(Subcommand, Debug)]
pub enum LedgerCommand {
    /// The runs, newest first.
    #[command(after_help = "Example:\n  chronoform ledger log --limit 100 --format json")]
    Log {
        /// How many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// One run with its steps and what it changed.
    #[command(after_help = "Example:\n  chronoform ledger show 12")]
    Show {
        /// The run's number; the newest where none is given.
        run: Option<i64>,
    },
    /// Check the hash chain and every row against it.
    #[command(after_help = "Example:\n  chronoform ledger verify")]
    Verify {
        /// A head that an earlier `verify` printed: it must still be in the chain. That shows that
        /// nothing up to it was cut off or written anew, which the file alone cannot show.
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
    /// Write the whole ledger as one file.
    #[command(after_help = "Example:\n  chronoform ledger export ledger.jsonl")]
    Export {
        /// The file; standard output where none is given.
        file: Option<PathBuf>,
    },
    /// Read an exported ledger into an empty one.
    #[command(after_help = "Example:\n  chronoform ledger import ledger.jsonl --ledger new.db")]
    Import {
        /// The file.
        file: PathBuf,
    },
}

/// `schema`
#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// A document or kind, such as `table` or `retention`; all documents where none is given.
    pub kind: Option<String>,
    /// Write every schema into this folder instead.
    #[arg(long, value_name = "DIR", conflicts_with = "kind")]
    pub out: Option<PathBuf>,
}

/// `fmt`
#[derive(Args, Debug)]
pub struct FmtArgs {
    /// Where the policies are.
    #[command(flatten)]
    pub paths: Paths,
    /// Change nothing; end with 1 where a file is not in the layout.
    #[arg(long)]
    pub check: bool,
}

/// `demo`
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Leave the server up, print its URL, and wait for Ctrl-C.
    #[arg(long)]
    pub keep: bool,
    /// The port for the embedded server; any free one where none is given.
    #[arg(long)]
    pub port: Option<u16>,
}

/// `completions`
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `man`
#[derive(Args, Debug)]
pub struct ManArgs {
    /// The command, as on the command line; the whole program where none is given.
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Write every page into this folder instead.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub out: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_given_is_told_from_one_that_is_around() {
        let given =
            |words: &[&str]| Cli::of(&command().try_get_matches_from(words).unwrap()).unwrap().global.url_is_given;
        assert!(given(&["chronoform", "demo", "--url", "postgres://h/d"]));
        assert!(given(&["chronoform", "--url", "postgres://h/d", "demo"]));
        assert!(!given(&["chronoform", "demo"]));
    }

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    /// Every command that is no group, with its whole name.
    fn leaves(command: &clap::Command, name: &str, into: &mut Vec<(String, clap::Command)>) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let name = format!("{name} {}", inner.get_name());
            into.push((name.clone(), inner.clone()));
            leaves(inner, &name, into);
        }
    }

    #[test]
    fn every_command_has_an_example_that_it_takes() {
        let mut all = Vec::new();
        leaves(&command(), "chronoform", &mut all);
        assert!(all.len() > 15);
        for (name, command) in all {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  chronoform")).collect();
            assert!(!examples.is_empty(), "{name} has no example");
            for example in examples {
                let line = format!("chronoform{example}");
                assert!(line.starts_with(&name), "{line} is no example of {name}");
                let words = line.split(' ').map(|word| word.trim_matches('\''));
                assert!(Cli::try_parse_from(words).is_ok(), "{line}");
            }
        }
    }

    #[test]
    fn the_help_names_every_hazard() {
        let help = command().find_subcommand("apply").unwrap().clone().render_long_help().to_string();
        assert!(Hazard::ALL.iter().all(|hazard| help.contains(hazard.as_str())), "{help}");
    }

    #[test]
    fn the_help_names_every_exit_code() {
        for (exit, about) in crate::diag::Exit::ALL {
            let first: Vec<&str> = about.split([':', ';', ',']).take(1).collect();
            assert!(EXIT_CODES.contains(&format!("{}  {}", exit as u8, first[0])), "{about}");
        }
    }

    #[test]
    fn a_hazard_that_is_allowed_too_early_is_answered_with_when_to_allow_it() {
        let error = command().try_get_matches_from(["chronoform", "plan", "--allow", "builds_index"]).unwrap_err();
        assert!(error.to_string().contains("--allow-new-database"), "{error}");
        let error = without_misleading_tips(error).to_string();
        assert!(!error.contains("--allow-new-database") && error.contains("chronoform apply --allow"), "{error}");
    }
}
