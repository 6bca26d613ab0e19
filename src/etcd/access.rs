//! Which etcd is meant, which keys of it, and who asks.

use std::fmt;
use std::path::PathBuf;

use crate::diagnostic::Diagnostic;

/// Where etcd listens, if nothing else is said.
const PORT: u16 = 2379;

/// The keys' prefix, if none is named.
const PREFIX: &str = "dsrules";

/// Which etcd is meant, and who asks.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The members that are asked, as `host:port`; the first one first.
    pub endpoints: Vec<String>,
    /// What all keys begin with, without a slash at either end.
    pub prefix: String,
    /// Whether to speak TLS, without which nothing of the next three is used.
    pub tls: bool,
    /// The certificates of who may have signed a member's; the machine's where there is none.
    pub ca: Option<PathBuf>,
    /// The certificate to show a member, with its key.
    pub cert: Option<PathBuf>,
    /// The key of that certificate.
    pub key: Option<PathBuf>,
    /// Who asks, where etcd wants to know.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The password is secret.
        f.debug_tuple("Access").field(&self.shown()).finish()
    }
}

impl Access {
    /// Reads `etcd://HOST:2379,HOST:2379/PREFIX`, or `etcds://` for TLS.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn parse(text: &str) -> Result<Access, Diagnostic> {
        let wrong = |why: &str| {
            Diagnostic::error("bad-store", format!("`{}` is no store", hidden(text)))
                .because(why)
                .help("name one as `etcd://HOST:2379,HOST:2379/PREFIX`; `etcds://` speaks TLS")
        };
        let (tls, rest) = match text.split_once("://") {
            Some(("etcd", rest)) => (false, rest),
            Some(("etcds", rest)) => (true, rest),
            _ => return Err(wrong("it does not begin with `etcd://`")),
        };
        let (hosts, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if hosts.contains('@') {
            return Err(wrong("a user is named with `--etcd-user`: an address is seen by others"));
        }
        let endpoints = hosts.split(',').map(endpoint).collect::<Result<_, _>>().map_err(wrong)?;
        let prefix = prefix.trim_matches('/');
        let is_plain = |part: &str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        if !prefix.is_empty() && !prefix.split('/').all(is_plain) {
            return Err(wrong("a prefix has letters, digits, `-`, `_` and `.`, with single slashes between"));
        }
        let prefix = if prefix.is_empty() { PREFIX } else { prefix }.to_owned();
        Ok(Access { endpoints, prefix, tls, ..Access::default() })
    }

    /// It as a person names it, without what is secret.
    #[must_use]
    pub fn shown(&self) -> String {
        let scheme = if self.tls { "etcds" } else { "etcd" };
        format!("{scheme}://{}/{}", self.endpoints.join(","), self.prefix)
    }
}

/// `host`, `host:port`, `[::1]:port`.
fn endpoint(text: &str) -> Result<String, &'static str> {
    let (host, port) = match text.rsplit_once(':') {
        // The colons of an address in brackets, or of one that lacks them.
        Some((_, port)) if port.ends_with(']') => (text, None),
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_plain =
        |host: &str| host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let is_host = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_plain(host),
    };
    if host.is_empty() || !is_host {
        return Err("a member is named by its host and port, as `etcd-1:2379` or `[::1]:2379`");
    }
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port > 0),
        None => Some(PORT),
    };
    port.map(|port: u16| format!("{host}:{port}")).ok_or("a port is a number from 1 to 65535")
}

/// An address that was typed, without a password that it should not have.
fn hidden(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_members_and_a_prefix() {
        let access = Access::parse("etcd://a:1,b,[::1]:3,[::1]/fleet/eu/").unwrap();
        assert_eq!(access.endpoints, ["a:1", "b:2379", "[::1]:3", "[::1]:2379"]);
        assert_eq!((access.prefix.as_str(), access.tls), ("fleet/eu", false));
        assert_eq!(access.shown(), "etcd://a:1,b:2379,[::1]:3,[::1]:2379/fleet/eu");
        assert_eq!(Access::parse("etcds://a").unwrap().shown(), "etcds://a:2379/dsrules");
    }

    #[test]
    fn what_is_none_is_refused_and_no_password_told() {
        for text in
            ["", "a:1", "http://a/b", "etcd://", "etcd:///x", "etcd://a:0/x", "etcd://a:x", "etcd://a,,b"]
        {
            assert!(Access::parse(text).is_err(), "{text}");
        }
        for text in
            ["etcd://a/x//y", "etcd://a/x y", "etcd://a/ü", "etcd://[a]:1", "etcd://::1", "etcd://a b:1"]
        {
            assert!(Access::parse(text).is_err(), "{text}");
        }
        let told = Access::parse("etcd://root:secret@a/x").unwrap_err();
        assert!(!told.render(false).contains("secret"), "{told:?}");
    }
}
