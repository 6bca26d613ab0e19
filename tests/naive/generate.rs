//! Random clusters, each from a number: small, and full of what is rare in real ones.

use serde_json::{Map, Value, json};

#[path = "dice.rs"]
mod dice;
pub use dice::Dice;

impl Dice {
    fn list(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> Value) -> Value {
        let length = self.below(most + 1);
        Value::Array((0..length).map(|_| make(self)).collect())
    }
}

const KEYS: &[&str] = &["disk", "zone", "cores", "example.com/rack"];
const ODD_KEYS: &[&str] = &["", "bad key", "a/b/c", "-x", "Example.com/x", "x/", "metadata.name"];
const VALUES: &[&str] = &["ssd", "hdd", "a", "4", "8", "08", "16", ""];
const ODD_VALUES: &[&str] =
    &["-4", "+8", "1_0", "9223372036854775807", "9223372036854775808", "bad value", "x-", "8.5"];
const TAINTS: &[&str] = &[
    "dedicated",
    "gpu",
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/unschedulable",
    "node.kubernetes.io/network-unavailable",
];
const EFFECTS: &[&str] = &["NoSchedule", "NoExecute", "PreferNoSchedule"];

/// Daemonsets and nodes with every constraint there is, and nothing else.
pub fn placement(seed: u64) -> Value {
    let mut dice = Dice::new(seed);
    let nodes: Vec<Value> = (0..8).map(|at| node(&mut dice, at)).collect();
    let daemonsets: Vec<Value> = (0..8)
        .map(|at| {
            let name = format!("ds{at}");
            let spec = pod_spec(&mut dice, 8);
            json!({
                "apiVersion": "apps/v1", "kind": "DaemonSet",
                "metadata": { "name": name, "namespace": "x", "uid": format!("uid-{at}") },
                "spec": {
                    "selector": { "matchLabels": { "app": name } },
                    "template": { "metadata": { "labels": { "app": name } }, "spec": spec },
                },
            })
        })
        .collect();
    json!({ "now": 1000, "nodes": nodes, "daemonsets": daemonsets })
}

fn node(dice: &mut Dice, at: usize) -> Value {
    let mut labels = Map::new();
    for key in KEYS {
        if dice.chance(50) {
            let value = if dice.chance(80) { dice.pick(VALUES) } else { dice.pick(ODD_VALUES) };
            labels.insert((*key).into(), json!(value));
        }
    }
    let most = *dice.pick(&[0, 3]);
    let taints = dice.list(most, |dice| {
        let mut taint = json!({ "key": dice.pick(TAINTS), "effect": dice.pick(EFFECTS) });
        if dice.chance(40) {
            taint["value"] = json!(dice.pick(&["a", "b", ""]));
        }
        taint
    });
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": format!("n{at}"), "labels": labels },
        "spec": { "taints": taints },
    })
}

/// The constraints of a template; each of them is there one time in `rare`, at least.
fn pod_spec(dice: &mut Dice, rare: usize) -> Value {
    let mut spec = json!({ "containers": [{ "name": "c", "image": "x:1" }] });
    if dice.below(rare) == 0 {
        spec["nodeName"] = json!(dice.pick(&["n0", "n1", "n9"]));
    }
    if dice.below(rare) < 2 {
        spec["nodeSelector"] = json!({ (*dice.pick(KEYS)): dice.pick(VALUES) });
    }
    if dice.below(rare) < 4 {
        let terms = dice.list(3, term);
        spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
            json!({ "nodeSelectorTerms": terms });
    }
    if dice.below(rare) < 3 {
        spec["tolerations"] = dice.list(4, toleration);
    }
    if dice.below(rare) < 2 {
        spec["hostNetwork"] = json!(dice.chance(70));
    }
    spec
}

fn term(dice: &mut Dice) -> Value {
    let mut term = json!({});
    if dice.chance(75) {
        term["matchExpressions"] = dice.list(2, expression);
    }
    if dice.chance(30) {
        term["matchFields"] = dice.list(2, field);
    }
    term
}

fn expression(dice: &mut Dice) -> Value {
    let key = if dice.chance(95) { dice.pick(KEYS) } else { dice.pick(ODD_KEYS) };
    let operator = *dice.pick(&["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "In", "Gt", "Lt"]);
    let operator = if dice.chance(3) { "Near" } else { operator };
    let odd = dice.chance(8);
    let count = match operator {
        "Exists" | "DoesNotExist" => usize::from(odd),
        "Gt" | "Lt" => 1 + usize::from(odd) * dice.below(2),
        _ if odd => 0,
        _ => 1 + dice.below(3),
    };
    let numbers = matches!(operator, "Gt" | "Lt") && dice.chance(90);
    let values: Vec<&str> = (0..count)
        .map(|_| match dice.below(12) {
            0 => *dice.pick(ODD_VALUES),
            _ if numbers => *dice.pick(&["4", "8", "08", "16"]),
            _ => *dice.pick(VALUES),
        })
        .collect();
    json!({ "key": key, "operator": operator, "values": values })
}

fn field(dice: &mut Dice) -> Value {
    let key = if dice.chance(85) { "metadata.name" } else { "metadata.namespace" };
    let operator = *dice.pick(&["In", "In", "NotIn", "NotIn", "Exists"]);
    let count = if dice.chance(85) { 1 } else { dice.below(3) };
    let values: Vec<&str> =
        (0..count).map(|_| *dice.pick(&["n0", "n1", "n2", "n9", "", "bad value"])).collect();
    json!({ "key": key, "operator": operator, "values": values })
}

fn toleration(dice: &mut Dice) -> Value {
    let mut it = json!({});
    if dice.chance(80) {
        it["key"] = json!(dice.pick(TAINTS));
    }
    if dice.chance(75) {
        it["operator"] = json!(dice.pick(&["Exists", "Exists", "Equal", "", "Near"]));
    }
    if dice.chance(40) {
        it["value"] = json!(dice.pick(&["a", "b", ""]));
    }
    if dice.chance(60) {
        it["effect"] = json!(dice.pick(EFFECTS));
    }
    if dice.chance(10) {
        it["tolerationSeconds"] = json!(60);
    }
    it
}

/// A whole cluster in the middle of its life: one daemonset or two.
pub fn cluster(seed: u64) -> Value {
    let mut dice = Dice::new(seed ^ 0x5eed);
    let count = *dice.pick(&[1, 1, 1, 2]);
    life(&mut dice, count)
}

/// The same with many daemonsets, which may select each other's pods.
pub fn crowd(seed: u64) -> Value {
    life(&mut Dice::new(seed ^ 0xc40d), 12)
}

fn life(dice: &mut Dice, count: usize) -> Value {
    let node_count = dice.below(6);
    let nodes: Vec<Value> = (0..node_count).map(|at| node(dice, at)).collect();
    let daemonsets: Vec<Value> = (0..count).map(|at| daemonset(dice, at)).collect();
    let mut revisions = Vec::new();
    for daemonset in &daemonsets {
        for at in 0..dice.below(6) {
            revisions.push(revision(dice, daemonset, at));
        }
    }
    let crowd = dice.below(12) + 8 * (count - 1);
    let pods: Vec<Value> = (0..crowd)
        .map(|at| {
            let daemonset = dice.below(count);
            pod(dice, &daemonsets[daemonset], at)
        })
        .collect();
    let most = *dice.pick(&[0, 0, 3]) * count;
    let backoff = dice.list(most, |dice| {
        let since = *dice.pick(&[900, 990, 996, 998, 999, 1000]);
        let uid = format!("uid-{}", dice.below(count + 1));
        json!([uid, place(dice), dice.pick(&[1, 2, 4, 8]), since])
    });
    let deleted = if dice.chance(5) { json!(["uid-other"]) } else { json!([]) };
    json!({
        "now": 1000, "nodes": nodes, "daemonsets": daemonsets, "revisions": revisions, "pods": pods,
        "backoff": backoff, "deletedOwners": deleted,
    })
}

/// A daemonset in the middle of its rollout: nothing is missing and nothing is misplaced
/// on most nodes, so that the rollout's own step is what decides.
pub fn rollout(seed: u64) -> Value {
    rollouts_of(&mut Dice::new(seed ^ 0x7011), 1)
}

/// Many rollouts on the same nodes.
pub fn rollouts(seed: u64) -> Value {
    rollouts_of(&mut Dice::new(seed ^ 0x7012), 12)
}

fn rollouts_of(dice: &mut Dice, daemonsets: usize) -> Value {
    let count = 1 + dice.below(6);
    let mut nodes: Vec<Value> = (0..count)
        .map(|at| json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": format!("n{at}") } }))
        .collect();
    if dice.chance(30) {
        let at = dice.below(count);
        nodes[at]["spec"]["taints"] = json!([{ "key": "t", "effect": "NoSchedule" }]);
    }
    let mut case = json!({ "now": 1000, "nodes": nodes, "daemonsets": [], "revisions": [], "pods": [] });
    for at in 0..daemonsets {
        add_rollout(dice, at, count, &mut case);
    }
    case
}

fn add_rollout(dice: &mut Dice, at: usize, nodes: usize, case: &mut Value) {
    let (app, uid) = (format!("app{at}"), format!("uid-{at}"));
    let owner = json!([{ "uid": uid, "controller": true }]);
    let mut daemonset = daemonset(dice, at);
    daemonset["metadata"]["namespace"] = json!("x");
    daemonset["metadata"]["deletionTimestamp"] = Value::Null;
    daemonset["spec"]["selector"] = json!({ "matchLabels": { "app": app } });
    daemonset["spec"]["template"] = json!({
        "metadata": { "labels": { "app": app } },
        "spec": { "containers": [{ "name": "c", "image": "x:1" }] },
    });
    let mut add = |list: &str, it: Value| case[list].as_array_mut().unwrap().push(it);
    let mut made = 0;
    for node in 0..nodes {
        let crowd = *dice.pick(&[1, 1, 1, 1, 1, 1, 2, 2, 3]);
        for _ in 0..crowd {
            let mut pod = pod(dice, &daemonset, made);
            made += 1;
            let hash = *dice.pick(&["h0", "h0", "h0", "h1", "h1", "h2"]);
            pod["metadata"]["name"] = json!(format!("p{at}-{made}"));
            pod["metadata"]["labels"] = json!({ "app": app, "controller-revision-hash": hash });
            pod["metadata"]["ownerReferences"] = owner.clone();
            pod["metadata"]["namespace"] = json!("x");
            let gone = dice.chance(2);
            pod["spec"]["nodeName"] = json!(if gone { "node-gone".to_owned() } else { format!("n{node}") });
            pod["status"]["phase"] = json!(if dice.chance(97) { "Running" } else { "Failed" });
            if dice.chance(70) {
                pod["status"]["conditions"] =
                    json!([{ "type": "Ready", "status": "True", "lastTransitionTime": stamp(700) }]);
            }
            add("pods", pod);
        }
    }
    for number in 0..3 {
        let mut revision = revision(dice, &daemonset, number);
        let image = if number == 1 { "x:1".to_owned() } else { format!("y:{number}") };
        revision["data"]["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        revision["metadata"]["labels"] =
            json!({ "app": app, "controller-revision-hash": format!("h{number}") });
        revision["metadata"]["ownerReferences"] = owner.clone();
        revision["revision"] = json!(if number == 1 { 3 } else { 1 + number });
        add("revisions", revision);
    }
    add("daemonsets", daemonset);
}

/// All kinds of clusters in turn, with more of the small ones.
pub fn any(seed: u64) -> Value {
    match seed % 40 {
        0 => crowd(seed),
        1 => rollouts(seed),
        2..15 => rollout(seed),
        _ => cluster(seed),
    }
}

fn place(dice: &mut Dice) -> String {
    if dice.chance(6) { "node-gone".into() } else { format!("n{}", dice.below(4)) }
}

fn namespace(dice: &mut Dice) -> &'static str {
    if dice.chance(93) { "x" } else { "y" }
}

fn template(dice: &mut Dice, app: &str, constrained: bool) -> Value {
    // A former template differs by its image alone.
    let mut spec = if constrained { pod_spec(dice, 16) } else { json!({ "containers": [{ "name": "c" }] }) };
    spec["containers"][0]["image"] = json!("x:1");
    json!({ "metadata": { "labels": { "app": app, "tier": "a" } }, "spec": spec })
}

fn daemonset(dice: &mut Dice, at: usize) -> Value {
    let app = if dice.chance(80) { format!("app{at}") } else { "app0".to_owned() };
    let mut selector = json!({ "matchLabels": { "app": app } });
    match dice.below(12) {
        0 => selector["matchExpressions"] = json!([expression_on_pods(dice)]),
        1 => selector = json!({ "matchExpressions": [expression_on_pods(dice), expression_on_pods(dice)] }),
        2 if dice.chance(30) => selector = json!({}),
        _ => {}
    }
    let constrained = dice.chance(50);
    let mut template = template(dice, &app, constrained);
    template["spec"]["containers"][0]["image"] = json!(dice.pick(&["x:1", "x:2", "x:3"]));
    let mut meta = json!({
        "name": format!("ds{at}"), "namespace": namespace(dice), "uid": format!("uid-{at}"),
        "generation": 1 + dice.below(3), "creationTimestamp": stamp(500),
    });
    if dice.chance(5) {
        meta["deletionTimestamp"] = json!(stamp(999));
    }
    if dice.chance(10) {
        meta["annotations"] = json!({
            "deprecated.daemonset.template.generation": dice.pick(&["1", "2", "x"])
        });
    }
    let mut spec = json!({ "selector": selector, "template": template });
    match dice.below(5) {
        0 => {}
        // What OnDelete does not use may be there.
        1 => spec["updateStrategy"] = json!({ "type": "OnDelete", "rollingUpdate": { "maxSurge": 1 } }),
        2 => {
            let unavailable = dice.pick(&[json!(1), json!(2), json!("50%"), json!("20%"), json!(0)]).clone();
            spec["updateStrategy"] =
                json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": unavailable } });
        }
        _ => {
            let surge = dice.pick(&[json!(1), json!(2), json!("30%"), json!("100%"), json!("0%")]).clone();
            spec["updateStrategy"] = json!({
                "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": surge },
            });
        }
    }
    if dice.chance(40) {
        spec["minReadySeconds"] = json!(dice.pick(&[0, 5, 30]));
    }
    if dice.chance(60) {
        spec["revisionHistoryLimit"] = json!(dice.below(3));
    }
    json!({ "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec })
}

/// A requirement that a selector may have: the API server lets no other ones through.
fn expression_on_pods(dice: &mut Dice) -> Value {
    let key = dice.pick(&["app", "tier", "none"]);
    match dice.below(4) {
        0 => json!({ "key": key, "operator": "In", "values": ["app0", "a"] }),
        1 => json!({ "key": key, "operator": "NotIn", "values": [dice.pick(&["app0", "b"])] }),
        2 => json!({ "key": key, "operator": "Exists" }),
        _ => json!({ "key": key, "operator": "DoesNotExist" }),
    }
}

fn revision(dice: &mut Dice, daemonset: &Value, at: usize) -> Value {
    let meta = &daemonset["metadata"];
    let mut template = daemonset["spec"]["template"].clone();
    template["spec"]["containers"][0]["image"] = json!(dice.pick(&["x:1", "x:2", "x:3", "x:4"]));
    if dice.chance(80) {
        template["$patch"] = json!("replace");
    }
    let mut labels =
        json!({ "app": daemonset["spec"]["template"]["metadata"]["labels"]["app"], "tier": "a" });
    if dice.chance(90) {
        labels["controller-revision-hash"] = json!(format!("h{at}"));
    }
    if dice.chance(5) {
        labels["app"] = json!("unmatched");
    }
    let mut new = json!({
        "name": format!("{}-h{at}", meta["name"].as_str().unwrap()), "namespace": meta["namespace"],
        "labels": labels, "creationTimestamp": stamp(500),
    });
    own(dice, &mut new, meta["uid"].as_str().unwrap());
    if dice.chance(5) {
        new["deletionTimestamp"] = json!(stamp(999));
    }
    json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": new,
        "data": { "spec": { "template": template } }, "revision": dice.below(5),
    })
}

fn own(dice: &mut Dice, meta: &mut Value, uid: &str) {
    let reference = |uid: &str, controls: bool| json!({ "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "o", "uid": uid, "controller": controls });
    meta["ownerReferences"] = match dice.below(20) {
        0 | 1 => json!([]),
        2 => json!([reference("uid-other", true)]),
        3 => json!([reference(uid, false)]),
        4 => json!([reference("uid-other", false), reference(uid, true)]),
        _ => json!([reference(uid, true)]),
    };
}

fn pod(dice: &mut Dice, daemonset: &Value, at: usize) -> Value {
    let owner = daemonset["metadata"]["uid"].as_str().unwrap();
    let app = &daemonset["spec"]["template"]["metadata"]["labels"]["app"];
    let mut labels = json!({ "app": app, "tier": "a" });
    match dice.below(20) {
        0 => labels["app"] = json!("unmatched"),
        1 => labels["tier"] = json!("b"),
        _ => {}
    }
    match dice.below(12) {
        0 => {}
        1 => labels["pod-template-generation"] = json!(dice.pick(&["1", "2"])),
        // The hash that a new revision of the template would get.
        2 | 3 => {
            let name = daemonset["metadata"]["name"].as_str().unwrap();
            labels["controller-revision-hash"] = json!(format!("(new of {name})"));
        }
        _ => labels["controller-revision-hash"] = json!(format!("h{}", dice.below(5))),
    }
    let mut meta = json!({
        "name": format!("p{at}"), "labels": labels, "uid": format!("uid-p{at}"),
        "creationTimestamp": stamp(*dice.pick(&[600, 600, 700, 800])),
    });
    let elsewhere = dice.chance(4);
    meta["namespace"] =
        if elsewhere { json!(namespace(dice)) } else { daemonset["metadata"]["namespace"].clone() };
    own(dice, &mut meta, owner);
    if dice.chance(12) {
        meta["deletionTimestamp"] = json!(stamp(999));
    }
    let node = place(dice);
    let mut spec = json!({ "containers": [{ "name": "c", "image": "x:1" }] });
    let required = |values: Value| {
        json!({ "nodeSelectorTerms": [{ "matchFields": [
            { "key": "metadata.name", "operator": "In", "values": values }
        ] }] })
    };
    let affinity = match dice.below(20) {
        0 | 1 => Some(required(json!([node]))),
        2 => Some(required(json!([node, "n1"]))),
        3 => Some(json!({ "nodeSelectorTerms": [
            { "matchExpressions": [{ "key": "metadata.name", "operator": "In", "values": ["n0"] }] },
            { "matchFields": [{ "key": "metadata.name", "operator": "NotIn", "values": ["n0"] },
                              { "key": "metadata.name", "operator": "In", "values": [node] }] },
        ] })),
        4 => None,
        _ => {
            spec["nodeName"] = json!(node);
            Some(required(json!([node])))
        }
    };
    if let Some(affinity) = affinity {
        spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] = affinity;
    }
    let mut status = json!({ "phase": dice.pick(PHASES) });
    if dice.chance(85) {
        let ready = *dice.pick(&["True", "True", "True", "False", "Unknown"]);
        let mut condition = json!({ "type": "Ready", "status": ready });
        if dice.chance(95) {
            condition["lastTransitionTime"] =
                json!(stamp(*dice.pick(&[700, 969, 970, 971, 994, 995, 996, 1000])));
        }
        let other = json!({ "type": "Initialized", "status": "False", "lastTransitionTime": stamp(1) });
        status["conditions"] = json!([other, condition]);
    }
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status })
}

const PHASES: &[&str] = &[
    "Running",
    "Running",
    "Running",
    "Running",
    "Running",
    "Running",
    "Pending",
    "Pending",
    "Failed",
    "Succeeded",
    "Unknown",
];

fn stamp(seconds: i64) -> String {
    dsrules::kube::timestamp(seconds)
}
