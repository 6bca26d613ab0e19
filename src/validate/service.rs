//! Services: type, ports, addresses, traffic.

use std::collections::BTreeSet;

use serde_json::Value;

use super::errors::Errors;
use super::network::Family;
use super::path::Cursor;
use super::{labels, meta, text};

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
/// The node ports that an API server gives out, where nobody has told it others.
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30000..=32767;
/// Where the kubelet listens.
const KUBELET: i64 = 10250;
const ONE_DAY: i64 = 86400;

/// A service that is to be created, or to take the place of `old`.
pub(super) fn check(root: &Cursor<'_, '_>, old: Option<&Value>, errors: &mut Errors) {
    old.into_iter().for_each(|old| update(root, old, errors));
    let spec = root.field("spec");
    let kind = spec.field("type").text();
    let headless = spec.field("clusterIP").text() == "None";
    if spec.field("ports").is_empty() && !headless && kind != "ExternalName" {
        errors.required(&spec.field("ports"), "a service needs at least one port, unless it is headless");
    }
    match kind {
        "ExternalName" => external_name(&spec, errors),
        _ => addresses(&spec, errors),
    }
    ports(&spec, errors);
    labels::labels(&spec.field("selector"), errors);
    affinity(&spec, errors);
    for address in spec.field("externalIPs").items() {
        external_address(&address, errors);
    }
    errors.one_of(&spec.field("type"), &TYPES);
    balancer(&spec, errors);
    traffic(&spec, errors);
}

/// What may not change of a service: the address that clients know it by.
pub(super) fn update(root: &Cursor<'_, '_>, old: &Value, errors: &mut Errors) {
    meta::update(root, old, errors);
    let spec = root.field("spec");
    let address = spec.field("clusterIP");
    let before = old["spec"]["clusterIP"].as_str().unwrap_or("");
    let is_elsewhere = |kind: &str| kind == "ExternalName";
    if is_elsewhere(spec.field("type").text()) || is_elsewhere(old["spec"]["type"].as_str().unwrap_or("")) {
        return;
    }
    if !before.is_empty() && !address.text().is_empty() && address.text() != before {
        errors.invalid(&address, &format!("may not change once it is set, and it is `{before}`"));
    }
}

fn external_name(spec: &Cursor<'_, '_>, errors: &mut Errors) {
    for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        let field = spec.field(field);
        if field.is_set() && (field.value.is_string() || !field.is_empty()) {
            errors.forbidden(&field, "may not be set while `type` is `ExternalName`");
        }
    }
    let name = spec.field("externalName");
    match name.text().strip_suffix('.').unwrap_or(name.text()) {
        "" => errors.required(&name, "the name that clients are sent to"),
        text => errors.invalid_each(&name, &text::dns_subdomain(text)),
    }
}

fn ports(spec: &Cursor<'_, '_>, errors: &mut Errors) {
    let ports = spec.field("ports");
    let kind = spec.field("type").text();
    let (mut names, mut numbers, mut of_nodes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for port in ports.items() {
        let name = port.field("name");
        if name.text().is_empty() && ports.len() > 1 {
            errors.required(&name, "each port needs a name where there are several");
        } else if !name.text().is_empty() {
            errors.invalid_each(&name, &text::dns_label(name.text()));
            if !names.insert(name.text()) {
                errors.duplicate(&name);
            }
        }
        let number = port.field("port");
        if number.is_set() {
            errors.in_range(&number, 1, 65535);
        } else {
            errors.required(&number, "");
        }
        errors.one_of(&port.field("protocol"), &["SCTP", "TCP", "UDP"]);
        let target = port.field("targetPort");
        match target.value {
            Value::String(name) => errors.invalid_each(&target, &text::port_name(name)),
            // What is filled in from `port` is told of there.
            _ if target.value == number.value => {}
            _ => errors.in_range(&target, 1, 65535),
        }
        let app = port.field("appProtocol");
        if app.is_set() {
            errors.invalid_each(&app, &text::qualified_name(app.text()));
        }
        if kind == "LoadBalancer" && number.int() == Some(KUBELET) {
            errors.invalid(&port, "the port of the kubelet may not be opened to the outside");
        }
        let protocol = port.field("protocol").text();
        let node = port.field("nodePort");
        match node.int().unwrap_or(0) {
            0 => {}
            _ if kind == "ClusterIP" => {
                errors.forbidden(&node, "may not be used while `type` is `ClusterIP`: say `type: NodePort`");
            }
            taken if !of_nodes.insert((protocol, taken)) => errors.duplicate(&node),
            outside if !NODE_PORTS.contains(&outside) => {
                errors.invalid(&node, "node ports are from 30000 to 32767");
            }
            _ => {}
        }
        if !numbers.insert((protocol, number.int())) {
            let from = errors.count();
            errors.duplicate(&number);
            // Kubernetes reports the port as a whole.
            errors.report_as(from, |steps| drop(steps.pop()));
        }
    }
}

fn affinity(spec: &Cursor<'_, '_>, errors: &mut Errors) {
    let affinity = spec.field("sessionAffinity");
    errors.one_of(&affinity, &["ClientIP", "None"]);
    let config = spec.field("sessionAffinityConfig");
    if affinity.text() == "ClientIP" {
        let client = config.field("clientIP");
        let seconds = client.field("timeoutSeconds");
        if seconds.is_set() {
            errors.in_range(&seconds, 1, ONE_DAY);
        } else {
            errors.required(&seconds, "says for how long a client stays with one pod");
        }
    }
}

/// Addresses in the cluster and their families, each by itself and with each other.
fn addresses(spec: &Cursor<'_, '_>, errors: &mut Errors) {
    let (first, all) = (spec.field("clusterIP"), spec.field("clusterIPs"));
    if all.index(0).text() != first.text() {
        errors.invalid(&all, "the first one must be the same as `clusterIP`");
    }
    let policy = spec.field("ipFamilyPolicy");
    if policy.is_set() {
        errors.one_of(&policy, &["PreferDualStack", "RequireDualStack", "SingleStack"]);
    }
    let found: Vec<Option<Family>> = all.items().map(|it| Family::of_address(it.text())).collect();
    let mut are_addresses = true;
    for (address, family) in all.items().zip(&found) {
        let is_none = address.text() == "None";
        if is_none && all.len() > 1 {
            errors.invalid(&all, "`None` must be the only one");
            are_addresses = false;
        } else if !is_none && family.is_none() {
            errors.invalid(&address, "must be an IP address, like `10.9.8.7` or `2001:db8::ffff`, or `None`");
            are_addresses = false;
        }
    }
    if all.len() > 2 {
        errors.invalid(&all, "can have 2 addresses at most");
    }
    if !are_addresses {
        return;
    }
    if found.len() > 1 && found[0] == found[1] {
        errors.invalid(&all, "can have one address of each family only");
    }
    let families = spec.field("ipFamilies");
    let mut seen = BTreeSet::new();
    for family in families.items() {
        if !["IPv4", "IPv6"].contains(&family.text()) {
            errors.not_supported(&family, &["IPv4", "IPv6"]);
        } else if !seen.insert(family.text()) {
            errors.duplicate(&family);
        }
    }
    for ((address, found), family) in all.items().zip(&found).zip(families.items()) {
        let wanted = match family.text() {
            "IPv4" => Family::Four,
            "IPv6" => Family::Six,
            _ => continue,
        };
        if found.is_some_and(|found| found != wanted) {
            let path = family.path();
            errors.invalid(&address, &format!("must be an {} address, as `{path}` says", family.text()));
        }
    }
    if policy.text() == "SingleStack" && (all.len() > 1 || families.len() > 1) {
        errors
            .invalid(&policy, "must be `RequireDualStack` or `PreferDualStack` where there are two families");
    }
}

/// An address outside of the cluster: none that means this machine, or all of them.
fn external_address(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let Ok(address) = at.text().parse::<std::net::IpAddr>() else {
        errors.invalid(at, "must be an IP address, like `10.9.8.7` or `2001:db8::ffff`");
        return;
    };
    let local = match address {
        std::net::IpAddr::V4(it) => it.is_link_local() || it.octets()[..3] == [224, 0, 0],
        std::net::IpAddr::V6(it) => it.is_unicast_link_local() || it.segments()[0] == 0xff02,
    };
    for (is_so, detail) in [
        (address.is_unspecified(), "may not be the address that stands for all"),
        (address.is_loopback(), "may not be the machine itself (127.0.0.0/8, ::1/128)"),
        (local, "may not be in a range of one link (169.254.0.0/16, 224.0.0.0/24, fe80::/10, ff02::/10)"),
    ] {
        if is_so {
            errors.invalid(at, detail);
        }
    }
}

/// What only a load balancer has.
fn balancer(spec: &Cursor<'_, '_>, errors: &mut Errors) {
    let is_one = spec.field("type").text() == "LoadBalancer";
    let ranges = spec.field("loadBalancerSourceRanges");
    if !ranges.is_empty() && !is_one {
        errors.forbidden(&ranges, "may only be used while `type` is `LoadBalancer`");
    }
    for range in ranges.items() {
        if Family::of_range(range.text().trim()).is_none() {
            errors.invalid(&range, "must be a range of addresses, like `10.9.8.0/24`");
        }
    }
    let class = spec.field("loadBalancerClass");
    for field in [spec.field("allocateLoadBalancerNodePorts"), class] {
        if field.is_set() && !is_one {
            errors.forbidden(&field, "may only be used while `type` is `LoadBalancer`");
        }
    }
    if class.is_set() && is_one {
        errors.invalid_each(&class, &text::qualified_name(class.text()));
    }
}

/// Which endpoints get what comes from outside and from inside.
fn traffic(spec: &Cursor<'_, '_>, errors: &mut Errors) {
    let kind = spec.field("type").text();
    let is_outside = matches!(kind, "LoadBalancer" | "NodePort")
        || kind == "ClusterIP" && !spec.field("externalIPs").is_empty();
    let external = spec.field("externalTrafficPolicy");
    if is_outside {
        errors.one_of(&external, &["Cluster", "Local"]);
    } else if !external.text().is_empty() {
        errors.invalid(&external, "may only be set where the service can be reached from outside");
    }
    let health = spec.field("healthCheckNodePort");
    if kind == "LoadBalancer" && external.text() == "Local" {
        if health.int().is_some_and(|port| port != 0) {
            errors.in_range(&health, 1, 65535);
        }
    } else if health.int().is_some_and(|port| port != 0) {
        let detail = "may only be set while `type` is `LoadBalancer` and `externalTrafficPolicy` is `Local`";
        errors.invalid(&health, detail);
    }
    let internal = spec.field("internalTrafficPolicy");
    if kind != "ExternalName" || internal.is_set() {
        errors.one_of(&internal, &["Cluster", "Local"]);
    }
    let distribution = spec.field("trafficDistribution");
    if distribution.is_set() {
        errors.one_of(&distribution, &["PreferClose"]);
    }
}
