//! What a document says to pgBackRest.

use std::collections::BTreeMap;

use crate::core::{Address, Desired, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::backup::ENGINE_CANNOT;
use crate::kinds::backup::desired::{KEEP_FULL_DEFAULT, is_plain, told};
use crate::kinds::backup::document::{Backup, Cipher};
use crate::kinds::bucket::{self, S3};
use crate::kinds::repository;

/// What was chosen.
pub struct Chosen {
    /// The folder with its configuration.
    pub folder: String,
    /// The stanza.
    pub stanza: String,
    /// The program.
    pub program: String,
    /// What the configuration says, by the names that its template has for it.
    options: BTreeMap<String, Value>,
    /// Its options that are secrets, each with where it is from.
    secrets: BTreeMap<String, Value>,
}

impl Chosen {
    /// What the server calls to archive its WAL.
    pub fn archive_command(&self) -> String {
        let Self { folder, stanza, program, .. } = self;
        format!("'{program}' '--config={folder}/pgbackrest.conf' --stanza={stanza} archive-push '%p'")
    }

    /// Its configuration and its stanza, which `apply` makes.
    pub fn repository(&self, input: &SectionInput<'_>) -> Desired {
        let mut desired = input.desired(Address::global(repository::ID, &input.head.name), None);
        desired.place = input.head.place.clone();
        let mut place = self.options.clone();
        for (name, text) in [("folder", &self.folder), ("stanza", &self.stanza), ("program", &self.program)] {
            place.insert(name.to_owned(), Value::text(text));
        }
        input.set(&mut desired, repository::PLACE, "/repository", Value::Map(place));
        input.set(&mut desired, repository::SECRETS, "/repository", Value::Map(self.secrets.clone()));
        desired
    }
}

/// Reads what a document says.
pub fn choose(input: &SectionInput<'_>, raw: &Backup, sink: &mut Vec<Diagnostic>) -> Option<Chosen> {
    let before = sink.len();
    let own = raw.pgbackrest.clone().unwrap_or_default();
    let mut options = BTreeMap::new();
    let mut secrets = BTreeMap::new();
    let mut chooser = Chooser { input, sink, options: &mut options, secrets: &mut secrets };
    chooser.storage(raw);
    let name = own.stanza.as_deref().unwrap_or(&input.head.name);
    let below = if own.stanza.is_some() { "/pgbackrest/stanza" } else { "/name" };
    let stanza = chooser.stanza(name, below);
    let folder = own.folder.unwrap_or_else(|| format!("/var/lib/chronoform/{stanza}"));
    let folder = told(input, &folder, "/pgbackrest/folder", chooser.sink).unwrap_or_default();
    let program = own.program.unwrap_or_else(|| "pgbackrest".to_owned());
    if !is_plain(&program) || program.is_empty() {
        let message = format!("`{program}` cannot be handed to the server's shell");
        chooser.sink.push(Diagnostic::error(&code::WRONG_VALUE, message).at(input.place("/pgbackrest/program")));
    }
    chooser.encryption(raw, &folder);
    if !raw.wal.archive {
        chooser.sink.push(
            Diagnostic::error(&ENGINE_CANNOT, "pgBackRest makes no backups of a server that archives no WAL")
                .at(input.place("/wal/archive"))
                .help("take `archive: false` out, or write `engine: native`"),
        );
    }
    if raw.wal.program.is_some() {
        chooser.sink.push(
            Diagnostic::error(&code::POLICY_CONFLICT, "with pgBackRest, the server does not call Chronoform")
                .at(input.place("/wal/program"))
                .help("take `program` out; which pgBackRest it calls, `pgbackrest: {program: …}` says"),
        );
    }
    if let Some(seconds) = own.timeout.as_deref().and_then(|text| timeout(input, text, sink)) {
        options.insert("timeout".to_owned(), Value::Int(seconds));
    }
    options.insert("processes".to_owned(), Value::Int(own.processes.unwrap_or(1)));
    let keep = raw.keep.full.unwrap_or(KEEP_FULL_DEFAULT);
    options.insert("keep_full".to_owned(), Value::Int(keep));
    let window = raw.keep.wal.as_deref().and_then(|text| input.interval(text, "/keep/wal", &mut Vec::new()));
    if let Some(window) = window {
        // pgBackRest counts whole days, and knows no months.
        let days = window.longest_micros() / 86_400_000_000 + 1;
        options.insert("keep_days".to_owned(), Value::Int(i64::try_from(days).unwrap_or(9_999_999)));
    }
    let refused = sink.iter().skip(before).any(Diagnostic::is_error);
    (!refused).then_some(Chosen { folder, stanza, program, options, secrets })
}

/// How long, in whole seconds.
fn timeout(input: &SectionInput<'_>, text: &str, sink: &mut Vec<Diagnostic>) -> Option<i64> {
    let below = "/pgbackrest/timeout";
    let micros = input.interval(text, below, sink)?.approximate_micros();
    let seconds = i64::try_from(micros / 1_000_000).ok().filter(|seconds| (1..=3600).contains(seconds));
    if seconds.is_none() {
        let error = Diagnostic::error(&code::WRONG_VALUE, format!("`{text}` is no time to wait for an answer"));
        sink.push(error.at(input.place(below)).help("write one from `1 second` to `1 hour`"));
    }
    seconds
}

struct Chooser<'a> {
    input: &'a SectionInput<'a>,
    sink: &'a mut Vec<Diagnostic>,
    options: &'a mut BTreeMap<String, Value>,
    secrets: &'a mut BTreeMap<String, Value>,
}

impl Chooser<'_> {
    fn error(&mut self, code: &'static crate::diag::Code, below: &str, message: &str, help: &str) {
        self.sink.push(Diagnostic::error(code, message).at(self.input.place(below)).help(help));
    }

    fn stanza(&mut self, name: &str, below: &str) -> String {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(fits) {
            let message = format!("`{name}` is no name for a stanza");
            let help = "write one of letters, digits, `-` and `_`: `pgbackrest: {stanza: main}`";
            self.error(&code::WRONG_VALUE, below, &message, help);
        }
        name.to_owned()
    }

    fn set(&mut self, name: &str, text: Option<&str>, below: &str) {
        let Some(text) = text else { return };
        if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
            let message = format!("`{}` cannot be written into a configuration file", text.escape_debug());
            self.error(&code::WRONG_VALUE, below, &message, "write it without blanks around it, on one line");
        }
        self.options.insert(name.to_owned(), Value::text(text));
    }

    fn storage(&mut self, raw: &Backup) {
        match (&raw.repository.path, &raw.repository.s3) {
            (Some(path), None) => {
                if let Some(path) = told(self.input, path, "/repository/path", self.sink) {
                    self.options.insert("path".to_owned(), Value::text(path));
                }
            }
            (None, Some(s3)) => self.s3(s3),
            (Some(_), Some(_)) => {
                let help = "write one of them; where S3's is a folder, write `s3: {prefix: /folder}`";
                self.error(&code::POLICY_CONFLICT, "/repository", "a repository is in a folder or in S3", help);
            }
            (None, None) => {
                let help = "write `path: /var/backups/main`, or `s3: {bucket: …, endpoint: …, region: …}`";
                self.error(&code::MISSING_KEY, "/repository", "a repository needs its `path`, or `s3`", help);
            }
        }
    }

    fn s3(&mut self, s3: &S3) {
        for (name, text) in [("endpoint", &s3.endpoint), ("region", &s3.region)] {
            if text.is_none() {
                let help = "write both, as the bucket's own documentation has them";
                self.error(&code::MISSING_KEY, "/repository/s3", &format!("a bucket needs its `{name}`"), help);
            }
        }
        self.set("bucket", Some(&s3.bucket), "/repository/s3/bucket");
        self.set("endpoint", s3.endpoint.as_deref(), "/repository/s3/endpoint");
        self.set("region", s3.region.as_deref(), "/repository/s3/region");
        let prefix = s3.prefix.as_deref().unwrap_or("/");
        let prefix = if prefix.starts_with('/') { prefix.to_owned() } else { format!("/{prefix}") };
        self.set("path", Some(&prefix), "/repository/s3/prefix");
        self.set("ca_file", s3.ca_file.as_deref(), "/repository/s3/ca_file");
        self.options.insert("uri_style".to_owned(), Value::text(s3.uri_style.as_str()));
        self.options.insert("verify_tls".to_owned(), Value::Bool(s3.verify_tls));
        let place = "/repository/s3";
        self.secret(repository::S3_KEY, (s3.key.as_ref(), s3.key_file.as_ref()), place, "key");
        self.secret(repository::S3_SECRET, (s3.secret.as_ref(), s3.secret_file.as_ref()), place, "secret");
    }

    fn encryption(&mut self, raw: &Backup, folder: &str) {
        let Some(encryption) = &raw.encryption else { return };
        let cipher = match encryption.cipher {
            Cipher::Aes256 => "aes-256-cbc",
        };
        self.options.insert("cipher".to_owned(), Value::text(cipher));
        let from = (encryption.key.as_ref(), encryption.key_file.as_ref());
        self.secret(repository::CIPHER_PASS, from, "/encryption", "key");
        if let Some(path) = &raw.repository.path
            && std::path::Path::new(folder).starts_with(path)
        {
            let message = "the configuration, which has the key in it, would be in the repository that it is for";
            let help = "write another folder: `pgbackrest: {folder: /var/lib/chronoform/main}`";
            self.error(&code::POLICY_CONFLICT, "/pgbackrest/folder", message, help);
        }
    }

    /// Where a secret is from.
    fn secret(&mut self, option: &str, from: (Option<&String>, Option<&String>), below: &str, key: &str) {
        if let Some(reference) = bucket::secret(self.input, from, below, key, self.sink) {
            self.secrets.insert(option.to_owned(), Value::text(reference));
        }
    }
}
