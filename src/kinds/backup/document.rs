//! The `backup` document as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kinds::bucket::S3;

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
    /// Encryption of the repository: pgBackRest's, and nothing that the native engine does.
    pub encryption: Option<Encryption>,
    /// What only pgBackRest has.
    pub pgbackrest: Option<PgBackRest>,
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
    /// pgBackRest, on the server's own machine.
    Pgbackrest,
}

/// Where backups are kept.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// A folder by its absolute path. The server's own user must be able to write to it, since the server
    /// puts its WAL there, and so must whoever runs Chronoform.
    #[schemars(example = &"/var/backups/chronoform")]
    pub path: Option<String>,
    /// A bucket in S3, or what speaks its protocol: pgBackRest's, and nothing that the native engine does.
    #[schemars(example = &serde_json::json!({"bucket": "backups", "endpoint": "s3.eu-central-1.amazonaws.com", "region": "eu-central-1", "key": "${env.BACKUP_S3_KEY}", "secret": "${env.BACKUP_S3_SECRET}"}))]
    pub s3: Option<S3>,
}

/// What only pgBackRest has.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PgBackRest {
    /// A folder of the server's machine for its configuration, its locks, and what Chronoform keeps of
    /// drills, by its absolute path. A drill is done there, too.
    #[schemars(extend("default" = "/var/lib/chronoform/<name>"), example = &"/var/lib/chronoform/main")]
    pub folder: Option<String>,
    /// The stanza's name: letters, digits, `-` and `_`.
    #[schemars(extend("default" = "the document's name"), example = &"main")]
    pub stanza: Option<String>,
    /// The program's absolute path, or its name where that is in the PATH of Chronoform and of the server.
    #[schemars(extend("default" = "pgbackrest"), example = &"/usr/bin/pgbackrest")]
    pub program: Option<String>,
    /// For how long what does not answer, or answers that it cannot, is asked again before that is an error:
    /// a bucket's server, or one of pgBackRest's own processes. From `1 second` to `1 hour`.
    #[schemars(extend("default" = "1 minute"), example = &"30 seconds")]
    pub timeout: Option<String>,
    /// How many processes compress and transfer at once.
    #[schemars(range(min = 1, max = 999), extend("default" = 1), example = &4)]
    pub processes: Option<i64>,
}

/// When backups are due, in cron's five fields, in UTC.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// A backup of everything.
    #[schemars(example = &"0 1 * * 0")]
    pub full: String,
    /// A backup of what has changed since the last one; with the native engine it needs PostgreSQL 17.
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
    #[serde(default)]
    pub cipher: Cipher,
    /// The passphrase, out of the environment of whoever runs Chronoform. It is as good as the key: write a
    /// long one that nobody made up, and keep it where the repository is not.
    #[schemars(example = &"${env.BACKUP_KEY}")]
    pub key: Option<String>,
    /// A file whose first line is the passphrase.
    #[schemars(example = &"/run/secrets/backup_key")]
    pub key_file: Option<String>,
}

/// A cipher.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[schemars(extend("default" = "aes-256"))]
pub enum Cipher {
    /// AES with a key of 256 bits, in CBC mode.
    #[default]
    #[serde(rename = "aes-256")]
    Aes256,
}
