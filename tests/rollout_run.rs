//! `dsrules rollout run` as a process of its own, against `dsrules serve` as the cluster.
//!
//! The server's own controller leaves old pods alone (OnDelete) and makes new ones that are
//! pending; kubelets are played here, by the status subresource. What the server has is looked at
//! all the while. `DSRULES_REAL_ROLLOUTS` says how many rollouts there are with kills (4), of
//! `DSRULES_REAL_LANES` daemonsets at a time (2), `DSRULES_REAL_SEED` which dice they are thrown with.
#![allow(clippy::unwrap_used, clippy::zombie_processes)]

#[path = "naive/dice.rs"]
mod dice;
#[path = "rollout_run/lane.rs"]
mod lane;
#[path = "rollout_run/proxy.rs"]
mod proxy;
#[allow(dead_code)]
#[path = "serve/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use server::Server;

const RULES: &str = r#"
/// {Node} is in wave {W}.
wave(DaemonSet, Node, W) :- daemonset(DaemonSet), node_number(Node, "wave", W).
"#;
const NODES: usize = 6;
const MOST: usize = 2;
const PATCH: &str = "Content-Type: application/merge-patch+json";

/// A cluster with a daemonset that is for `rollout run`.
struct Cluster {
    server: Arc<Server>,
    /// Where the daemonset is.
    namespace: String,
    /// By which it is reached.
    kubeconfig: String,
}

impl Cluster {
    fn new() -> Cluster {
        let server = Arc::new(Server::new(&["--write", "--readiness", "observe"]));
        let cluster =
            Cluster { server, namespace: "logging".to_owned(), kubeconfig: "kubeconfig".to_owned() };
        cluster.make_nodes();
        cluster.make_daemonset();
        cluster.server.write("waves.dl", RULES);
        cluster
    }

    fn path_of_pods(&self) -> String {
        format!("/api/v1/namespaces/{}/pods", self.namespace)
    }

    fn path_of_daemonsets(&self) -> String {
        format!("/apis/apps/v1/namespaces/{}/daemonsets", self.namespace)
    }

    fn make_nodes(&self) {
        for nth in 1..=NODES {
            let wave = if nth <= 2 { "1" } else { "2" };
            let node = json!({ "apiVersion": "v1", "kind": "Node",
                "metadata": { "name": format!("m{nth}"), "labels": { "wave": wave, "rolled": "yes" } },
                "status": { "conditions": [{ "type": "Ready", "status": "True" }] } });
            self.ok("POST /api/v1/nodes", &node);
        }
    }

    /// Makes the daemonset, of whose pods all are ready.
    fn make_daemonset(&self) {
        let template = json!({ "metadata": { "labels": { "app": "rolled" } }, "spec": {
            "nodeSelector": { "rolled": "yes" },
            "containers": [{ "name": "main", "image": "rolled:1" }] } });
        let strategy = json!({ "type": "OnDelete", "rollingUpdate": { "maxUnavailable": MOST } });
        let daemonset = json!({ "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": { "name": "rolled" },
            "spec": { "selector": { "matchLabels": { "app": "rolled" } }, "template": template,
                "updateStrategy": strategy } });
        self.ok(&format!("POST {}", self.path_of_daemonsets()), &daemonset);
        for (name, _) in self.pods() {
            self.set_ready(&name);
        }
    }

    fn ok(&self, head: &str, body: &Value) -> Value {
        let head = if head.contains('\n') {
            head.to_owned()
        } else {
            format!("{head}\nContent-Type: application/json")
        };
        let (code, answer) = self.server.json(&head, &body.to_string());
        assert!((200..300).contains(&code), "{head}: {code} {answer}");
        answer
    }

    /// The daemonset's pods, as they are at one moment.
    fn pods(&self) -> BTreeMap<String, Value> {
        let (code, pods) =
            self.server.json(&format!("GET {}?labelSelector=app%3Drolled", self.path_of_pods()), "");
        assert_eq!(code, 200);
        let pods = pods["items"].as_array().unwrap().iter();
        pods.map(|pod| (pod["metadata"]["name"].as_str().unwrap().to_owned(), pod.clone())).collect()
    }

    fn status(&self, name: &str, status: &Value) {
        let head = format!("PATCH {}/{name}/status\n{PATCH}", self.path_of_pods());
        let (code, _) = self.server.json(&head, &json!({ "status": status }).to_string());
        // It may be gone meanwhile.
        assert!(code == 200 || code == 404, "{code}");
    }

    fn set_ready(&self, name: &str) {
        let ready =
            json!([{ "type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z" }]);
        self.status(name, &json!({ "phase": "Running", "conditions": ready }));
    }

    fn revise(&self, image: &str) {
        let spec = json!({ "containers": [{ "name": "main", "image": image }] });
        let head = format!("PATCH {}/rolled\n{PATCH}", self.path_of_daemonsets());
        self.ok(&head, &json!({ "spec": { "template": { "spec": spec } } }));
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
        command
            .env_remove("DSRULES_DB")
            .env_remove("KUBERNETES_SERVICE_HOST")
            .env("NO_COLOR", "1")
            .args(["rollout", "run", "daemonset/rolled", "-n", &self.namespace, "--cluster"])
            .args(["--kubeconfig", &self.kubeconfig, "--rules", "waves.dl"])
            .args(more)
            .current_dir(self.server.file("waves.dl").parent().unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn begin(&self, more: &[&str]) -> Child {
        self.command(more).spawn().unwrap()
    }

    /// Whether all pods are of this image and ready.
    fn is_done(&self, image: &str) -> bool {
        let pods = self.pods();
        pods.len() == NODES && pods.values().all(|pod| is_ready(pod) && is_of(pod, image))
    }

    /// Looks at what there is: bounds and waves hold. Then a kubelet may have made one ready.
    fn moment(&self, image: &str, nth: usize) {
        let pods = self.look(image);
        let mut waiting = pods.iter().filter(|(_, pod)| !is_ready(pod)).cycle();
        if let Some((name, _)) = waiting.nth(nth) {
            self.set_ready(name);
        }
    }

    /// Looks at what there is: bounds and waves hold.
    fn look(&self, image: &str) -> BTreeMap<String, Value> {
        let pods = self.pods();
        let ready = pods.values().filter(|pod| is_ready(pod)).count();
        assert!(ready + MOST >= NODES, "{ready} of {NODES} are ready: {pods:#?}");
        let wave = |pod: &Value| pod["spec"]["nodeName"].as_str().unwrap() <= "m2";
        let first_done =
            pods.values().filter(|pod| wave(pod) && is_ready(pod) && is_of(pod, image)).count() == 2;
        let second_begun = pods.values().any(|pod| !wave(pod) && is_of(pod, image));
        assert!(first_done || !second_begun, "the second wave began before the first was done: {pods:#?}");
        pods
    }

    /// Plays kubelets until the process ends; gives what it said and its exit code.
    fn follow(&self, mut child: Child, image: &str) -> (String, i32) {
        let until = Instant::now() + Duration::from_secs(90);
        let mut nth = 0;
        while child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "it does not end");
            self.moment(image, nth % 3);
            nth += 1;
            sleep(Duration::from_millis(60));
        }
        let said = child.wait_with_output().unwrap();
        let text = [said.stdout, said.stderr].map(|it| String::from_utf8(it).unwrap()).concat();
        (text, said.status.code().unwrap_or(-1))
    }
}

fn is_ready(pod: &Value) -> bool {
    pod["status"]["conditions"].as_array().is_some_and(|it| it.iter().any(|it| it["status"] == "True"))
}

fn is_of(pod: &Value, image: &str) -> bool {
    pod["spec"]["containers"][0]["image"] == image
}

fn reasons(cluster: &Cluster) -> Vec<String> {
    let (_, events) = cluster.server.json("GET /api/v1/namespaces/logging/events", "");
    let events = events["items"].as_array().unwrap().iter();
    let mut reasons: Vec<String> = events
        .map(|it| it["reason"].as_str().unwrap().to_owned())
        .filter(|it| it.starts_with("Rollout"))
        .collect();
    reasons.sort();
    reasons.dedup();
    reasons
}

#[test]
fn it_goes_on_where_it_was_killed() {
    let number = |name: &str, or: usize| std::env::var(name).map_or(or, |it| it.parse().unwrap());
    let (rollouts, lanes) = (number("DSRULES_REAL_ROLLOUTS", 4), number("DSRULES_REAL_LANES", 2));
    let seed = number("DSRULES_REAL_SEED", 0);
    let begun = Instant::now();
    let all = lane::roll_out(rollouts, lanes, seed);
    eprintln!("{rollouts} rollouts in {} s: {all:?}", begun.elapsed().as_secs());
    assert!(all.deleted >= rollouts * NODES, "each pod was replaced: {all:?}");
    assert!(rollouts < 20 || all.moved > 0 && all.kills > 0, "everything happened: {all:?}");
}

#[test]
fn a_failed_pod_stops_it_and_a_corrected_template_goes_on() {
    let cluster = Cluster::new();
    cluster.revise("rolled:bad");
    let mut child = cluster.begin(&[]);
    let until = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "it does not end");
        for (name, pod) in cluster.pods() {
            if !is_ready(&pod) {
                let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
                cluster
                    .status(&name, &json!({ "containerStatuses": [{ "name": "main", "state": waiting }] }));
            }
        }
        sleep(Duration::from_millis(60));
    }
    let said = child.wait_with_output().unwrap();
    let text = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(1), "{text}");
    assert!(text.contains("the rollout is stopped: the container main of"), "{text}");
    assert!(text.contains("does not run: CrashLoopBackOff"), "{text}");
    let pods = cluster.pods();
    let bad = pods.values().filter(|pod| is_of(pod, "rolled:bad")).count();
    assert!((1..=MOST).contains(&bad), "no more than the bound: {bad}");
    cluster.revise("rolled:good");
    let (text, code) = cluster.follow(cluster.begin(&["--lease"]), "rolled:good");
    assert_eq!(code, 0, "{text}");
    let lease = "GET /apis/coordination.k8s.io/v1/namespaces/logging/leases/dsrules-rollout-rolled";
    let (code, lease) = cluster.server.json(lease, "");
    assert_eq!((code, &lease["spec"]["holderIdentity"]), (200, &json!("")), "it was given up: {lease}");
    assert_eq!(reasons(&cluster), ["RolloutComplete", "RolloutStarted", "RolloutStopped", "RolloutWaveDone"]);
}

#[test]
fn a_disruption_budget_is_waited_for() {
    let cluster = Cluster::new();
    let spec = json!({ "minAvailable": NODES, "selector": { "matchLabels": { "app": "rolled" } } });
    let budget = json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "name": "all", "namespace": "logging" }, "spec": spec });
    cluster.ok("POST /apis/policy/v1/namespaces/logging/poddisruptionbudgets", &budget);
    cluster.revise("rolled:2");
    let before: Vec<String> = cluster.pods().into_keys().collect();
    let child = cluster.begin(&[]);
    sleep(Duration::from_secs(2));
    assert_eq!(cluster.pods().into_keys().collect::<Vec<_>>(), before, "none goes");
    let budget = "DELETE /apis/policy/v1/namespaces/logging/poddisruptionbudgets/all";
    assert_eq!(cluster.server.json(budget, "").0, 200);
    let (text, code) = cluster.follow(child, "rolled:2");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("stays for now: Cannot evict pod as it would violate"), "{text}");
    assert!(reasons(&cluster).contains(&"RolloutWaits".to_owned()));
}

#[test]
fn of_two_one_acts_and_the_other_goes_on_when_it_is_killed() {
    let cluster = Cluster::new();
    cluster.revise("rolled:2");
    let before = cluster.pods();
    let lease = ["--lease=one", "--lease-duration", "3s"];
    let mut first = cluster.begin(&lease);
    let until = Instant::now() + Duration::from_secs(30);
    while cluster.pods().keys().all(|name| before.contains_key(name)) {
        assert!(Instant::now() < until, "nothing goes");
        sleep(Duration::from_millis(50));
    }
    let second = cluster.begin(&lease);
    sleep(Duration::from_secs(1));
    first.kill().unwrap();
    first.wait().unwrap();
    let (text, code) = cluster.follow(second, "rolled:2");
    assert_eq!(code, 0, "{text}");
    let (waits, holds) = (text.find("waiting for the lease: "), text.find("we hold the lease"));
    assert!(waits.is_some() && waits < holds && holds < text.find(" evicted: "), "{text}");
}

#[test]
fn it_says_what_it_would_do_and_how_to_go_on() {
    let cluster = Cluster::new();
    cluster.revise("rolled:2");
    let before = cluster.pods();
    let said = cluster.command(&["--dry-run"]).output().unwrap();
    let mut text = format!(
        "$ dsrules rollout run daemonset/rolled --cluster --dry-run\n{}{}\n",
        String::from_utf8(said.stdout).unwrap(),
        String::from_utf8(said.stderr).unwrap()
    );
    assert_eq!(cluster.pods(), before, "nothing is changed");
    let mut child = cluster.begin(&[]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    // It waits for pods that nobody makes ready.
    let mut told: Vec<String> = Vec::new();
    while !told.last().is_some_and(|line| line.contains("waiting: ")) {
        told.push(lines.next().expect("it goes on until it is interrupted"));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    told.extend(lines);
    let said = child.wait_with_output().unwrap();
    text.push_str(&format!(
        "$ dsrules rollout run daemonset/rolled --cluster, and Ctrl-C\n{}\n{}[exit code {}]\n\n",
        told.join("\n"),
        String::from_utf8(said.stderr).unwrap(),
        said.status.code().unwrap()
    ));
    let refused = Command::new(env!("CARGO_BIN_EXE_dsrules"))
        .current_dir(cluster.server.file("waves.dl").parent().unwrap())
        .env_remove("DSRULES_DB")
        .env("NO_COLOR", "1")
        .args([
            "rollout",
            "run",
            "daemonset/agent",
            "-n",
            "logging",
            "--cluster",
            "--kubeconfig",
            "kubeconfig",
        ])
        .output()
        .unwrap();
    text.push_str(&format!(
        "$ dsrules rollout run daemonset/agent --cluster\n{}{}[exit code {}]\n",
        String::from_utf8(refused.stdout).unwrap(),
        String::from_utf8(refused.stderr).unwrap(),
        refused.status.code().unwrap()
    ));
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("rollout_run", text);
    });
}
