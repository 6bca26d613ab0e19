//! Services: the slices that Kubernetes' own controller makes, case by case. A case is a file
//! of manifests with what is expected of it behind `# expect:` lines, checked by hand against
//! the controller's source and its tests (staging/src/k8s.io/endpointslice, v1.31).
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code)]
#[path = "cli/session.rs"]
mod session;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use session::Session;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services");
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|it| it == "yaml"));
    cases.sort();
    cases
}

/// A slice as the cases write it.
fn told(slice: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let port = |port: &Value| {
        let app = port["appProtocol"].as_str().map(|app| format!("={app}")).unwrap_or_default();
        format!(" {}:{}/{}{app}", text(&port["name"]), port["port"], text(&port["protocol"]))
    };
    let list = |value: &Value| value.as_array().unwrap().clone();
    let mut line = format!(
        "{} {}",
        text(&slice["metadata"]["labels"]["kubernetes.io/service-name"]),
        text(&slice["addressType"])
    );
    list(&slice["ports"]).iter().for_each(|it| line += &port(it));
    line.push('\n');
    for endpoint in list(&slice["endpoints"]) {
        let addresses: Vec<String> = list(&endpoint["addresses"]).iter().map(&text).collect();
        write!(line, "  {}", addresses.join(",")).unwrap();
        for condition in ["ready", "serving", "terminating"] {
            if endpoint["conditions"][condition] == true {
                write!(line, " {condition}").unwrap();
            }
        }
        for (name, field) in [("on", "nodeName"), ("zone", "zone"), ("host", "hostname")] {
            if let Some(value) = endpoint[field].as_str() {
                write!(line, " {name}={value}").unwrap();
            }
        }
        writeln!(line, " {}", text(&endpoint["targetRef"]["name"])).unwrap();
    }
    line
}

fn slices(session: &Session) -> Vec<Value> {
    let found = session.quietly("get endpointslices -A -o json");
    assert_eq!(found.code, 0, "{}", found.err);
    let list: Value = serde_json::from_str(&found.out).unwrap();
    list["items"].as_array().unwrap().clone()
}

#[test]
fn slices_are_those_of_the_controller() {
    let cases = cases();
    assert!(cases.len() >= 10, "{}", cases.len());
    for case in cases {
        let text = std::fs::read_to_string(&case).unwrap();
        let expected: String = text
            .lines()
            .filter_map(|line| line.strip_prefix("# expect: "))
            .map(|line| format!("{line}\n"))
            .collect();
        let session = Session::new();
        session.write("cluster.yaml", &text);
        let applied = session.quietly("apply cluster.yaml --readiness observe");
        assert_eq!(applied.code, 0, "{}: {}", case.display(), applied.err);
        let mut found: Vec<String> = slices(&session).iter().map(told).collect();
        found.sort();
        assert_eq!(found.concat(), expected, "{}", case.display());
    }
}

/// Kubernetes' own type, and strictly: a field that it has not is no field of a slice.
#[test]
fn slices_are_sound_objects_of_their_kind() {
    use k8s_openapi::api::discovery::v1::EndpointSlice;
    let session = Session::new();
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/ports-by-name.yaml");
    session.write("cluster.yaml", std::fs::read_to_string(case).unwrap());
    assert_eq!(session.quietly("apply cluster.yaml --readiness observe").code, 0);
    let found = slices(&session);
    assert!(!found.is_empty());
    for slice in &found {
        let typed: EndpointSlice = serde_json::from_value(slice.clone()).unwrap();
        assert_eq!(&serde_json::to_value(&typed).unwrap(), slice);
        let labels = typed.metadata.labels.unwrap();
        assert_eq!(labels["endpointslice.kubernetes.io/managed-by"], "endpointslice-controller.k8s.io");
        let name = typed.metadata.name.unwrap();
        let named = session.quietly(&format!("get endpointslice {name} -o name"));
        assert_eq!(named.out, format!("endpointslice.discovery.k8s.io/{name}\n"));
    }
    assert_eq!(slices(&session), found, "names and order are always the same");
}

#[test]
fn a_hundred_endpoints_are_in_a_slice() {
    let session = Session::new();
    let mut text = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n\
        spec: {selector: {app: web}, ports: [{port: 80}]}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: a}\n"
        .to_owned();
    for nth in 0..250 {
        write!(
            text,
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: web-{nth:03}, labels: {{app: web}}}}\n\
             spec: {{nodeName: a, containers: [{{name: c, image: x}}]}}\n\
             status: {{phase: Running, podIP: 10.0.0.{nth}, conditions: [{{type: Ready, status: 'True'}}]}}\n"
        )
        .unwrap();
    }
    session.write("cluster.yaml", text);
    assert_eq!(session.quietly("apply cluster.yaml").code, 0);
    let found = slices(&session);
    let sizes: Vec<usize> = found.iter().map(|it| it["endpoints"].as_array().unwrap().len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 250);
    assert_eq!(sizes.iter().max(), Some(&100));
    assert_eq!(sizes.len(), 3);
}

#[test]
fn a_service_is_shown_as_kubectl_shows_it() {
    let mut session = Session::new();
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/shown");
    session.write("cluster.yaml", std::fs::read_to_string(case.join("cluster.yaml")).unwrap());
    session.write("wrong.yaml", std::fs::read_to_string(case.join("wrong.yaml")).unwrap());
    session.ok("apply cluster.yaml");
    session.ok("get services");
    session.ok("get svc -o wide");
    session.ok("get endpointslices");
    session.ok("describe service web");
    session.ok("describe svc/outside svc/balanced svc/names");
    session.ok("get svc web -o yaml");
    session.fails("validate wrong.yaml");
    session.ok("delete service web");
    session.ok("get endpointslices");
    session.snapshot("services");
}

/// kube-proxy: where clients are sent, by the node that they are on.
#[test]
fn clients_are_sent_to_what_is_ready_and_with_local_stay_on_their_node() {
    let session = Session::new();
    let mut text = String::new();
    for node in ["a", "b", "c"] {
        write!(text, "---\napiVersion: v1\nkind: Node\nmetadata: {{name: {node}}}\n").unwrap();
    }
    for (name, more) in [("all", ""), ("near", "internalTrafficPolicy: Local, ")] {
        write!(
            text,
            "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n\
             spec: {{{more}selector: {{app: web}}, ports: [{{port: 80}}]}}\n"
        )
        .unwrap();
    }
    // Ready on a; on b one that answers while it ends; nothing on c.
    for (name, node, more) in [
        ("pa", "a", ""),
        ("pa-going", "a", ", deletionTimestamp: '2026-03-02T09:10:00Z'"),
        ("pb-going", "b", ", deletionTimestamp: '2026-03-02T09:10:00Z'"),
    ] {
        write!(
            text,
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: web}}{more}}}\n\
             spec: {{nodeName: {node}, containers: [{{name: c, image: x}}]}}\n\
             status: {{phase: Running, podIP: 10.0.0.1, conditions: [{{type: Ready, status: 'True'}}]}}\n"
        )
        .unwrap();
    }
    session.write("cluster.yaml", text);
    let asked = |session: &Session| {
        let found = session.quietly("query 'reaches(Client, Service, Pod)' -f cluster.yaml -o csv");
        assert_eq!(found.code, 0, "{}", found.err);
        found.out
    };
    let expected = "Client,Service,Pod\na,default/all,default/pa\na,default/near,default/pa\n\
        b,default/all,default/pa\nb,default/near,default/pb-going\nc,default/all,default/pa\n";
    assert_eq!(asked(&session), expected);
}
