//! Flags that say nothing of a cluster, objects that nobody would let in today, certificates that
//! are not trusted, and commands that are killed.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::faulty::{Fault, Faulty, status};
use super::server::{CLUSTER, Server};
use super::{Desk, kubeconfig, pinned, said, served};

#[test]
fn manifests_beside_a_cluster_are_on_top_of_it_wherever_they_are_named() {
    let (_server, desk) = served();
    desk.write("new.yaml", "---\n{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {rack: r1}}}\n---\n{apiVersion: v1, kind: Node, metadata: {name: n3}}");
    desk.write(
        "own.dl",
        ".decl racked(node: Node)\n/// {node} stands in a rack.\nracked(N) :- node_label(N, \"rack\", _).\n",
    );
    let mut all = String::new();
    for args in [
        "query node_label(N,K,V) -f new.yaml --cluster",
        "query node_label(N,K,V) -f new.yaml",
        "query has_pod(D,N) -f new.yaml --cluster",
        "query planned(\"create\",D,N) --planned -f new.yaml --cluster",
        "explain agent n3 -n logging -f new.yaml --cluster",
        "explain agent n1 -n logging -f new.yaml",
        "capacity -f new.yaml --cluster",
        "rules check own.dl -f new.yaml --cluster",
    ] {
        all.push_str(&format!("$ dsrules {args}\n{}\n\n", desk.said(args)));
    }
    pinned("on-top", &desk, &all);
}

#[test]
fn what_says_nothing_of_a_cluster_is_refused() {
    let desk = Desk::new("127.0.0.1:1");
    desk.write("a.yaml", CLUSTER);
    let mut all = String::new();
    for args in [
        "plan a.yaml --prune --cluster",
        "plan a.yaml --input-of b --cluster",
        "plan a.yaml --base a.yaml --cluster",
        "capacity -f a.yaml --prune --cluster",
        "report -f a.yaml --prune --cluster",
        "plan a.yaml --cluster --db a.db",
        "--db a.db watch --cluster",
        "rollout run daemonset/agent --cluster --db a.db",
        "explain agent n1 --at 2h --cluster",
        "explain agent n1 --at 2h -f a.yaml",
        "plan --kubeconfig a",
        "get pods --cluster",
        "apply a.yaml --cluster",
    ] {
        all.push_str(&format!("$ dsrules {args}\n{}\n\n", desk.said(args)));
    }
    pinned("flags", &desk, &all);
}

/// Every way to a value in an object, but to its name and namespace.
fn ways(value: &Value, to: &str, out: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.replace('/', "~1"), it)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(nth, it)| (nth.to_string(), it)).collect(),
        _ => Vec::new(),
    };
    for (name, it) in inner {
        let way = format!("{to}/{name}");
        if !["/metadata", "/metadata/name", "/metadata/namespace"].contains(&&*way) {
            out.push(way.clone());
        }
        ways(it, &way, out);
    }
}

/// An object with each of its values in turn by each of several that do not belong there.
fn spoilt(object: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    ways(object, "", &mut found);
    let others = [
        json!(null),
        json!("x y/z=\n"),
        json!(-1),
        json!([null]),
        json!({ "a": 1 }),
        json!(true),
        json!(1e300),
    ];
    // Whose pods do not fit its selector makes more of them for ever, and a plan says just that.
    let ends = |way: &&String| {
        !["/spec", "/spec/template"].contains(&way.as_str())
            && !way.starts_with("/spec/selector")
            && !way.starts_with("/spec/template/metadata")
    };
    let turn = |nth: usize| [nth % others.len(), (nth + 3) % others.len()];
    let all = found
        .iter()
        .filter(ends)
        .enumerate()
        .flat_map(|(nth, way)| turn(nth).map(|other| (way, &others[other])));
    all.enumerate()
        .map(|(nth, (way, other))| {
            let name = format!("odd-{nth}");
            // Each has pods of its own: what fights over them never comes to an end.
            let text = object.to_string().replace("\"app\":\"a\"", &format!("\"app\":\"{name}\""));
            let mut object: Value = serde_json::from_str(&text).unwrap();
            *object.pointer_mut(way).unwrap() = other.clone();
            object["metadata"]["name"] = json!(name);
            object["metadata"]["uid"] = json!(format!("u-{name}"));
            object
        })
        .collect()
}

#[test]
fn an_object_that_nobody_would_let_in_today_keeps_nothing_from_being_planned() {
    let term = json!({ "matchExpressions": [{ "key": "disk", "operator": "In", "values": ["ssd"] }],
        "matchFields": [{ "key": "metadata.name", "operator": "NotIn", "values": ["n9"] }] });
    let daemonset = json!({ "metadata": { "name": "a", "namespace": "logging", "uid": "u", "generation": 2,
            "creationTimestamp": "2026-01-01T00:00:00Z", "labels": { "app": "a" },
            "annotations": { "deprecated.daemonset.template.generation": "2" } },
        "spec": { "selector": { "matchLabels": { "app": "a" }, "matchExpressions": [{ "key": "app", "operator": "Exists" }] },
            "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": "10%", "maxSurge": 0 } },
            "minReadySeconds": 5, "revisionHistoryLimit": 3,
            "template": { "metadata": { "labels": { "app": "a" } },
                "spec": { "containers": [{ "name": "a", "image": "a:1", "ports": [{ "containerPort": 80, "hostPort": 80 }],
                        "resources": { "requests": { "cpu": "10m" } } }],
                    "nodeSelector": { "disk": "ssd" },
                    "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution":
                        { "nodeSelectorTerms": [term] } } },
                    "tolerations": [{ "key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5 }] } } },
        "status": { "desiredNumberScheduled": 1, "currentNumberScheduled": 1, "numberMisscheduled": 0, "numberReady": 1 } });
    let node = json!({ "metadata": { "name": "a", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": { "disk": "ssd" }, "annotations": { "a": "b" } },
        "spec": { "taints": [{ "key": "k", "value": "v", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z" }],
            "unschedulable": false },
        "status": { "allocatable": { "cpu": "4", "pods": "110" }, "capacity": { "cpu": "4" },
            "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z" }],
            "nodeInfo": { "kubeletVersion": "v1.32.0" }, "addresses": [{ "type": "InternalIP", "address": "10.0.0.1" }] } });
    let revision = json!({ "metadata": { "name": "a", "namespace": "logging", "uid": "u", "labels": { "app": "agent" },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "u-agent", "controller": true }] },
        "revision": 1, "data": { "spec": { "template": { "$patch": "replace", "spec": {} } } } });
    let pod = json!({ "metadata": { "name": "a", "namespace": "logging", "uid": "u", "labels": { "app": "agent" },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "u-agent", "controller": true }] },
        "spec": { "nodeName": "n2", "containers": [{ "name": "a", "image": "a:1" }] },
        "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] } });
    let lists =
        [("nodes", node), ("daemonsets", daemonset), ("controllerrevisions", revision), ("pods", pod)];
    let lists = lists.map(|(plural, object)| (plural, spoilt(&object)));
    assert!(lists.iter().all(|(_, items)| items.len() > 20));
    for (spoilt, items) in lists {
        let server = Faulty::new(move |path, _| {
            let (first, rest) = path.split_once('?').unwrap();
            let is_it = first.ends_with(&format!("/{spoilt}")) && !rest.contains("continue=");
            is_it.then(|| Fault::Add(items.clone()))
        });
        let desk = Desk::new(&server.address);
        let asked: &[&str] = match spoilt {
            "nodes" => &["plan --cluster"],
            "daemonsets" => &["plan --cluster", "snapshot --cluster -o json"],
            _ => &["query eligible(D,N) --cluster"],
        };
        for args in asked {
            let output = desk.command(args).output().unwrap();
            let err = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{spoilt}: {args}: {err}");
            let out = String::from_utf8(output.stdout).unwrap();
            assert!(
                out.contains("agent") && (out.contains("n1") || spoilt == "pods"),
                "{spoilt}: {args}: {out}"
            );
        }
    }
}

#[test]
fn a_manifest_mends_what_a_cluster_has() {
    let list = json!({ "kind": "DaemonSetList", "apiVersion": "apps/v1", "metadata": { "resourceVersion": "41" },
        "items": [{ "metadata": { "name": "agent", "namespace": "logging", "uid": "u-agent" },
            "spec": { "selector": { "matchLabels": { "app": "agent" } }, "updateStrategy": { "type": "Wavewise" },
                "template": { "metadata": { "labels": { "app": "agent" } },
                    "spec": { "containers": [{ "name": "agent", "image": "agent:1" }] } } } }] });
    let server =
        Faulty::new(move |path, _| path.contains("daemonsets").then(|| Fault::Body(list.to_string())));
    let desk = Desk::new(&server.address);
    desk.write(
        "a.yaml",
        &CLUSTER.replace("  template:\n", "  updateStrategy: {type: OnDelete}\n  template:\n"),
    );
    pinned("mended", &desk, &desk.said("plan a.yaml --cluster"));
}

/// A certificate for these names, with its key, as files; valid until that year.
fn certificate(desk: &Desk, name: &str, of: &str, until: i32) -> [String; 2] {
    let mut params = rcgen::CertificateParams::new(vec![of.to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    [("crt", made.pem()), ("key", key.serialize_pem())].map(|(end, text)| {
        let path = desk.path().join(format!("{name}.{end}"));
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    })
}

#[test]
fn a_certificate_that_is_not_trusted_is_told() {
    let desk = Desk::new("127.0.0.1:1");
    let mut all = String::new();
    let own = certificate(&desk, "own", "127.0.0.1", 2100);
    certificate(&desk, "other", "127.0.0.1", 2100);
    let elsewhere = certificate(&desk, "elsewhere", "prod.example", 2100);
    let old = certificate(&desk, "old", "127.0.0.1", 2021);
    for (what, served, authority) in [
        ("nobody vouches for it", &own, ""),
        ("another authority", &own, "certificate-authority: other.crt, "),
        ("another address", &elsewhere, "certificate-authority: elsewhere.crt, "),
        ("one that has expired", &old, "certificate-authority: old.crt, "),
        ("the right one", &own, "certificate-authority: own.crt, "),
    ] {
        let server = Server::new(&["--tls-cert", &served[0], "--tls-key", &served[1]]);
        let address = kubeconfig(&format!("https://{}", server.address));
        desk.write("kubeconfig", &address.replace("server:", &format!("{authority}server:")));
        all.push_str(&format!("# {what}\n{}\n\n", desk.said("plan --cluster")));
    }
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"at \d+ \(UNIX time\)|time \d+|\d{10}|\d+ seconds", "TIME");
    settings.bind(|| pinned("certificates", &desk, &all));
}

/// A command that waits for its pods, once it has begun to read.
fn waiting(desk: &Desk) -> Child {
    let mut command = desk.command("plan --cluster");
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // What others may read of a cluster is for the cluster to say.
    #[cfg(unix)]
    let is_private = |name: &String| {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(desk.path().join(name)).unwrap().permissions(),
        );
        mode & 0o077 == 0
    };
    let begun = || {
        desk.left().iter().any(|name| {
            let inside = fs::read_dir(desk.path().join(name)).map(Iterator::count);
            inside.is_ok_and(|files| files > 1)
        })
    };
    let start = Instant::now();
    while !begun() {
        assert!(start.elapsed() < Duration::from_secs(20), "it begins to read");
        std::thread::sleep(Duration::from_millis(10));
    }
    #[cfg(unix)]
    assert!(desk.left().iter().all(is_private));
    child
}

fn killed(child: &mut Child, signal: &str) -> Option<i32> {
    let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    child.wait().unwrap().code()
}

#[test]
fn a_command_that_is_killed_leaves_nothing_for_long() {
    let stuck = Arc::new(AtomicBool::new(true));
    let is_stuck = stuck.clone();
    let slow = Faulty::new(move |path, _| {
        let is_stuck = path.contains("pods") && is_stuck.load(Ordering::SeqCst);
        is_stuck.then_some(Fault::Slow(Duration::from_secs(60)))
    });
    let desk = Desk::new(&slow.address);
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        assert_eq!(killed(&mut waiting(&desk), signal), Some(code), "{signal}");
        assert_eq!(desk.left(), Vec::<String>::new(), "{signal}");
    }
    assert_eq!(killed(&mut waiting(&desk), "-KILL"), None);
    assert_eq!(desk.left().len(), 1, "nobody can do anything about that");
    stuck.store(false, Ordering::SeqCst);
    // The next command does.
    desk.ok("plan --cluster");
    assert_eq!(desk.left(), Vec::<String>::new());
}

#[test]
fn two_commands_at_once_leave_each_other_alone() {
    let slow = Faulty::new(|path, nth| {
        (path.contains("pods") && nth == 1).then_some(Fault::Slow(Duration::from_millis(1500)))
    });
    let desk = Desk::new(&slow.address);
    let mut first = waiting(&desk);
    desk.ok("plan --cluster");
    assert_eq!(desk.left().len(), 1, "that of the first");
    assert!(first.wait().unwrap().success());
    assert_eq!(desk.left(), Vec::<String>::new());
}

#[test]
fn a_token_that_expires_meanwhile_is_told() {
    let expired = Faulty::new(|path, _| {
        path.contains("pods").then(|| Fault::Status(401, "", status(401, "Unauthorized", "Unauthorized")))
    });
    let desk = Desk::new(&expired.address);
    let text = said(&mut desk.command("plan --cluster"));
    assert!(text.contains("does not know who asks") && text.ends_with("exit 1"), "{text}");
}
