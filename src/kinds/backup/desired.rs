//! The `backup` document.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::core::{Address, Desired, Interval, KindId, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::backup::schedule::Schedule;
use crate::kinds::backup::{
    BAD_SCHEDULE, ENGINE, ENGINE_CANNOT, EVERY, FULL, ID, INCREMENTAL, KEEP_FULL, KEEP_WAL, MAX_LAG, ON_SCHEDULE, PATH,
    PROGRAMS, RPO, RTO, STATE, WAL, WINDOW, work,
};
use crate::kinds::setting;

/// How the whole server is backed up: where to, when, for how long, and how it is proved that it can be
/// brought back. Times are in UTC.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// What makes the backups.
    #[serde(default)]
    pub engine: Engine,
    /// Where they are kept.
    #[schemars(example = &serde_json::json!({"path": "/var/backups/chronoform"}))]
    pub repository: Repository,
    /// When they are due.
    #[schemars(example = &serde_json::json!({"full": "0 1 * * 0"}))]
    pub schedule: Times,
    /// How WAL is archived, without which a server can only be brought back to the end of a backup.
    #[serde(default)]
    pub wal: Wal,
    /// What is kept.
    #[serde(default)]
    pub keep: Keep,
    /// How backups are proved.
    #[serde(default)]
    pub verify: Verify,
    /// What they must be good for. A drill measures it.
    #[serde(default)]
    pub objectives: Objectives,
    /// Encryption of the repository: nothing that the native engine does.
    pub encryption: Option<Encryption>,
    /// The folder with PostgreSQL's programs of the server's version. Without it they are looked for in
    /// PATH and where packages put them.
    #[schemars(example = &"/usr/lib/postgresql/17/bin")]
    pub programs: Option<String>,
}

/// What makes the backups.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("default" = "native"))]
pub enum Engine {
    /// PostgreSQL's own programs: pg_basebackup, pg_verifybackup, pg_combinebackup.
    #[default]
    Native,
}

/// Where backups are kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// A folder by its absolute path. The server's own user must be able to write to it, since the server
    /// puts its WAL there, and so must whoever runs Chronoform.
    #[schemars(example = &"/var/backups/chronoform")]
    pub path: Option<String>,
    /// A bucket: nothing that the native engine does.
    #[schemars(extend("examples" = [{"bucket": "backups"}]))]
    pub s3: Option<Map<String, Json>>,
}

/// When backups are due, in cron's five fields, in UTC.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// A backup of everything.
    #[schemars(example = &"0 1 * * 0")]
    pub full: String,
    /// A backup of what has changed since the last one; needs PostgreSQL 17.
    #[schemars(example = &"0 1 * * 1-6")]
    pub incremental: Option<String>,
}

/// How WAL is archived.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wal {
    /// Whether it is.
    #[serde(default = "yes")]
    pub archive: bool,
    /// After how long at the latest what was committed is in the repository.
    #[schemars(extend("default" = "5 minutes"), example = &"1 minute")]
    pub max_lag: Option<String>,
    /// How the server calls Chronoform: the program's absolute path, or its name where that is in the
    /// PATH of the server.
    #[schemars(extend("default" = "chronoform"), example = &"/usr/local/bin/chronoform")]
    pub program: Option<String>,
}

fn yes() -> bool {
    true
}

impl Default for Wal {
    fn default() -> Self {
        Self { archive: true, max_lag: None, program: None }
    }
}

/// What is kept. A backup goes only when a later full one has been verified.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// How many full backups at the least, each with the incremental ones after it.
    #[schemars(range(min = 1, max = 10000), extend("default" = 2), example = &4)]
    pub full: Option<i64>,
    /// To how far back in time the server can be brought, to any moment.
    #[schemars(example = &"14 days")]
    pub wal: Option<String>,
}

/// How backups are proved.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// `every backup`: each is read back and compared with its manifest before it counts as made. An
    /// interval: beside that, everything in the repository is read again so often.
    #[schemars(extend("default" = "every backup"), example = &"7 days")]
    pub checksums: Option<String>,
    /// How often the server is brought back aside, started and looked at.
    #[schemars(example = &"7 days")]
    pub restore_drill: Option<String>,
}

/// What backups must be good for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Objectives {
    /// How much of what was committed last may be lost.
    #[schemars(example = &"5 minutes")]
    pub rpo: Option<String>,
    /// How long it may take to bring the server back.
    #[schemars(example = &"15 minutes")]
    pub rto: Option<String>,
    /// How long a backup may take.
    #[schemars(example = &"30 minutes")]
    pub window: Option<String>,
}

/// Encryption of a repository.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// The cipher.
    #[schemars(example = &"aes-256")]
    #[expect(dead_code, reason = "what an engine that encrypts would read")]
    pub cipher: String,
    /// Where the key is from.
    #[schemars(example = &"${env.BACKUP_KEY}")]
    #[expect(dead_code, reason = "what an engine that encrypts would read")]
    pub key: Option<Json>,
}

const KEYS: [&str; 9] =
    ["engine", "repository", "schedule", "wal", "keep", "verify", "objectives", "encryption", "programs"];

/// The resources of a document: its work, and the settings that the work needs.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let own = input.own(&KEYS);
    let section = SectionInput { value: &own, ..*input };
    let Some(raw) = section.read::<Backup>(sink) else { return Vec::new() };
    let before = sink.len();
    let made = Maker { input, raw: &raw }.make(sink);
    if sink.iter().skip(before).any(Diagnostic::is_error) { Vec::new() } else { made }
}

/// How long WAL may take, where nobody says.
const MAX_LAG_DEFAULT: &str = "5 minutes";
const KEEP_FULL_DEFAULT: i64 = 2;

struct Maker<'a> {
    input: &'a SectionInput<'a>,
    raw: &'a Backup,
}

impl Maker<'_> {
    fn make(&self, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
        self.refuse(sink);
        let (input, raw) = (self.input, self.raw);
        let Some(path) = self.folder(raw.repository.path.as_deref(), "/repository/path", sink) else {
            return Vec::new();
        };
        let max_lag = raw.wal.max_lag.as_deref().unwrap_or(MAX_LAG_DEFAULT);
        let Some(max_lag) = input.interval(max_lag, "/wal/max_lag", sink) else { return Vec::new() };
        let mut backup = self.work(work::BACKUP, &path, sink);
        for (name, text) in [(FULL, Some(&raw.schedule.full)), (INCREMENTAL, raw.schedule.incremental.as_ref())] {
            let Some(text) = text else { continue };
            let below = format!("/schedule/{name}");
            match Schedule::read(text) {
                Ok(_) => input.set(&mut backup, name, &below, Value::text(text)),
                Err(why) => sink.push(
                    Diagnostic::error(&BAD_SCHEDULE, format!("`{text}` is no schedule: {why}"))
                        .at(input.place(&below))
                        .help("write cron's five fields: `0 1 * * 0` is each Sunday at 01:00 UTC"),
                ),
            }
        }
        backup.set(WAL, raw.wal.archive);
        backup.set(MAX_LAG, Value::Interval(max_lag));
        self.interval(&mut backup, WINDOW, raw.objectives.window.as_deref(), "/objectives/window", sink);
        let mut made = vec![backup];
        made.extend(self.verify(&path, sink));
        made.push(self.drill(&path, max_lag, sink));
        made.push(self.expire(&path, sink));
        made.extend(self.settings(&path, max_lag, sink));
        made
    }

    /// What the engine does not do.
    fn refuse(&self, sink: &mut Vec<Diagnostic>) {
        let mut cannot = |below: &str, what: &str| {
            sink.push(
                Diagnostic::error(&ENGINE_CANNOT, format!("the native engine does not {what}"))
                    .at(self.input.place(below))
                    .why(
                        "it stores what PostgreSQL's own programs write, in a folder, and invents no format of its own",
                    )
                    .help("pgBackRest does: run it beside Chronoform, or keep the folder on an encrypted file system"),
            );
        };
        if self.raw.encryption.is_some() {
            cannot("/encryption", "encrypt");
        }
        if self.raw.repository.s3.is_some() {
            cannot("/repository/s3", "write to S3");
        }
    }

    /// A folder that other programs are told of.
    fn folder(&self, path: Option<&str>, below: &str, sink: &mut Vec<Diagnostic>) -> Option<String> {
        let Some(path) = path else {
            if self.raw.repository.s3.is_none() {
                let error = Diagnostic::error(&code::MISSING_KEY, "a repository needs its `path`");
                sink.push(error.at(self.input.place("/repository")));
            }
            return None;
        };
        // The server hands it to a shell, and replaces what begins with `%` itself.
        let is_plain = !path.contains(['\'', '%', '\\']) && !path.chars().any(char::is_control);
        if std::path::Path::new(path).is_absolute() && is_plain {
            return Some(path.trim_end_matches('/').to_owned())
                .filter(|path| !path.is_empty())
                .or(Some("/".to_owned()));
        }
        let (message, why) = match is_plain {
            true => (format!("`{path}` is no absolute path"), "a relative one would be another folder for the server"),
            false => (
                format!("`{path}` cannot be handed to the server's shell"),
                "quotes, backslashes, percent signs and control characters mean something else there",
            ),
        };
        let error = Diagnostic::error(&code::WRONG_VALUE, message).at(self.input.place(below)).why(why);
        sink.push(error.help("write a whole path of letters, digits, spaces and `/`, such as `/var/backups/main`"));
        None
    }

    fn work(&self, name: &str, path: &str, sink: &mut Vec<Diagnostic>) -> Desired {
        let container = Some(self.input.head.name.clone());
        let address = Address { kind: ID, schema: container, name: name.to_owned() };
        let mut desired = self.input.desired(address, None);
        let engine = match self.raw.engine {
            Engine::Native => "native",
        };
        self.input.set(&mut desired, ENGINE, "/engine", Value::text(engine));
        self.input.set(&mut desired, PATH, "/repository/path", Value::text(path));
        if let Some(programs) = self.raw.programs.as_deref()
            && let Some(programs) = self.folder(Some(programs), "/programs", sink)
        {
            self.input.set(&mut desired, PROGRAMS, "/programs", Value::text(programs));
        }
        desired.set(STATE, Value::text(ON_SCHEDULE));
        desired
    }

    fn interval(&self, desired: &mut Desired, name: &str, text: Option<&str>, below: &str, sink: &mut Vec<Diagnostic>) {
        if let Some(interval) = text.and_then(|text| self.input.interval(text, below, sink)) {
            self.input.set(desired, name, below, Value::Interval(interval));
        }
    }

    fn verify(&self, path: &str, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        let text = self.raw.verify.checksums.as_deref().filter(|text| *text != "every backup")?;
        let mut desired = self.work(work::VERIFY, path, sink);
        self.interval(&mut desired, EVERY, Some(text), "/verify/checksums", sink);
        Some(desired)
    }

    /// One that nobody says how often to make is never due, and can be asked for.
    fn drill(&self, path: &str, max_lag: Interval, sink: &mut Vec<Diagnostic>) -> Desired {
        let (raw, below) = (self.raw, "/verify/restore_drill");
        let mut desired = self.work(work::DRILL, path, sink);
        self.interval(&mut desired, EVERY, raw.verify.restore_drill.as_deref(), below, sink);
        self.interval(&mut desired, RPO, raw.objectives.rpo.as_deref(), "/objectives/rpo", sink);
        self.interval(&mut desired, RTO, raw.objectives.rto.as_deref(), "/objectives/rto", sink);
        desired.set(WAL, raw.wal.archive);
        desired.set(MAX_LAG, Value::Interval(max_lag));
        if let (true, Some(Value::Interval(rpo))) = (raw.wal.archive, desired.get(RPO))
            && rpo.approximate_micros() < max_lag.approximate_micros()
        {
            let message = format!("WAL may take {max_lag} to be archived, and no more than {rpo} may be lost");
            sink.push(
                Diagnostic::error(&code::POLICY_CONFLICT, message)
                    .at(self.input.place("/objectives/rpo"))
                    .and_at(self.input.place("/wal/max_lag"), "how long WAL may take")
                    .help("write a `max_lag` that is no longer than the `rpo`"),
            );
        }
        desired
    }

    fn expire(&self, path: &str, sink: &mut Vec<Diagnostic>) -> Desired {
        let mut desired = self.work(work::EXPIRE, path, sink);
        desired.set(KEEP_FULL, Value::Int(self.raw.keep.full.unwrap_or(KEEP_FULL_DEFAULT)));
        self.interval(&mut desired, KEEP_WAL, self.raw.keep.wal.as_deref(), "/keep/wal", sink);
        desired
    }

    /// What the server must be set to.
    fn settings(&self, path: &str, max_lag: Interval, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
        let mut made = vec![
            self.setting("wal_level", "replica", Some(setting::AT_LEAST)),
            self.setting("max_wal_senders", "2", Some(setting::AT_LEAST)),
        ];
        if self.raw.schedule.incremental.is_some() {
            let mut summaries = self.setting("summarize_wal", "on", None);
            // That the server is too old for it, the backup itself says.
            summaries.skip_missing = true;
            made.push(summaries);
        }
        if !self.raw.wal.archive {
            return made;
        }
        let program = self.raw.wal.program.as_deref().unwrap_or("chronoform");
        if program.contains(['\'', '%', '\\']) || program.chars().any(char::is_control) || program.is_empty() {
            let message = format!("`{program}` cannot be handed to the server's shell");
            sink.push(Diagnostic::error(&code::WRONG_VALUE, message).at(self.input.place("/wal/program")));
            return made;
        }
        let command = format!("'{program}' backup push-wal --to '{path}' '%p'");
        // The server counts it in whole seconds.
        let seconds = (max_lag.approximate_micros() / 1_000_000).clamp(1, 1_073_741_823);
        made.extend([
            self.setting("archive_mode", "on", None),
            self.setting("archive_command", &command, None),
            self.setting("archive_timeout", &format!("{seconds}s"), Some(setting::AT_MOST)),
        ]);
        made
    }

    fn setting(&self, name: &str, value: &str, bound: Option<&str>) -> Desired {
        let address =
            Address { kind: KindId::new("setting"), schema: Some("server".to_owned()), name: name.to_owned() };
        let mut desired = self.input.desired(address, None);
        desired.place = self.input.head.place.clone();
        desired.shared = true;
        desired.set("value", Value::text(value));
        if let Some(bound) = bound {
            desired.set(setting::BOUND, Value::text(bound));
        }
        desired
    }
}
