//! Host ports that no two pods of a node can have: warned about by validate, plan and apply.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code)]
#[path = "cli/session.rs"]
mod session;

use session::{Session, daemonset, nodes};

const PORT: &str = "  ports:\n  - containerPort: 80\n    hostPort: 80\n";

fn with_port(name: &str, spec: &str, more: &str) -> String {
    let text = daemonset(name, "x:1", spec, more);
    let port: String = PORT.lines().map(|line| format!("      {line}\n")).collect();
    format!("{text}{port}")
}

const SURGE: &str = "updateStrategy:\n  rollingUpdate:\n    maxSurge: 1\n    maxUnavailable: 0\n";

#[test]
fn a_surge_that_never_gets_its_port() {
    let session = Session::new();
    session.write("a.yaml", with_port("lb", "", SURGE));
    for command in ["validate a.yaml", "plan a.yaml", "apply a.yaml", "apply a.yaml"] {
        let said = session.quietly(command);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.err.contains("default/lb takes the host port 80/TCP and has maxSurge"), "{}", said.err);
    }
    assert!(session.quietly("validate a.yaml -o json").out.contains("host-port"));
    session.write("a.yaml", with_port("lb", "", ""));
    assert_eq!(session.quietly("validate a.yaml").err, "");
}

#[test]
fn two_daemonsets_on_the_same_nodes() {
    let session = Session::new();
    session.write("nodes.yaml", nodes(&["b", "a", "c"]));
    session.write("one.yaml", with_port("one", "", ""));
    session.write("two.yaml", with_port("two", "", ""));
    let said = session.quietly("plan nodes.yaml one.yaml two.yaml").err;
    assert!(said.contains("default/one and default/two both take the host port 80/TCP of a:"), "{said}");
    assert!(said.contains("and so on 2 more nodes"), "{said}");
    assert_eq!(said.matches("warning").count(), 1, "{said}");
    // Where one of them may not be, they do not meet.
    session.write("two.yaml", with_port("two", "nodeName: nowhere\n", ""));
    assert_eq!(session.quietly("plan nodes.yaml one.yaml two.yaml").err, "");
    session.write("two.yaml", with_port("two", "", ""));
    session.write("off.dl", "/// {N} is full.\nblocked(\"default/two\", N) :- node(N).\n");
    assert_eq!(session.quietly("plan nodes.yaml one.yaml two.yaml --rules off.dl").err, "");
}

#[test]
fn addresses_and_protocols_that_differ_do_not_meet() {
    let session = Session::new();
    session.write("nodes.yaml", nodes(&["a"]));
    let at = |name: &str, more: &str| format!("{}          {more}\n", with_port(name, "", ""));
    let meets = |one: &str, two: &str| {
        session.write("one.yaml", at("one", one));
        session.write("two.yaml", at("two", two));
        session.quietly("validate nodes.yaml one.yaml two.yaml").err.contains("both take")
    };
    assert!(meets("hostIP: 10.0.0.1", "hostIP: 10.0.0.1"));
    assert!(!meets("hostIP: 10.0.0.1", "hostIP: 10.0.0.2"));
    assert!(meets("hostIP: 10.0.0.1", "hostIP: 0.0.0.0"));
    assert!(meets("protocol: TCP", "hostIP: 10.0.0.1"));
    assert!(!meets("protocol: TCP", "protocol: UDP"));
}

#[test]
fn two_containers_of_a_host_network() {
    let session = Session::new();
    let one = daemonset("one", "x:1", "hostNetwork: true\n", "");
    let ports = "        ports:\n        - containerPort: 80\n";
    session.write("one.yaml", format!("{one}{ports}      - name: side\n        image: y:1\n{ports}"));
    let said = session.quietly("validate one.yaml").err;
    assert!(said.contains("the containers main and side of default/one both take"), "{said}");
}

const NODE_PORT: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\nspec: {type: NodePort, \
    selector: {app: x}, ports: [{port: 1, nodePort: 30080, protocol: TCP}]}\n";

#[test]
fn a_daemonset_and_a_node_port() {
    let session = Session::new();
    let at = |name: &str, more: &str| {
        with_port(name, "", "").replace("hostPort: 80", &format!("hostPort: 30080{more}"))
    };
    session.write("nodes.yaml", nodes(&["b", "a", "c"]));
    session.write("one.yaml", at("one", ""));
    session.write("web.yaml", NODE_PORT.replace("NAME", "web"));
    for command in ["validate", "plan", "apply", "apply"] {
        let said = session.quietly(&format!("{command} nodes.yaml one.yaml web.yaml"));
        assert_eq!(said.code, 0, "{}", said.err);
        let told = "default/one takes the host port 30080/TCP of a, which is the node port of default/web";
        assert!(said.err.contains(told) && said.err.contains("and so on 2 more nodes"), "{}", said.err);
        assert!(said.err.contains("one.yaml:") && said.err.contains("web.yaml:"), "{}", said.err);
        assert_eq!(said.err.matches("warning").count(), 1, "{}", said.err);
    }
    // Another protocol, another port, or no node where the daemonset may be.
    let warns = |session: &Session| {
        let said = session.quietly("plan nodes.yaml one.yaml web.yaml");
        assert_eq!(said.code, 0, "{}", said.err);
        said.err.contains("30080")
    };
    session.write("one.yaml", at("one", "\n          hostIP: 10.0.0.1"));
    assert!(warns(&session), "a node port is one of all addresses");
    session.write("one.yaml", at("one", "\n          protocol: UDP"));
    assert!(!warns(&session));
    session.write("one.yaml", at("one", ""));
    session.write("web.yaml", NODE_PORT.replace("NAME", "web").replace("30080", "30081"));
    assert!(!warns(&session));
    session.write("web.yaml", NODE_PORT.replace("NAME", "web"));
    session.write("one.yaml", at("one", "").replace("    spec:\n", "    spec:\n      nodeName: nowhere\n"));
    assert!(!warns(&session));
}

#[test]
fn a_watcher_tells_a_node_port_once_and_when_it_is_over() {
    let session = Session::new();
    session.write("in/nodes.yaml", nodes(&["a"]));
    session.write("in/one.yaml", with_port("one", "hostNetwork: true\n", "").replace(": 80", ": 30080"));
    session.write("in/web.yaml", NODE_PORT.replace("NAME", "web"));
    let said = session.quietly("watch in --once");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("the node port of default/web"), "{}", said.err);
}

#[test]
fn two_services_with_one_node_port() {
    let session = Session::new();
    session.write("one.yaml", NODE_PORT.replace("NAME", "one"));
    session.write("two.yaml", NODE_PORT.replace("NAME", "two"));
    let said = session.quietly("validate one.yaml two.yaml").err;
    assert!(said.contains("default/one and default/two both have the node port 30080/TCP"), "{said}");
    session.write("two.yaml", NODE_PORT.replace("NAME", "two").replace("TCP", "UDP"));
    assert_eq!(session.quietly("validate one.yaml two.yaml").err, "");
}
