//! `get`, `describe`, `explain`, `rules`: what is there, and why.

use serde_json::Value;

use crate::session::{Session, daemonset, node, nodes};

fn begun() -> Session {
    let session = Session::new();
    let labels = "node-role.kubernetes.io/control-plane= zone=a";
    let master = node("a", labels, "node-role.kubernetes.io/control-plane=:NoSchedule");
    let ready = "status:\n  conditions:\n  - type: Ready\n    status: \"True\"\n";
    session.write("nodes.yaml", format!("{master}{ready}---\n{}", node("b", "zone=b", "")));
    let agent = daemonset("agent", "agent:1", "tolerations:\n- operator: Exists", "");
    let other = daemonset("other", "other:1", "nodeSelector:\n  zone: b", "");
    session.write("sets.yaml", format!("{agent}---\n{other}"));
    session.write(
        "pods.yaml",
        "
apiVersion: v1
kind: Pod
metadata:
  name: bare
  annotations:
    note: \"a\\u001b[2Jb\"
spec:
  nodeName: b
  containers:
  - name: main
    image: bare:1
status:
  phase: Running
  containerStatuses:
  - name: main
    image: bare:1
    imageID: bare
    ready: false
    restartCount: 3
    state:
      waiting:
        reason: CrashLoopBackOff
",
    );
    let said = session.quietly("apply nodes.yaml sets.yaml pods.yaml");
    assert_eq!(said.code, 0, "{}", said.err);
    session
}

#[test]
fn everything_can_be_listed_in_kubectls_columns() {
    let mut session = begun();
    session.later(3 * 3600 + 60);
    for line in [
        "get nodes",
        "get no -o wide",
        "get ds",
        "get daemonsets -o wide -A",
        "get pods",
        "get po -A -o wide",
        "get controllerrevisions",
        "get namespaces",
        "get events",
        "get ev -A -o wide",
        "get all",
        "get nodes,ds -o name",
        "get pod bare -o yaml",
        "get ds/agent node/a",
        "get pods --no-headers --sort-by .spec.nodeName",
    ] {
        session.ok(line);
    }
    session.snapshot("get");
}

#[test]
fn lists_can_be_narrowed_by_label_and_namespace() {
    let session = begun();
    let names = |line: &str| session.quietly(line).out.lines().map(ToOwned::to_owned).collect::<Vec<_>>();
    assert_eq!(names("get nodes -l zone=a -o name"), ["node/a"]);
    assert_eq!(names("get nodes -l zone!=a -o name"), ["node/b"]);
    assert_eq!(names("get nodes -l zone -o name"), ["node/a", "node/b"]);
    assert_eq!(names("get nodes -lzone=a,zone=b -o name"), Vec::<String>::new());
    assert_eq!(names("get ds -n kube-system -o name"), Vec::<String>::new());
    assert_eq!(names("get nodes -n kube-system -o name").len(), 2, "nodes are in no namespace");
    let selected = session.command().args(["get", "nodes", "-o", "name", "-l", "zone in (b, c)"]).output();
    assert_eq!(String::from_utf8(selected.unwrap().stdout).unwrap(), "node/b\n");
}

#[test]
fn lists_can_be_narrowed_by_what_kubectl_selects_fields_by() {
    let session = begun();
    let all: Value = serde_json::from_str(&session.quietly("get pods -o json").out).unwrap();
    let pods = all["items"].as_array().unwrap();
    let wanted = |is: &dyn Fn(&Value) -> bool| -> Vec<String> {
        let name = |pod: &Value| format!("pod/{}", pod["metadata"]["name"].as_str().unwrap());
        pods.iter().filter(|pod| is(pod)).map(name).collect()
    };
    let names = |line: &str| session.quietly(line).out.lines().map(ToOwned::to_owned).collect::<Vec<_>>();
    let (on_a, is_bare) =
        (|pod: &Value| pod["spec"]["nodeName"] == "a", |pod: &Value| pod["metadata"]["name"] == "bare");
    assert!(!wanted(&on_a).is_empty());
    assert_eq!(names("get pods --field-selector spec.nodeName=a -o name"), wanted(&on_a));
    assert_eq!(names("get pods --field-selector spec.nodeName!=a -o name"), wanted(&|pod| !on_a(pod)));
    assert_eq!(names("get pods --field-selector metadata.name=bare -o name"), wanted(&is_bare));
    assert_eq!(names("get pods -A --field-selector metadata.name=bare -o name"), wanted(&is_bare));
    assert_eq!(names("get pods --field-selector status.phase=Unknown -o name"), Vec::<String>::new());
    assert_eq!(names("get nodes --field-selector metadata.name=b -o name"), ["node/b"]);
    let refused = session.quietly("get nodes --field-selector spec.nodeName=a");
    assert!(
        refused.code != 0 && refused.err.contains("field label not supported: spec.nodeName"),
        "{}",
        refused.err
    );
}

#[test]
fn machine_forms_are_kubectls_lists_and_objects() {
    let session = begun();
    let json = |line: &str| serde_json::from_str::<Value>(&session.quietly(line).out).unwrap();
    let list = json("get pods -o json");
    assert_eq!((&list["kind"], &list["apiVersion"]), (&"List".into(), &"v1".into()));
    let one = json("get pod bare -o json");
    assert_eq!(one["metadata"]["name"], "bare");
    assert_eq!(one["metadata"]["annotations"]["note"], "a\u{1b}[2Jb", "nothing of a manifest is lost");
    let yaml: Value = serde_yaml::from_str(&session.quietly("get pods -o yaml").out).unwrap();
    assert_eq!(yaml, list);
    assert_eq!(json("get pods -n nowhere -o json")["items"], serde_json::json!([]));
    // What was printed can be applied again: nothing moves.
    session.write("again.yaml", session.quietly("get nodes,ds -o yaml").out);
    let again = session.quietly("apply again.yaml");
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.out.contains("no pod changes"), "{}", again.out);
    assert!(session.quietly("apply again.yaml").out.contains("No changes:"));
}

#[test]
fn nothing_from_a_manifest_acts_on_the_terminal() {
    let session = begun();
    for line in ["describe pod bare", "get pod bare -o json", "get pod bare -o yaml"] {
        let said = session.quietly(line);
        assert_eq!(said.code, 0);
        assert!(!said.out.contains('\u{1b}'), "{line}: {}", said.out);
    }
}

#[test]
fn pages_hold_what_belongs_together() {
    let mut session = begun();
    session.later(60);
    session.ok("describe node a");
    session.ok("describe ds agent");
    session.ok("describe pod/bare");
    session.fails("describe ds nothing");
    session.fails("describe namespace default");
    session.ok("describe ds -n elsewhere");
    session.snapshot("describe");
}

#[test]
fn what_is_not_there_is_said_in_kubectls_words() {
    let mut session = begun();
    session.fails("get pods nothing");
    session.fails("get ds agnet");
    session.fails("get ds agent -n kube-system");
    session.fails("get ds agent -A");
    session.fails("get dameonsets");
    session.fails("get events x");
    session.say("one that is there is shown all the same");
    session.fails("get ds agent nothing");
    session.ok("get ds -n kube-system");
    session.ok("get ds -l app=none -A");
    session.fails("get nodes --db nowhere.db");
    session.snapshot("get_nothing");
}

#[test]
fn the_rules_say_why() {
    let mut session = begun();
    session.ok("explain agent a");
    session.ok("explain daemonset/other node/a");
    session.ok("explain other b");
    session.ok("explain other a -o wide");
    let yaml: Value = serde_yaml::from_str(&session.quietly("explain other a -o yaml").out).unwrap();
    let json: Value = serde_json::from_str(&session.quietly("explain other a -o json").out).unwrap();
    assert_eq!(yaml, json);
    assert_eq!((&json["apiVersion"], &json["kind"]), (&"dsrules.dev/v1".into(), &"Explanation".into()));
    assert_eq!(json["eligible"], false);
    session.fails("explain a other");
    session.fails("explain node/a ds/other");
    session.snapshot("explain");
}

#[test]
fn the_rules_can_be_read() {
    let session = begun();
    let list = session.quietly("rules list --all").out;
    assert!(list.lines().count() > 50 && list.contains("may_start"), "{list}");
    let shown = session.quietly("rules show may_start").out;
    assert!(shown.contains("may_start(DaemonSet, Node) :- may_stay(DaemonSet, Node)"), "{shown}");
    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/placement.dl")).unwrap();
    for name in ["placement", "placement.dl", "rules/placement.dl"] {
        assert_eq!(session.quietly(&format!("rules show {name}")).out, file);
    }
    let wrong = session.quietly("rules show may_strat");
    assert!(wrong.code == 1 && wrong.err.contains("did you mean `may_start`?"), "{}", wrong.err);
}

/// What is one's own comes first, with its columns, types and values; then what the tool
/// offers, and only where it is asked for what it keeps to itself.
#[test]
fn what_rules_may_read_is_listed() {
    let session = Session::new();
    session.write(
        "hall_a/rules.dl",
        "/// The rack of a node. Nodes on the floor have none.\n.decl rack(node: Node, rack: Value) input unique(node)\n\
         rack(\"n1\", \"r1\").\n/// So many nodes fill a rack.\n.param most: number = 2\n\
         .decl full(rack: Value) violation\n/// {Rack} has more than {most} nodes.\n\
         full(Rack) :- rack(_, Rack), count : { rack(_, Rack) } > most.\n",
    );
    session.write("hall_b/rules.dl", ".decl rack(rack: Value) export\nrack(\"r9\").\n.decl far(rack: Value) warning\n/// {Rack} is far.\nfar(Rack) :- rack(Rack).\n");
    let rules = "--rules hall_a --rules hall_b --param most=3";
    let list = session.quietly(&format!("rules list {rules}")).out;
    let (own, built_in) = list.split_once("\nBuilt in").unwrap();
    assert!(
        built_in.contains("\n  node_label(node: Node, key: Key, value: Value) input\n      A label"),
        "{built_in}"
    );
    assert!(built_in.contains("(version ") && !built_in.contains("may_start("), "{built_in}");
    let shown = |line: &str| format!("$ dsrules {line}\n{}\n", session.quietly(line).out);
    let shows = ["rules show rack", "rules show hall_b::rack", "rules show most", "rules show blocked"];
    let shows: String = shows.iter().map(|line| shown(&format!("{line} {rules}"))).collect();
    let open = shown("rules list --open -o wide");
    crate::session::snapshot("rules_listed", &format!("$ dsrules rules list {rules}\n{own}\n{open}{shows}"));

    let json = session.quietly(&format!("rules list -o json {rules}")).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["apiVersion"], &json["kind"]), (&"dsrules.dev/v1".into(), &"Rules".into()));
    let rack = &json["relations"][0];
    assert_eq!(
        (&rack["name"], &rack["module"], &rack["whose"]),
        (&"rack".into(), &"hall_a".into(), &"own".into())
    );
    assert_eq!(
        rack["columns"],
        serde_json::json!([{"name": "node", "type": "Node"}, {"name": "rack", "type": "Value"}])
    );
    assert_eq!(rack["qualifiers"], serde_json::json!(["input", "unique(node)"]));
    assert_eq!(
        (&json["parameters"][0]["value"], &json["parameters"][0]["default"]),
        (&"3".into(), &"2".into())
    );
}

#[test]
fn a_rule_of_ones_own_keeps_pods_off_and_is_the_reason() {
    let mut session = Session::new();
    session.write("nodes.yaml", nodes(&["a", "b"]));
    session.write("agent.yaml", daemonset("agent", "agent:1", "", ""));
    session.write(
        "own/quiet.dl",
        "/// {Node} is kept quiet.\nblocked(DaemonSet, Node) :- daemonset(DaemonSet), node(Node), Node = \"a\".\n",
    );
    session.ok("apply nodes.yaml agent.yaml --rules own");
    assert_eq!(session.nodes_of("agent"), ["b"]);
    session.ok("explain agent a --rules own");
    session.write("own/quiet.dl", "blocked(DaemonSet, Node) :- node(Node).\n");
    session.fails("plan agent.yaml --rules own");
    session.fails("plan agent.yaml --rules nowhere");
    session.snapshot("own_rules");
}

#[test]
fn the_tables_can_be_read_with_sql() {
    let session = begun();
    let connection = rusqlite::Connection::open(session.path("dsrules.db")).unwrap();
    let mut query =
        connection.prepare("SELECT node FROM eligible WHERE daemonset = 'agent' ORDER BY node").unwrap();
    let found: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(found, ["a", "b"]);
}
