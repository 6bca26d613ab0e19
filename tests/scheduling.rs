//! What the default scheduler does with daemon pods: as a person sees it, and compared with
//! a naive restatement on random clusters.
#![allow(clippy::unwrap_used, clippy::cast_possible_wrap, dead_code)]

#[path = "conformance/corpus.rs"]
mod corpus;
#[path = "naive/generate.rs"]
mod generate;
#[path = "scheduling/naive.rs"]
mod naive;
#[path = "conformance/scheduling.rs"]
mod recorded;
#[path = "cli/session.rs"]
mod session;

use naive::{Case, Pod, clash};
use serde_json::{Value, json};
use session::Session;

#[test]
fn a_pod_that_does_not_fit_stays_pending_and_says_why() {
    let mut session = Session::new();
    session.take("tests", "scheduling");
    session.ok("plan scheduling/cluster.yaml scheduling/agent.yaml");
    session.say("nobody asks whether it fits");
    session.ok("plan scheduling/cluster.yaml scheduling/agent.yaml --schedule assume");
    session.ok("apply scheduling/cluster.yaml scheduling/agent.yaml");
    session.ok("get pods -A -o wide");
    session.ok("describe ds agent -n ops");
    session.ok("describe pod agent-rzvrnkdbln -n ops");
    session.ok("describe node gpu-1");
    session.ok("get pod agent-rzvrnkdbln -n ops -o yaml");
    session.ok("get events -A -o wide");
    session.ok("explain agent gpu-1 -n ops");
    session.ok("explain pod/agent-rzvrnkdbln -n ops");
    session.ok("explain node/gpu-1");
    session.ok("explain ds/agent -n ops");
    session.ok("explain refused(Pod,Node)");
    session.ok("query refused(Pod,Node)");
    session.say("asked again, nothing is told twice");
    session.ok("apply scheduling/cluster.yaml scheduling/agent.yaml --schedule simulate");
    session.ok("get events -A -o wide");
    session.say("what asks for less fits");
    let less = "daemonset/ops/agent:spec.template.spec.containers[0].resources.requests.memory=100Mi";
    session.ok(&format!("plan --set {less}"));
    session.say("what makes room binds it");
    session.ok("delete pod ledger -n pay");
    session.ok("get pods -A -o wide");
    session.ok("describe pod agent-rzvrnkdbln -n ops");
    session.snapshot("scheduling");
}

const AGENT: &str = "apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers:
      - {name: agent, image: 'agent:1', resources: {requests: {memory: 512Mi}}}
";

fn node(name: &str, status: &str) -> String {
    format!("apiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\n{status}\n---\n")
}

/// The phases of all pods, by node.
fn phases(session: &Session) -> String {
    let pods: Value = serde_json::from_str(&session.quietly("get pods -A -o json").out).unwrap();
    let phase = |pod: &Value| {
        let terms =
            "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
        let pinned = pod.pointer(&format!("{terms}/0/matchFields/0/values/0"));
        let node = pod["spec"]["nodeName"].as_str().or(pinned.and_then(Value::as_str)).unwrap();
        format!("{node} {}", pod["status"]["phase"].as_str().unwrap())
    };
    let mut all: Vec<String> = pods["items"].as_array().unwrap().iter().map(phase).collect();
    all.sort();
    all.join(", ")
}

const SMALL: &str = "status: {allocatable: {memory: 256Mi, pods: '9'}}";

#[test]
fn the_scheduler_is_asked_where_some_node_says_what_it_has() {
    let mut session = Session::new();
    let ok = |session: &Session, line: &str| {
        let said = session.quietly(line);
        assert_eq!(said.code, 0, "{line}\n{}\n{}", said.out, said.err);
    };
    let cordoned = "spec: {unschedulable: true}\nstatus: {allocatable: {}}";
    session.write("in/agent.yaml", AGENT);
    session.write("in/nodes.yaml", node("a", "") + &node("b", cordoned));
    ok(&session, "apply in");
    assert_eq!(phases(&session), "a Running, b Running", "nobody says what it has");
    session.write("in/small.yaml", node("c", SMALL));
    ok(&session, "apply in");
    assert_eq!(phases(&session), "a Running, b Running, c Pending");
    ok(&session, "apply in --schedule assume");
    assert_eq!(phases(&session), "a Running, b Running, c Running");
    session.later(1);
    ok(&session, "rollout restart ds/agent");
    assert_eq!(phases(&session), "a Running, b Running, c Pending");
    // A status that says what there is in all says what is for pods.
    session.write("in/small.yaml", node("c", "status: {capacity: {memory: 256Mi, pods: '9'}}"));
    ok(&session, "apply in");
    assert_eq!(phases(&session), "a Running, b Running, c Pending");
    // One that says nothing leaves what was said before.
    session.write("in/small.yaml", node("c", "spec: {podCIDR: 10.0.0.0/24}"));
    ok(&session, "apply in");
    assert_eq!(phases(&session), "a Running, b Running, c Pending");
    // Where nobody says what it has any longer, what waits is bound.
    session.write("in/small.yaml", node("c", "status: {phase: Running}"));
    ok(&session, "apply in");
    assert_eq!(phases(&session), "a Running, b Running, c Running");
}

/// Quantities at the edge of what numbers hold, and nodes with less than nothing free: whether a
/// pod with such requests is bound, and if not, why.
#[test]
fn amounts_without_measure_never_bind_wrongly() {
    let waits = |has: &str, there: &[&str], asks: &str| {
        let session = Session::new();
        let pods: String = there
            .iter()
            .enumerate()
            .map(|(nth, asks)| {
                format!(
                    "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{nth}}}\nspec:\n  nodeName: a\n  containers: \
                    [{{name: c, image: i, resources: {{requests: {{{asks}}}}}}}]\nstatus: {{phase: Running}}\n---\n"
                )
            })
            .collect();
        let status = format!("status: {{allocatable: {{{has}, pods: '9'}}}}");
        let agent = AGENT.replace("memory: 512Mi", asks);
        assert!(asks == "memory: 512Mi" || agent != AGENT);
        session.write("in.yaml", node("a", &status) + &pods + &agent);
        let said = session.quietly("apply in.yaml");
        assert_eq!(said.code, 0, "{has} {there:?} {asks}\n{}{}", said.out, said.err);
        for line in ["capacity -o json", "describe node a", "plan in.yaml", "query 'free(N,R,A)'"] {
            let said = session.quietly(line);
            assert_eq!(said.code, 0, "{line}: {has} {there:?} {asks}\n{}{}", said.out, said.err);
        }
        let pods: Value = serde_json::from_str(&session.quietly("get pods -o json").out).unwrap();
        let pods = pods["items"].as_array().unwrap();
        let mut its = pods.iter().filter(|pod| pod["metadata"]["ownerReferences"].is_array());
        let its = its.next().unwrap();
        let refused = &its["status"]["conditions"][0]["message"];
        assert_eq!(its["spec"]["nodeName"] == "a", its["status"]["phase"] == "Running", "{its}");
        let why = refused.as_str().and_then(|said| said.split(". node a: ").nth(1)).map(str::to_owned);
        why.unwrap_or_default()
    };
    let ei = "memory: 7Ei";
    for (has, there, asks, expected) in [
        ("memory: 1Gi", &["memory: 512Mi"][..], "memory: 512Mi", ""),
        (
            "memory: 1Gi",
            &["memory: 2Gi"],
            "memory: 512Mi",
            "Insufficient memory (needs 512Mi, free 0: 2Gi of 1Gi taken, most by default/p0)",
        ),
        // What asks for nothing of it fits on a node that has less than nothing of it.
        ("memory: 1Gi", &["memory: 2Gi"], "cpu: '0'", ""),
        ("memory: 7Ei", &[], ei, ""),
        (
            "memory: 7Ei",
            &["memory: 1"],
            ei,
            "Insufficient memory (needs 7Ei, free 6.9Ei: 1 of 7Ei taken, most by default/p0)",
        ),
        ("memory: 1e30", &[], "memory: 1e30", ""),
        (
            "memory: 1e30",
            &["memory: 1"],
            "memory: 1e30",
            "Insufficient memory (needs 8Ei, free 7.9Ei: 1 of 8Ei taken, most by default/p0)",
        ),
        (
            "memory: 8Ei",
            &[ei, ei, ei, ei, ei],
            "memory: 1",
            "Insufficient memory (needs 1, free 0: 8Ei of 8Ei taken, most by default/p0)",
        ),
        (
            "memory: 1Gi",
            &["memory: 1e30", "memory: 1e30"],
            "memory: 1",
            "Insufficient memory (needs 1, free 0: 8Ei of 1Gi taken, most by default/p0)",
        ),
        ("cpu: 9e15", &[], "cpu: 9e15", ""),
        (
            "cpu: 9e15",
            &["cpu: 1m"],
            "cpu: 9e15",
            "Insufficient cpu (needs 9P, free 8999999999999999999m: 1m of 9P taken, most by default/p0)",
        ),
        (
            "cpu: 1e30",
            &["cpu: 1e30"],
            "cpu: 1m",
            "Insufficient cpu (needs 1m, free 0: 9223372036854775807m of 9223372036854775807m taken, most by default/p0)",
        ),
        // A fraction of a byte is a whole one, as a request and as what is taken.
        (
            "memory: '1'",
            &["memory: 1m"],
            "memory: 1m",
            "Insufficient memory (needs 1, free 0: 1 of 1 taken, most by default/p0)",
        ),
    ] {
        assert_eq!(waits(has, there, asks), expected, "{has} {there:?} {asks}");
    }
}

/// updateDaemonSetStatus on four nodes: one pod runs, one waits for room, one is where it should
/// not be, and one node is not meant at all.
#[test]
fn the_status_counts_a_pod_that_waits_as_scheduled_and_unavailable() {
    let session = Session::new();
    let with = |name: &str, memory: &str| {
        let status = format!("status: {{allocatable: {{memory: {memory}, pods: '9'}}}}");
        node(name, &status)
            .replace(&format!("{{name: {name}}}"), &format!("{{name: {name}, labels: {{on: 'y'}}}}"))
    };
    let agent = AGENT.replace("    spec:\n", "    spec:\n      nodeSelector: {on: 'y'}\n");
    session.write("in/agent.yaml", &agent);
    session
        .write("in/nodes.yaml", with("a", "1Gi") + &with("b", "256Mi") + &with("c", "1Gi") + &node("d", ""));
    assert_eq!(session.quietly("apply in").code, 0);
    assert_eq!(phases(&session), "a Running, b Pending, c Running");
    let set: Value = serde_json::from_str(&session.quietly("get ds agent -o json").out).unwrap();
    let counts = |status: &Value| {
        let of = |name: &str| status[name].as_i64().unwrap_or(0);
        ["desired", "current"]
            .map(|name| of(&format!("{name}NumberScheduled")))
            .into_iter()
            .chain(
                [
                    "numberMisscheduled",
                    "numberReady",
                    "numberAvailable",
                    "numberUnavailable",
                    "updatedNumberScheduled",
                ]
                .map(of),
            )
            .collect::<Vec<_>>()
    };
    assert_eq!(counts(&set["status"]), [3, 3, 0, 2, 2, 1, 3]);
}

#[test]
fn a_pod_of_a_manifest_takes_room_beside_what_the_store_holds() {
    let session = Session::new();
    let big = "status: {allocatable: {memory: 1Gi, pods: '9'}}";
    let hog = "apiVersion: v1\nkind: Pod\nmetadata: {name: hog, namespace: x}\nspec:\n  nodeName: a\n  \
        containers: [{name: c, image: i, resources: {requests: {memory: 900Mi}}}]\nstatus: {phase: Running}\n";
    // What is stored before any node says what it has is known all the same.
    session.write("first.yaml", node("a", "") + hog);
    session.write("agent.yaml", AGENT);
    session.write("a.yaml", node("a", big));
    for line in ["apply first.yaml", "apply a.yaml", "apply agent.yaml"] {
        assert_eq!(session.quietly(line).code, 0, "{line}");
    }
    assert_eq!(phases(&session), "a Pending, a Running");
    let planned = session.quietly("query 'pod_unbound(P)' --planned");
    assert!(planned.out.contains("default/agent-"), "{}{}", planned.out, planned.err);
    assert_eq!(session.quietly("delete pod hog -n x").code, 0);
    assert_eq!(phases(&session), "a Running");
}

#[test]
fn a_priority_class_that_is_not_there_binds_nothing() {
    let mut session = Session::new();
    session.take("tests", "scheduling");
    session.ok("apply scheduling/cluster.yaml scheduling/agent.yaml scheduling/misnamed.yaml");
    session.ok("get pods -n ops -o wide");
    session.ok("get events -n ops");
    session.ok("explain logs gpu-2 -n ops");
    session.say("where no PriorityClass is known, they count as 0 and preempt nobody");
    session.ok("plan scheduling/misnamed.yaml scheduling/alone.yaml --db alone.db");
    session.say("what an API server refuses");
    session.fails("plan scheduling/bad-classes.yaml --db bad.db");
    session.ok("apply scheduling/two-defaults.yaml --db two.db");
    session.write("changed.yaml", "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: first}\nvalue: 11\n---\napiVersion: v1\nkind: Node\nmetadata: {name: n1}\n");
    session.fails_after("apply changed.yaml --db two.db");
    session.snapshot("priority_classes");
}

/// The victim tells what the budget allows: `web-a` has the lowest priority, and `batch` goes in
/// its place where a budget would be violated.
#[test]
fn budgets_without_a_status_are_counted_as_the_disruption_controller_does() {
    let program = dsrules::policy::builtin::load(&[]).program.unwrap();
    let pod = |name: &str, node: &str, priority: i64, owner: &str| {
        let mut pod = json!({ "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": name, "namespace": "ns", "labels": { "app": name.split('-').next() },
                          "creationTimestamp": "2026-01-01T00:00:00Z" },
            "spec": { "nodeName": node, "priority": priority,
                      "containers": [{ "name": "c", "image": "x:1", "resources": { "requests": { "cpu": "1" } } }] },
            "status": { "phase": "Running", "startTime": "2026-01-01T00:00:00Z",
                        "conditions": [{ "type": "Ready", "status": "True" }] } });
        if !owner.is_empty() {
            pod["metadata"]["ownerReferences"] = json!([{ "apiVersion": "apps/v1", "kind": "ReplicaSet",
                "name": "o", "uid": owner, "controller": true }]);
        }
        pod
    };
    let node = |name: &str| {
        json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name },
            "status": { "allocatable": { "cpu": "2", "pods": "110" } } })
    };
    let set = |kind: &str, uid: &str, replicas: i64, by: &str| {
        let mut set = json!({ "apiVersion": "apps/v1", "kind": kind,
            "metadata": { "name": uid, "namespace": "ns", "uid": uid }, "spec": { "replicas": replicas } });
        if !by.is_empty() {
            set["metadata"]["ownerReferences"] = json!([{ "apiVersion": "apps/v1", "kind": "Deployment",
                "name": by, "uid": by, "controller": true }]);
        }
        set
    };
    let waits = {
        let mut pod = pod("urgent", "", 10, "");
        pod["spec"]["nodeName"].take();
        pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] = json!({
            "nodeSelectorTerms": [{ "matchFields": [{ "key": "metadata.name", "operator": "In", "values": ["n1"] }] }] });
        pod["status"] = json!({ "phase": "Pending" });
        pod
    };
    let three = || vec![set("ReplicaSet", "rs", 3, "")];
    let rolled = || vec![set("ReplicaSet", "rs", 0, "d"), set("Deployment", "d", 3, "")];
    let cases = [
        (json!({ "minAvailable": 2 }), three(), "rs", "web-a"),
        (json!({ "minAvailable": 3 }), three(), "rs", "batch"),
        (json!({ "minAvailable": 2 }), vec![], "", "web-a"),
        (json!({ "minAvailable": "50%" }), three(), "rs", "web-a"),
        (json!({ "minAvailable": "67%" }), three(), "rs", "batch"),
        (json!({ "maxUnavailable": 1 }), three(), "rs", "web-a"),
        (json!({ "maxUnavailable": 0 }), three(), "rs", "batch"),
        (json!({ "maxUnavailable": 5 }), three(), "rs", "web-a"),
        (json!({ "maxUnavailable": "30%" }), three(), "rs", "web-a"),
        (json!({ "maxUnavailable": "0%" }), three(), "rs", "batch"),
        (json!({ "maxUnavailable": 1 }), vec![set("ReplicaSet", "rs", 4, "")], "rs", "batch"),
        (json!({ "maxUnavailable": 1 }), rolled(), "rs", "web-a"),
        // Nobody knows how many there should be: a DaemonSet has no scale, and some have no controller.
        (json!({ "maxUnavailable": 1 }), vec![], "a-daemonset", "batch"),
        (json!({ "minAvailable": "10%" }), vec![], "a-daemonset", "batch"),
        (json!({ "minAvailable": 2 }), vec![], "a-daemonset", "web-a"),
        (json!({ "maxUnavailable": 1 }), vec![], "", "batch"),
        (json!({}), three(), "rs", "batch"),
    ];
    for (mut spec, mut others, owner, victim) in cases {
        let told = format!("{spec} {owner}");
        spec["selector"] = json!({ "matchLabels": { "app": "web" } });
        others.push(json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": { "name": "web", "namespace": "ns" }, "spec": spec }));
        let pods = vec![
            pod("web-a", "n1", 0, owner),
            pod("batch", "n1", 5, ""),
            pod("web-b", "n2", 0, owner),
            pod("web-c", "n2", 0, owner),
            waits.clone(),
        ];
        let case = json!({ "nodes": [node("n1"), node("n2")], "pods": pods, "pdbs": others, "expect": {
            "bound": [{ "pod": "ns/urgent", "node": "n1" }], "pending": [],
            "victims": [{ "pod": format!("ns/{victim}"), "by": "ns/urgent" }] } });
        recorded::check(&program, &case).unwrap_or_else(|why| panic!("{told}\n{why}"));
    }
}

#[test]
fn a_pods_own_affinity_is_asked_beside_its_pin() {
    let bound = |terms: &str| {
        let session = Session::new();
        let labels = "{name: a, labels: {disk: ssd, cores: '8'}}";
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  \
            containers: [{name: c, image: i}]\n  affinity: {nodeAffinity: \
            {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [TERMS]}}}\n";
        let pin = "matchFields: [{key: metadata.name, operator: In, values: [a]}]";
        let terms = terms.replace("PIN", pin).replace("WHERE ", "matchExpressions: ");
        let node = node("a", SMALL).replace("{name: a}", labels);
        session.write("in.yaml", node + &pod.replace("TERMS", &terms));
        let said = session.quietly("apply in.yaml");
        assert_eq!(said.code, 0, "{terms}\n{}", said.err);
        let pod: Value = serde_json::from_str(&session.quietly("get pod p -o json").out).unwrap();
        pod["spec"]["nodeName"] == "a"
    };
    for (terms, expected) in [
        ("{PIN}", true),
        ("{PIN, WHERE [{key: disk, operator: In, values: [ssd, nvme]}]}", true),
        ("{PIN, WHERE [{key: disk, operator: In, values: [hdd]}]}", false),
        ("{PIN, WHERE [{key: disk, operator: NotIn, values: [ssd]}]}", false),
        ("{PIN, WHERE [{key: gone, operator: NotIn, values: [ssd]}]}", true),
        ("{PIN, WHERE [{key: disk, operator: Exists}, {key: gone, operator: DoesNotExist}]}", true),
        ("{PIN, WHERE [{key: gone, operator: Exists}]}", false),
        ("{PIN, WHERE [{key: cores, operator: Gt, values: ['7']}]}", true),
        ("{PIN, WHERE [{key: cores, operator: Lt, values: ['8']}]}", false),
        ("{PIN, WHERE [{key: disk, operator: Gt, values: ['7']}]}", false),
        // One of the terms is enough.
        ("{PIN, WHERE [{key: gone, operator: Exists}]}, {WHERE [{key: disk, operator: Exists}]}", true),
        ("{PIN, WHERE [{key: gone, operator: Exists}]}, {PIN}", true),
    ] {
        assert_eq!(bound(terms), expected, "{terms}");
    }
}

#[test]
fn random_clusters_are_scheduled_as_a_naive_restatement_does() {
    let program = dsrules::policy::builtin::load(&[]).program.unwrap();
    let (mut preempted, mut refused) = (0, 0);
    for seed in 0..400 {
        let case = Case::random(seed);
        let json = case.to_json();
        if let Err(difference) = recorded::check(&program, &json) {
            panic!("seed {seed}: {case:#?}\n{difference}");
        }
        sound(&case, &json["expect"]);
        preempted += json["expect"]["victims"].as_array().unwrap().len();
        refused += json["expect"]["pending"].as_array().unwrap().len();
    }
    assert!(preempted > 100 && refused > 100, "{preempted} preempted, {refused} refused");
}

/// Whatever was decided: nothing is overcommitted by a bind, no port is taken twice by one, and only
/// what has a lower priority goes.
fn sound(case: &Case, done: &Value) {
    let named = |name: &Value| -> &Pod {
        let name = name.as_str().unwrap().strip_prefix("ns/").unwrap();
        case.pods.iter().find(|pod| pod.name == name).unwrap()
    };
    let list = |of: &str| done[of].as_array().unwrap();
    let gone: Vec<&str> = list("victims").iter().map(|it| &*named(&it["pod"]).name).collect();
    for it in list("victims") {
        assert!(named(&it["pod"]).priority < named(&it["by"]).priority, "{it}");
    }
    let bound: Vec<&Pod> = list("bound").iter().map(|it| named(&it["pod"])).collect();
    let is_bound = |pod: &Pod| pod.bound || bound.iter().any(|it| it.name == pod.name);
    for pod in bound.iter().filter(|pod| !gone.contains(&&*pod.name)) {
        let others = case.pods.iter().filter(|it| it.node == pod.node && it.name != pod.name);
        let others: Vec<&Pod> = others.filter(|it| is_bound(it) && !gone.contains(&&*it.name)).collect();
        assert!(!others.iter().any(|other| clash(pod, other)), "{pod:?}");
        let has = &case.nodes[pod.node];
        assert!((others.len() as i64) < has["pods"], "{pod:?}");
        for (resource, asked) in pod.asks.iter().filter(|(_, asked)| **asked > 0) {
            let all: i128 = others.iter().map(|other| i128::from(other.asks[resource])).sum();
            let room = i128::from(has.get(resource).copied().unwrap_or(0));
            assert!(all + i128::from(*asked) <= room, "{resource} of {pod:?}");
        }
    }
}
