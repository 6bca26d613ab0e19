//! A probe as a manifest asks for it.

use std::time::Duration;

use serde_json::Value;

use crate::kube::list;
use crate::target::podman::text::word;

/// A probe of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::target::podman) struct Probe {
    /// What is asked.
    pub(super) how: How,
    /// How long after its start a container is first asked.
    pub(super) delay: Duration,
    /// How often.
    pub(super) period: Duration,
    /// How long an answer may take.
    pub(super) timeout: Duration,
    /// How many good answers in a row make it well.
    pub(super) success: u32,
    /// How many bad ones make it unwell.
    pub(super) failure: u32,
    /// How long the container may take to end, where the probe says so itself.
    pub(super) grace: Option<u64>,
}

/// What is asked. A host that is not named is the pod's own address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum How {
    /// A command in the container ends with 0.
    Exec(Vec<String>),
    /// A request is answered with 200 to 399.
    Http { host: Option<String>, port: u16, path: String, headers: Vec<(String, String)> },
    /// A connection is accepted.
    Tcp { host: Option<String>, port: u16 },
}

impl Probe {
    /// Reads a probe of `container`; `None` where there is none, an error where it asks for
    /// what cannot be asked.
    pub(in crate::target::podman) fn of(
        probe: &Value,
        container: &Value,
        spec: &Value,
    ) -> Result<Option<Self>, String> {
        if probe.is_null() {
            return Ok(None);
        }
        let number = |field: &str, default: u64| probe[field].as_u64().unwrap_or(default);
        let seconds = |field: &str, default: u64| Duration::from_secs(number(field, default));
        let times =
            |field: &str, default: u64| u32::try_from(number(field, default).max(1)).unwrap_or(u32::MAX);
        let Some(how) = how(probe, container)? else {
            return Err("it asks for none of exec, httpGet and tcpSocket".to_owned());
        };
        Ok(Some(Probe {
            how,
            delay: seconds("initialDelaySeconds", 0),
            period: seconds("periodSeconds", 10).max(Duration::from_secs(1)),
            timeout: seconds("timeoutSeconds", 1).max(Duration::from_secs(1)),
            success: times("successThreshold", 1),
            failure: times("failureThreshold", 3),
            grace: probe["terminationGracePeriodSeconds"]
                .as_u64()
                .or_else(|| spec["terminationGracePeriodSeconds"].as_u64()),
        }))
    }
}

fn how(probe: &Value, container: &Value) -> Result<Option<How>, String> {
    let host = |asked: &Value| Some(word(asked, "host").to_owned()).filter(|host| !host.is_empty());
    if !probe["grpc"].is_null() {
        return Err("grpc is not asked; let it be asked by `exec`, or give a port for `tcpSocket`".to_owned());
    }
    let (exec, http, tcp) = (&probe["exec"], &probe["httpGet"], &probe["tcpSocket"]);
    if !exec.is_null() {
        let words = list(exec, "command").filter_map(Value::as_str).map(str::to_owned);
        return Ok(Some(How::Exec(words.collect())));
    }
    if !http.is_null() {
        if word(http, "scheme") == "HTTPS" {
            return Err("HTTPS is not asked; give a plain port, or ask by `exec` or `tcpSocket`".to_owned());
        }
        let path = match word(http, "path") {
            path if path.starts_with('/') => path.to_owned(),
            path => format!("/{path}"),
        };
        let headers = list(http, "httpHeaders")
            .map(|header| (word(header, "name").to_owned(), word(header, "value").to_owned()))
            .collect();
        return Ok(Some(How::Http {
            host: host(http),
            port: port(&http["port"], container)?,
            path,
            headers,
        }));
    }
    if !tcp.is_null() {
        return Ok(Some(How::Tcp { host: host(tcp), port: port(&tcp["port"], container)? }));
    }
    Ok(None)
}

/// A port by its number, or by the name that the container gives it.
fn port(port: &Value, container: &Value) -> Result<u16, String> {
    let named = |name: &str| {
        let found = list(container, "ports").find(|port| port["name"] == name);
        found.and_then(|port| port["containerPort"].as_u64())
    };
    let number = match port {
        // A number that was written as a text counts as one.
        Value::String(name) => named(name).or_else(|| name.parse().ok()),
        number => number.as_u64(),
    };
    let valid = number.and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0);
    valid.ok_or_else(|| format!("the container has no port {port}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_probe_is_read_with_kubernetes_defaults() {
        let container = json!({"ports": [{"name": "http", "containerPort": 8080}]});
        let of = |probe| Probe::of(&probe, &container, &json!({"terminationGracePeriodSeconds": 7}));
        assert_eq!(of(Value::Null), Ok(None));
        let probe = of(
            json!({"httpGet": {"port": "http", "path": "ready", "httpHeaders": [{"name": "A", "value": "b"}]}}),
        );
        let probe = probe.unwrap().unwrap();
        let headers = vec![("A".to_owned(), "b".to_owned())];
        assert_eq!(probe.how, How::Http { host: None, port: 8080, path: "/ready".into(), headers });
        let seconds = Duration::from_secs;
        assert_eq!((probe.delay, probe.period, probe.timeout), (seconds(0), seconds(10), seconds(1)));
        assert_eq!((probe.success, probe.failure, probe.grace), (1, 3, Some(7)));
        let tcp =
            of(json!({"tcpSocket": {"port": "81", "host": "::1"}, "failureThreshold": 1})).unwrap().unwrap();
        assert_eq!((tcp.how, tcp.failure), (How::Tcp { host: Some("::1".into()), port: 81 }, 1));
        for (probe, why) in [
            (json!({"grpc": {"port": 1}}), "grpc is not asked"),
            (json!({"httpGet": {"port": 1, "scheme": "HTTPS"}}), "HTTPS is not asked"),
            (json!({"tcpSocket": {"port": "none"}}), "the container has no port \"none\""),
            (json!({"tcpSocket": {"port": 70000}}), "the container has no port 70000"),
            (json!({}), "it asks for none of"),
        ] {
            assert!(of(probe).unwrap_err().starts_with(why), "{why}");
        }
    }
}
