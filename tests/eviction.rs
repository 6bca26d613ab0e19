//! Pods that the taints of their node drive out: cases worked out by hand, histories compared
//! with a restatement of the controller, and what a person and a watcher see of it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, dead_code)]

#[path = "eviction/cases.rs"]
mod cases;
#[path = "naive/generate.rs"]
mod generate;
#[path = "eviction/naive.rs"]
mod naive;
#[path = "cli/session.rs"]
mod session;
#[path = "watch/watcher.rs"]
mod watcher;

use std::time::{SystemTime, UNIX_EPOCH};

use naive::History;
use session::Session;
use watcher::{Place, Watcher};

#[test]
fn each_case_goes_as_it_was_worked_out() {
    let files = ["tolerations.yaml", "time.yaml", "pods.yaml"];
    let cases: Vec<_> = files.into_iter().flat_map(cases::read).collect();
    assert!(cases.len() >= 35, "{} cases", cases.len());
    let wrong: Vec<String> = cases.iter().filter_map(|case| cases::check(case).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn random_histories_go_as_with_the_controller() {
    let (mut evicted, mut later) = (0, 0);
    for seed in 0..120 {
        let history = History::random(seed);
        let (now, then) = history.compare().unwrap_or_else(|e| panic!("seed {seed}: {history:#?}\n{e}"));
        evicted += now;
        later += then;
    }
    assert!(evicted > 150 && later > 150, "{evicted} evicted, {later} later");
}

const BATCH: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME, namespace: jobs}\n\
    spec:\n  nodeName: n1\n  tolerations: [TOLERATIONS]\n  containers: [{name: c, image: x:1}]\n\
    status: {phase: Running}\n";

fn batch(name: &str, tolerations: &str) -> String {
    BATCH.replace("NAME", name).replace("TOLERATIONS", tolerations)
}

const FOR_A_WHILE: &str = "{operator: Exists, effect: NoExecute, tolerationSeconds: 300}";

fn node(taints: &str) -> String {
    format!("apiVersion: v1\nkind: Node\nmetadata: {{name: n1}}\nspec: {{taints: [{taints}]}}\n")
}

const MAINTENANCE: &str = "{key: maintenance, value: \"true\", effect: NoExecute}";

#[test]
fn a_plan_says_who_goes_now_and_who_later() {
    let mut session = Session::new();
    session.write("node.yaml", node(""));
    session.write("batch.yaml", batch("batch-7", "") + "---\n" + &batch("web-1", FOR_A_WHILE));
    let tolerations = format!("tolerations: [{FOR_A_WHILE}]\n");
    session.write("agent.yaml", session::daemonset("agent", "x:1", &tolerations, ""));
    session.ok("apply node.yaml batch.yaml agent.yaml");
    session.later(60);
    session.say("the node is tainted");
    session.write("node.yaml", node(MAINTENANCE));
    session.ok("plan node.yaml");
    session.run("plan node.yaml --max-delete 0");
    session.ok("apply node.yaml");
    session.say("nothing but the time changes");
    session.later(299);
    session.ok("apply node.yaml");
    session.later(1);
    session.ok("plan node.yaml -o json");
    session.ok("apply node.yaml");
    session.ok("get pods -A -o wide");
    session.ok("describe ds agent");
    session.snapshot("eviction");
}

#[test]
fn what_was_seen_of_a_taint_is_known_to_the_next_command() {
    let mut session = Session::new();
    session.write("all.yaml", node(MAINTENANCE) + "---\n" + &batch("web-1", FOR_A_WHILE));
    session.ok("apply all.yaml");
    session.later(200);
    let plan = session.quietly("plan all.yaml -o json").out;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["evictions"][0]["at"], "2026-03-02T09:05:00Z", "{plan}");
    let untainted = session.quietly("plan --set node/n1:spec.taints=[]");
    assert_eq!(untainted.code, 0, "{}", untainted.err);
    assert!(!untainted.out.contains("evict"), "{}", untainted.out);
}

#[test]
fn the_seconds_of_a_pod_that_waited_count_from_when_it_was_bound() {
    let mut session = Session::new();
    let with = |memory: &str| {
        node(MAINTENANCE) + &format!("status: {{allocatable: {{memory: {memory}, pods: '9'}}}}\n")
    };
    let agent = format!(
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: agent}}\nspec:\n  \
        selector: {{matchLabels: {{app: agent}}}}\n  template:\n    metadata: {{labels: {{app: agent}}}}\n    \
        spec:\n      tolerations: [{FOR_A_WHILE}]\n      \
        containers: [{{name: c, image: x:1, resources: {{requests: {{memory: 512Mi}}}}}}]\n"
    );
    session.write("all.yaml", with("256Mi") + "---\n" + &agent);
    let applied = session.quietly("apply all.yaml");
    assert!(applied.out.contains("Insufficient memory"), "{}{}", applied.out, applied.err);
    session.later(400);
    session.write("all.yaml", with("1Gi") + "---\n" + &agent);
    let applied = session.quietly("apply all.yaml");
    assert!(applied.out.contains("evicted later 1 pod"), "{}{}", applied.out, applied.err);
    let pods: serde_json::Value = serde_json::from_str(&session.quietly("get pods -o json").out).unwrap();
    let name = pods["items"][0]["metadata"]["name"].as_str().unwrap();
    let told = session.quietly(&format!("explain pod/{name}")).out;
    assert!(told.contains("Running, ready, current template, evicted at 2026-03-02T09:11:40Z"), "{told}");
    session.later(299);
    assert!(!session.quietly("plan all.yaml").out.contains("evict  "), "a second is left");
    session.later(1);
    let told = session.quietly(&format!("explain pod/{name}")).out;
    assert!(told.contains(&format!("n1 runs {name} of default/agent, which is to go")), "{told}");
}

/// Seconds of Unix time.
fn clock() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

#[test]
fn a_watcher_evicts_in_the_second_in_which_it_is_due() {
    let place = Place::new();
    let on_n2 = |text: String| text.replace("n1", "n2");
    let nodes = |one: &str, other: &str| node(one) + "---\n" + &on_n2(node(other));
    let (soon, twin) = (FOR_A_WHILE.replace("300", "3"), FOR_A_WHILE.replace("300", "5"));
    ["n2.yaml", "ds.yaml", "fast.yaml"].into_iter().for_each(|file| place.remove(file));
    place.write("n1.yaml", &nodes("", ""));
    place.write("batch.yaml", &(batch("web-1", &soon) + "---\n" + &on_n2(batch("web-2", &twin))));
    let mut watcher = Watcher::start(&place, &[]);
    place.write("n1.yaml", &nodes(MAINTENANCE, MAINTENANCE));
    watcher.until("the taints are seen", |line| line["objects"]["configured"] == 2);
    let since = place.tainted_since("n1");
    place.write("n1.yaml", &nodes(MAINTENANCE, ""));
    let line = watcher.until("the pod is evicted", |line| line["actions"]["pods evicted"] == 1);
    let now = clock();
    assert!((since + 3..since + 8).contains(&now), "tainted at {since}, evicted at {now}: {line}");
    assert_eq!(place.pods(), ["jobs/web-2"]);
    // The taint of the other one's node went before its time was over.
    let rest = u64::try_from(since + 7 - now).unwrap_or(0);
    std::thread::sleep(std::time::Duration::from_secs(rest));
    assert_eq!(place.pods(), ["jobs/web-2"], "{:?}", watcher.read());
    // Each look that does something has a line: the first, two taints, one taken away, one eviction.
    assert!(watcher.read().len() <= 5, "{:?}", watcher.seen);
}
