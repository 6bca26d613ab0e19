//! `dsrules rollout` on the real binary: what it says, in kubectl's words.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "e2e/cluster.rs"]
mod cluster;

use cluster::{Cluster, daemonset};
use serde_json::{Value, json};

/// A session as a person would see it: each command with what it printed.
struct Session {
    cluster: Cluster,
    text: String,
}

impl Session {
    fn say(&mut self, line: &str) {
        self.cluster.clock += 10;
        let told = self.cluster.run(&line.split(' ').collect::<Vec<_>>());
        self.text.push_str(&format!("$ dsrules {line}\n{}{}", told.out, told.err));
        if told.code != 0 {
            self.text.push_str(&format!("[exit code {}]\n", told.code));
        }
        self.text.push('\n');
    }

    fn snapshot(self, name: &str) {
        insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, self.text);
        });
    }
}

/// `agent`, which was changed twice, with the causes of two of its three templates.
fn changed_twice() -> (Session, Value) {
    let mut cluster = Cluster::new(3);
    let mut it = daemonset("agent", "agent:1.0");
    cluster.write(&it);
    cluster.apply();
    for (image, cause) in [("agent:1.1", "a fix"), ("agent:2.0", "the next one")] {
        it["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        it["metadata"]["annotations"]["kubernetes.io/change-cause"] = json!(cause);
        cluster.write(&it);
        cluster.apply();
    }
    (Session { cluster, text: String::new() }, it)
}

#[test]
fn history_and_undo() {
    let (mut session, _) = changed_twice();
    session.say("rollout history daemonset/agent");
    session.say("rollout history daemonset agent --revision 2");
    session.say("rollout undo daemonset/agent --dry-run -q");
    session.say("rollout undo daemonset/agent");
    session.say("rollout status daemonset/agent");
    session.say("rollout history daemonset/agent");
    session.say("rollout undo daemonset/agent --to-revision 1 -q");
    session.say("rollout history ds/agent");
    session.say("rollout undo ds/agent --to-revision 5 -q");
    session.say("plan -f in");
    session.snapshot("rollout_history_and_undo");
}

#[test]
fn restart() {
    let (mut session, _) = changed_twice();
    session.say("rollout restart daemonset/agent");
    session.say("rollout history daemonset/agent");
    session.say("rollout history daemonset/agent --revision=4");
    // What was applied last still says the same.
    session.say("plan -f in");
    session.snapshot("rollout_restart");
}

#[test]
fn a_rollout_that_waits() {
    let (mut session, mut it) = changed_twice();
    it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("agent:3.0");
    session.cluster.write(&it);
    session.say("apply -f in --readiness observe");
    session.say("rollout status daemonset/agent");
    session.cluster.readiness = "observe";
    session.cluster.report_all_ready();
    session.say("rollout status daemonset/agent");
    session.snapshot("rollout_waits");
}

#[test]
fn what_cannot_be_rolled_out() {
    let mut cluster = Cluster::new(1);
    cluster.write(&daemonset("agent", "agent:1.0"));
    cluster.apply();
    let mut session = Session { cluster, text: String::new() };
    session.say("rollout undo daemonset/agent");
    session.say("rollout undo daemonset/agent --to-revision 1");
    session.say("rollout status daemonset/agnt");
    session.say("rollout history node/node-0");
    session.say("rollout status daemonset");
    session.say("rollout history daemonset/agent --revision 7");
    session.snapshot("rollout_errors");
}
