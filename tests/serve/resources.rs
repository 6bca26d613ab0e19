//! Each resource by itself, with all that may be done to it, and what is special about some.

use serde_json::{Value, json};

use super::server::{Server, has_kubectl};

const JSON: &str = "Content-Type: application/json";
const MERGE: &str = "Content-Type: application/merge-patch+json";

/// A resource: where its objects are, one of them, and what of it is changed.
fn all() -> Vec<(&'static str, Value, Value)> {
    let labels = || json!({ "matchLabels": { "app": "a" } });
    vec![
        ("/api/v1/namespaces", json!({}), json!({ "metadata": { "labels": { "a": "b" } } })),
        ("/api/v1/nodes", json!({}), json!({ "spec": { "unschedulable": true } })),
        (
            "/api/v1/namespaces/logging/pods",
            json!({ "spec": { "nodeName": "n1", "containers": [{ "name": "c", "image": "i:1" }] } }),
            json!({ "metadata": { "labels": { "a": "b" } } }),
        ),
        (
            "/api/v1/namespaces/logging/services",
            json!({ "spec": { "selector": { "app": "agent" }, "ports": [{ "port": 80 }] } }),
            json!({ "spec": { "selector": { "app": "other" } } }),
        ),
        (
            "/api/v1/namespaces/logging/events",
            json!({ "involvedObject": { "kind": "Pod", "name": "p", "namespace": "logging" }, "reason": "R",
                "message": "m", "type": "Normal" }),
            json!({ "count": 2 }),
        ),
        (
            "/apis/apps/v1/namespaces/logging/controllerrevisions",
            json!({ "revision": 7, "data": { "spec": { "template": {} } } }),
            json!({ "revision": 8 }),
        ),
        (
            "/apis/coordination.k8s.io/v1/namespaces/logging/leases",
            json!({ "spec": { "holderIdentity": "me", "leaseDurationSeconds": 10 } }),
            json!({ "spec": { "holderIdentity": "you" } }),
        ),
        (
            "/apis/policy/v1/namespaces/logging/poddisruptionbudgets",
            json!({ "spec": { "minAvailable": 1, "selector": labels() } }),
            json!({ "spec": { "minAvailable": 2 } }),
        ),
        ("/apis/scheduling.k8s.io/v1/priorityclasses", json!({ "value": 10 }), json!({ "description": "d" })),
    ]
}

#[test]
fn each_is_created_updated_patched_and_deleted() {
    let server = Server::new(&["--write"]);
    let name = "one-by-one";
    for (path, mut object, change) in all() {
        let ask = |head: &str, body: &Value| server.json(head, &body.to_string());
        object["metadata"] = json!({ "name": name });
        let (code, dry) = ask(&format!("POST {path}?dryRun=All\n{JSON}"), &object);
        assert_eq!(code, 201, "{path}: {dry}");
        assert_eq!(server.json(&format!("GET {path}/{name}"), "").0, 404, "{path}: it was only asked");
        let (code, made) = ask(&format!("POST {path}\n{JSON}"), &object);
        assert_eq!(code, 201, "{path}: {made}");
        assert_eq!(ask(&format!("POST {path}\n{JSON}"), &object).0, 409, "{path}");
        let version = |object: &Value| -> u64 {
            object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
        };
        assert!(made["metadata"]["uid"].is_string() && made["metadata"]["creationTimestamp"].is_string());
        // Written as it is it stays as it is.
        let (code, same) = ask(&format!("PUT {path}/{name}\n{JSON}"), &made);
        assert_eq!((code, version(&same)), (200, version(&made)), "{path}");
        let (code, changed) = ask(&format!("PATCH {path}/{name}\n{MERGE}"), &change);
        assert_eq!(code, 200, "{path}: {changed}");
        assert!(version(&changed) > version(&made), "{path}: {changed}");
        let (code, conflict) = ask(&format!("PUT {path}/{name}\n{JSON}"), &made);
        assert_eq!((code, &conflict["reason"]), (409, &json!("Conflict")), "{path}");
        let apply = format!(
            "PATCH {path}/{name}?fieldManager=m&force=true\nContent-Type: application/apply-patch+yaml"
        );
        let (code, applied) = ask(&apply, &json!({ "metadata": { "annotations": { "x": "y" } } }));
        assert_eq!((code, &applied["metadata"]["annotations"]["x"]), (200, &json!("y")), "{path}: {applied}");
        let from = version(&changed);
        let delete = format!("DELETE {path}/{name}?propagationPolicy=Foreground");
        let wrong = json!({ "preconditions": { "resourceVersion": from.to_string() } });
        assert_eq!(ask(&format!("{delete}\n{JSON}"), &wrong).0, 409, "{path}");
        let (code, gone) = server.json(&delete, "");
        assert_eq!((code, &gone["status"]), (200, &json!("Success")), "{path}: {gone}");
        assert_eq!(server.json(&delete, "").0, 404, "{path}");
        let (_, events) = server.http(
            &format!("GET {path}?watch=1&resourceVersion={from}&fieldSelector=metadata.name%3D{name}&timeoutSeconds=1"),
            "",
        );
        let told: Vec<Value> = events.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let types: Vec<&str> = told.iter().map(|it| it["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["MODIFIED", "DELETED"], "{path}: {events}");
        let versions: Vec<u64> = told.iter().map(|it| version(&it["object"])).collect();
        assert!(from < versions[0] && versions[0] < versions[1], "{path}: {versions:?}");
    }
    let (code, refused) = server
        .json(&format!("POST /apis/discovery.k8s.io/v1/namespaces/logging/endpointslices\n{JSON}"), "{}");
    assert_eq!(
        (code, &refused["reason"]),
        (405, &json!("MethodNotAllowed")),
        "nobody writes what is derived"
    );
}

#[test]
fn statuses_are_written_by_paths_of_their_own() {
    let server = Server::new(&["--write"]);
    for path in ["/api/v1/nodes/n1", "/apis/apps/v1/namespaces/logging/daemonsets/agent"] {
        let both = json!({ "metadata": { "labels": { "of": "both" } },
            "status": { "conditions": [{ "type": "Seen", "status": "True" }] } });
        let (_, plain) = server.json(&format!("PATCH {path}\n{MERGE}"), &both.to_string());
        assert_eq!(plain["metadata"]["labels"]["of"], "both", "{path}");
        assert_ne!(plain["status"]["conditions"][0]["type"], "Seen", "{path}");
        let label = json!({ "metadata": { "labels": { "of": "status" } }, "status": both["status"] });
        let (code, status) = server.json(&format!("PATCH {path}/status\n{MERGE}"), &label.to_string());
        assert_eq!((code, &status["metadata"]["labels"]["of"]), (200, &json!("both")), "{path}");
        if path.contains("nodes") {
            assert_eq!(status["status"]["conditions"][0]["type"], "Seen", "{path}: {status}");
        }
    }
}

#[test]
fn the_rules_say_whether_a_pod_is_evicted() {
    let server = Server::new(&["--write", "--readiness", "observe"]);
    let pods = "/api/v1/namespaces/logging/pods";
    let budgets = "/apis/policy/v1/namespaces/logging/poddisruptionbudgets";
    let (_, all) = server.json(&format!("GET {pods}"), "");
    let names: Vec<String> = super::names(&all).into_iter().map(str::to_owned).collect();
    let set = |name: &str, phase: &str, ready: &str| {
        let status = json!({ "status": { "phase": phase,
            "conditions": [{ "type": "Ready", "status": ready, "lastTransitionTime": "2026-01-01T00:00:00Z" }] } });
        assert_eq!(server.json(&format!("PATCH {pods}/{name}/status\n{MERGE}"), &status.to_string()).0, 200);
    };
    let evict = |name: &str| {
        let eviction = json!({ "metadata": { "name": name, "namespace": "logging" } });
        server.json(&format!("POST {pods}/{name}/eviction?dryRun=All\n{JSON}"), &eviction.to_string())
    };
    names.iter().for_each(|name| set(name, "Running", "True"));
    assert_eq!(evict(&names[0]).0, 201, "there is no budget");
    let budget = |name: &str, spec: &Value| {
        let mut budget = json!({ "metadata": { "name": name }, "spec": spec });
        budget["spec"]["selector"] = json!({ "matchLabels": { "app": "agent" } });
        server.json(&format!("DELETE {budgets}/{name}"), "");
        let made = server.json(&format!("POST {budgets}\n{JSON}"), &budget.to_string());
        assert_eq!(made.0, 201, "{}", made.1);
    };
    let needs = |needed: usize, healthy: usize| {
        format!(
            "PodDisruptionBudget.policy/logging/b needs {needed} healthy pods and has {healthy} currently."
        )
    };
    let unknown =
        "nobody can say how many healthy pods PodDisruptionBudget.policy/logging/b needs.".to_owned();
    // Daemon pods have no scale, of which there could be a part.
    for (spec, why) in [
        (json!({ "minAvailable": 1 }), None),
        (json!({ "minAvailable": 2 }), Some(needs(2, 2))),
        (json!({ "maxUnavailable": 1 }), Some(unknown.clone())),
        (json!({ "minAvailable": "50%" }), Some(unknown)),
    ] {
        budget("b", &spec);
        let (code, answer) = evict(&names[0]);
        let is = answer["details"]["causes"][0]["message"].as_str().map(str::to_owned);
        assert_eq!((code, is), (if why.is_some() { 429 } else { 201 }, why), "{spec}: {answer}");
    }
    // What a status says nobody keeps.
    budget("b", &json!({ "minAvailable": 2 }));
    let status = json!({ "status": { "disruptionsAllowed": 5 } });
    assert_eq!(server.json(&format!("PATCH {budgets}/b/status\n{MERGE}"), &status.to_string()).0, 200);
    assert_eq!(evict(&names[0]).0, 429);
    // One that is not ready goes where the others are enough, or where it is said that it may.
    set(&names[0], "Running", "False");
    assert_eq!(evict(&names[0]).1["details"]["causes"][0]["message"], needs(2, 1));
    budget("b", &json!({ "minAvailable": 1 }));
    assert_eq!((evict(&names[0]).0, evict(&names[1]).0), (201, 429));
    budget("b", &json!({ "minAvailable": 2, "unhealthyPodEvictionPolicy": "AlwaysAllow" }));
    assert_eq!((evict(&names[0]).0, evict(&names[1]).0), (201, 429));
    budget("b", &json!({ "minAvailable": 2 }));
    set(&names[0], "Pending", "False");
    assert_eq!(evict(&names[0]).0, 201, "it has not started yet");
    budget("c", &json!({ "minAvailable": 0 }));
    let (code, answer) = evict(&names[1]);
    assert_eq!(code, 500);
    assert!(answer["message"].as_str().unwrap().contains("more than one PodDisruptionBudget"), "{answer}");
}

#[test]
fn kubectl_creates_by_name() {
    if !has_kubectl("kubectl_creates_by_name") {
        return;
    }
    let server = Server::new(&["--write"]);
    for (args, said) in [
        ("create namespace made", "namespace/made created"),
        ("create service clusterip web --tcp=80:8080 -n made", "service/web created"),
        ("create service nodeport open --tcp=80 -n made", "service/open created"),
        ("create service externalname out --external-name=example.com -n made", "service/out created"),
        (
            "create priorityclass high --value=1000 --description=important --preemption-policy=Never",
            "priorityclass.scheduling.k8s.io/high created",
        ),
        (
            "create poddisruptionbudget web --selector=app=web --min-available=50% -n made",
            "poddisruptionbudget.policy/web created",
        ),
    ] {
        assert_eq!(server.ok(args).trim(), said);
    }
    let (_, service) = server.json("GET /api/v1/namespaces/made/services/web", "");
    assert_eq!(service["spec"]["ports"][0]["targetPort"], 8080);
    assert_eq!(service["spec"]["selector"], json!({ "app": "web" }));
    let (_, class) = server.json("GET /apis/scheduling.k8s.io/v1/priorityclasses/high", "");
    assert_eq!(
        (&class["value"], &class["description"], &class["preemptionPolicy"]),
        (&json!(1000), &json!("important"), &json!("Never"))
    );
    let (_, budget) = server.json("GET /apis/policy/v1/namespaces/made/poddisruptionbudgets/web", "");
    assert_eq!(budget["spec"]["minAvailable"], "50%");
    let refused = server.kubectl("create configmap none -n made");
    assert!(!refused.ok, "{}", refused.out);
}
