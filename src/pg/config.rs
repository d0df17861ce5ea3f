//! Where to connect: a URL or `key=value` text, else libpq's own `PG*` variables.

use std::str::FromStr;
use std::time::Duration;

use postgres::Config;
use postgres::config::{Host, SslMode};

use crate::diag::{Diagnostic, Failure, code};

/// What the command line and the environment say about the connection.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// A URL (`postgres://…`) or a `key=value` text.
    pub url: Option<String>,
    /// `PG*` variables, by name.
    pub environment: std::collections::BTreeMap<String, String>,
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
        let environment = std::env::vars().filter(|(name, _)| name.starts_with("PG")).collect();
        Self { url, environment }
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
        self.fill_host(&mut config, &bad)?;
        self.fill_login(&mut config);
        config.application_name("chronoform");
        if config.get_connect_timeout().is_none() {
            let seconds = self.variable("PGCONNECT_TIMEOUT").and_then(|text| text.parse().ok()).filter(|s| *s > 0);
            config.connect_timeout(Duration::from_secs(seconds.unwrap_or(10)));
        }
        if self.wants_tls(&config) {
            return Err(bad("`sslmode`", "this version does not speak TLS; use a local socket or a tunnel".to_owned()));
        }
        config.ssl_mode(SslMode::Disable);
        Ok(endpoint(config))
    }

    fn fill_host(&self, config: &mut Config, bad: &dyn Fn(&str, String) -> Failure) -> Result<(), Failure> {
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            match self.variable("PGHOST") {
                Some(host) => config.host(host),
                None if std::path::Path::new("/var/run/postgresql").is_dir() => config.host("/var/run/postgresql"),
                None => config.host("localhost"),
            };
        }
        if config.get_ports().is_empty()
            && let Some(port) = self.variable("PGPORT")
        {
            config.port(port.parse().map_err(|_| bad("PGPORT", format!("`{port}` is no port number")))?);
        }
        Ok(())
    }

    fn fill_login(&self, config: &mut Config) {
        if config.get_user().is_none() {
            let name = self.variable("PGUSER").map(str::to_owned).or_else(|| std::env::var("USER").ok());
            config.user(name.as_deref().unwrap_or("postgres"));
        }
        if config.get_password().is_none()
            && let Some(password) = self.variable("PGPASSWORD")
        {
            config.password(password);
        }
        if config.get_dbname().is_none() {
            let user = config.get_user().unwrap_or("postgres").to_owned();
            config.dbname(self.variable("PGDATABASE").unwrap_or(&user));
        }
        if config.get_options().is_none()
            && let Some(options) = self.variable("PGOPTIONS")
        {
            config.options(options);
        }
    }

    fn wants_tls(&self, config: &Config) -> bool {
        let variable = self.url.is_none().then(|| self.variable("PGSSLMODE")).flatten();
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
        ConnectOptions { url: url.map(str::to_owned), environment }.resolve()
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
    fn a_bad_url_is_refused_without_repeating_it() {
        let failure = resolve(Some("postgres://u:s3cret@h:notaport/d"), &[]).unwrap_err();
        assert!(!failure.to_string().contains("s3cret"));
        assert!(resolve(None, &[("PGPORT", "x")]).is_err());
        assert!(resolve(Some("postgres://h/d?sslmode=require"), &[]).is_err());
    }
}
