//! A service's page: what it selects, its addresses, and each port with its endpoints.

use serde_json::Value;

use super::page::{Page, annotations, lines, plain};
use crate::kube::columns::{items, pairs, text};

/// So many endpoints of a port are told.
const TOLD: usize = 3;

/// The page of `service`, with its endpoint `slices`.
#[must_use]
pub fn describe_service(service: &Value, slices: &[Value]) -> String {
    let (meta, spec) = (&service["metadata"], &service["spec"]);
    let or = |value: &Value, other: &str| match text(value) {
        "" => other.to_owned(),
        text => text.to_owned(),
    };
    let list = |value: &Value, other: &str| {
        let all: Vec<&str> = items(value).map(text).collect();
        if all.is_empty() { other.to_owned() } else { all.join(",") }
    };
    let kind = or(&spec["type"], "ClusterIP");
    let mut fields = vec![
        ("Name", text(&meta["name"]).to_owned()),
        ("Namespace", text(&meta["namespace"]).to_owned()),
        ("Labels", lines(&meta["labels"], "=")),
        ("Annotations", annotations(service)),
        ("Selector", pairs(&spec["selector"])),
        ("Type", kind.clone()),
        ("IP Family Policy", or(&spec["ipFamilyPolicy"], "<none>")),
        ("IP Families", list(&spec["ipFamilies"], "<none>")),
        ("IP", or(&spec["clusterIP"], "<none>")),
        ("IPs", list(&spec["clusterIPs"], &or(&spec["clusterIP"], "<none>"))),
    ];
    let ingress = items(&service["status"]["loadBalancer"]["ingress"]);
    let ingress: Vec<String> = ingress.map(|it| or(&it["ip"], text(&it["hostname"]))).collect();
    for (label, value) in [
        ("External IPs", list(&spec["externalIPs"], "")),
        ("External Name", or(&spec["externalName"], "")),
        ("LoadBalancer Ingress", ingress.join(", ")),
    ] {
        if !value.is_empty() {
            fields.push((label, value));
        }
    }
    for port in items(&spec["ports"]) {
        let protocol = or(&port["protocol"], "TCP");
        let name = or(&port["name"], "<unset>");
        let target = match &port["targetPort"] {
            Value::Null => &port["port"],
            target => target,
        };
        fields.push(("Port", format!("{name}  {}/{protocol}", plain(&port["port"]))));
        fields.push(("TargetPort", format!("{}/{protocol}", plain(target))));
        if let Some(node) = port["nodePort"].as_i64().filter(|node| *node != 0) {
            fields.push(("NodePort", format!("{name}  {node}/{protocol}")));
        }
        fields.push(("Endpoints", endpoints(text(&port["name"]), slices)));
    }
    if items(&spec["ports"]).next().is_none() {
        fields.push(("Port", "<unset>".to_owned()));
    }
    fields.push(("Session Affinity", or(&spec["sessionAffinity"], "None")));
    if matches!(&*kind, "NodePort" | "LoadBalancer") {
        fields.push(("External Traffic Policy", or(&spec["externalTrafficPolicy"], "Cluster")));
    }
    fields.push(("Internal Traffic Policy", or(&spec["internalTrafficPolicy"], "Cluster")));
    fields.push(("Events", "<none>".to_owned()));
    let mut page = Page::default();
    page.fields("", fields);
    page.text
}

/// The first ready addresses of a port, and how many more there are (formatEndpointSlices).
fn endpoints(name: &str, slices: &[Value]) -> String {
    let mut all = Vec::new();
    for slice in slices {
        for port in items(&slice["ports"]).filter(|port| text(&port["name"]) == name) {
            let ready = items(&slice["endpoints"]).filter(|it| it["conditions"]["ready"] == true);
            for address in ready.flat_map(|it| items(&it["addresses"])).map(text) {
                all.push(if address.contains(':') {
                    format!("[{address}]:{}", plain(&port["port"]))
                } else {
                    format!("{address}:{}", plain(&port["port"]))
                });
            }
        }
    }
    match all.len() {
        0 => "<none>".to_owned(),
        count if count > TOLD => format!("{} + {} more...", all[..TOLD].join(","), count - TOLD),
        _ => all.join(","),
    }
}
