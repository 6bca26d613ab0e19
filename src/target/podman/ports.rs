//! Whether the host ports of a pod are free, asked before it starts: a daemon on the host's
//! network would start, fail to listen, and be started again for ever.

use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};

use serde_json::Value;

use super::text::word;
use crate::diagnostic::Diagnostic;
use crate::kube::{host_port, list};

/// Refuses a pod of which another process has a port. With the host's network it will listen
/// on the node's address, `host` where that is known, if not on all.
pub(super) fn check(spec: &Value, host: Option<&str>) -> Result<(), Diagnostic> {
    let on_host = spec["hostNetwork"] == true;
    for container in list(spec, "containers") {
        for port in list(container, "ports") {
            let Some(number) = host_port(port, on_host).and_then(|port| u16::try_from(port).ok()) else {
                continue;
            };
            let own = Some(word(port, "hostIP")).filter(|ip| !ip.is_empty());
            let address = own.or(host.filter(|_| on_host)).unwrap_or("0.0.0.0");
            let protocol = Some(word(port, "protocol")).filter(|it| !it.is_empty()).unwrap_or("TCP");
            let bound = match protocol {
                "UDP" => UdpSocket::bind((address, number)).map(drop),
                "TCP" => TcpListener::bind((address, number)).map(drop),
                _ => Ok(()),
            };
            // Whatever else stands in the way is podman's to say.
            if bound.is_err_and(|error| error.kind() == ErrorKind::AddrInUse) {
                let name = word(container, "name");
                return Err(Diagnostic::error(
                    "port-taken",
                    format!(
                        "host port {number}/{protocol} of container `{name}` is taken by another process"
                    ),
                )
                .help(format!("find it with `ss -lnp sport = :{number}`, and stop it or change the port")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_port_that_is_taken_is_named() {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let spec = |port: Value, on_host: bool| json!({"hostNetwork": on_host, "containers": [{"name": "web", "ports": [port]}]});
        let published = spec(json!({"containerPort": 80, "hostPort": port}), false);
        let message = check(&published, None).unwrap_err().message;
        assert_eq!(message, format!("host port {port}/TCP of container `web` is taken by another process"));
        assert!(check(&spec(json!({"containerPort": port}), true), Some("127.0.0.1")).is_err());
        // Not of the host, of another protocol, or free again.
        assert_eq!(check(&spec(json!({"containerPort": port}), false), None), Ok(()));
        assert_eq!(check(&spec(json!({"containerPort": port, "protocol": "SCTP"}), true), None), Ok(()));
        drop(listener);
        assert_eq!(check(&published, None), Ok(()));
    }
}
