//! The codes that are not one kind's own. A kind declares its own beside its rules; a test over the
//! whole registry keeps every code unique.

/// How a process ends, as documented and tested.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Exit {
    /// 0: done, or nothing to do.
    Done = 0,
    /// 1: an error; nothing was changed.
    Error = 1,
    /// 2: differences found.
    Differences = 2,
    /// 3: refused.
    Refused = 3,
    /// 4: apply or run stopped part-way.
    Partial = 4,
    /// 200: what a server that recovers asked for is there and cannot be given; it stops recovering.
    Abort = 200,
}

impl Exit {
    /// Every code with what it means, for the manual.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Done, "done, or nothing to do"),
        (Self::Error, "an error; nothing was changed"),
        (Self::Differences, "differences found: `drift` always, `plan` with `--detailed-exitcode`"),
        (
            Self::Refused,
            "refused: a hazard not allowed, a protected resource, a guardrail, a stale plan, the wrong database",
        ),
        (Self::Partial, "apply or run stopped part-way; the ledger says where"),
        (
            Self::Abort,
            "only `backup fetch-wal`: WAL is there and cannot be given, and the server must not go on without it",
        ),
    ];
}

/// A kind of diagnostic.
#[derive(PartialEq, Eq, Debug)]
pub struct Code {
    /// Unique, kebab-case, stable.
    pub name: &'static str,
    /// What it is about, for the documentation.
    pub about: &'static str,
    /// How the process ends when it is an error.
    pub exit: Exit,
}

impl Code {
    /// A code whose errors end the process with [`Exit::Error`].
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about, exit: Exit::Error }
    }

    /// A code whose errors are refusals.
    pub const fn refusal(name: &'static str, about: &'static str) -> Self {
        Self { name, about, exit: Exit::Refused }
    }

    /// A code whose errors leave work part-done.
    pub const fn partial(name: &'static str, about: &'static str) -> Self {
        Self { name, about, exit: Exit::Partial }
    }
}

macro_rules! codes {
    ($($ident:ident = $make:ident($name:literal, $about:literal);)*) => {
        $(#[doc = $about] pub static $ident: Code = Code::$make($name, $about);)*
        /// Every code declared here.
        pub static SHARED: &[&Code] = &[$(&$ident),*];
    };
}

codes! {
    FILE_UNREADABLE = new("file-unreadable", "A policy file or folder cannot be read.");
    FILE_NOT_UTF8 = new("file-not-utf8", "A policy file is not UTF-8.");
    FILE_TOO_LARGE = new("file-too-large", "A policy file is larger than a policy can be.");
    NO_POLICIES = new("no-policies", "No policy file was found where one was looked for.");
    YAML_SYNTAX = new("yaml-syntax", "A file is not YAML.");
    YAML_BUDGET = new("yaml-budget", "A file nests, aliases or expands beyond what a policy needs.");
    UNKNOWN_KIND = new("unknown-kind", "A document's `kind:` is none that this version knows.");
    UNKNOWN_KEY = new("unknown-key", "A key that the document does not have.");
    MISSING_KEY = new("missing-key", "A key that the document must have.");
    DUPLICATE_KEY = new("duplicate-key", "A mapping that holds one key twice.");
    WRONG_TYPE = new("wrong-type", "A value of another type than the key takes.");
    WRONG_VALUE = new("wrong-value", "A value that the key does not take.");
    UNSET_VARIABLE = new("unset-variable", "A `${var.…}` or `${env.…}` that has no value.");
    ENV_IN_POLICY = new("env-in-policy", "A `${env.…}` whose value, which may be a secret, would be written down.");
    BASELINE_UNREADABLE = new("baseline-unreadable", "The earlier drift report cannot be read, or is none.");
    NOT_RECORDED = new("not-recorded", "What was seen is not recorded: a drift report, or what `archive verify` proved.");
    BAD_NAME = new("bad-name", "A name that PostgreSQL cannot have, or would cut.");
    BAD_INTERVAL = new("bad-interval", "A text that is no interval, or an interval that cannot be meant.");
    BAD_EXPRESSION = new("bad-expression", "An SQL expression that is not one closed expression, or that the server refuses.");
    DUPLICATE_DOCUMENT = new("duplicate-document", "Two documents describe the same object.");
    DUPLICATE_RESOURCE = new("duplicate-resource", "Two places describe the same resource.");
    CLASS_CONFLICT = new("class-conflict", "Two classes give one document different values for the same key.");
    CLASS_MATCHES_NOTHING = new("class-matches-nothing", "A class that no document matches.");
    GUARDRAIL_MATCHES_NOTHING = new("guardrail-matches-nothing", "A guardrail whose `match` no document matches.");
    BAD_GUARDRAIL = new("bad-guardrail", "A guardrail's expression that cannot be read, or whose names or types do not fit.");
    GUARDRAIL = refusal("guardrail", "A guardrail of the policies does not hold.");
    GUARDRAIL_UNKNOWN = refusal("guardrail-unknown", "Whether a guardrail holds cannot be told, which is not taken for fine.");
    POLICY_CONFLICT = new("policy-conflict", "Two parts of the policies work against each other.");
    BAD_CONFIG = new("bad-config", "`chronoform.yaml` or a command-line value cannot be used.");
    CONNECT_FAILED = new("connect-failed", "No connection to the server.");
    TLS_FAILED = new("tls-failed", "No TLS connection with the server, or none that can be trusted.");
    AUTHENTICATION_FAILED = new("authentication-failed", "The server refused the user or password.");
    CONNECTION_LOST = new("connection-lost", "The connection broke.");
    SERVER_ERROR = new("server-error", "The server refused a statement.");
    SERVER_TOO_OLD = new("server-too-old", "The server is older than Chronoform supports.");
    SERVER_READ_ONLY = new("server-read-only", "The server cannot be written to.");
    CATALOG_UNEXPECTED = new("catalog-unexpected", "The server's catalog is not as this version knows it.");
    NO_PRIVILEGE = new("no-privilege", "The role may not do it.");
    NO_SUCH_SCHEMA = new("no-such-schema", "A schema that the database does not have, or that is the server's own.");
    NOTHING_FOUND = new("nothing-found", "A choice of tables that nothing in the database fits.");
    FILE_EXISTS = new("file-exists", "A file that would be overwritten.");
    FILE_UNWRITABLE = new("file-unwritable", "A file or folder cannot be written.");
    UNKNOWN_TABLE = new("unknown-table", "A table that the database does not have.");
    UNKNOWN_COLUMN = new("unknown-column", "A column that the table does not have.");
    NOT_A_TABLE = new("not-a-table", "The relation is no table of the sort that the policy needs.");
    NEEDS_TIMESCALEDB = new("needs-timescaledb", "TimescaleDB is not installed in the database.");
    NEEDS_COMMUNITY = new("needs-community-edition", "The server runs the Apache edition of TimescaleDB.");
    NEEDS_NEWER_SERVER = new("needs-newer-server", "The server's version does not have what the policy asks for.");
    NEEDS_HYPERTABLE = new("needs-hypertable", "The table is no hypertable, and the policy does not make it one.");
    NO_INTEGER_NOW = new("no-integer-now", "A policy that needs the table's `integer_now`, or that cannot work beside it.");
    FILL_UNKEPT = new("fill-unkept", "Something that would be gone for a while, and with it that it is to be filled again.");
    NOW_FOREIGN = new("integer-now-foreign", "A function that is to tell the present of a table, and is not called: it is another role's code.");
    FOREIGN_OVERLOAD = refusal("foreign-overload", "A function of another role's could be run in the place of one of TimescaleDB's.");
    NOW_FAILS = new("integer-now-fails", "A function that is to tell the present of a table, and fails when it is called.");
    CANNOT_CHANGE = new("cannot-change", "The server cannot change this in place, nor can it be made anew without loss.");
    ORDER_CYCLE = new("order-cycle", "Changes of which each waits for another.");
    UNMANAGED = new("unmanaged", "Something on a managed table, or of a managed role, that no policy mentions.");
    ORPHANED = new("orphaned", "Chronoform applied it, and no policy file describes its table any more.");
    OTHER_POLICIES = new("other-policies", "Chronoform applied it from another policy file, which is not among those at hand.");
    RELEASED = new("released", "Chronoform applied it, its policy no longer mentions it, and nothing can remove it.");
    MOVED = new("moved", "What a `moved` block says is recorded, and the block can go.");
    PAUSE_UNKEPT = new("pause-unkept", "A job that somebody paused would be gone for a while, and its pause with it.");
    PROTECTED = refusal("protected", "The policy protects it, and the plan would delete from it.");
    HAZARD_NOT_ALLOWED = refusal("hazard-not-allowed", "The plan holds a hazard that was not allowed by name.");
    PLAN_STALE = refusal("plan-stale", "What the plan saw is no longer so.");
    PLAN_BLOCKED = refusal("plan-blocked", "The plan holds an action that cannot be done.");
    WRONG_DATABASE = refusal("wrong-database", "The plan or ledger belongs to another database.");
    SAME_DATABASE = refusal("same-database", "Two targets are one database.");
    NOT_CONFIRMED = refusal("not-confirmed", "The plan was not approved.");
    TRANSACTION_POOLING = refusal("transaction-pooling", "The connection goes through a pooler that gives each transaction another session.");
    LOCKED = refusal("locked", "Another apply holds the database's lock.");
    PLAN_UNREADABLE = new("plan-unreadable", "A plan file that this version cannot read.");
    LEDGER_UNREADABLE = new("ledger-unreadable", "The ledger cannot be opened, or is no ledger.");
    LEDGER_UNWRITABLE = new("ledger-unwritable", "The ledger cannot be written to.");
    LEDGER_FULL = new("ledger-full", "No space is left for the ledger.");
    LEDGER_LOCKED = new("ledger-locked", "Another process holds the ledger.");
    LEDGER_NEWER = new("ledger-newer", "The ledger was written by a newer version.");
    LEDGER_BROKEN = new("ledger-broken", "The ledger's hash chain does not hold.");
    LEDGER_NOT_EMPTY = new("ledger-not-empty", "An export can only be read into an empty ledger.");
    LEDGER_EXPORT = new("ledger-export", "An export of a ledger cannot be written, or is none.");
    LEDGER_OTHER_DATABASE = refusal("ledger-other-database", "The ledger belongs to another database.");
    STEP_FAILED = partial("step-failed", "A statement failed while applying.");
    STOPPED = partial("stopped-part-way", "Apply stopped after some statements were sent.");
    INTERRUPTED = partial("interrupted", "Apply was interrupted.");
    IN_DOUBT = partial("in-doubt", "The connection broke during a statement, which may or may not have happened.");
    MAX_RUNTIME = partial("max-runtime", "The time that a run may take is over, and there is more to do.");
    APPLY_FIRST = new("apply-first", "Operations go by definitions that differ from their policies.");
    NOT_CONVERGED = partial("not-converged", "Apply finished and something still differs.");
    OUTPUT_LOST = new("output-lost", "Standard output could not be written.");
    EMBEDDED_UNAVAILABLE = new("embedded-unavailable", "The embedded server cannot be started.");
    NOT_EMPTY = new("database-not-empty", "The demo was to play in a database that somebody uses.");
    INTERNAL = new("internal", "A defect of Chronoform itself.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shared_code_is_kebab_case() {
        for code in SHARED {
            assert!(
                code.name.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit()),
                "{}",
                code.name
            );
            assert!(code.about.ends_with('.'), "{}", code.name);
        }
    }
}
