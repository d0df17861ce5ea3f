//! Where to connect: a URL or `key=value` text, else libpq's own `PG*` variables, service file and
//! password file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use postgres::Config;
use postgres::config::{Host, SslMode};

use crate::diag::{Diagnostic, Failure, code};
use crate::pg::files::{self, PasswordFileError};

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

/// A resolved place to connect to. Its `Debug` never shows the password.
#[derive(Clone)]
pub struct Endpoint {
    pub(super) config: Config,
    /// The host, for people.
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

    /// Works out where to connect.
    ///
    /// # Errors
    /// When the URL or a variable cannot be understood. Neither is repeated in the message, since
    /// it may hold a password.
    pub fn resolve(&self) -> Result<Endpoint, Failure> {
        let bad = |what: &str, why: String| {
            let help = "write it as `postgres://user@host:5432/database`, with the password in PGPASSWORD";
            Failure::from(Diagnostic::error(&code::BAD_CONFIG, format!("{what} cannot be used: {why}")).help(help))
        };
        let mut config = match &self.url {
            Some(url) => Config::from_str(url).map_err(|error| bad("the database URL", super::error::chain(&error)))?,
            None => Config::new(),
        };
        if let Some(password) = &self.password {
            config.password(password);
        }
        let service = self.service(&bad)?;
        self.fill_host(&mut config, &service, &bad)?;
        self.fill_login(&mut config, &service);
        config.application_name("chronoform");
        if config.get_connect_timeout().is_none() {
            let seconds = self.variable("PGCONNECT_TIMEOUT").and_then(|text| text.parse().ok()).filter(|s| *s > 0);
            config.connect_timeout(Duration::from_secs(seconds.unwrap_or(10)));
        }
        if self.wants_tls(&config, &service) {
            return Err(bad("`sslmode`", "this version does not speak TLS; use a local socket or a tunnel".to_owned()));
        }
        config.ssl_mode(SslMode::Disable);
        self.fill_password(&mut config, &bad)?;
        Ok(endpoint(config))
    }

    /// The settings of the service that `PGSERVICE` names: they stand between the URL and the variables.
    fn service(&self, bad: &dyn Fn(&str, String) -> Failure) -> Result<BTreeMap<String, String>, Failure> {
        let Some(name) = self.variable("PGSERVICE") else { return Ok(BTreeMap::new()) };
        let own = self.variable("PGSERVICEFILE").map(PathBuf::from);
        let own = own.or_else(|| self.variable("HOME").map(|home| PathBuf::from(home).join(".pg_service.conf")));
        let system = PathBuf::from(self.variable("PGSYSCONFDIR").unwrap_or("/etc/postgresql-common"));
        let places = own.into_iter().chain([system.join("pg_service.conf")]);
        let found = places.into_iter().find_map(|file| files::service(&file, name));
        found.ok_or_else(|| bad("PGSERVICE", format!("no service file has a section `{name}`")))
    }

    /// A setting of the service, or else a variable.
    fn setting<'a>(&'a self, service: &'a BTreeMap<String, String>, key: &str, variable: &str) -> Option<&'a str> {
        service.get(key).map(String::as_str).or_else(|| self.variable(variable))
    }

    /// The password file's word, where nobody else gave a password.
    fn fill_password(&self, config: &mut Config, bad: &dyn Fn(&str, String) -> Failure) -> Result<(), Failure> {
        if config.get_password().is_some() {
            return Ok(());
        }
        let file = self.variable("PGPASSFILE").map(PathBuf::from);
        let file = file.or_else(|| self.variable("HOME").map(|home| PathBuf::from(home).join(".pgpass")));
        let Some(file) = file else { return Ok(()) };
        let end = endpoint(config.clone());
        match files::password(&file, &end.host, end.port, &end.database, &end.user) {
            Ok(Some(password)) => {
                config.password(password);
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(PasswordFileError::OpenToOthers) => {
                let why = format!("others may read it; `chmod 600 {}`", file.display());
                Err(bad(&format!("the password file {}", file.display()), why))
            }
        }
    }

    fn fill_host(
        &self,
        config: &mut Config,
        service: &BTreeMap<String, String>,
        bad: &dyn Fn(&str, String) -> Failure,
    ) -> Result<(), Failure> {
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            match self.setting(service, "host", "PGHOST") {
                Some(host) => config.host(host),
                None if std::path::Path::new("/var/run/postgresql").is_dir() => config.host("/var/run/postgresql"),
                None => config.host("localhost"),
            };
        }
        if config.get_ports().is_empty()
            && let Some(port) = self.setting(service, "port", "PGPORT")
        {
            config.port(port.parse().map_err(|_| bad("PGPORT", format!("`{port}` is no port number")))?);
        }
        Ok(())
    }

    fn fill_login(&self, config: &mut Config, service: &BTreeMap<String, String>) {
        if config.get_user().is_none() {
            let name =
                self.setting(service, "user", "PGUSER").map(str::to_owned).or_else(|| std::env::var("USER").ok());
            config.user(name.as_deref().unwrap_or("postgres"));
        }
        if config.get_password().is_none()
            && let Some(password) = self.setting(service, "password", "PGPASSWORD")
        {
            config.password(password);
        }
        if config.get_dbname().is_none() {
            let user = config.get_user().unwrap_or("postgres").to_owned();
            config.dbname(self.setting(service, "dbname", "PGDATABASE").unwrap_or(&user));
        }
        if config.get_options().is_none()
            && let Some(options) = self.variable("PGOPTIONS")
        {
            config.options(options);
        }
    }

    fn wants_tls(&self, config: &Config, service: &BTreeMap<String, String>) -> bool {
        // What the URL does not say, the variable does, as in libpq.
        let said = self.url.as_deref().is_some_and(|url| url.contains("sslmode"));
        let variable = (!said).then(|| self.setting(service, "sslmode", "PGSSLMODE")).flatten();
        matches!(variable, Some("require" | "verify-ca" | "verify-full"))
            || matches!(config.get_ssl_mode(), SslMode::Require)
    }
}

fn endpoint(config: Config) -> Endpoint {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => config.get_hostaddrs().first().map(ToString::to_string).unwrap_or_default(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let database = config.get_dbname().unwrap_or_default().to_owned();
    let user = config.get_user().unwrap_or_default().to_owned();
    Endpoint { config, host, port, database, user }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(url: Option<&str>, variables: &[(&str, &str)]) -> Result<Endpoint, Failure> {
        let environment = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        ConnectOptions { url: url.map(str::to_owned), password: None, environment }.resolve()
    }

    #[test]
    fn a_url_wins_over_the_variables_and_they_fill_what_it_leaves_out() {
        let endpoint = resolve(Some("postgres://u@h:1/d"), &[("PGHOST", "x"), ("PGPASSWORD", "s3cret")]).unwrap();
        assert_eq!(format!("{endpoint:?}"), "u@h:1/d");
        assert_eq!(endpoint.config.get_password(), Some(b"s3cret".as_slice()));
        let endpoint = resolve(None, &[("PGHOST", "h2"), ("PGPORT", "7"), ("PGUSER", "me")]).unwrap();
        assert_eq!(format!("{endpoint:?}"), "me@h2:7/me");
        assert_eq!(format!("{:?}", resolve(Some("host=a port=9 user=b dbname=c"), &[]).unwrap()), "b@a:9/c");
    }

    #[test]
    fn a_service_stands_between_the_url_and_the_variables() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("services");
        std::fs::write(&file, "[prod]\nhost=sh\nport=77\nuser=su\ndbname=sd\npassword=sp\n").unwrap();
        let file = file.to_str().unwrap();
        let variables = [("PGSERVICE", "prod"), ("PGSERVICEFILE", file), ("PGHOST", "vh"), ("PGUSER", "vu")];
        let endpoint = resolve(None, &variables).unwrap();
        assert_eq!(format!("{endpoint:?}"), "su@sh:77/sd");
        assert_eq!(endpoint.config.get_password(), Some(b"sp".as_slice()));
        assert_eq!(format!("{:?}", resolve(Some("user=u host=h dbname=d"), &variables).unwrap()), "u@h:77/d");
        // The driver reads a URL without a port as one with 5432.
        assert_eq!(format!("{:?}", resolve(Some("postgres://u@h/d"), &variables).unwrap()), "u@h:5432/d");
        assert!(resolve(None, &[("PGSERVICE", "other"), ("PGSERVICEFILE", file)]).is_err());
    }

    #[test]
    fn the_password_file_is_asked_last() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passwords");
        std::fs::write(&file, "h:1:d:u:from-file\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let file = file.to_str().unwrap();
        let endpoint = resolve(Some("postgres://u@h:1/d"), &[("PGPASSFILE", file)]).unwrap();
        assert_eq!(endpoint.config.get_password(), Some(b"from-file".as_slice()));
        let endpoint = resolve(Some("postgres://u:own@h:1/d"), &[("PGPASSFILE", file)]).unwrap();
        assert_eq!(endpoint.config.get_password(), Some(b"own".as_slice()));
    }

    #[test]
    fn a_bad_url_is_refused_without_repeating_it() {
        let failure = resolve(Some("postgres://u:s3cret@h:notaport/d"), &[]).unwrap_err();
        assert!(!failure.to_string().contains("s3cret"));
        assert!(resolve(None, &[("PGPORT", "x")]).is_err());
        assert!(resolve(Some("postgres://h/d?sslmode=require"), &[]).is_err());
    }
}
