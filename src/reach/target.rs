//! What clients reach: a daemonset or a service, as addresses and ports on nodes.
//!
//! The pods of a daemonset are reached by the ports of their nodes: a `hostPort`, or a port of
//! a container on the host's network. A port that no node has is reached by the pod's own
//! address, where it has one. A service is reached by its endpoints.

use std::sync::Arc;

use serde_json::Value;

use super::derived::Derived;
use super::endpoints::Endpoints;
use crate::kube::{Kind, Name, ObjectKey, host_port, list};
use crate::policy::relations;
use crate::state::World;

/// A daemonset or a service with all that clients reach of it.
#[derive(Debug, Clone)]
pub struct Reached {
    /// Which of the two.
    pub kind: Kind,
    /// Its key.
    pub key: ObjectKey,
    /// The services that find a daemonset's pods.
    pub services: Vec<ObjectKey>,
    /// What is reached, by node, pod and port.
    pub targets: Vec<Target>,
    /// How many pods have no address that is known.
    pub without_address: usize,
}

impl Reached {
    /// Nothing yet.
    fn nothing(kind: Kind, key: &ObjectKey) -> Self {
        Reached { kind, key: key.clone(), services: vec![], targets: vec![], without_address: 0 }
    }
}

/// A port of a pod, or a pod without ports.
#[derive(Debug, Clone)]
pub struct Target {
    /// The node that the pod is on, where it is on one.
    pub node: Name,
    /// The pod.
    pub pod: ObjectKey,
    /// The pod as it is.
    pub object: Arc<Value>,
    /// The addresses to go to; the first one is tried first.
    pub addresses: Vec<Name>,
    /// The port there, where there is one.
    pub port: Option<i64>,
    /// The name of the port, which may be empty.
    pub name: Name,
    /// Its protocol.
    pub protocol: Name,
    /// The container that has it, its image, and the port in it.
    pub container: Option<Container>,
    /// Whether clients are to be sent there.
    pub ready: bool,
    /// Whether the port is one of the node.
    pub on_node: bool,
}

/// The container that has a port.
#[derive(Debug, Clone)]
pub struct Container {
    /// Its name.
    pub name: Name,
    /// Its image.
    pub image: Name,
    /// The port in it, where it declares one.
    pub port: Option<i64>,
}

impl Target {
    /// The addresses that other machines can go to: not what means this machine alone.
    pub fn outside(&self) -> impl Iterator<Item = &Name> {
        let is_inside = |it: &&Name| it.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback());
        self.addresses.iter().filter(move |it| !is_inside(it))
    }
}

impl Reached {
    /// What is reached of a daemonset; `None` where there is none of this name.
    #[must_use]
    pub fn daemonset(key: &ObjectKey, world: &World, derived: Derived<'_>) -> Option<Reached> {
        world.daemonsets.get(key)?;
        let mut reached = Reached::nothing(Kind::DaemonSet, key);
        let Some(it) = derived.subject(key) else { return Some(reached) };
        reached.services =
            derived.rows(relations::reached_by, &[it]).map(|row| derived.key(row[1])).collect();
        reached.services.sort();
        for row in derived.rows(relations::reached, &[it]) {
            let (pod, node) = (row[1], derived.text(row[2]));
            let key = derived.key(pod);
            let Some(object) = world.pods.get(&key).and_then(|pod| pod.whole()) else { continue };
            let texts = |relation| -> Vec<Name> {
                derived.addresses(relation, &[pod]).into_iter().map(|(address, _)| address.into()).collect()
            };
            let pod = Target {
                node: node.into(),
                pod: key,
                object: Arc::new(object),
                addresses: texts(relations::host_address),
                port: None,
                name: Name::default(),
                protocol: "TCP".into(),
                container: None,
                ready: derived.has(relations::reached_ready, &[it, pod]),
                on_node: true,
            };
            let ports = ports(&pod, &texts(relations::pod_address));
            reached.without_address += usize::from(ports.iter().all(|it| it.addresses.is_empty()));
            reached.targets.extend(ports);
        }
        reached.sort();
        Some(reached)
    }

    /// What is reached of a service; `None` where there is none of this name.
    #[must_use]
    pub fn service(key: &ObjectKey, world: &World, derived: Derived<'_>) -> Option<Reached> {
        let service = world.others.get(&(Kind::Service, key.clone()))?;
        let endpoints = Endpoints::of(service, world, derived);
        let mut reached = Reached::nothing(Kind::Service, key);
        reached.without_address = endpoints.without_address;
        for endpoint in endpoints.pods {
            let Some(object) = world.pods.get(&endpoint.pod).and_then(|pod| pod.whole()) else { continue };
            let pod = Target {
                node: endpoint.node.clone().unwrap_or_default(),
                pod: endpoint.pod.clone(),
                object: Arc::new(object),
                addresses: endpoint.addresses.iter().map(|(address, _)| address.clone()).collect(),
                port: None,
                name: Name::default(),
                protocol: "TCP".into(),
                container: None,
                ready: endpoint.ready,
                on_node: false,
            };
            if endpoint.ports.is_empty() {
                reached.targets.push(pod.clone());
            }
            reached.targets.extend(endpoint.ports.into_iter().map(|port| Target {
                container: declaring(&pod.object, port.port, &port.protocol),
                port: Some(port.port),
                name: port.name,
                protocol: port.protocol,
                ..pod.clone()
            }));
        }
        reached.sort();
        Some(reached)
    }

    fn sort(&mut self) {
        self.targets.sort_by(|a, b| {
            (&a.node, &a.pod, a.port, &a.protocol, &a.name).cmp(&(
                &b.node,
                &b.pod,
                b.port,
                &b.protocol,
                &b.name,
            ))
        });
    }
}

/// A pod of a daemonset, once for each port of its containers; itself where they declare none.
fn ports(pod: &Target, own: &[Name]) -> Vec<Target> {
    let spec = &pod.object["spec"];
    let on_host = spec["hostNetwork"] == true;
    let mut found = Vec::new();
    for container in list(spec, "containers") {
        let text = |value: &Value, field: &str| Name::from(value[field].as_str().unwrap_or(""));
        for port in list(container, "ports") {
            let host = host_port(port, on_host);
            let inside = port["containerPort"].as_i64();
            let bound = text(port, "hostIP");
            let addresses = match host {
                None => own.to_vec(),
                Some(_) if ["", "0.0.0.0", "::"].contains(&&*bound) => pod.addresses.clone(),
                Some(_) => vec![bound],
            };
            found.push(Target {
                addresses,
                port: host.or(inside),
                name: text(port, "name"),
                protocol: port["protocol"].as_str().unwrap_or("TCP").into(),
                container: Some(Container {
                    name: text(container, "name"),
                    image: text(container, "image"),
                    port: inside,
                }),
                on_node: host.is_some(),
                ..pod.clone()
            });
        }
    }
    if found.is_empty() { vec![pod.clone()] } else { found }
}

/// The container that declares a port.
fn declaring(pod: &Value, number: i64, protocol: &str) -> Option<Container> {
    let text = |value: &Value, field: &str| Name::from(value[field].as_str().unwrap_or(""));
    let is_it = |port: &Value| {
        port["containerPort"] == number && port["protocol"].as_str().unwrap_or("TCP") == protocol
    };
    let found = list(&pod["spec"], "containers").find(|it| list(it, "ports").any(is_it))?;
    Some(Container { name: text(found, "name"), image: text(found, "image"), port: Some(number) })
}
