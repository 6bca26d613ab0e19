//! Services as facts, and what pods and nodes have of the network.
//!
//! Most pods are made from a few templates, so what they have of the network is given once
//! for all that have the same. Its symbol says all that it is.

use std::fmt;
use std::net::IpAddr;

use serde_json::Value;

use super::encoder::Encoder;
use crate::datalog::{Handle, Sym};
use crate::kube::{Body, Details, Kind, Plain, Pod, labels_of, list};
use crate::policy::relations;

/// What a pod has of the network.
struct Net {
    on_host: bool,
    /// Name, number and protocol.
    ports: Vec<(String, i64, String)>,
    hostname: String,
    subdomain: String,
}

impl Net {
    fn of(pod: &Value) -> Self {
        let spec = &pod["spec"];
        let text = |value: &Value, field: &str, none: &str| match value[field].as_str() {
            None | Some("") => none.to_owned(),
            Some(text) => text.to_owned(),
        };
        // An init container that is restarted runs beside the others.
        let beside = list(spec, "initContainers").filter(|it| it["restartPolicy"] == "Always");
        let ports = list(spec, "containers").chain(beside).flat_map(|container| list(container, "ports"));
        let number = |port: &Value| port["containerPort"].as_i64().unwrap_or(0);
        Net {
            on_host: spec["hostNetwork"] == true,
            ports: ports.map(|it| (text(it, "name", ""), number(it), text(it, "protocol", "TCP"))).collect(),
            hostname: text(spec, "hostname", ""),
            subdomain: text(spec, "subdomain", ""),
        }
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.on_host { "pods on the host's network" } else { "pods" })?;
        self.ports.iter().try_for_each(|(name, port, protocol)| write!(f, " {name}:{port}/{protocol}"))?;
        if self.hostname.is_empty() { Ok(()) } else { write!(f, " {}.{}", self.hostname, self.subdomain) }
    }
}

/// The family of an address, as services name it.
fn family(address: &str) -> Option<&'static str> {
    address.parse::<IpAddr>().ok().map(|it| if it.is_ipv6() { "IPv6" } else { "IPv4" })
}

/// The families that a service says: by name, else by its addresses in the cluster.
fn families(spec: &Value) -> Vec<&str> {
    let texts = |field: &str| list(spec, field).filter_map(Value::as_str).collect::<Vec<_>>();
    let named = texts("ipFamilies");
    if !named.is_empty() {
        return named;
    }
    let mut addresses = texts("clusterIPs");
    if addresses.is_empty() {
        addresses.extend(spec["clusterIP"].as_str());
    }
    addresses.into_iter().filter_map(family).collect()
}

impl Encoder {
    /// What rules may ask of a service.
    pub(super) fn service(&mut self, object: &Plain) {
        let key = &object.meta.key;
        let it = self.subject(Kind::Service, key);
        self.service_fields(object, it);
        let spec = &object.value["spec"];
        self.text_row(relations::service, it, &[&key.namespace, &key.name]);
        for (key, value) in labels_of(&spec["selector"]) {
            let row = [it, self.key(&key), self.value(&value)];
            self.row(relations::service_selector, &row);
        }
        let kind = spec["type"].as_str().unwrap_or("ClusterIP");
        self.text_row(relations::service_type, it, &[kind]);
        for (relation, is_so) in [
            (relations::service_headless, spec["clusterIP"] == "None" || spec["clusterIPs"][0] == "None"),
            (relations::service_publishes_unready, spec["publishNotReadyAddresses"] == true),
            (relations::service_local, spec["internalTrafficPolicy"] == "Local"),
        ] {
            if is_so {
                self.row(relation, &[it]);
            }
        }
        for family in families(spec) {
            self.text_row(relations::service_family_written, it, &[family]);
        }
        if let Some(policy) = spec["ipFamilyPolicy"].as_str() {
            self.text_row(relations::service_stack, it, &[policy]);
        }
        for (port, place) in list(spec, "ports").zip(0..) {
            self.service_port(it, port, place);
        }
    }

    fn service_port(&mut self, it: Sym, port: &Value, place: i64) {
        let number = port["port"].as_i64().unwrap_or(0);
        let at = self.symbols.number(place);
        let row = [
            it,
            at,
            self.text(port["name"].as_str().unwrap_or("")),
            self.symbols.number(number),
            self.text(port["protocol"].as_str().unwrap_or("TCP")),
        ];
        self.row(relations::service_port, &row);
        match &port["targetPort"] {
            Value::String(name) if !name.is_empty() => {
                let row = [it, at, self.text(name)];
                self.row(relations::service_target_name, &row);
            }
            target => {
                let target = target.as_i64().filter(|it| *it != 0).unwrap_or(number);
                self.number_row(relations::service_target, it, &[], &[place, target]);
            }
        }
        if let Some(node) = port["nodePort"].as_i64().filter(|it| *it != 0) {
            self.number_row(relations::service_node_port, it, &[], &[place, node]);
        }
    }

    /// What a pod has of the network.
    pub(super) fn pod_network(&mut self, pod: &Pod, it: Sym) {
        if !self.uses(relations::pod_net) && !self.uses(relations::pod_ip) {
            return;
        }
        let net = match &pod.body {
            Body::Made(base) => match self.nets.get(&base.id) {
                Some(net) => *net,
                None => {
                    let net = self.net(&Net::of(&base.value));
                    self.nets.insert(base.id.clone(), net);
                    net
                }
            },
            Body::Written(value) | Body::Read(value) => {
                let status = &value["status"];
                self.addresses(relations::pod_ip, it, status, "podIPs", "podIP");
                self.addresses(relations::pod_host_ip, it, status, "hostIPs", "hostIP");
                self.net(&Net::of(value))
            }
            Body::Stored => return,
        };
        self.row(relations::pod_net, &[it, net]);
    }

    /// The addresses of a status: the list, else the single one.
    fn addresses(&mut self, relation: Handle, it: Sym, status: &Value, many: &str, one: &str) {
        let listed = list(status, many).filter_map(|it| it["ip"].as_str());
        let mut found: Vec<&str> = listed.collect();
        if found.is_empty() {
            found.extend(status[one].as_str());
        }
        for (address, place) in found.into_iter().zip(0..) {
            if let Some(family) = family(address) {
                self.number_row(relation, it, &[address, family], &[place]);
            }
        }
    }

    fn net(&mut self, net: &Net) -> Sym {
        let it = self.text(&net.to_string());
        if !self.first("net", it) {
            return it;
        }
        if net.on_host {
            self.row(relations::net_on_host, &[it]);
        }
        for ((name, port, protocol), place) in net.ports.iter().zip(0..) {
            let row = [
                it,
                self.symbols.number(place),
                self.text(name),
                self.symbols.number(*port),
                self.text(protocol),
            ];
            self.row(relations::net_port, &row);
        }
        if !net.hostname.is_empty() {
            self.text_row(relations::net_hostname, it, &[&net.hostname, &net.subdomain]);
        }
        it
    }

    /// The addresses of a node with their families.
    pub(super) fn node_network(&mut self, details: &Details, it: Sym) {
        for ((kind, address), place) in details.addresses.iter().zip(0..) {
            if let Some(family) = family(address) {
                self.number_row(relations::node_ip_written, it, &[kind, address, family], &[place]);
            }
        }
    }
}
