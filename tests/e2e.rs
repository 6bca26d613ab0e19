//! Kubernetes' end-to-end scenarios for daemonsets (test/e2e/apps/daemon_set.go), retold
//! on the real binary under their own names.
//!
//! What a kubelet reports there is a Pod manifest with a status here; where pods are
//! slow or fail, `--readiness observe` leaves it to those.
#![allow(clippy::unwrap_used)]

#[path = "e2e/cluster.rs"]
mod cluster;

use std::collections::{BTreeMap, BTreeSet};

use cluster::{Cluster, daemonset, hash_of, image_of, is_ready, name_of, node, node_of};
use serde_json::{Value, json};

const ALL: [&str; 3] = ["node-0", "node-1", "node-2"];

fn check_status(cluster: &Cluster, nodes: i64) {
    for field in ["desiredNumberScheduled", "currentNumberScheduled", "numberReady"] {
        assert_eq!(cluster.status("daemon-set", field), nodes, "{field}");
    }
}

/// The numbers of the revisions, and the hash of the newest.
fn history(cluster: &Cluster) -> (Vec<i64>, String) {
    let mut revisions = cluster.get("controllerrevisions");
    revisions.sort_by_key(|revision| revision["revision"].as_i64());
    let numbers = revisions.iter().map(|revision| revision["revision"].as_i64().unwrap()).collect();
    (numbers, hash_of(revisions.last().unwrap()))
}

#[test]
fn should_run_and_stop_simple_daemon() {
    let mut cluster = Cluster::new(3);
    cluster.write(&daemonset("daemon-set", "httpd:2.4.38-4"));
    cluster.apply();
    assert_eq!(cluster.places(), ALL);
    check_status(&cluster, 3);

    // Stop a daemon pod, check that the daemon pod is revived.
    let stopped = name_of(&cluster.get("pods")[0]);
    cluster.well(&["delete", "pod", &stopped]);
    assert_eq!(cluster.places(), ALL);
    assert!(cluster.get("pods").iter().all(|pod| name_of(pod) != stopped));
    check_status(&cluster, 3);
}

#[test]
fn should_run_and_stop_complex_daemon() {
    let mut cluster = Cluster::new(3);
    let mut it = daemonset("daemon-set", "httpd:2.4.38-4");
    it["spec"]["template"]["spec"]["nodeSelector"] = json!({ "daemonset-color": "blue" });
    it["spec"]["updateStrategy"] = json!({ "type": "OnDelete" });
    cluster.write(&it);
    cluster.apply();
    assert!(cluster.places().is_empty());

    // Change node label to blue, check that daemon pod is launched.
    cluster.write(&node("node-0", json!({ "daemonset-color": "blue" })));
    cluster.apply();
    assert_eq!(cluster.places(), ["node-0"]);
    check_status(&cluster, 1);

    // Update the node label to green, and wait for daemons to be unscheduled.
    cluster.write(&node("node-0", json!({ "daemonset-color": "green" })));
    cluster.apply();
    assert!(cluster.places().is_empty());

    // Update DaemonSet node selector to green, and change its update strategy to RollingUpdate.
    it["spec"]["template"]["spec"]["nodeSelector"] = json!({ "daemonset-color": "green" });
    it["spec"]["updateStrategy"] = json!({ "type": "RollingUpdate" });
    cluster.write(&it);
    cluster.apply();
    assert_eq!(cluster.places(), ["node-0"]);
    check_status(&cluster, 1);
}

#[test]
fn should_run_and_stop_complex_daemon_with_node_affinity() {
    let mut cluster = Cluster::new(3);
    let mut it = daemonset("daemon-set", "httpd:2.4.38-4");
    it["spec"]["template"]["spec"]["affinity"]["nodeAffinity"] = json!({
        "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
            { "matchExpressions": [{ "key": "daemonset-color", "operator": "In", "values": ["blue"] }] }
        ] }
    });
    cluster.write(&it);
    cluster.apply();
    assert!(cluster.places().is_empty());

    cluster.write(&node("node-1", json!({ "daemonset-color": "blue" })));
    cluster.apply();
    assert_eq!(cluster.places(), ["node-1"]);
    check_status(&cluster, 1);

    // Remove the node label and wait for daemons to be unscheduled.
    cluster.write(&node("node-1", json!({})));
    cluster.apply();
    assert!(cluster.places().is_empty());
}

#[test]
fn should_retry_creating_failed_daemon_pods() {
    let mut cluster = Cluster::new(3);
    cluster.write(&daemonset("daemon-set", "httpd:2.4.38-4"));
    cluster.apply();
    check_status(&cluster, 3);

    // Set a daemon pod's phase to 'Failed', check that the daemon pod is revived.
    let failed = cluster.get("pods").remove(0);
    cluster.report(std::slice::from_ref(&failed), "Failed", false);
    assert_eq!(cluster.places(), ALL);
    check_status(&cluster, 3);
    // Wait for the failed daemon pod to be completely deleted.
    assert!(cluster.get("pods").iter().all(|pod| name_of(pod) != name_of(&failed)));
    let events = cluster.well(&["get", "events"]);
    let told = format!(
        "Found failed daemon pod default/{} on node {}, will try to kill it",
        name_of(&failed),
        node_of(&failed)
    );
    assert!(events.contains(&told) && events.contains("FailedDaemonPod"), "{events}");
    assert!(events.contains(&format!("Deleted pod: {}", name_of(&failed))), "{events}");

    // It fails again at once: the back-off is kept between commands.
    let again = cluster.get("pods").into_iter().find(|pod| node_of(pod) == node_of(&failed)).unwrap();
    cluster.clock -= 10;
    cluster.report(std::slice::from_ref(&again), "Failed", false);
    assert!(cluster.get("pods").iter().any(|pod| name_of(pod) == name_of(&again)), "it waits");
    cluster.apply();
    assert!(cluster.get("pods").iter().all(|pod| name_of(pod) != name_of(&again)), "it is replaced");
}

#[test]
fn should_not_update_pod_when_spec_was_updated_and_update_strategy_is_on_delete() {
    let mut cluster = Cluster::new(3);
    let mut it = daemonset("daemon-set", "httpd:2.4.38-4");
    it["spec"]["updateStrategy"] = json!({ "type": "OnDelete" });
    cluster.write(&it);
    cluster.apply();
    let (numbers, first) = history(&cluster);
    assert_eq!(numbers, [1]);
    assert!(cluster.get("pods").iter().all(|pod| hash_of(pod) == first));

    // Update daemon pods image; check that daemon pods images aren't updated.
    it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("agnhost:2.53");
    cluster.write(&it);
    cluster.apply();
    assert_eq!(cluster.places(), ALL);
    assert!(cluster.get("pods").iter().all(|pod| image_of(pod) == "httpd:2.4.38-4"));
    let (numbers, current) = history(&cluster);
    assert_eq!(numbers, [1, 2]);
    assert_ne!(current, first);
    assert!(cluster.get("pods").iter().all(|pod| hash_of(pod) == first));
    let told = cluster.run(&["rollout", "status", "daemonset/daemon-set"]);
    assert!(told.err.contains("rollout status is only available for RollingUpdate strategy type"));

    // One that somebody deletes is replaced by a new one.
    let deleted = cluster.get("pods").remove(0);
    cluster.well(&["delete", "pod", &name_of(&deleted)]);
    let new: Vec<Value> = cluster.get("pods").into_iter().filter(|pod| hash_of(pod) == current).collect();
    assert_eq!(new.iter().map(node_of).collect::<Vec<_>>(), [node_of(&deleted)]);
}

#[test]
fn should_update_pod_when_spec_was_updated_and_update_strategy_is_rolling_update() {
    let mut cluster = Cluster::new(3);
    let mut it = daemonset("daemon-set", "httpd:2.4.38-4");
    it["spec"]["updateStrategy"] = json!({ "type": "RollingUpdate" });
    cluster.write(&it);
    cluster.apply();
    let (numbers, first) = history(&cluster);
    assert_eq!(numbers, [1]);
    assert!(cluster.get("pods").iter().all(|pod| hash_of(pod) == first));

    it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("agnhost:2.53");
    cluster.write(&it);
    let plan = cluster.well(&["plan", "-f", "in"]);
    assert!(plan.contains("wave 6 of "), "one pod at a time is deleted, then created: {plan}");
    cluster.apply();
    assert!(cluster.get("pods").iter().all(|pod| image_of(pod) == "agnhost:2.53"));
    assert_eq!(cluster.places(), ALL);
    let (numbers, current) = history(&cluster);
    assert_eq!(numbers, [1, 2]);
    assert_ne!(current, first);
    assert!(cluster.get("pods").iter().all(|pod| hash_of(pod) == current));
}

#[test]
fn should_rollback_without_unnecessary_restarts() {
    let mut cluster = Cluster::new(5);
    cluster.readiness = "observe";
    let good = daemonset("daemon-set", "httpd:2.4.38-4");
    cluster.write(&good);
    cluster.apply();
    cluster.report_all_ready();
    check_status(&cluster, 5);

    // Update daemon set: the new image does not exist, so the first new pod is never ready.
    let mut bad = good.clone();
    bad["spec"]["template"]["spec"]["containers"][0]["image"] = json!("foo:non-existent");
    cluster.write(&bad);
    cluster.apply();
    cluster.apply();
    let pods = cluster.get("pods");
    let (new, existing): (Vec<&Value>, Vec<&Value>) =
        pods.iter().partition(|pod| image_of(pod) == "foo:non-existent");
    assert_eq!((new.len(), existing.len()), (1, 4), "maxUnavailable is 1");

    // Roll back the DaemonSet before rollout is complete.
    cluster.write(&good);
    cluster.apply();
    cluster.report_all_ready();
    let pods = cluster.get("pods");
    assert!(pods.iter().all(|pod| image_of(pod) == "httpd:2.4.38-4"));
    let uids: BTreeSet<&str> = pods.iter().map(|pod| pod["metadata"]["uid"].as_str().unwrap()).collect();
    let kept = |pod: &&Value| uids.contains(pod["metadata"]["uid"].as_str().unwrap());
    assert!(existing.iter().all(kept), "existing pods are not restarted");
    assert!(!new.iter().any(kept), "the new one is replaced");
    check_status(&cluster, 5);
}

/// Plays a surge with slow and failing pods to its end: a node never goes without a
/// ready pod, and no more than `surge` nodes have a new pod that is not ready.
fn surge(max_surge: Value, surge: usize) {
    let mut cluster = Cluster::new(5);
    cluster.readiness = "observe";
    let mut it = daemonset("daemon-set", "agnhost:1");
    it["spec"]["updateStrategy"] =
        json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": max_surge } });
    it["spec"]["minReadySeconds"] = json!(1);
    cluster.write(&it);
    cluster.apply();
    cluster.report_all_ready();
    cluster.apply();
    assert_eq!(cluster.status("daemon-set", "numberAvailable"), 5);

    it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("agnhost:2");
    cluster.write(&it);
    let mut age: BTreeMap<String, usize> = BTreeMap::new();
    let (mut failures, mut widest) = (0, 0);
    for _ in 0..60 {
        cluster.apply();
        let pods = cluster.get("pods");
        let served: BTreeSet<String> = pods.iter().filter(|pod| is_ready(pod)).map(node_of).collect();
        assert_eq!(served.len(), 5, "a node without a ready pod");
        let starting: Vec<Value> = pods.into_iter().filter(|pod| !is_ready(pod)).collect();
        let on: BTreeSet<String> = starting.iter().map(node_of).collect();
        assert!(on.len() <= surge, "{on:?} at a time");
        widest = widest.max(on.len());
        if cluster.status("daemon-set", "updatedNumberScheduled") == 5 && starting.is_empty() {
            break;
        }
        for pod in starting {
            let age = age.entry(name_of(&pod)).or_default();
            *age += 1;
            // Each is slow: it takes two more steps. Every third one fails before that.
            if *age == 2 && failures < 2 {
                failures += 1;
                cluster.report(&[pod], "Failed", false);
            } else if *age == 3 {
                cluster.report(&[pod], "Running", true);
            }
        }
    }
    let pods = cluster.get("pods");
    assert!(pods.iter().all(|pod| image_of(pod) == "agnhost:2"), "it comes to its end");
    assert_eq!(pods.len(), 5);
    assert_eq!(failures, 2);
    assert_eq!(widest, surge, "and uses what it is allowed");
}

#[test]
fn should_surge_pods_onto_nodes_when_spec_was_updated_and_update_strategy_is_rolling_update() {
    surge(json!(1), 1);
}

#[test]
fn should_surge_a_percentage_of_pods_onto_nodes() {
    // 40% of 5 nodes are 2.
    surge(json!("40%"), 2);
}

#[test]
fn should_list_and_delete_a_collection_of_daemon_sets() {
    let mut cluster = Cluster::new(3);
    cluster.write(&daemonset("daemon-set", "httpd:2.4.38-4"));
    cluster.write(&daemonset("another", "httpd:2.4.38-4"));
    cluster.apply();
    let listed = cluster.well(&["get", "daemonsets", "-l", "daemonset-name=daemon-set", "-o", "name"]);
    assert_eq!(listed, "daemonset.apps/daemon-set\n");

    cluster.well(&["delete", "daemonsets", "-l", "daemonset-name=daemon-set"]);
    assert_eq!(cluster.well(&["get", "daemonsets", "-o", "name"]), "daemonset.apps/another\n");
    let pods = cluster.get("pods");
    assert_eq!(pods.len(), 3);
    assert!(pods.iter().all(|pod| pod["metadata"]["labels"]["daemonset-name"] == "another"));
    let revisions = cluster.get("controllerrevisions");
    assert_eq!(revisions.len(), 1, "the history of what is gone goes with it");
}

#[test]
fn should_verify_changes_to_a_daemon_set_status() {
    let mut cluster = Cluster::new(3);
    cluster.readiness = "observe";
    cluster.write(&daemonset("daemon-set", "httpd:2.4.38-4"));
    cluster.apply();
    let status = |cluster: &Cluster| cluster.daemonset("daemon-set")["status"].clone();
    assert_eq!(
        status(&cluster),
        json!({ "currentNumberScheduled": 3, "desiredNumberScheduled": 3, "numberMisscheduled": 0,
                "numberReady": 0, "numberUnavailable": 3, "observedGeneration": 1,
                "updatedNumberScheduled": 3 })
    );
    cluster.report_all_ready();
    assert_eq!(
        (status(&cluster)["numberReady"].clone(), status(&cluster)["numberAvailable"].clone()),
        (json!(3), json!(3))
    );

    // A pod turns unready, a node comes, and a taint lets a pod stay where none may start.
    let pod = cluster.get("pods").remove(0);
    let mut tainted = node("node-1", json!({}));
    tainted["spec"]["taints"] = json!([{ "key": "dedicated", "effect": "NoSchedule" }]);
    cluster.write(&tainted);
    cluster.write(&node("node-3", json!({})));
    cluster.report(&[pod], "Running", false);
    assert_eq!(
        status(&cluster),
        json!({ "currentNumberScheduled": 3, "desiredNumberScheduled": 3, "numberMisscheduled": 1,
                "numberReady": 1, "numberAvailable": 1, "numberUnavailable": 2, "observedGeneration": 1,
                "updatedNumberScheduled": 3 })
    );
}
