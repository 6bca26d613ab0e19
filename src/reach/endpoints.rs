//! The endpoints of a service, as the rules say them: which pods, where, ready or not.

use super::derived::Derived;
use crate::datalog::Sym;
use crate::kube::{Name, ObjectKey, Plain, list};
use crate::policy::relations;
use crate::state::World;

/// The label of a node that says its zone (LabelTopologyZone).
const ZONE: &str = "topology.kubernetes.io/zone";

/// A service with its endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// The families of addresses that it has endpoints of, in order: `IPv4`, `IPv6`.
    pub families: Vec<&'static str>,
    /// The pods that it finds and that have an address of one of these, by node and name.
    pub pods: Vec<Endpoint>,
    /// How many pods it finds that have none.
    pub without_address: usize,
}

/// A pod of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The pod.
    pub pod: ObjectKey,
    /// Its uid.
    pub uid: Name,
    /// Its addresses with their families, the first one first.
    pub addresses: Vec<(Name, Name)>,
    /// The ports of the service that it has, in their order.
    pub ports: Vec<EndpointPort>,
    /// Whether clients are sent to it.
    pub ready: bool,
    /// Whether it answers.
    pub serving: bool,
    /// Whether it is about to end.
    pub terminating: bool,
    /// Its name under that of the service, where it has one.
    pub hostname: Option<Name>,
    /// The node that it is on.
    pub node: Option<Name>,
    /// The zone of that node.
    pub zone: Option<Name>,
}

/// A port of a service, as one pod has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndpointPort {
    /// Its place in the list of the service.
    pub place: i64,
    /// Its name, which may be empty.
    pub name: Name,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: Name,
    /// The number.
    pub port: i64,
    /// `appProtocol`.
    pub app: Option<Name>,
}

impl Endpoints {
    /// The endpoints of a service of the world that something was derived of.
    #[must_use]
    pub fn of(service: &Plain, world: &World, derived: Derived<'_>) -> Self {
        let Some(it) = derived.subject(&service.meta.key) else { return Endpoints::none() };
        let has = |family: &&str| {
            derived
                .symbols
                .find_text(family)
                .is_some_and(|sym| derived.has(relations::service_family, &[it, sym]))
        };
        let families = ["IPv4", "IPv6"].into_iter().filter(has).collect();
        let found: Vec<Sym> = derived.rows(relations::in_service, &[it]).map(|row| row[1]).collect();
        let all = found.len();
        let mut pods: Vec<Endpoint> =
            found.into_iter().filter_map(|pod| endpoint(service, it, pod, world, derived)).collect();
        pods.sort_by(|a, b| (&a.node, &a.pod).cmp(&(&b.node, &b.pod)));
        Endpoints { families, without_address: all - pods.len(), pods }
    }

    /// No endpoints.
    fn none() -> Self {
        Endpoints { families: Vec::new(), pods: Vec::new(), without_address: 0 }
    }
}

/// A pod of a service; `None` where it has no address.
fn endpoint(service: &Plain, it: Sym, pod: Sym, world: &World, derived: Derived<'_>) -> Option<Endpoint> {
    let addresses = derived.addresses(relations::endpoint, &[it, pod]);
    if addresses.is_empty() {
        return None;
    }
    let key = derived.key(pod);
    let seen = world.pods.get(&key)?;
    let is = |relation| derived.has(relation, &[it, pod]);
    let named = derived.rows(relations::endpoint_hostname, &[it, pod]).next();
    let node = seen.node.clone();
    let found = node.as_ref().and_then(|node| world.nodes.get(&ObjectKey::new("", node.clone())));
    Some(Endpoint {
        uid: seen.meta.uid.name(),
        addresses: addresses.into_iter().map(|(address, family)| (address.into(), family.into())).collect(),
        ports: ports(service, it, pod, derived),
        ready: is(relations::endpoint_ready),
        serving: is(relations::endpoint_serving),
        terminating: is(relations::endpoint_terminating),
        hostname: named.map(|row| derived.text(row[2]).into()),
        zone: found.and_then(|node| node.meta.labels.get(ZONE)).filter(|zone| !zone.is_empty()).cloned(),
        node,
        pod: key,
    })
}

/// The ports of the service that the pod has.
fn ports(service: &Plain, it: Sym, pod: Sym, derived: Derived<'_>) -> Vec<EndpointPort> {
    let Some(net) = derived.rows(relations::pod_net, &[pod]).next().map(|row| row[1]) else {
        return Vec::new();
    };
    let mut ports: Vec<EndpointPort> = derived
        .rows(relations::endpoint_port, &[it, net])
        .filter_map(|row| {
            let place = derived.number(row[2]);
            let port = list(&service.value["spec"], "ports").nth(usize::try_from(place).ok()?)?;
            let text = |field: &str| port[field].as_str().map(Name::from);
            Some(EndpointPort {
                place,
                name: text("name").unwrap_or_default(),
                protocol: text("protocol").unwrap_or_else(|| "TCP".into()),
                port: derived.number(row[3]),
                app: text("appProtocol"),
            })
        })
        .collect();
    ports.sort();
    ports
}
