//! Endpoints against a plain restatement of Kubernetes' endpoint slice controller: loops over
//! objects, without rules, indexes or groups; also after changes, where rules derive again only
//! what a change touches.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;

use dsrules::facts::Grouping;
use dsrules::kube::{Kind, Object, ObjectKey, Origin};
use dsrules::policy::{self, relations};
use dsrules::reach::{Derived, Endpoints, slices};
use dsrules::reason::Reasoner;
use dsrules::state::{Changed, World};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Service, family, ports, addresses, conditions, pod, node and zone.
type Row = (String, String, String, String, [bool; 3], String, String);

fn object(kind: Kind, value: &Value) -> Object {
    let text = |field: &str| value["metadata"][field].as_str().unwrap_or("");
    let origin = Origin { file: "x".into(), document: 0, path: String::new() };
    let key = ObjectKey::new(text("namespace"), text("name"));
    Object { kind, key, value: value.clone(), origin }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

/// What is in a cluster.
#[derive(Debug, Clone)]
struct Cluster {
    nodes: Vec<Value>,
    services: Vec<Value>,
    pods: Vec<Value>,
}

impl Cluster {
    fn node_addresses(&self, node: &str) -> Vec<String> {
        let found = self.nodes.iter().find(|it| it["metadata"]["name"] == node);
        let addresses = found.map(|node| list(&node["status"]["addresses"])).unwrap_or_default();
        let of = |kind: &str| -> Vec<String> {
            addresses.iter().filter(|it| it["type"] == kind).map(|it| text(&it["address"])).collect()
        };
        let internal = of("InternalIP");
        let chosen = if internal.is_empty() { of("ExternalIP") } else { internal };
        let first = |six: bool| chosen.iter().find(|it| it.contains(':') == six).cloned();
        chosen.iter().filter(|it| Some((*it).clone()) == first(it.contains(':'))).cloned().collect()
    }

    fn pod_addresses(&self, pod: &Value) -> Vec<String> {
        let own: Vec<String> = list(&pod["status"]["podIPs"]).iter().map(|it| text(&it["ip"])).collect();
        if own.is_empty() && pod["spec"]["hostNetwork"] == true {
            return self.node_addresses(&text(&pod["spec"]["nodeName"]));
        }
        own
    }

    fn families(&self, service: &Value) -> Vec<&'static str> {
        let spec = &service["spec"];
        if spec["ipFamilyPolicy"] == "PreferDualStack" {
            return vec!["IPv4", "IPv6"];
        }
        let said = list(&spec["ipFamilies"]);
        if !said.is_empty() {
            return ["IPv4", "IPv6"].into_iter().filter(|it| said.contains(&json!(it))).collect();
        }
        let nodes = self.nodes.iter().flat_map(|it| self.node_addresses(&text(&it["metadata"]["name"])));
        let pods = self.pods.iter().flat_map(|it| list(&it["status"]["podIPs"])).map(|it| text(&it["ip"]));
        let all: Vec<String> = nodes.chain(pods).collect();
        let six = !all.is_empty() && all.iter().all(|it| it.contains(':'));
        vec![if six { "IPv6" } else { "IPv4" }]
    }

    /// podToEndpoint and what is around it.
    fn rows(&self) -> BTreeSet<Row> {
        let mut rows = BTreeSet::new();
        for service in &self.services {
            let (meta, spec) = (&service["metadata"], &service["spec"]);
            let selector = spec["selector"].as_object().unwrap();
            for pod in &self.pods {
                let same = pod["metadata"]["namespace"] == meta["namespace"];
                let labels = &pod["metadata"]["labels"];
                let ended = ["Failed", "Succeeded"].iter().any(|it| pod["status"]["phase"] == *it);
                if !same || ended || selector.iter().any(|(key, value)| labels[key] != *value) {
                    continue;
                }
                let node = text(&pod["spec"]["nodeName"]);
                let found = self.nodes.iter().find(|it| it["metadata"]["name"] == node.as_str());
                let publishes = spec["publishNotReadyAddresses"] == true;
                if found.is_none() && !publishes {
                    continue;
                }
                let serving = pod["status"]["conditions"][0]["status"] == "True";
                let terminating = pod["metadata"]["deletionTimestamp"].is_string();
                let conditions = [publishes || serving && !terminating, serving, terminating];
                let zone = found.map(|it| text(&it["metadata"]["labels"]["topology.kubernetes.io/zone"]));
                for family in self.families(service) {
                    let addresses: Vec<String> = self
                        .pod_addresses(pod)
                        .into_iter()
                        .filter(|it| it.contains(':') == (family == "IPv6"))
                        .collect();
                    if addresses.is_empty() {
                        continue;
                    }
                    rows.insert((
                        format!("{}/{}", text(&meta["namespace"]), text(&meta["name"])),
                        family.to_owned(),
                        ports(spec, pod),
                        addresses.join(","),
                        conditions,
                        text(&pod["metadata"]["name"]),
                        format!("{node} {}", zone.clone().unwrap_or_default()),
                    ));
                }
            }
        }
        rows
    }
}

/// FindPort.
fn ports(spec: &Value, pod: &Value) -> String {
    let mut told = String::new();
    for port in list(&spec["ports"]) {
        let number = match &port["targetPort"] {
            Value::String(name) => {
                let containers = list(&pod["spec"]["containers"]);
                let all = containers.iter().flat_map(|it| list(&it["ports"]));
                let mut fits =
                    all.filter(|it| it["name"] == name.as_str() && it["protocol"] == port["protocol"]);
                fits.next().map(|it| it["containerPort"].clone())
            }
            number => Some(number.clone()),
        };
        if let Some(number) = number {
            told += &format!(" {}:{number}/{}", text(&port["name"]), text(&port["protocol"]));
        }
    }
    told
}

/// The same of what the rules derive.
fn derived(world: &World, reasoner: &Reasoner) -> BTreeSet<Row> {
    let derived = Derived {
        program: reasoner.program(),
        symbols: reasoner.symbols(),
        evaluation: reasoner.evaluation().unwrap(),
    };
    let services = world.others.iter().filter(|((kind, _), _)| *kind == Kind::Service);
    let slices = services.flat_map(|(_, it)| slices(it, &Endpoints::of(it, world, derived)));
    let mut rows = BTreeSet::new();
    for slice in slices {
        let ports: String = list(&slice["ports"])
            .iter()
            .map(|it| format!(" {}:{}/{}", text(&it["name"]), it["port"], text(&it["protocol"])))
            .collect();
        for endpoint in list(&slice["endpoints"]) {
            let addresses: Vec<String> = list(&endpoint["addresses"]).iter().map(text).collect();
            let is = |condition: &str| endpoint["conditions"][condition] == true;
            let meta = &slice["metadata"];
            rows.insert((
                format!("{}/{}", text(&meta["namespace"]), text(&meta["ownerReferences"][0]["name"])),
                text(&slice["addressType"]),
                ports.clone(),
                addresses.join(","),
                ["ready", "serving", "terminating"].map(is),
                text(&endpoint["targetRef"]["name"]),
                format!("{} {}", text(&endpoint["nodeName"]), text(&endpoint["zone"])),
            ));
        }
    }
    rows
}

fn nodes() -> impl Strategy<Value = Vec<Value>> {
    let address = |kind: &'static str, address: &'static str| json!({ "type": kind, "address": address });
    let addresses = prop_oneof![
        Just(json!([])),
        Just(json!([address("InternalIP", "10.0.0.1"), address("InternalIP", "10.0.0.2")])),
        Just(json!([address("InternalIP", "fd00::1"), address("ExternalIP", "192.0.2.1")])),
        Just(json!([
            address("ExternalIP", "192.0.2.2"),
            address("InternalIP", "fd00::2"),
            address("InternalIP", "10.0.0.3")
        ])),
    ];
    let zone = prop_oneof![Just(json!({})), Just(json!({ "topology.kubernetes.io/zone": "z1" }))];
    prop::collection::vec((addresses, zone), 2).prop_map(|all| {
        let one = |(nth, (addresses, labels)): (usize, (Value, Value))| {
            json!({ "metadata": { "name": format!("n{nth}"), "labels": labels }, "status": { "addresses": addresses } })
        };
        all.into_iter().enumerate().map(one).collect()
    })
}

fn pods() -> impl Strategy<Value = Vec<Value>> {
    let ips = prop_oneof![
        3 => Just(json!([])),
        2 => Just(json!([{ "ip": "10.1.0.1" }])),
        1 => Just(json!([{ "ip": "fd01::1" }])),
        1 => Just(json!([{ "ip": "10.1.0.2" }, { "ip": "fd01::2" }])),
    ];
    let one = (
        ips,
        prop::sample::select(vec!["", "n0", "n0", "n1", "n1", "gone"]),
        prop::sample::select(vec!["Running", "Running", "Running", "Pending", "Failed", "Succeeded"]),
        any::<[bool; 4]>(),
        prop::sample::select(vec![0, 80, 81]),
        prop::sample::select(vec!["web", "web", "api"]),
    );
    prop::collection::vec(one, 6).prop_map(|all| {
        let pods = all.into_iter().enumerate();
        pods.map(|(nth, (ips, node, phase, [ready, going, on_host, other], port, app))| {
            let mut pod = json!({
                "metadata": { "name": format!("p{nth}"), "namespace": if other { "b" } else { "a" },
                              "labels": { "app": app, "nth": format!("{}", nth % 2) } },
                "spec": { "hostNetwork": on_host, "containers": [{ "name": "c", "image": "x" }] },
                "status": { "phase": phase, "podIPs": ips,
                            "conditions": [{ "type": "Ready", "status": if ready { "True" } else { "False" } }] },
            });
            if !node.is_empty() {
                pod["spec"]["nodeName"] = json!(node);
            }
            if going {
                pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            }
            if port > 0 {
                pod["spec"]["containers"][0]["ports"] =
                    json!([{ "name": "web", "containerPort": port, "protocol": "TCP" },
                           { "name": "web", "containerPort": port + 1, "protocol": "TCP" }]);
            }
            pod
        })
        .collect()
    })
}

fn services() -> impl Strategy<Value = Vec<Value>> {
    let selector = prop_oneof![
        Just(json!({ "app": "web" })),
        Just(json!({ "app": "web", "nth": "0" })),
        Just(json!({ "app": "none" })),
    ];
    let families = prop_oneof![Just(json!([])), Just(json!(["IPv6"])), Just(json!(["IPv6", "IPv4"]))];
    let target = prop_oneof![Just(json!("web")), Just(json!(8080))];
    let one = (selector, families, target, any::<[bool; 3]>());
    prop::collection::vec(one, 3).prop_map(|all| {
        let services = all.into_iter().enumerate();
        services
            .map(|(nth, (selector, families, target, [publishes, dual, other]))| {
                let mut service = json!({
                    "metadata": { "name": format!("s{nth}"), "namespace": if other { "b" } else { "a" } },
                    "spec": { "clusterIP": "None", "selector": selector, "ipFamilies": families,
                              "publishNotReadyAddresses": publishes,
                              "ports": [{ "name": "one", "port": 1, "targetPort": target, "protocol": "TCP" },
                                        { "name": "two", "port": 2, "targetPort": 9, "protocol": "UDP" }] },
                });
                if dual {
                    service["spec"]["ipFamilyPolicy"] = json!("PreferDualStack");
                }
                service
            })
            .collect()
    })
}

fn cluster() -> impl Strategy<Value = Cluster> {
    (nodes(), services(), pods()).prop_map(|(nodes, services, pods)| Cluster { nodes, services, pods })
}

/// Makes a world what a cluster is: what is not in it goes.
fn bring(world: &mut World, cluster: &Cluster) {
    let kinds =
        [(Kind::Node, &cluster.nodes), (Kind::Service, &cluster.services), (Kind::Pod, &cluster.pods)];
    for (kind, objects) in kinds {
        let objects: Vec<Object> = objects.iter().map(|value| object(kind, value)).collect();
        let wanted: BTreeSet<ObjectKey> = objects.iter().map(|it| it.key.clone()).collect();
        let gone: Vec<ObjectKey> =
            world.keys(kind).into_iter().filter(|key| !wanted.contains(*key)).cloned().collect();
        for key in &gone {
            world.remove(kind, key);
        }
        for object in objects {
            // What is bound or being deleted stays so, but for another of that name.
            let had = world.pods.get(&object.key).filter(|_| kind == Kind::Pod);
            let unbound =
                had.is_some_and(|it| it.node.is_some() && object.value["spec"]["nodeName"].is_null());
            let going = had.is_some_and(|it| {
                it.meta.deleting.is_some() && object.value["metadata"]["deletionTimestamp"].is_null()
            });
            if unbound || going {
                world.remove(kind, &object.key);
            }
            world.put(object, 0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn endpoints_are_those_of_the_controller(before in cluster(), after in cluster(), last in pods()) {
        let program = relations::reaching(&policy::load(&[]).program.unwrap());
        let mut reasoner = Reasoner::new(&program, Grouping::On);
        let mut world = World { detailed: true, whole: dsrules::state::Whole::ALL, ..World::default() };
        let last = Cluster { pods: last, ..after.clone() };
        for cluster in [before, after, last] {
            world.changed.clear();
            bring(&mut world, &cluster);
            let changed: Changed = world.changed.clone();
            reasoner.derive(&world, &changed, 0).unwrap();
            prop_assert_eq!(derived(&world, &reasoner), cluster.rows());
        }
    }
}
