//! What changes when the input does: nodes come, go, are relabelled and tainted; objects
//! leave the input; orphans are adopted.

use crate::session::{Session, daemonset, node, nodes};

#[test]
fn a_node_that_is_added_gains_its_pods_and_one_that_is_removed_loses_them() {
    let mut session = Session::new();
    session.write("fleet/nodes.yaml", nodes(&["a", "b"]));
    session.write("fleet/agent.yaml", daemonset("agent", "agent:1", "", ""));
    session.ok("apply fleet");
    session.say("c joins");
    session.write("fleet/c.yaml", node("c", "", ""));
    session.later(60);
    session.ok("apply fleet");
    assert_eq!(session.nodes_of("agent"), ["a", "b", "c"]);
    session.say("a is deleted, c leaves the input");
    session.ok("delete node a");
    session.write("fleet/nodes.yaml", nodes(&["b"]));
    session.remove("fleet/c.yaml");
    session.later(60);
    session.ok("apply fleet --prune");
    assert_eq!(session.nodes_of("agent"), ["b"]);
    session.ok("apply fleet --prune");
    session.ok("get events");
    session.snapshot("node_added_and_removed");
}

#[test]
fn a_node_that_is_relabelled_gains_and_loses_pods() {
    let mut session = Session::new();
    session.write("nodes.yaml", format!("{}---\n{}", node("a", "disk=ssd", ""), node("b", "disk=hdd", "")));
    let fast = daemonset("fast", "cache:1", "nodeSelector:\n  disk: ssd", "");
    let slow = daemonset("slow", "cache:1", "nodeSelector:\n  disk: hdd", "");
    session.write("sets.yaml", format!("{fast}---\n{slow}"));
    session.ok("apply nodes.yaml sets.yaml");
    assert_eq!((session.nodes_of("fast"), session.nodes_of("slow")), (vec!["a".into()], vec!["b".into()]));
    session.say("a gets a slow disk");
    session.write("nodes.yaml", format!("{}---\n{}", node("a", "disk=hdd", ""), node("b", "disk=hdd", "")));
    session.later(60);
    session.ok("apply nodes.yaml");
    assert!(session.nodes_of("fast").is_empty());
    assert_eq!(session.nodes_of("slow"), ["a", "b"]);
    session.ok("explain fast a");
    session.snapshot("node_relabelled");
}

#[test]
fn a_taint_keeps_new_pods_off_and_only_noexecute_drives_out_the_old() {
    let mut session = Session::new();
    session.write("nodes.yaml", nodes(&["a", "b"]));
    session.write("agent.yaml", daemonset("agent", "agent:1", "", ""));
    let brave = "tolerations:\n- key: broken\n  operator: Exists";
    session.write("brave.yaml", daemonset("brave", "brave:1", brave, ""));
    session.ok("apply nodes.yaml agent.yaml brave.yaml");
    session.say("a is tainted with NoSchedule: its pods may stay");
    session
        .write("nodes.yaml", format!("{}---\n{}", node("a", "", "broken=yes:NoSchedule"), node("b", "", "")));
    session.later(60);
    session.ok("apply nodes.yaml");
    assert_eq!(session.nodes_of("agent"), ["a", "b"]);
    session.ok("explain agent a");
    session.say("and with NoExecute: they go");
    session
        .write("nodes.yaml", format!("{}---\n{}", node("a", "", "broken=yes:NoExecute"), node("b", "", "")));
    session.later(60);
    session.ok("apply nodes.yaml");
    assert_eq!(session.nodes_of("agent"), ["b"]);
    assert_eq!(session.nodes_of("brave"), ["a", "b"]);
    session.say("the taint goes, the pod comes back");
    session.write("nodes.yaml", nodes(&["a", "b"]));
    session.later(60);
    session.ok("apply nodes.yaml");
    assert_eq!(session.nodes_of("agent"), ["a", "b"]);
    session.snapshot("node_tainted");
}

#[test]
fn what_left_the_input_stays_until_it_is_pruned_and_others_things_stay_always() {
    let mut session = Session::new();
    session.write("one/nodes.yaml", nodes(&["a"]));
    session.write("one/x.yaml", daemonset("x", "x:1", "", ""));
    session.write("two/z.yaml", daemonset("z", "z:1", "", ""));
    session.ok("apply one");
    session.ok("apply two");
    session.remove("one/x.yaml");
    session.ok("apply one");
    assert_eq!(session.nodes_of("x"), ["a"]);
    session.ok("plan one --prune");
    assert_eq!(session.nodes_of("x"), ["a"]);
    session.ok("apply one --prune");
    assert!(session.nodes_of("x").is_empty());
    assert_eq!(session.nodes_of("z"), ["a"]);
    session.snapshot("prune");
}

#[test]
fn an_input_is_the_same_from_wherever_it_is_named() {
    let session = Session::new();
    session.write("fleet/nodes.yaml", nodes(&["a"]));
    session.write("fleet/x.yaml", daemonset("x", "x:1", "", ""));
    assert_eq!(session.quietly("apply fleet").code, 0);
    session.remove("fleet/x.yaml");
    let absolute = session.path("fleet");
    let said = session.quietly(&format!("apply -f {} --prune", absolute.display()));
    assert!(said.out.contains("daemonset.apps/x pruned"), "{}{}", said.out, said.err);
}

#[test]
fn losing_much_at_once_has_to_be_asked_for() {
    let mut session = Session::new();
    let names: Vec<String> = (0..30).map(|n| format!("n{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    session.write("fleet/nodes.yaml", nodes(&names));
    session.write("fleet/agent.yaml", daemonset("agent", "agent:1", "", ""));
    session.ok("apply fleet -q");
    session.say("the label that the daemonset now asks for is on no node");
    session.write("fleet/agent.yaml", daemonset("agent", "agent:1", "nodeSelector:\n  disk: none", ""));
    session.say("apply refuses it; plan shows what it refuses");
    assert!(session.fails("apply fleet").contains("--max-delete 50%"));
    session.fails("plan fleet");
    assert_eq!(session.nodes_of("agent").len(), 30);
    session.fails("apply fleet --max-delete 10%");
    session.ok("apply fleet --max-delete 30");
    assert!(session.nodes_of("agent").is_empty());
    session.say("a file that says nothing any more");
    session.write("fleet/agent.yaml", "# nothing\n");
    session.remove("fleet/nodes.yaml");
    session.fails("apply fleet --prune");
    session.ok("apply fleet --prune --allow-empty");
    assert_eq!(session.quietly("get nodes,ds -o name").out, "");
    session.snapshot("guards");
}

#[test]
fn a_daemonset_that_is_made_again_adopts_the_orphans() {
    let mut session = Session::new();
    session.write("nodes.yaml", nodes(&["a", "b"]));
    session.write("agent.yaml", daemonset("agent", "agent:1", "", ""));
    session.ok("apply nodes.yaml agent.yaml");
    session.ok("delete daemonset agent --cascade=orphan");
    assert!(session.nodes_of("agent").is_empty());
    assert_eq!(session.quietly("get pods --no-headers").out.lines().count(), 2);
    session.ok("get pods -o wide");
    session.later(60);
    session.ok("apply agent.yaml");
    assert_eq!(session.nodes_of("agent"), ["a", "b"]);
    session.say("a node's pods need no new one: the same pods are there");
    session.ok("get pods -o wide");
    session.snapshot("orphans_adopted");
}
