//! What a pod runs and where it may: the part that pods and pod templates share.

use serde_json::Value;

use super::page::{Page, lines, plain, stacked};
use crate::kube::columns::{items, pairs, selector, text};

/// A pod template, as a part of a page.
#[must_use]
pub fn describe_template(template: &Value) -> String {
    let mut page = Page::default();
    page.line("Pod Template:");
    write(template, "  ", &mut page);
    page.text
}

/// A pod template: labels, containers, volumes, placement.
pub(super) fn write(template: &Value, indent: &str, page: &mut Page) {
    let mut fields = vec![("Labels", lines(&template["metadata"]["labels"], "="))];
    if template["metadata"]["annotations"].is_object() {
        fields.push(("Annotations", lines(&template["metadata"]["annotations"], ": ")));
    }
    let account = text(&template["spec"]["serviceAccountName"]);
    if !account.is_empty() {
        fields.push(("Service Account", account.to_owned()));
    }
    page.fields(indent, fields);
    containers(&template["spec"], indent, page);
    volumes_and_placement(&template["spec"], indent, page);
}

/// Init containers and containers.
pub(super) fn containers(spec: &Value, indent: &str, page: &mut Page) {
    for (heading, name) in [("Init Containers:", "initContainers"), ("Containers:", "containers")] {
        if items(&spec[name]).next().is_some() {
            page.line(format!("{indent}{heading}"));
            for container in items(&spec[name]) {
                write_container(container, indent, page);
            }
        }
    }
}

fn write_container(container: &Value, indent: &str, page: &mut Page) {
    page.line(format!("{indent} {}:", text(&container["name"])));
    let indent = format!("{indent}  ");
    let ports = |name: &str| {
        let ports: Vec<String> = items(&container["ports"])
            .map(|port| {
                let protocol = text(&port["protocol"]);
                let protocol = if protocol.is_empty() { "TCP" } else { protocol };
                format!("{}/{protocol}", port[name].as_i64().unwrap_or(0))
            })
            .collect();
        if ports.is_empty() { "<none>".to_owned() } else { ports.join(", ") }
    };
    let mut fields = vec![
        ("Image", text(&container["image"]).to_owned()),
        ("Port", ports("containerPort")),
        ("Host Port", ports("hostPort")),
    ];
    for (label, name) in [("Command", "command"), ("Args", "args")] {
        let words: Vec<&str> = items(&container[name]).map(text).collect();
        if !words.is_empty() {
            fields.push((label, words.join("\n")));
        }
    }
    for (label, name) in [("Limits", "limits"), ("Requests", "requests")] {
        let amounts: Vec<String> = container["resources"][name]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, amount)| format!("{name}: {}", plain(amount)))
            .collect();
        if !amounts.is_empty() {
            fields.push((label, amounts.join("\n")));
        }
    }
    fields.push(("Environment", stacked(items(&container["env"]).map(variable))));
    fields.push(("Mounts", stacked(items(&container["volumeMounts"]).map(mount))));
    page.fields(&indent, fields);
}

fn variable(variable: &Value) -> String {
    let from = &variable["valueFrom"];
    let value = if from.is_object() {
        let source = |name: &str, field: &str| from[name][field].as_str();
        match (source("fieldRef", "fieldPath"), source("resourceFieldRef", "resource")) {
            (Some(path), _) => format!("({path})"),
            (_, Some(resource)) => format!("({resource})"),
            _ => from
                .as_object()
                .and_then(|from| from.iter().next())
                .map(|(kind, of)| {
                    let kind = kind.trim_end_matches("KeyRef");
                    format!("<key '{}' of {kind} '{}'>", text(&of["key"]), text(&of["name"]))
                })
                .unwrap_or_default(),
        }
    } else {
        text(&variable["value"]).to_owned()
    };
    format!("{}: {value}", text(&variable["name"]))
}

fn mount(mount: &Value) -> String {
    let mode = if mount["readOnly"] == true { "ro" } else { "rw" };
    format!("{} from {} ({mode})", text(&mount["mountPath"]), text(&mount["name"]))
}

/// Volumes, node selector, affinity and tolerations.
pub(super) fn volumes_and_placement(spec: &Value, indent: &str, page: &mut Page) {
    if items(&spec["volumes"]).next().is_some() {
        page.line(format!("{indent}Volumes:"));
        for volume in items(&spec["volumes"]) {
            page.line(format!("{indent} {}:", text(&volume["name"])));
            page.fields(&format!("{indent}  "), volume_fields(volume));
        }
    }
    let mut fields = vec![("Node-Selectors", pairs(&spec["nodeSelector"]).replace(',', "\n"))];
    let required = &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    if required.is_object() {
        let terms = items(&required["nodeSelectorTerms"]).map(selector);
        fields.push(("Node-Affinity", stacked(terms).replace('\n', "\nor ")));
    }
    fields.push(("Tolerations", tolerations(spec)));
    page.fields(indent, fields);
}

/// The tolerations of a pod spec, one a line (printTolerationsMultiline).
fn tolerations(spec: &Value) -> String {
    stacked(items(&spec["tolerations"]).map(|toleration| {
        let (key, value) = (text(&toleration["key"]), text(&toleration["value"]));
        let (effect, operator) = (text(&toleration["effect"]), text(&toleration["operator"]));
        let mut line = key.to_owned();
        if !value.is_empty() {
            line.push('=');
            line.push_str(value);
        }
        if !effect.is_empty() {
            line.push(':');
            line.push_str(effect);
        }
        if operator == "Exists" && value.is_empty() {
            line.push_str(if key.is_empty() && effect.is_empty() { "op=Exists" } else { " op=Exists" });
        }
        if let Some(seconds) = toleration["tolerationSeconds"].as_i64() {
            line.push_str(&format!(" for {seconds}s"));
        }
        line
    }))
}

/// A volume's type and what it names.
fn volume_fields(volume: &Value) -> Vec<(&'static str, String)> {
    let Some((kind, source)) = volume.as_object().into_iter().flatten().find(|(key, _)| *key != "name")
    else {
        return vec![("Type", "EmptyDir".to_owned())];
    };
    let named = |words: &str, field: &str| {
        vec![("Type", words.to_owned()), ("Name", text(&source[field]).to_owned())]
    };
    match kind.as_str() {
        "hostPath" => {
            let mut fields =
                vec![("Type", "HostPath".to_owned()), ("Path", text(&source["path"]).to_owned())];
            if !text(&source["type"]).is_empty() {
                fields.push(("HostPathType", text(&source["type"]).to_owned()));
            }
            fields
        }
        "configMap" => named("ConfigMap", "name"),
        "secret" => named("Secret", "secretName"),
        "persistentVolumeClaim" => named("PersistentVolumeClaim", "claimName"),
        other => {
            let mut letters = other.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            vec![("Type", first.into_iter().chain(letters).collect())]
        }
    }
}
