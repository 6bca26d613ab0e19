//! A pod is stopped as it asks: its hooks first, then SIGTERM and its time to end, then it is
//! taken down.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::command::{CHANGE, Command};
use super::files::Folder;
use super::kept::Kept;
use crate::diagnostic::Diagnostic;
use crate::kube::list;

/// Stops a pod of ours and removes it from podman; its folder stays. What remembers nothing
/// of how it wants to end gets a kubelet's 30 seconds.
pub(super) fn stop(
    podman: &Command,
    folder: &Folder,
    name: &str,
    now: fn() -> i64,
) -> Result<(), Diagnostic> {
    let kept = Kept::read(folder, name);
    let grace = kept.as_ref().map_or(30, Kept::grace);
    let began = now();
    for (container, entry) in kept.iter().flat_map(|kept| kept.containers("containers")) {
        before(
            podman,
            &format!("{name}-{container}"),
            &entry["lifecycle"]["preStop"],
            Duration::from_secs(grace),
        );
    }
    // Hooks take their part of the time; a little is left for the signal.
    let spent = u64::try_from(now() - began).unwrap_or(0);
    let left = if grace == 0 { 0 } else { grace.saturating_sub(spent).max(2.min(grace)) };
    let within = Duration::from_secs(left) + CHANGE;
    let left = left.to_string();
    if let Some(kept) = &kept {
        signal(podman, kept, name, &left, within);
    }
    let stopped = podman.run(&["pod", "stop", "--ignore", "-t", &left, name], "", within);
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name } });
    let down = podman.run(&["kube", "down", "-"], &pod.to_string(), CHANGE);
    match (stopped, down) {
        (_, Ok(_)) => Ok(()),
        // One that podman cannot end well is removed by force, which tells why if it cannot.
        (_, Err(_)) => podman
            .run(&["pod", "rm", "--force", "--time=0", "--ignore", name], "", CHANGE)
            .map(drop)
            .map_err(|fault| fault.told()),
    }
}

/// Ends the containers of a pod. `podman pod stop` would hold up everybody who lists pods until
/// the last of them has ended, and has only the rest to do after this.
fn signal(podman: &Command, kept: &Kept, name: &str, left: &str, within: Duration) {
    let all = ["initContainers", "containers"].into_iter().flat_map(|of| kept.containers(of));
    let names: Vec<String> = all.map(|(container, _)| format!("{name}-{container}")).collect();
    let words: Vec<&str> =
        ["stop", "--ignore", "-t", left].into_iter().chain(names.iter().map(String::as_str)).collect();
    let _ = podman.run(&words, "", within);
}

/// What a container asks for before it is stopped. A hook that fails keeps nobody from it.
fn before(podman: &Command, container: &str, hook: &Value, within: Duration) {
    if let Some(seconds) = hook["sleep"]["seconds"].as_u64() {
        thread::sleep(Duration::from_secs(seconds).min(within));
    }
    if !hook["exec"].is_null() {
        let mut words = vec!["exec", container];
        words.extend(list(&hook["exec"], "command").filter_map(Value::as_str));
        let _ = podman.run(&words, "", within);
    }
}
