//! A Service: a name for pods, chosen by their labels.
//!
//! What clients find under that name is derived by `rules/service.dl`; here is what an API
//! server fills in and what tables show. Addresses and node ports that a cluster would give
//! are nobody's to give here: they are what the manifest says.

use serde_json::{Map, Value, json};

use super::info::{KindInfo, NameForm};
use crate::kube::columns::{Column, items, or_none, pairs, text};
use crate::kube::defaults::{absent, each, present};

pub(super) const KIND: KindInfo = KindInfo {
    name: "Service",
    api_version: "v1",
    removed: &[],
    resource: "service",
    plural: "services",
    short: &["svc"],
    namespaced: true,
    names: NameForm::Host,
    counts_changes: false,
    defaults,
    status: || json!({ "loadBalancer": {} }),
    columns: &[
        Column::new("TYPE", |service, _| or_none(&service["spec"]["type"]).replace("<none>", "ClusterIP")),
        Column::new("CLUSTER-IP", |service, _| cluster_ip(service)),
        Column::new("EXTERNAL-IP", |service, _| external_ip(service)),
        Column::new("PORT(S)", |service, _| ports(service)),
        Column::AGE,
        Column::wide("SELECTOR", |service, _| pairs(&service["spec"]["selector"])),
    ],
    facts: &[],
};

/// The defaults that depend on another field (SetDefaults_Service).
fn defaults(service: &mut Map<String, Value>) {
    let Some(spec) = present(service, "spec") else { return };
    let is = |spec: &Map<String, Value>, field: &str, value: &str| spec.get(field) == Some(&json!(value));
    match spec.get("sessionAffinity").and_then(Value::as_str) {
        Some("None") => {
            spec.remove("sessionAffinityConfig");
        }
        Some("ClientIP") if spec.get("sessionAffinityConfig").is_none_or(Value::is_null) => {
            let three_hours = json!({ "clientIP": { "timeoutSeconds": 10800 } });
            spec.insert("sessionAffinityConfig".to_owned(), three_hours);
        }
        _ => {}
    }
    if is(spec, "type", "ExternalName") {
        return;
    }
    absent(spec, "internalTrafficPolicy", || json!("Cluster"));
    let outside = ["NodePort", "LoadBalancer"].into_iter().any(|it| is(spec, "type", it))
        || spec.get("externalIPs").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if outside && spec.get("externalTrafficPolicy").is_none_or(|it| it.is_null() || it == "") {
        spec.insert("externalTrafficPolicy".to_owned(), json!("Cluster"));
    }
    if is(spec, "type", "LoadBalancer") {
        absent(spec, "allocateLoadBalancerNodePorts", || json!(true));
    }
    // Each of the two says what the other does (the registry's normalizeClusterIPs).
    let said =
        |value: Option<&Value>| value.and_then(Value::as_str).filter(|it| !it.is_empty()).map(str::to_owned);
    let first = said(spec.get("clusterIPs").and_then(|list| list.get(0)));
    match (said(spec.get("clusterIP")), first) {
        (Some(one), None) => {
            let list = json!([one]);
            spec.insert("clusterIPs".to_owned(), list);
        }
        (None, Some(first)) => {
            spec.insert("clusterIP".to_owned(), json!(first));
        }
        _ => {}
    }
    each(spec, "ports", |port| {
        if port.get("targetPort").is_none_or(|it| it.is_null() || *it == json!(0) || it == "") {
            let same = port.get("port").cloned().unwrap_or_default();
            port.insert("targetPort".to_owned(), same);
        }
    });
}

/// The first address it has in the cluster: `None` of a headless one.
fn cluster_ip(service: &Value) -> String {
    let spec = &service["spec"];
    let first = items(&spec["clusterIPs"]).map(text).next().filter(|it| !it.is_empty());
    first.map_or_else(|| or_none(&spec["clusterIP"]), str::to_owned)
}

/// getServiceExternalIP.
fn external_ip(service: &Value) -> String {
    let spec = &service["spec"];
    let mut found: Vec<&str> = items(&spec["externalIPs"]).map(text).collect();
    match text(&spec["type"]) {
        "ExternalName" => return or_none(&spec["externalName"]),
        "LoadBalancer" => {
            for given in items(&service["status"]["loadBalancer"]["ingress"]) {
                found.extend(
                    ["ip", "hostname"].map(|field| text(&given[field])).iter().find(|it| !it.is_empty()),
                );
            }
            if found.is_empty() {
                return "<pending>".to_owned();
            }
        }
        _ => {}
    }
    if found.is_empty() { "<none>".to_owned() } else { found.join(",") }
}

/// `80/TCP,443:30443/TCP` (makePortString).
fn ports(service: &Value) -> String {
    let one = |port: &Value| {
        let number = |field: &str| port[field].as_i64().unwrap_or(0);
        let protocol = Some(text(&port["protocol"])).filter(|it| !it.is_empty()).unwrap_or("TCP");
        match number("nodePort") {
            0 => format!("{}/{protocol}", number("port")),
            node => format!("{}:{node}/{protocol}", number("port")),
        }
    };
    let all: Vec<String> = items(&service["spec"]["ports"]).map(one).collect();
    if all.is_empty() { "<none>".to_owned() } else { all.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_columns_read_as_kubectls() {
        let of = |spec: Value, status: Value| {
            let service = json!({ "spec": spec, "status": status });
            [cluster_ip(&service), external_ip(&service), ports(&service)].join(" ")
        };
        let none = json!({});
        let plain = json!({ "clusterIPs": ["10.0.0.1", "fd00::1"], "ports": [{ "port": 80 }] });
        assert_eq!(of(plain, none.clone()), "10.0.0.1 <none> 80/TCP");
        assert_eq!(of(json!({ "clusterIP": "None" }), none.clone()), "None <none> <none>");
        let ports = json!([{ "port": 53, "protocol": "UDP", "nodePort": 30053 }, { "port": 53 }]);
        let balanced = json!({ "type": "LoadBalancer", "ports": ports });
        assert_eq!(of(balanced.clone(), none.clone()), "<none> <pending> 53:30053/UDP,53/TCP");
        let given =
            json!({ "loadBalancer": { "ingress": [{ "ip": "192.0.2.1" }, { "hostname": "lb.example" }] } });
        assert_eq!(of(balanced, given), "<none> 192.0.2.1,lb.example 53:30053/UDP,53/TCP");
        let elsewhere = json!({ "type": "ExternalName", "externalName": "db.example.com" });
        assert_eq!(of(elsewhere, none), "<none> db.example.com <none>");
    }
}
