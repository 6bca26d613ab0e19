//! Who is asked for over `--listen`: which address, and under which name.
//!
//! A page in a browser may send requests to this machine under a name of its own that
//! leads here (DNS rebinding), and read the answers. So only addresses, `localhost` and
//! names that were allowed are answered.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::header::HOST;
use axum::http::{HeaderMap, Uri};

use crate::diagnostic::Diagnostic;

/// An address to listen on: `127.0.0.1:9090`, `[::1]:9090`, `localhost:9090`.
///
/// # Errors
/// When it is none.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong =
        || "not an address with a port, as `127.0.0.1:9090`, `[::1]:9090` or `localhost:9090`".to_owned();
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    if host.eq_ignore_ascii_case("localhost") { Ok((Ipv4Addr::LOCALHOST, port).into()) } else { Err(wrong()) }
}

/// What is said where other machines can ask.
#[must_use]
pub fn open(address: SocketAddr) -> Diagnostic {
    Diagnostic::warning("open-address", format!("other machines may reach `{address}`"))
        .because("whoever does can read how many nodes, daemonsets and pods there are, and the last error")
        .help("listen on `127.0.0.1`, unless the network is one you trust")
}

/// Whether a request is for this host: by an address, `localhost` or one of `hosts`. One
/// that names no host is no browser's; one that names two is nobody's.
pub fn is_meant(uri: &Uri, headers: &HeaderMap, hosts: &[String]) -> bool {
    let mut named = headers.get_all(HOST).iter();
    let (host, more) = (named.next(), named.next());
    // `GET http://host/ HTTP/1.1` names one as well, and both must be right.
    let asked = uri.authority().map(|authority| authority.as_str());
    more.is_none()
        && host.is_none_or(|host| host.to_str().is_ok_and(|host| is_ours(host, hosts)))
        && asked.is_none_or(|host| is_ours(host, hosts))
}

fn is_ours(host: &str, hosts: &[String]) -> bool {
    let host = host.trim();
    if host.parse::<SocketAddr>().is_ok() || host.parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let name = name.trim_end_matches('.');
    bare.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_port_and_are_no_names_but_localhost() {
        for good in ["127.0.0.1:0", "[::1]:9090", "localhost:9090", "LocalHost:1", "0.0.0.0:80"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for wrong in [
            "",
            "localhost",
            "127.0.0.1",
            "::1",
            "localhost:",
            "localhost:99999",
            "example.com:80",
            "localhost:80:90",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_requests_for_this_host_are_meant() {
        let meant = |uri: &str, named: &[&str]| {
            let mut headers = HeaderMap::new();
            for host in named {
                headers.append(HOST, host.parse().unwrap());
            }
            is_meant(&uri.parse().unwrap(), &headers, &["metrics.example".to_owned()])
        };
        for good in [
            "localhost",
            "localhost:9090",
            "127.0.0.1",
            "10.0.0.7:80",
            "[::1]",
            "[::1]:9090",
            "METRICS.example:1",
            "localhost.",
        ] {
            assert!(meant("/metrics", &[good]), "{good}");
            assert!(meant(&format!("http://{good}/metrics"), &["localhost"]), "{good}");
        }
        for wrong in [
            "evil.example",
            "evil.example:9090",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
            "[evil]",
        ] {
            assert!(!meant("/metrics", &[wrong]), "{wrong}");
        }
        assert!(!meant("http://evil.example/metrics", &["localhost"]));
        assert!(!meant("/metrics", &["localhost", "localhost"]));
        assert!(meant("/metrics", &[]));
    }
}
