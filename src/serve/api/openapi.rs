//! OpenAPI: the types of the objects, as far as they are known here, for clients that check,
//! explain and merge. Types that are only kept take any field.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::discovery::groups;
use crate::app::api::{RESOURCES, Resource};
use crate::hash::sha256;
use crate::kube::merge::{Merge, is_whole, merge_of};
use crate::kube::shape::{self, Shape};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";
const GVK: &str = "x-kubernetes-group-version-kind";

/// `/openapi/v3`: where the documents of the groups are.
pub fn index() -> &'static Value {
    static INDEX: OnceLock<Value> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut paths = Map::new();
        for group in groups() {
            let path = if group.is_empty() { "api/v1".to_owned() } else { format!("apis/{group}/v1") };
            let text = v3(group, "v1").map(|it| it.to_string()).unwrap_or_default();
            let url = format!("/openapi/v3/{path}?hash={}", sha256(&text).to_ascii_uppercase());
            paths.insert(path, json!({ "serverRelativeURL": url }));
        }
        json!({ "paths": paths })
    })
}

/// The document of a group.
pub fn v3(group: &str, version: &str) -> Option<Value> {
    let of: Vec<&Resource> =
        RESOURCES.iter().filter(|it| (it.group, it.version) == (group, version)).collect();
    if of.is_empty() {
        return None;
    }
    let paths: Map<String, Value> = of.iter().flat_map(|it| paths(it)).collect();
    Some(json!({ "openapi": "3.0.0", "info": { "title": "Kubernetes", "version": "v1.32.0" },
        "paths": paths, "components": { "schemas": schemas(&of, "#/components/schemas/") } }))
}

/// `/openapi/v2`: all of it, as it was once asked for.
pub fn v2() -> &'static Value {
    static V2: OnceLock<Value> = OnceLock::new();
    V2.get_or_init(|| {
        let all: Vec<&Resource> = RESOURCES.iter().collect();
        let paths: Map<String, Value> = all.iter().flat_map(|it| paths(it)).collect();
        json!({ "swagger": "2.0", "info": { "title": "Kubernetes", "version": "v1.32.0" },
            "paths": paths, "definitions": schemas(&all, "#/definitions/") })
    })
}

/// What can be done with an object, as far as clients look: whether patches are checked.
fn paths(resource: &Resource) -> Vec<(String, Value)> {
    let root =
        if resource.group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{}/v1", resource.group) };
    let space = if resource.namespaced { "/namespaces/{namespace}" } else { "" };
    let gvk = gvk(resource);
    let query = |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string", "uniqueItems": true } });
    let operation = |action: &str| {
        json!({ "x-kubernetes-action": action, GVK: gvk,
            "parameters": [query("dryRun"), query("fieldManager"), query("fieldValidation")],
            "responses": { "200": { "description": "OK" } } })
    };
    let of_all = format!("{root}{space}/{}", resource.plural);
    let of_one = format!("{of_all}/{{name}}");
    vec![
        (of_all, json!({ "post": operation("post") })),
        (of_one, json!({ "get": operation("get"), "put": operation("put"), "patch": operation("patch") })),
    ]
}

fn gvk(resource: &Resource) -> Value {
    json!({ "group": resource.group, "version": resource.version, "kind": resource.kind })
}

/// The schemas of these resources and of all types under them.
fn schemas(resources: &[&Resource], link: &str) -> Map<String, Value> {
    let (mut schemas, mut seen) = (Map::new(), BTreeSet::new());
    let mut todo = vec!["ObjectMeta"];
    for resource in resources {
        let mut schema = match shape::of_name(resource.kind)
            .filter(|_| resource.stored().is_some_and(|it| !it.is_other()))
        {
            Some(_) => of_type(resource.kind, link, &mut todo),
            None => kept(link),
        };
        schema[GVK] = json!([gvk(resource)]);
        seen.insert(resource.kind);
        schemas.insert(name_of(resource.kind), schema);
    }
    while let Some(name) = todo.pop() {
        if seen.insert(name) {
            schemas.insert(name_of(name), of_type(name, link, &mut todo));
        }
    }
    schemas
}

/// A type of which nothing is known but that it is an object.
fn kept(link: &str) -> Value {
    json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
        "apiVersion": { "type": "string" }, "kind": { "type": "string" },
        "metadata": reference("ObjectMeta", link) } })
}

/// What a type is called in documents.
fn name_of(name: &str) -> String {
    let of_meta =
        ["ObjectMeta", "LabelSelector", "LabelSelectorRequirement", "ManagedFieldsEntry", "OwnerReference"];
    if of_meta.contains(&name) {
        return format!("{META}.{name}");
    }
    match RESOURCES.iter().find(|it| it.kind == name || name.starts_with(it.kind) && it.group == "apps") {
        Some(it) if !it.group.is_empty() => {
            format!("io.k8s.api.{}.v1.{name}", it.group.trim_end_matches(".k8s.io"))
        }
        _ => format!("io.k8s.api.core.v1.{name}"),
    }
}

fn reference(name: &str, link: &str) -> Value {
    let link = json!({ "$ref": format!("{link}{}", name_of(name)) });
    // A reference takes nothing beside it in OpenAPI 3.0.
    json!({ "default": {}, "allOf": [link] })
}

fn of_type(name: &str, link: &str, todo: &mut Vec<&'static str>) -> Value {
    let mut properties = Map::new();
    for (field, it) in shape::of_name(name).into_iter().flat_map(|it| &it.fields) {
        let mut schema = of_shape(&it.shape, link, todo);
        match merge_of(name, field) {
            Some(Merge::Keyed(keys)) => {
                schema["x-kubernetes-patch-strategy"] = json!("merge");
                schema["x-kubernetes-patch-merge-key"] = json!(keys[0]);
                schema["x-kubernetes-list-type"] = json!("map");
                schema["x-kubernetes-list-map-keys"] = json!(keys);
            }
            Some(Merge::Set) => {
                schema["x-kubernetes-patch-strategy"] = json!("merge");
                schema["x-kubernetes-list-type"] = json!("set");
            }
            Some(Merge::Whole) => schema["x-kubernetes-map-type"] = json!("atomic"),
            None if matches!(it.shape, Shape::List(_)) => schema["x-kubernetes-list-type"] = json!("atomic"),
            None => {}
        }
        properties.insert((*field).to_owned(), schema);
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if is_whole(name) {
        schema["x-kubernetes-map-type"] = json!("atomic");
    }
    schema
}

fn of_shape(shape: &Shape, link: &str, todo: &mut Vec<&'static str>) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Int32 => json!({ "type": "integer", "format": "int32" }),
        Shape::Int64 => json!({ "type": "integer", "format": "int64" }),
        Shape::Truth => json!({ "type": "boolean" }),
        Shape::Float => json!({ "type": "number", "format": "double" }),
        Shape::Quantity => json!({ "type": "string" }),
        Shape::IntOrString => json!({ "type": "string", "format": "int-or-string" }),
        Shape::Time => json!({ "type": "string", "format": "date-time" }),
        Shape::Any => json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true }),
        Shape::List(inner) => json!({ "type": "array", "items": of_shape(inner, link, todo) }),
        Shape::Map(inner) => json!({ "type": "object", "additionalProperties": of_shape(inner, link, todo) }),
        Shape::Object(name) => {
            todo.push(name);
            reference(name, link)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Every `$ref` in a document leads somewhere.
    fn dangling(value: &Value, root: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                if let Some(link) = map.get("$ref").and_then(Value::as_str)
                    && root.pointer(link.trim_start_matches('#')).is_none()
                {
                    out.push(link.to_owned());
                }
                map.values().for_each(|it| dangling(it, root, out));
            }
            Value::Array(items) => items.iter().for_each(|it| dangling(it, root, out)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_to_a_type() {
        let mut out = Vec::new();
        dangling(v2(), v2(), &mut out);
        for group in groups() {
            let document = v3(group, "v1").unwrap();
            dangling(&document, &document, &mut out);
        }
        assert_eq!(out, Vec::<String>::new());
        assert!(v3("nope", "v1").is_none());
    }
}
