//! Where to connect: a URL or `key=value` text, else libpq's own service file, `PG*` variables and
//! password file, in this order of rank.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::ChannelBinding;

use crate::diag::{Diagnostic, Failure, code};
use crate::pg::files::{self, PasswordFileError};
use crate::pg::parameters::{self, Origin, Parameters};
use crate::pg::place::{self, Place};
use crate::pg::tls::TlsSettings;

/// Where PostgreSQL's packages put a server's socket.
const SOCKETS: [&str; 3] = ["/var/run/postgresql", "/run/postgresql", "/tmp"];
/// A connection that nothing comes back on is found to be gone after about two minutes; the system's
/// own defaults take more than two hours.
const KEEPALIVE: (i64, i64, i64) = (60, 10, 6);
/// The same where something was sent and is not acknowledged, in milliseconds.
const UNACKNOWLEDGED: i64 = 120_000;

/// What the command line and the environment say about the connection.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// A URL (`postgres://…`) or a `key=value` text.
    pub url: Option<String>,
    /// A password from elsewhere, which wins over every other.
    pub password: Option<String>,
    /// `PG*` variables and `HOME`, by name.
    pub environment: BTreeMap<String, String>,
}

/// What the server that a session is with must be (`target_session_attrs`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

/// A resolved place to connect to. Its `Debug` never shows the password.
#[derive(Clone)]
pub struct Endpoint {
    pub(super) config: Config,
    pub(super) places: Vec<Place>,
    pub(super) wanted: Wanted,
    pub(super) shuffled: bool,
    pub(super) tls: Arc<TlsSettings>,
    /// The host, for people; the first one, where there are several.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The database's name as asked for.
    pub database: String,
    /// The role's name as asked for.
    pub user: String,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}:{}/{}", self.user, self.host, self.port, self.database)
    }
}

impl Endpoint {
    /// The variables by which PostgreSQL's own programs connect to the same place as the same role. One
    /// of them may be a password: they are for a program's environment, and for nothing that is shown.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![("PGUSER", self.user.clone()), ("PGDATABASE", self.database.clone())];
        if let Some(place) = self.places.first() {
            variables.extend(place.variables());
        }
        variables.extend(self.tls.variables());
        variables
    }

    /// The same with one place only: the one that a session is at, so that whoever speaks of that
    /// session speaks to the same server.
    pub(super) fn at(&self, place: &Place) -> Self {
        Self { places: vec![place.clone()], host: place.shown(), port: place.port, ..self.clone() }
    }
}

impl ConnectOptions {
    /// The options of a URL and this process's environment.
    pub fn from_environment(url: Option<String>) -> Self {
        // A variable that is not UTF-8 is none that libpq's names have use for.
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let environment = variables.filter(|(name, _)| name.starts_with("PG") || name == "HOME").collect();
        Self { url, password: None, environment }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn home(&self, file: &str) -> Option<PathBuf> {
        self.variable("HOME").map(|home| Path::new(home).join(file))
    }

    /// Works out where to connect.
    ///
    /// # Errors
    /// When the URL, the service or a variable cannot be understood or asks for what this program
    /// does not do. No value is repeated in the message where it may hold a password.
    pub fn resolve(&self) -> Result<Endpoint, Failure> {
        let mut said = self.url.as_deref().map(super::conninfo::parse).transpose()?.unwrap_or_default();
        self.fill_service(&mut said)?;
        for (parameter, variable) in parameters::variables() {
            if let Some(value) = self.variable(variable) {
                said.fill(parameter, value, Origin::Variable(variable));
            }
        }
        said.check()?;
        let user = match said.get("user") {
            Some(user) => user.to_owned(),
            None => whoami::username().map_err(|error| said.wrong("user", &format!("it is not given, and {error}")))?,
        };
        let database = said.get("dbname").unwrap_or(&user).to_owned();
        let mut places = place::read(&said, default_host())?;
        if let Some(password) = self.password.as_deref().or_else(|| said.get("password")) {
            for place in &mut places {
                place.password = Some(password.to_owned());
            }
        } else {
            self.look_up_passwords(&said, &mut places, &database, &user)?;
        }
        let first = places.first().ok_or_else(|| said.wrong("host", "it is empty"))?;
        let (host, port) = (first.shown(), first.port);
        let wanted = [
            ("any", Wanted::Any),
            ("read-write", Wanted::ReadWrite),
            ("read-only", Wanted::ReadOnly),
            ("primary", Wanted::Primary),
            ("standby", Wanted::Standby),
            ("prefer-standby", Wanted::PreferStandby),
        ];
        Ok(Endpoint {
            config: base(&said, &user, &database)?,
            places,
            wanted: said.word("target_session_attrs", &wanted, Wanted::Any)?,
            shuffled: said.word("load_balance_hosts", &[("disable", false), ("random", true)], false)?,
            tls: Arc::new(TlsSettings::read(&said, self.home(".postgresql"))?),
            host,
            port,
            database,
            user,
        })
    }

    /// The settings of the service that the text or else `PGSERVICE` names: they stand between the
    /// text and the variables.
    fn fill_service(&self, said: &mut Parameters) -> Result<(), Failure> {
        let Some(name) = said.get("service").or_else(|| self.variable("PGSERVICE")).map(str::to_owned) else {
            return Ok(());
        };
        let bad = |why: String| {
            let help = "`service` or PGSERVICE names a section of ~/.pg_service.conf, of the file in PGSERVICEFILE, \
                        or of pg_service.conf in PGSYSCONFDIR";
            Failure::from(
                Diagnostic::error(&code::BAD_CONFIG, format!("the service `{name}` cannot be used: {why}")).help(help),
            )
        };
        let named = said.get("servicefile").or_else(|| self.variable("PGSERVICEFILE")).map(PathBuf::from);
        if let Some(file) = named.as_ref().filter(|file| !file.is_file()) {
            return Err(bad(format!("there is no service file {}", file.display())));
        }
        let own = named.or_else(|| self.home(".pg_service.conf"));
        let system = PathBuf::from(self.variable("PGSYSCONFDIR").unwrap_or("/etc/postgresql-common"));
        for file in own.into_iter().chain([system.join("pg_service.conf")]) {
            let Some(settings) = files::service(&file, &name) else { continue };
            for (key, value) in settings {
                let known = parameters::known(&key).filter(|key| !key.starts_with("service"));
                let Some(key) = known else {
                    let near =
                        parameters::nearest(&key).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                    return Err(bad(format!("{} has no parameter `{key}` to set{near}", file.display())));
                };
                said.fill(key, &value, Origin::Service(name.clone()));
            }
            return Ok(());
        }
        Err(bad("no service file has a section of that name".to_owned()))
    }

    /// The password file's word for each place, where nobody else gave a password.
    fn look_up_passwords(
        &self,
        said: &Parameters,
        places: &mut [Place],
        database: &str,
        user: &str,
    ) -> Result<(), Failure> {
        let Some(file) = said.get("passfile").map(PathBuf::from).or_else(|| self.home(".pgpass")) else {
            return Ok(());
        };
        for place in places {
            // libpq looks a password for the default socket up under `localhost`.
            let host = if SOCKETS.contains(&place.name()) { "localhost" } else { place.name() };
            place.password = match files::password(&file, host, place.port, database, user) {
                Ok(password) => password,
                Err(PasswordFileError::OpenToOthers) => {
                    let message = format!("the password file {} cannot be used: others may read it", file.display());
                    let help = format!("`chmod 600 {}`", file.display());
                    return Err(Diagnostic::error(&code::BAD_CONFIG, message).help(help).into());
                }
            };
        }
        Ok(())
    }
}

fn default_host() -> &'static str {
    SOCKETS.into_iter().find(|folder| *folder != "/tmp" && Path::new(folder).is_dir()).unwrap_or("localhost")
}

/// What is the same at every place.
fn base(said: &Parameters, user: &str, database: &str) -> Result<Config, Failure> {
    let mut config = Config::new();
    config.user(user).dbname(database);
    let name = said.get("application_name").or_else(|| said.get("fallback_application_name"));
    config.application_name(name.unwrap_or("chronoform"));
    if let Some(options) = said.get("options") {
        config.options(options);
    }
    let bindings = [
        ("disable", ChannelBinding::Disable),
        ("prefer", ChannelBinding::Prefer),
        ("require", ChannelBinding::Require),
    ];
    config.channel_binding(said.word("channel_binding", &bindings, ChannelBinding::Prefer)?);
    // Zero and less mean no limit, as in libpq.
    let seconds = said.number("connect_timeout")?.unwrap_or(10);
    if let Some(seconds) = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0) {
        config.connect_timeout(Duration::from_secs(seconds));
    }
    let positive = |name: &str, default: i64| {
        let given = said.number(name)?.filter(|number| *number > 0);
        Ok::<u64, Failure>(given.unwrap_or(default).unsigned_abs())
    };
    config.keepalives(said.number("keepalives")? != Some(0));
    config.keepalives_idle(Duration::from_secs(positive("keepalives_idle", KEEPALIVE.0)?));
    config.keepalives_interval(Duration::from_secs(positive("keepalives_interval", KEEPALIVE.1)?));
    config.keepalives_retries(u32::try_from(positive("keepalives_count", KEEPALIVE.2)?).unwrap_or(u32::MAX));
    // Zero means the system's own limit, which is a quarter of an hour on Linux.
    let unacknowledged = said.number("tcp_user_timeout")?.unwrap_or(UNACKNOWLEDGED);
    if let Some(limit) = u64::try_from(unacknowledged).ok().filter(|limit| *limit > 0) {
        config.tcp_user_timeout(Duration::from_millis(limit));
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(url: Option<&str>, variables: &[(&str, &str)]) -> Result<Endpoint, Failure> {
        let environment = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        ConnectOptions { url: url.map(str::to_owned), password: None, environment }.resolve()
    }

    fn shown(url: Option<&str>, variables: &[(&str, &str)]) -> String {
        format!("{:?}", resolve(url, variables).unwrap())
    }

    fn password(endpoint: &Endpoint) -> Option<&str> {
        endpoint.places[0].password.as_deref()
    }

    #[test]
    fn a_url_wins_over_the_variables_and_they_fill_what_it_leaves_out() {
        let endpoint = resolve(Some("postgres://u@h:1/d"), &[("PGHOST", "x"), ("PGPASSWORD", "s3cret")]).unwrap();
        assert_eq!(format!("{endpoint:?}"), "u@h:1/d");
        assert_eq!(password(&endpoint), Some("s3cret"));
        assert_eq!(shown(None, &[("PGHOST", "h2"), ("PGPORT", "7"), ("PGUSER", "me")]), "me@h2:7/me");
        assert_eq!(shown(Some("host=a port=9 user=b dbname=c"), &[]), "b@a:9/c");
        assert_eq!(shown(Some("postgres://u@h/d"), &[("PGPORT", "7")]), "u@h:7/d");
        assert_eq!(shown(Some("postgres://u@h/d"), &[]), "u@h:5432/d");
    }

    #[test]
    fn a_service_stands_between_the_url_and_the_variables() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services");
        std::fs::write(&file, "[prod]\nhost=sh\nport=77\nuser=su\ndbname=sd\npassword=sp\n[odd]\nsslmod=x\n").unwrap();
        let file = file.to_str().unwrap();
        let variables = [("PGSERVICE", "prod"), ("PGSERVICEFILE", file), ("PGHOST", "vh"), ("PGUSER", "vu")];
        let endpoint = resolve(None, &variables).unwrap();
        assert_eq!(format!("{endpoint:?}"), "su@sh:77/sd");
        assert_eq!(password(&endpoint), Some("sp"));
        assert_eq!(shown(Some("user=u host=h dbname=d"), &variables), "u@h:77/d");
        assert_eq!(shown(Some("postgres://u@h/d"), &variables), "u@h:77/d");
        assert_eq!(
            shown(Some("service=prod user=me"), &[("PGSERVICE", "none"), ("PGSERVICEFILE", file)]),
            "me@sh:77/sd"
        );
        assert_eq!(shown(Some("postgres:///x?service=prod"), &[("PGSERVICEFILE", file)]), "su@sh:77/x");
        let wrong = resolve(None, &[("PGSERVICE", "other"), ("PGSERVICEFILE", file)]).unwrap_err();
        assert!(wrong.to_string().contains("no service file has a section"), "{wrong}");
        let wrong = resolve(None, &[("PGSERVICE", "odd"), ("PGSERVICEFILE", file)]).unwrap_err();
        assert!(wrong.to_string().contains("did you mean `sslmode`"), "{wrong}");
        assert!(resolve(None, &[("PGSERVICE", "prod"), ("PGSERVICEFILE", "/nowhere")]).is_err());
    }

    #[test]
    fn the_password_file_is_asked_last_and_for_each_host() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passwords");
        std::fs::write(&file, "h:1:d:u:from-file\ni:2:d:u:other\nlocalhost:1:d:u:socket\n/x:1:d:u:own\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let file = [("PGPASSFILE", file.to_str().unwrap())];
        let of = |url: &str| {
            let endpoint = resolve(Some(url), &file).unwrap();
            endpoint.places.iter().map(|place| place.password.clone().unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(of("postgres://u@h:1/d"), ["from-file"]);
        assert_eq!(of("postgres://u:own@h:1/d"), ["own"]);
        assert_eq!(of("postgres://u@h:1,i:2,j:3/d"), ["from-file", "other", ""]);
        assert_eq!(of("user=u host=/run/postgresql,/x port=1 dbname=d"), ["socket", "own"]);
    }

    #[test]
    fn what_is_wrong_is_refused_by_name_and_never_repeated() {
        for (url, variables, name) in [
            ("postgres://u:s3cret@h:notaport/d", &[][..], "port"),
            ("postgres://h", &[("PGPORT", "x")], "PGPORT"),
            ("postgres://h?sslmode=strict", &[], "verify-full"),
            ("postgres://h?sslrootcert=system&sslmode=require", &[], "verify-full"),
            ("postgres://h?sslnegotiation=direct&sslmode=prefer", &[], "require"),
            ("postgres://h?gssencmode=require", &[], "gssencmode"),
            ("postgres://h?require_auth=none", &[], "require_auth"),
            ("postgres://h", &[("PGREQUIREPEER", "postgres")], "PGREQUIREPEER"),
            ("postgres://h?sslpassword=s3cret", &[], "sslpassword"),
            ("postgres://a,b,c?hostaddr=127.0.0.1", &[], "hostaddr"),
            ("postgres://h?hostaddr=s3cret", &[], "hostaddr"),
            ("host=a,b,c port=1,2", &[], "port"),
            ("postgres://h?target_session_attrs=master", &[], "read-write"),
            ("postgres://h?connect_timeout=soon", &[], "connect_timeout"),
            ("postgres://h?channel_binding=yes", &[], "channel_binding"),
        ] {
            let failure = resolve(Some(url), variables).unwrap_err();
            let said = failure.to_string();
            assert!(said.contains(name) && !said.contains("s3cret"), "{url}: {said}");
        }
    }
}
