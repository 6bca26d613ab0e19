//! Discovery: which groups, versions and resources there are, and what can be done with them.

use serde_json::{Value, json};

use crate::app::api::{RESOURCES, Resource};

/// What can be done where nothing may be written.
const READ: [&str; 3] = ["get", "list", "watch"];
/// What can be done else.
const WRITE: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// The groups, in order, each once.
pub fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = RESOURCES.iter().map(|it| it.group).collect();
    groups.dedup();
    groups
}

/// The parts of objects that have paths of their own, with their kind and what can be done.
pub fn parts(resource: &Resource, write: bool) -> Vec<(&'static str, Value, &'static [&'static str])> {
    let own = gvk(resource.group, resource.version, resource.kind);
    let mut parts = Vec::new();
    if resource.status {
        let verbs: &[&str] = if write { &["get", "patch", "update"] } else { &["get"] };
        parts.push(("status", own, verbs));
    }
    if resource.plural == "pods" && write {
        parts.push(("eviction", gvk("policy", "v1", "Eviction"), &["create"]));
    }
    parts
}

fn gvk(group: &str, version: &str, kind: &str) -> Value {
    json!({ "group": group, "version": version, "kind": kind })
}

/// What can be done with the objects of a resource.
pub fn verbs(resource: &Resource, write: bool) -> &'static [&'static str] {
    // Nobody writes what is derived.
    if write && resource.plural != "endpointslices" { &WRITE } else { &READ }
}

/// All resources of all groups at once: of the core, or of the others.
pub fn aggregated(core: bool, version: &str, write: bool) -> Value {
    let groups = groups().into_iter().filter(|group| group.is_empty() == core);
    let items: Vec<Value> = groups.map(|group| aggregated_group(group, write)).collect();
    json!({ "kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"),
        "metadata": {}, "items": items })
}

fn aggregated_group(group: &str, write: bool) -> Value {
    let mut metadata = json!({ "creationTimestamp": null });
    if !group.is_empty() {
        metadata["name"] = json!(group);
    }
    let resources: Vec<Value> =
        RESOURCES.iter().filter(|it| it.group == group).map(|it| aggregated_resource(it, write)).collect();
    json!({ "metadata": metadata, "versions": [
        { "version": "v1", "resources": resources, "freshness": "Current" }] })
}

fn aggregated_resource(resource: &Resource, write: bool) -> Value {
    let mut item = json!({
        "resource": resource.plural,
        "responseKind": gvk(resource.group, resource.version, resource.kind),
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": verbs(resource, write),
    });
    if !resource.short.is_empty() {
        item["shortNames"] = json!(resource.short);
    }
    if resource.in_all {
        item["categories"] = json!(["all"]);
    }
    let parts: Vec<Value> = parts(resource, write)
        .into_iter()
        .map(|(part, kind, verbs)| json!({ "subresource": part, "responseKind": kind, "verbs": verbs }))
        .collect();
    if !parts.is_empty() {
        item["subresources"] = json!(parts);
    }
    item
}

/// `/api`, as clients of long ago ask for it.
pub fn core_versions(address: &str) -> Value {
    json!({ "kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": address }] })
}

/// `/apis`, as clients of long ago ask for it.
pub fn group_list() -> Value {
    let groups: Vec<Value> =
        groups().into_iter().filter(|group| !group.is_empty()).map(group_entry).collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

/// `/apis/GROUP`.
pub fn group(name: &str) -> Option<Value> {
    let name = groups().into_iter().find(|group| !group.is_empty() && *group == name)?;
    let mut group = group_entry(name);
    group["kind"] = json!("APIGroup");
    group["apiVersion"] = json!("v1");
    Some(group)
}

fn group_entry(name: &str) -> Value {
    let version = json!({ "groupVersion": format!("{name}/v1"), "version": "v1" });
    json!({ "name": name, "versions": [version], "preferredVersion": version })
}

/// `/api/v1`, `/apis/GROUP/VERSION`.
pub fn resources(group: &str, version: &str, write: bool) -> Option<Value> {
    let of: Vec<&Resource> =
        RESOURCES.iter().filter(|it| (it.group, it.version) == (group, version)).collect();
    let first = of.first()?;
    let mut all = Vec::new();
    for resource in &of {
        let mut item = json!({ "name": resource.plural, "singularName": resource.singular,
            "namespaced": resource.namespaced, "kind": resource.kind, "verbs": verbs(resource, write) });
        if !resource.short.is_empty() {
            item["shortNames"] = json!(resource.short);
        }
        if resource.in_all {
            item["categories"] = json!(["all"]);
        }
        all.push(item);
        for (part, kind, verbs) in parts(resource, write) {
            let mut item = json!({ "name": format!("{}/{part}", resource.plural), "singularName": "",
                "namespaced": resource.namespaced, "kind": kind["kind"], "verbs": verbs });
            if kind["group"] != group {
                item["group"] = kind["group"].clone();
                item["version"] = kind["version"].clone();
            }
            all.push(item);
        }
    }
    Some(json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": first.api_version(),
        "resources": all }))
}

/// The paths there are.
pub fn paths() -> Value {
    let mut paths = vec!["/api".to_owned(), "/api/v1".to_owned(), "/apis".to_owned()];
    for group in groups().into_iter().filter(|group| !group.is_empty()) {
        paths.extend([format!("/apis/{group}"), format!("/apis/{group}/v1")]);
    }
    paths.extend(
        ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"].map(str::to_owned),
    );
    json!({ "paths": paths })
}

/// `/version`: of the API that is served, and whose server it is.
pub fn version() -> Value {
    json!({ "major": "1", "minor": "32", "gitVersion": concat!("v1.32.0+dsrules-", env!("CARGO_PKG_VERSION")),
        "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "",
        "compiler": "rustc", "platform": format!("{}/{}", std::env::consts::OS, arch()) })
}

fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
