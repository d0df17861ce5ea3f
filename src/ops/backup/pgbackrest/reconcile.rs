//! The configuration and the stanza, as they are and as they are to be.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::apply::Interrupt;
use crate::core::{Desired, Live, Server, Task, Value, Version};
use crate::diag::{Diagnostic, Failure, code};
use crate::kinds::repository::{
    ANEW, BLOTTED, CODE, CONFIG, DATA_DIRECTORY, ELSEWHERE, FILE, HELP, KNOWN, MISSING, PLACE, PORT, PROBLEM, READY,
    S3_KEY, S3_SECRET, SECRETS, SOCKETS, STANZA, UNKNOWN, WANTED,
};
use crate::ops::backup::Trouble;
use crate::ops::backup::pgbackrest::command::{Said, run};
use crate::ops::backup::pgbackrest::setup::{Setup, Stanza};
use crate::ops::backup::state::{Owner, sync};
use crate::ops::secret;
use crate::render::Renderer;

/// The template of the configuration.
const TEMPLATE: &str = "repository/pgbackrest.conf";

/// What there is of a repository that a policy wants. `inside` is what the database told of its server.
///
/// # Errors
/// Only for a defect: a template that does not render.
pub fn look(server: &Server, desired: &Desired, inside: &Live) -> Result<Live, Failure> {
    let mut live = inside.clone();
    live.attributes = desired.attributes.clone();
    let Some(Value::Map(place)) = desired.get(PLACE) else { return Ok(live) };
    let Some(setup) = setup(place) else { return Ok(live) };
    let data = inside.fact(DATA_DIRECTORY).and_then(Value::as_text).map(PathBuf::from);
    if let Some(why) = elsewhere(data.as_deref(), &server.system_identifier) {
        live.set_fact(ELSEWHERE, Value::text(why));
        return Ok(live);
    }
    let wanted = render(place, inside)?;
    let secrets = Secrets::of(desired.get(SECRETS));
    live.set_fact(UNKNOWN, Value::texts(secrets.unknown()));
    let found = match read(&setup.config(), data.as_deref(), &secrets) {
        Ok(found) => found,
        Err(error) => {
            live.set_fact(ELSEWHERE, Value::text(format!("{}: {error}", setup.config().display())));
            return Ok(live);
        }
    };
    let same = found.as_deref() == Some(wanted.as_str());
    live.set(STANZA, Value::text(MISSING));
    if found.is_some() {
        match setup.stanza(&setup.config(), &server.system_identifier, server.version) {
            Ok(Stanza::Missing) => live.set_fact(KNOWN, setup.was_there(&wanted).is_some()),
            Ok(stanza) => set(&mut live, stanza, &secrets, &setup, &server.system_identifier, same),
            Err(trouble) => problem(&mut live, &secrets.named(trouble)),
        }
    }
    live.set(CONFIG, found.map_or(Value::Null, Value::text));
    live.set_fact(WANTED, Value::text(wanted));
    Ok(live)
}

fn set(live: &mut Live, stanza: Stanza, secrets: &Secrets, setup: &Setup, cluster: &str, same: bool) {
    match stanza {
        Stanza::Ready => live.set(STANZA, Value::text(READY)),
        Stanza::Missing => {}
        Stanza::Older(version) => live.set(STANZA, Value::text(version)),
        Stanza::Other(other) => {
            let why =
                format!("the stanza `{}` is of the cluster {other}, and this server's is {cluster}", setup.stanza);
            let help = "name another stanza, `pgbackrest: {stanza: …}`, or another repository".to_owned();
            problem(live, &Trouble::Refused { message: why, help });
        }
        // Written anew, it may be read.
        Stanza::Unreadable(_) if !same => {}
        Stanza::Unreadable(trouble) => problem(live, &secrets.named(trouble)),
    }
}

fn problem(live: &mut Live, trouble: &Trouble) {
    live.set_fact(PROBLEM, Value::text(trouble.to_string()));
    if let Some(code) = trouble.own_code() {
        live.set_fact(CODE, Value::text(code.name));
    }
    if let Some(help) = trouble.help() {
        live.set_fact(HELP, Value::text(help));
    }
}

/// What calls it, from what a policy says.
pub fn setup(place: &BTreeMap<String, Value>) -> Option<Setup> {
    let text = |name: &str| place.get(name).and_then(Value::as_text);
    Some(Setup {
        folder: PathBuf::from(text("folder")?),
        stanza: text("stanza")?.to_owned(),
        program: text("program")?.to_owned(),
    })
}

/// Why this is not the server's machine, or not for this user to look at.
fn elsewhere(data: Option<&Path>, cluster: &str) -> Option<String> {
    let Some(data) = data else {
        return Some(
            "the role may not see the server's `data_directory`, for which it needs `pg_read_all_settings`".to_owned(),
        );
    };
    let path = data.join("global/pg_control");
    let mut bytes = [0; 8];
    match File::open(&path).and_then(|mut file| file.read_exact(&mut bytes)) {
        Ok(()) if u64::from_ne_bytes(bytes).to_string() == cluster => None,
        Ok(()) => Some(format!("{} is another server's", data.display())),
        Err(error) => Some(format!("{}: {error}", path.display())),
    }
}

/// The text of the configuration, its secrets blotted out.
fn render(place: &BTreeMap<String, Value>, inside: &Live) -> Result<String, Failure> {
    let mut item = place.clone();
    let fact = |name: &str| inside.fact(name).and_then(Value::as_text);
    for name in [DATA_DIRECTORY, PORT] {
        item.insert(name.to_owned(), Value::text(fact(name).unwrap_or_default()));
    }
    // An abstract one is none that pgBackRest could go through.
    let sockets = fact(SOCKETS).unwrap_or_default().split(',').map(str::trim);
    if let Some(socket) = sockets.into_iter().find(|socket| socket.starts_with('/')) {
        item.insert("socket".to_owned(), Value::text(socket));
    }
    let context = BTreeMap::from([("item".to_owned(), Value::Map(item))]);
    let text = Renderer::new()
        .render(TEMPLATE, &context)
        .map_err(|error| Failure::from(Diagnostic::error(&code::INTERNAL, error.to_string())))?;
    Ok(text.unwrap_or_default())
}

/// The configuration's text with its secrets blotted out, and with a line on top where others than its owner
/// may read it; nothing where it is not there.
fn read(config: &Path, data: Option<&Path>, secrets: &Secrets) -> io::Result<Option<String>> {
    let (text, meta) = match fs::read_to_string(config).and_then(|text| Ok((text, fs::metadata(config)?))) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut lines = Vec::new();
    if meta.mode() & 0o077 != 0 {
        lines.push(format!("# its mode is {:04o}", meta.mode() & 0o7777));
    }
    if let Some(owner) = data.and_then(|data| fs::metadata(data).ok()).filter(|owner| owner.uid() != meta.uid()) {
        lines.push(format!("# it belongs to the user {}, and the server runs as {}", meta.uid(), owner.uid()));
    }
    lines.extend(text.lines().map(|line| secrets.blot(line)));
    Ok(Some(lines.join("\n")))
}

/// The secrets of a configuration, by pgBackRest's names of them.
struct Secrets(BTreeMap<String, (String, Option<String>)>);

/// How the names of options end that hold secrets, also those that no policy of ours sets.
const ENDS: [&str; 5] = ["-pass", "-key", "-key-secret", "-token", "-secret"];

impl Secrets {
    fn of(said: Option<&Value>) -> Self {
        let Some(Value::Map(said)) = said else { return Self(BTreeMap::new()) };
        let one = |(option, reference): (&String, &Value)| {
            let reference = reference.as_text().unwrap_or_default().to_owned();
            (option.clone(), (reference.clone(), secret::value(&reference)))
        };
        Self(said.iter().map(one).collect())
    }

    /// Where those are from that are not at hand.
    fn unknown(&self) -> Vec<String> {
        let unknown = self.0.values().filter(|(_, value)| value.is_none());
        unknown.map(|(reference, _)| format!("`{}`", reference.trim_start_matches(FILE))).collect()
    }

    /// The trouble with a storage, with where its key and its secret are from.
    fn named(&self, trouble: Trouble) -> Trouble {
        let Trouble::Storage { sort, message, .. } = trouble else { return trouble };
        let from = [S3_KEY, S3_SECRET].into_iter().filter_map(|option| self.0.get(option));
        let secrets = from.map(|(reference, _)| format!("`{}`", reference.trim_start_matches(FILE))).collect();
        Trouble::Storage { sort, message, secrets }
    }

    /// A line of a configuration without the secret in it.
    fn blot(&self, line: &str) -> String {
        let Some((name, found)) = line.split_once('=') else { return line.to_owned() };
        match self.0.get(name.trim()) {
            Some((_, Some(value))) if value != found.trim() => format!("{name}={BLOTTED} (another)"),
            Some(_) => format!("{name}={BLOTTED}"),
            None if ENDS.iter().any(|end| name.trim().ends_with(end)) => format!("{name}={BLOTTED}"),
            None => line.to_owned(),
        }
    }

    /// A blotted text with the secrets in it.
    fn fill(&self, text: &str) -> Result<String, Trouble> {
        let mut filled = String::new();
        for line in text.lines() {
            match line.split_once('=') {
                Some((name, BLOTTED)) => {
                    let value = self.0.get(name).and_then(|(_, value)| value.as_deref());
                    let Some(value) = value else {
                        return Err(Trouble::Refused {
                            message: format!("{} is not at hand", self.unknown().join(" and ")),
                            help: "set the variable, or make the file readable, for whoever runs Chronoform".to_owned(),
                        });
                    };
                    filled.push_str(&format!("{name}={value}\n"));
                }
                _ => filled.push_str(&format!("{line}\n")),
            }
        }
        Ok(filled)
    }
}

/// What a plan's work says.
struct Work<'a> {
    task: &'a Task,
    place: &'a BTreeMap<String, Value>,
    setup: Setup,
}

impl<'a> Work<'a> {
    fn read(task: &'a Task) -> Result<Self, Trouble> {
        let place = match task.arguments.get(PLACE) {
            Some(Value::Map(place)) => setup(place).map(|setup| (place, setup)),
            _ => None,
        };
        let Some((place, setup)) = place else {
            return Err(Trouble::Program("the plan's work has no repository".to_owned()));
        };
        Ok(Self { task, place, setup })
    }

    fn text(&self, name: &str) -> &'a str {
        self.task.arguments.get(name).and_then(Value::as_text).unwrap_or_default()
    }

    fn stanza(&self, config: &Path) -> Result<Stanza, Trouble> {
        let major =
            self.task.arguments.get("major").and_then(Value::as_int).and_then(|major| u32::try_from(major).ok());
        self.setup.stanza(config, self.text("cluster"), Version::new(major.unwrap_or(0), 0))
    }
}

/// Writes the configuration: aside, to the disk, and only then under its name.
///
/// # Errors
/// What kept it; then it is as it was.
pub fn configure(task: &Task) -> Result<(), Trouble> {
    let work = Work::read(task)?;
    let secrets = Secrets::of(task.arguments.get(SECRETS));
    let text = secrets.fill(work.text(CONFIG))?;
    let owner = Owner::of(Path::new(work.text(DATA_DIRECTORY)));
    if !work.place.contains_key("bucket")
        && let Some(path) = work.place.get("path").and_then(Value::as_text).map(Path::new)
    {
        owner.folder(path).map_err(|error| Trouble::file(path, error))?;
    }
    // A repository that another key was made for is left as it is, and so is what can still read it.
    let prove = |beside: &Path| match work.stanza(beside)? {
        Stanza::Unreadable(trouble) => Err(trouble),
        _ => Ok(()),
    };
    write(&work.setup, &text, owner, prove).map_err(|trouble| secrets.named(trouble))
}

/// Writes a configuration that is not there, where its machine is lost and another is to take its place: by
/// the policy alone, for a server that will be in a folder. Gives where it is.
///
/// # Errors
/// What kept it.
pub fn provide(desired: &Desired, to: &Path) -> Result<Option<PathBuf>, Trouble> {
    let Some(Value::Map(place)) = desired.get(PLACE) else { return Ok(None) };
    let Some(setup) = setup(place).filter(|setup| !setup.config().exists()) else { return Ok(None) };
    let mut inside = Live::new(desired.address.clone(), None);
    inside.set_fact(DATA_DIRECTORY, Value::text(to.display().to_string()));
    inside.set_fact(PORT, Value::text("5432"));
    let text = render(place, &inside).map_err(|failure| Trouble::Program(failure.to_string()))?;
    let text = Secrets::of(desired.get(SECRETS)).fill(&text)?;
    write(&setup, &text, Owner::of(to), |_| Ok(()))?;
    Ok(Some(setup.config()))
}

fn write(
    setup: &Setup,
    text: &str,
    owner: Owner,
    prove: impl FnOnce(&Path) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let folder = &setup.folder;
    for name in ["", "log", "run", "spool"] {
        let folder = folder.join(name);
        owner.folder(&folder).map_err(|error| Trouble::file(&folder, error))?;
    }
    owner.give(folder).map_err(|error| Trouble::file(folder, error))?;
    let config = setup.config();
    let beside = config.with_extension("partial");
    let written = (|| {
        if beside.exists() {
            fs::remove_file(&beside)?;
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&beside)?;
        owner.give(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    })();
    written.map_err(|error| Trouble::file(&beside, error))?;
    if let Err(trouble) = prove(&beside) {
        // What it holds is nothing that anybody needs.
        let _ = fs::remove_file(&beside);
        return Err(trouble);
    }
    let renamed = fs::rename(&beside, &config).and_then(|()| sync(folder));
    renamed.map_err(|error| Trouble::file(&config, error))
}

/// Makes the stanza, or brings it to the server's version.
///
/// # Errors
/// What pgBackRest says.
pub fn create(task: &Task, interrupt: &Interrupt) -> Result<(), Trouble> {
    let secrets = Secrets::of(task.arguments.get(SECRETS));
    create_stanza(task, interrupt).map_err(|trouble| secrets.named(trouble))
}

fn create_stanza(task: &Task, interrupt: &Interrupt) -> Result<(), Trouble> {
    let work = Work::read(task)?;
    let name = match work.stanza(&work.setup.config())? {
        Stanza::Ready => return work.setup.remember(),
        Stanza::Missing => match work.setup.lost().filter(|_| !work.task.arguments.contains_key(ANEW)) {
            Some(lost) => return Err(lost),
            None => "stanza-create",
        },
        Stanza::Older(_) => "stanza-upgrade",
        Stanza::Other(other) => {
            return Err(Trouble::Refused {
                message: format!("the stanza `{}` is of the cluster {other}", work.setup.stanza),
                help: "name another stanza, or another repository".to_owned(),
            });
        }
        Stanza::Unreadable(trouble) => return Err(trouble),
    };
    run(work.setup.command(name), Said::Errors, interrupt, &mut |_| {})?;
    work.setup.remember()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(value: Option<&str>) -> Secrets {
        let known = ("${env.K}".to_owned(), value.map(str::to_owned));
        Secrets(BTreeMap::from([("repo1-cipher-pass".to_owned(), known)]))
    }

    #[test]
    fn no_secret_is_read_out_of_a_configuration() {
        let known = secrets(Some("hunter2"));
        assert_eq!(known.blot("repo1-cipher-pass=hunter2"), "repo1-cipher-pass=***");
        assert_eq!(known.blot("repo1-cipher-pass=hunter3"), "repo1-cipher-pass=*** (another)");
        assert_eq!(secrets(None).blot("repo1-cipher-pass=hunter3"), "repo1-cipher-pass=***");
        for name in ["repo2-cipher-pass", "repo1-s3-key", "repo1-s3-key-secret", "repo1-s3-token", "repo1-gcs-key"] {
            assert_eq!(known.blot(&format!("{name}=hunter2")), format!("{name}=***"));
        }
        assert_eq!(known.blot("repo1-path=/r"), "repo1-path=/r");
    }

    #[test]
    fn a_secret_is_put_where_it_belongs_and_nowhere_else() {
        let text = "[global]\nrepo1-path=***x\nrepo1-cipher-pass=***";
        let filled = secrets(Some("hunter2")).fill(text).unwrap();
        assert_eq!(filled, "[global]\nrepo1-path=***x\nrepo1-cipher-pass=hunter2\n");
        assert!(secrets(None).fill(text).is_err());
        assert_eq!(secrets(None).unknown(), ["`${env.K}`"]);
    }

    #[test]
    fn the_configuration_says_what_the_policy_does() {
        let text = |name: &str, text: &str| (name.to_owned(), Value::text(text));
        let mut place = BTreeMap::from([
            text("path", "/r"),
            text("folder", "/f"),
            text("stanza", "main"),
            ("keep_full".to_owned(), Value::Int(4)),
            ("processes".to_owned(), Value::Int(1)),
        ]);
        let mut live = Live::new(crate::core::Address::global(crate::kinds::repository::ID, "main"), None);
        for (name, value) in [(DATA_DIRECTORY, "/d"), (PORT, "5433"), (SOCKETS, "@x, /run/postgresql, /tmp")] {
            live.set_fact(name, Value::text(value));
        }
        let rendered = render(&place, &live).unwrap();
        for line in
            ["repo1-path=/r", "repo1-retention-full=4", "[main]", "pg1-path=/d", "pg1-socket-path=/run/postgresql"]
        {
            assert!(rendered.lines().any(|found| found == line), "{line} is not in\n{rendered}");
        }
        assert!(!rendered.contains("s3") && !rendered.contains("cipher"), "{rendered}");
        place.extend([text("cipher", "aes-256-cbc"), text("bucket", "b"), text("endpoint", "e"), text("region", "r")]);
        place.extend([text("uri_style", "path"), ("verify_tls".to_owned(), Value::Bool(false))]);
        place.insert("keep_days".to_owned(), Value::Int(15));
        let rendered = render(&place, &live).unwrap();
        for line in [
            "repo1-type=s3",
            "repo1-s3-key=***",
            "repo1-s3-key-secret=***",
            "repo1-cipher-pass=***",
            "repo1-storage-verify-tls=n",
            "repo1-retention-full-type=time",
            "repo1-retention-full=15",
        ] {
            assert!(rendered.lines().any(|found| found == line), "{line} is not in\n{rendered}");
        }
        // A line of its own is what nothing can make.
        place.insert("bucket".to_owned(), Value::text("b\nrepo1-path=/x"));
        assert!(render(&place, &live).is_err());
    }
}
