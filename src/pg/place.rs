//! The places that a connection may go to: one or several hosts, each with its port.

use std::net::IpAddr;
use std::path::PathBuf;

use tokio_postgres::Config;

use crate::diag::Failure;
use crate::pg::parameters::Parameters;

/// One host and port. It has no `Debug`: it holds a password.
#[derive(Clone)]
pub(super) struct Place {
    /// A name, an address, or a socket's folder.
    host: String,
    /// The address to use for that name, without looking it up.
    address: Option<IpAddr>,
    /// The port.
    pub(super) port: u16,
    /// The password for this place.
    pub(super) password: Option<String>,
}

impl Place {
    /// What certificates and the password file know it by.
    pub(super) fn name(&self) -> &str {
        &self.host
    }

    /// The host, for people.
    pub(super) fn shown(&self) -> String {
        match self.address {
            Some(address) if address.to_string() != self.host => format!("{} ({address})", self.host),
            _ => self.host.clone(),
        }
    }

    /// Whether it is a socket of this machine: TLS is not spoken there, as in libpq.
    pub(super) fn is_socket(&self) -> bool {
        self.host.starts_with('/') && self.address.is_none()
    }

    /// The variables by which PostgreSQL's own programs find it.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![("PGHOST", self.host.clone()), ("PGPORT", self.port.to_string())];
        variables.extend(self.address.map(|address| ("PGHOSTADDR", address.to_string())));
        variables.extend(self.password.clone().map(|password| ("PGPASSWORD", password)));
        variables
    }

    /// A configuration for this place alone.
    pub(super) fn configured(&self, base: &Config) -> Config {
        let mut config = base.clone();
        if self.is_socket() {
            config.host_path(PathBuf::from(&self.host));
        } else {
            config.host(&self.host);
        }
        if let Some(address) = self.address {
            config.hostaddr(address);
        }
        config.port(self.port);
        if let Some(password) = &self.password {
            config.password(password);
        }
        config
    }
}

/// The places that `host`, `hostaddr` and `port` say, each a list with commas.
///
/// # Errors
/// When an address or a port is none, or the lists do not go together.
pub(super) fn read(said: &Parameters, default_host: &str) -> Result<Vec<Place>, Failure> {
    let list = |name: &str| said.get(name).map(|text| text.split(',').map(str::trim).collect::<Vec<_>>());
    let (hosts, addresses) = (list("host"), list("hostaddr"));
    let count = hosts.as_ref().or(addresses.as_ref()).map_or(1, Vec::len);
    if let Some(addresses) = addresses.as_ref().filter(|addresses| addresses.len() != count) {
        let why = format!("it lists {} addresses, and there are {count} hosts", addresses.len());
        return Err(said.wrong("hostaddr", &why));
    }
    let ports = list("port").unwrap_or_default();
    if ports.len() > 1 && ports.len() != count {
        return Err(said.wrong("port", &format!("it lists {} ports, and there are {count} hosts", ports.len())));
    }
    let place = |at: usize| {
        let given = |list: &Option<Vec<&str>>| {
            list.as_ref().and_then(|list| list.get(at)).filter(|text| !text.is_empty()).map(|text| (*text).to_owned())
        };
        let address = given(&addresses);
        let parsed = address.as_deref().map(str::parse::<IpAddr>).transpose();
        let parsed = parsed.map_err(|_| said.wrong("hostaddr", "it is no IP address; a name belongs into `host`"))?;
        let port = ports.get(at).or_else(|| ports.first()).copied().filter(|text| !text.is_empty()).unwrap_or("5432");
        let port = port.parse::<u16>().ok().filter(|port| *port > 0);
        let why = "it is no port number; a `/`, `:`, `@` or `?` in a URL's password is written with `%`";
        Ok(Place {
            host: given(&hosts).or(address).unwrap_or_else(|| default_host.to_owned()),
            address: parsed,
            port: port.ok_or_else(|| said.wrong("port", why))?,
            password: None,
        })
    };
    (0..count).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<String> {
        let said = crate::pg::conninfo::parse(text).unwrap();
        let read = read(&said, "/run/pg").unwrap();
        read.iter()
            .map(|place| format!("{}:{}{}", place.shown(), place.port, if place.is_socket() { " socket" } else { "" }))
            .collect()
    }

    #[test]
    fn lists_go_together() {
        assert_eq!(places(""), ["/run/pg:5432 socket"]);
        assert_eq!(places("postgres://a:1,b,[::1]:3"), ["a:1", "b:5432", "::1:3"]);
        assert_eq!(places("host=a,b port=9"), ["a:9", "b:9"]);
        assert_eq!(places("host=a,,c port=1,,3"), ["a:1", "/run/pg:5432 socket", "c:3"]);
        assert_eq!(places("hostaddr=127.0.0.1"), ["127.0.0.1:5432"]);
        assert_eq!(places("host=db hostaddr=127.0.0.1"), ["db (127.0.0.1):5432"]);
        assert_eq!(places("host=/run/x,10.0.0.1"), ["/run/x:5432 socket", "10.0.0.1:5432"]);
    }
}
