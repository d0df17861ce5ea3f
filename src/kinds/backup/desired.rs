//! The `backup` document.

use crate::core::{Address, Desired, Interval, KindId, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::backup::document::{Backup, Engine};
use crate::kinds::backup::pgbackrest;
use crate::kinds::backup::schedule::Schedule;
use crate::kinds::backup::{
    BAD_SCHEDULE, ENGINE, ENGINE_CANNOT, EVERY, FULL, ID, INCREMENTAL, KEEP_FULL, KEEP_WAL, MAX_LAG, NATIVE,
    ON_SCHEDULE, PATH, PGBACKREST, PROGRAM, PROGRAMS, RPO, RTO, STANZA, STATE, WAL, WINDOW, work,
};
use crate::kinds::setting;

const KEYS: [&str; 10] =
    ["engine", "repository", "schedule", "wal", "keep", "verify", "objectives", "encryption", "programs", "pgbackrest"];

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
pub const KEEP_FULL_DEFAULT: i64 = 2;

struct Maker<'a> {
    input: &'a SectionInput<'a>,
    raw: &'a Backup,
}

/// Where backups go, and what makes them.
enum Place {
    Native(String),
    PgBackRest(pgbackrest::Chosen),
}

impl Maker<'_> {
    fn make(&self, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
        let (input, raw) = (self.input, self.raw);
        let Some(path) = self.place(sink) else { return Vec::new() };
        let max_lag = raw.wal.max_lag.as_deref().unwrap_or(MAX_LAG_DEFAULT);
        let Some(max_lag) = input.interval(max_lag, "/wal/max_lag", sink) else { return Vec::new() };
        if !raw.wal.archive && matches!(path, Place::Native(_)) {
            self.beyond_its_end(sink);
        }
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
        if let Place::PgBackRest(chosen) = &path {
            made.push(chosen.repository(input));
        }
        made
    }

    /// What only archived WAL can keep.
    fn beyond_its_end(&self, sink: &mut Vec<Diagnostic>) {
        let (keep, objectives) = (&self.raw.keep, &self.raw.objectives);
        let said = [("/keep/wal", keep.wal.is_some()), ("/objectives/rpo", objectives.rpo.is_some())];
        for (below, _) in said.into_iter().filter(|(_, is_said)| *is_said) {
            let message =
                "without archived WAL, a server is brought back to the end of a backup, and to no moment after it";
            sink.push(
                Diagnostic::warning(&code::POLICY_CONFLICT, message)
                    .at(self.input.place(below))
                    .and_at(self.input.place("/wal/archive"), "that none is archived")
                    .help("take it out, or have WAL archived: `wal: {archive: true}`"),
            );
        }
    }

    fn place(&self, sink: &mut Vec<Diagnostic>) -> Option<Place> {
        match self.raw.engine {
            Engine::Native => {
                self.refuse(sink);
                self.folder(self.raw.repository.path.as_deref(), "/repository/path", sink).map(Place::Native)
            }
            Engine::Pgbackrest => pgbackrest::choose(self.input, self.raw, sink).map(Place::PgBackRest),
        }
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
                    .help("write `engine: pgbackrest`, which does, or keep the folder on an encrypted file system"),
            );
        };
        if self.raw.encryption.is_some() {
            cannot("/encryption", "encrypt");
        }
        if self.raw.repository.s3.is_some() {
            cannot("/repository/s3", "write to S3");
        }
        if self.raw.pgbackrest.is_some() {
            sink.push(
                Diagnostic::error(&code::POLICY_CONFLICT, "`pgbackrest` is set, and the engine is the native one")
                    .at(self.input.place("/pgbackrest"))
                    .help("write `engine: pgbackrest`, or take it out"),
            );
        }
    }

    fn folder(&self, path: Option<&str>, below: &str, sink: &mut Vec<Diagnostic>) -> Option<String> {
        let Some(path) = path else {
            if self.raw.repository.s3.is_none() {
                let error = Diagnostic::error(&code::MISSING_KEY, "a repository needs its `path`");
                sink.push(error.at(self.input.place("/repository")));
            }
            return None;
        };
        told(self.input, path, below, sink)
    }

    fn work(&self, name: &str, place: &Place, sink: &mut Vec<Diagnostic>) -> Desired {
        let container = Some(self.input.head.name.clone());
        let address = Address { kind: ID, schema: container, name: name.to_owned() };
        let mut desired = self.input.desired(address, None);
        match place {
            Place::Native(path) => {
                self.input.set(&mut desired, ENGINE, "/engine", Value::text(NATIVE));
                self.input.set(&mut desired, PATH, "/repository/path", Value::text(path));
            }
            Place::PgBackRest(chosen) => {
                self.input.set(&mut desired, ENGINE, "/engine", Value::text(PGBACKREST));
                self.input.set(&mut desired, PATH, "/repository", Value::text(&chosen.folder));
                self.input.set(&mut desired, STANZA, "/pgbackrest", Value::text(&chosen.stanza));
                self.input.set(&mut desired, PROGRAM, "/pgbackrest", Value::text(&chosen.program));
            }
        }
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

    fn verify(&self, place: &Place, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        let text = self.raw.verify.checksums.as_deref().filter(|text| *text != "every backup")?;
        let mut desired = self.work(work::VERIFY, place, sink);
        self.interval(&mut desired, EVERY, Some(text), "/verify/checksums", sink);
        Some(desired)
    }

    /// One that nobody says how often to make is never due, and can be asked for.
    fn drill(&self, place: &Place, max_lag: Interval, sink: &mut Vec<Diagnostic>) -> Desired {
        let (raw, below) = (self.raw, "/verify/restore_drill");
        let mut desired = self.work(work::DRILL, place, sink);
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

    fn expire(&self, place: &Place, sink: &mut Vec<Diagnostic>) -> Desired {
        let mut desired = self.work(work::EXPIRE, place, sink);
        desired.set(KEEP_FULL, Value::Int(self.raw.keep.full.unwrap_or(KEEP_FULL_DEFAULT)));
        self.interval(&mut desired, KEEP_WAL, self.raw.keep.wal.as_deref(), "/keep/wal", sink);
        desired
    }

    /// What the server must be set to.
    fn settings(&self, place: &Place, max_lag: Interval, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
        let mut made = vec![self.setting("wal_level", "replica", Some(setting::AT_LEAST))];
        if let Place::Native(_) = place {
            made.push(self.setting("max_wal_senders", "2", Some(setting::AT_LEAST)));
            if self.raw.schedule.incremental.is_some() {
                let mut summaries = self.setting("summarize_wal", "on", None);
                // That the server is too old for it, the backup itself says.
                summaries.skip_missing = true;
                made.push(summaries);
            }
        }
        if !self.raw.wal.archive {
            // By one of them, the server keeps what it writes while a backup is made.
            made.push(self.setting("max_replication_slots", "1", Some(setting::AT_LEAST)));
            return made;
        }
        let command = match place {
            Place::PgBackRest(chosen) => chosen.archive_command(),
            Place::Native(path) => {
                let program = self.raw.wal.program.as_deref().unwrap_or("chronoform");
                if !is_plain(program) || program.is_empty() {
                    let message = format!("`{program}` cannot be handed to the server's shell");
                    sink.push(Diagnostic::error(&code::WRONG_VALUE, message).at(self.input.place("/wal/program")));
                    return made;
                }
                format!("'{program}' backup push-wal --to '{path}' '%p'")
            }
        };
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

/// A folder that other programs are told of.
pub fn told(input: &SectionInput<'_>, path: &str, below: &str, sink: &mut Vec<Diagnostic>) -> Option<String> {
    // The server hands it to a shell, and replaces what begins with `%` itself.
    let is_plain = is_plain(path);
    if std::path::Path::new(path).is_absolute() && is_plain {
        return Some(path.trim_end_matches('/').to_owned()).filter(|path| !path.is_empty()).or(Some("/".to_owned()));
    }
    let (message, why) = match is_plain {
        true => (format!("`{path}` is no absolute path"), "a relative one would be another folder for the server"),
        false => (
            format!("`{path}` cannot be handed to the server's shell"),
            "quotes, backslashes, percent signs and control characters mean something else there",
        ),
    };
    let error = Diagnostic::error(&code::WRONG_VALUE, message).at(input.place(below)).why(why);
    sink.push(error.help("write a whole path of letters, digits, spaces and `/`, such as `/var/backups/main`"));
    None
}

/// Whether the server can hand a text to a shell as it is.
pub fn is_plain(text: &str) -> bool {
    !text.contains(['\'', '%', '\\']) && !text.chars().any(char::is_control)
}
