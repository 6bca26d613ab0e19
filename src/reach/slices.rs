//! EndpointSlices, as Kubernetes' controller makes them of the endpoints of a service.
//!
//! One for each family of addresses and for each set of ports that pods have, of a hundred
//! endpoints at most; a family without endpoints has an empty one. A name that the controller
//! ends at random ends here in a hash of what is in the slice, so that the same endpoints
//! have the same names.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::endpoints::{Endpoint, EndpointPort, Endpoints};
use crate::hash::sha256;
use crate::kube::{Plain, list, timestamp};

/// So many endpoints are in a slice at most (the controller's --max-endpoints-per-slice).
pub const MOST: usize = 100;

/// The label that names the service of a slice.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const HEADLESS: &str = "service.kubernetes.io/headless";

/// The slices of a service, by family, ports and name of the first pod; none of one without
/// a selector, which others keep.
#[must_use]
pub fn slices(service: &Plain, endpoints: &Endpoints) -> Vec<Value> {
    let spec = &service.value["spec"];
    let selects = spec["selector"].as_object().is_some_and(|selector| !selector.is_empty());
    if !selects || spec["type"] == "ExternalName" {
        return Vec::new();
    }
    endpoints.families.iter().flat_map(|family| of_family(service, family, &endpoints.pods)).collect()
}

fn of_family(service: &Plain, family: &str, pods: &[Endpoint]) -> Vec<Value> {
    let mut groups: BTreeMap<&[EndpointPort], Vec<Value>> = BTreeMap::new();
    for pod in pods {
        let addresses: Vec<&str> =
            pod.addresses.iter().filter(|(_, of)| **of == *family).map(|(address, _)| &**address).collect();
        if !addresses.is_empty() {
            groups.entry(&pod.ports).or_default().push(endpoint(pod, &addresses));
        }
    }
    if groups.is_empty() {
        groups.insert(&[], Vec::new());
    }
    let parts = groups.into_iter().flat_map(|(ports, endpoints)| {
        let parts: Vec<Vec<Value>> = match endpoints.len() {
            0 => vec![Vec::new()],
            _ => endpoints.chunks(MOST).map(<[Value]>::to_vec).collect(),
        };
        parts.into_iter().enumerate().map(move |(nth, endpoints)| (ports, nth, endpoints))
    });
    parts.map(|(ports, nth, endpoints)| slice(service, family, ports, nth, endpoints)).collect()
}

fn slice(service: &Plain, family: &str, ports: &[EndpointPort], nth: usize, endpoints: Vec<Value>) -> Value {
    let meta = &service.meta;
    let ports: Vec<Value> = ports.iter().map(port).collect();
    let name = format!("{}-{}", meta.key.name, ending(&format!("{} {family} {nth} {ports:?}", meta.key)));
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": name,
            "generateName": format!("{}-", meta.key.name),
            "namespace": &*meta.key.namespace,
            "creationTimestamp": timestamp(meta.created),
            "labels": labels(service),
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "Service", "name": &*meta.key.name, "uid": &*meta.uid.text(),
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "addressType": family,
        "endpoints": endpoints,
        "ports": ports,
    })
}

/// The service's own labels, and those by which a slice is found (setEndpointSliceLabels).
fn labels(service: &Plain) -> Value {
    let own = service
        .meta
        .labels
        .iter()
        .filter(|(key, _)| ![SERVICE_NAME, MANAGED_BY, HEADLESS].contains(&&***key));
    let mut labels: BTreeMap<&str, &str> = own.map(|(key, value)| (&**key, &**value)).collect();
    labels.insert(SERVICE_NAME, &service.meta.key.name);
    labels.insert(MANAGED_BY, "endpointslice-controller.k8s.io");
    if is_headless(service) {
        labels.insert(HEADLESS, "");
    }
    json!(labels)
}

/// Whether the name of a service means its pods.
pub(super) fn is_headless(service: &Plain) -> bool {
    let spec = &service.value["spec"];
    spec["clusterIP"] == "None" || list(spec, "clusterIPs").next().is_some_and(|first| first == "None")
}

fn endpoint(pod: &Endpoint, addresses: &[&str]) -> Value {
    let mut endpoint = json!({
        "addresses": addresses,
        "conditions": { "ready": pod.ready, "serving": pod.serving, "terminating": pod.terminating },
        "targetRef": { "kind": "Pod", "namespace": &*pod.pod.namespace, "name": &*pod.pod.name, "uid": &*pod.uid },
    });
    let more = [("hostname", &pod.hostname), ("nodeName", &pod.node), ("zone", &pod.zone)];
    for (field, value) in more {
        if let Some(value) = value {
            endpoint[field] = json!(&**value);
        }
    }
    endpoint
}

fn port(port: &EndpointPort) -> Value {
    let mut value = json!({ "name": &*port.name, "protocol": &*port.protocol, "port": port.port });
    if let Some(app) = &port.app {
        value["appProtocol"] = json!(&**app);
    }
    value
}

/// Five characters of the alphabet that Kubernetes' own names end in.
fn ending(of: &str) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut number = u64::from_str_radix(&sha256(of)[..15], 16).unwrap_or(0);
    let mut next = || {
        let at = number % 27;
        number /= 27;
        char::from(ALPHABET[usize::try_from(at).unwrap_or(0)])
    };
    (0..5).map(|_| next()).collect()
}
