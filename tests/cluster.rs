//! A live cluster as the source: `--cluster` against `dsrules serve`, and against a server on
//! which things go wrong.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "cluster/edges.rs"]
mod edges;
#[path = "cluster/faulty.rs"]
mod faulty;
#[path = "cluster/watching.rs"]
mod watching;
#[allow(dead_code)]
#[path = "serve/server.rs"]
mod server;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use faulty::{Fault, Faulty, status};
use server::{CLUSTER, Server};

const NOW: &str = "2026-03-02T09:00:00Z";

/// A folder with the kubeconfig of a cluster at an address, in which dsrules is run.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new(address: &str) -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let desk = Desk { dir };
        desk.write("kubeconfig", &kubeconfig(&format!("http://{address}")));
        desk
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
        let path = self.dir.path();
        command.current_dir(path).env_clear().env("HOME", path).env("TMPDIR", path).env("NO_COLOR", "1");
        command.env("KUBECONFIG", path.join("kubeconfig")).env("DSRULES_NOW", NOW);
        command.args(args.split_whitespace());
        command
    }

    /// The code, and all that was said.
    fn said(&self, args: &str) -> String {
        said(&mut self.command(args))
    }

    /// What was said, which must be no failure.
    fn ok(&self, args: &str) -> String {
        let output = self.command(args).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args}: {err}");
        assert_eq!(err, "", "{args}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What is left in the folder for what is only there for a while.
    fn left(&self) -> Vec<String> {
        let names =
            fs::read_dir(self.dir.path()).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("dsrules")).collect()
    }
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}exit {}", text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
}

fn kubeconfig(server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
         contexts: [{{name: edge, context: {{cluster: c, user: u}}}}, {{name: lost, context: {{cluster: gone, user: u}}}}]\n\
         users: [{{name: u, user: {{token: t}}}}]\ncurrent-context: edge\n"
    )
}

/// What is said, without what differs from run to run.
fn pinned(name: &str, desk: &Desk, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/cluster");
    settings.set_prepend_module_to_snapshot(false);
    settings.add_filter(&regex::escape(desk.dir.path().to_str().unwrap()), "DIR");
    settings.add_filter(r"127\.0\.0\.1:\d+", "ADDRESS");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn served() -> (Server, Desk) {
    let server = Server::new(&[]);
    let desk = Desk::new(&server.address);
    (server, desk)
}

#[test]
fn a_cluster_is_looked_at_in_place_of_a_store() {
    let (_server, desk) = served();
    let mut all = String::new();
    for args in [
        "plan --cluster",
        "explain agent n1 -n logging --cluster",
        "query eligible(D,N) --cluster=edge",
        "capacity --cluster",
        "describe daemonset agent -n logging --cluster",
    ] {
        all.push_str(&format!("$ dsrules {args}\n{}\n\n", desk.said(args)));
    }
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\w\w\w, \d\d \w\w\w \d{4} [\d:]{8} \+0000", "TIME");
    settings.add_filter(r"\n  \w+ +\w+ +-?\d+\w+ +daemonset-controller", "\n  EVENT");
    settings.bind(|| pinned("looks", &desk, &all));
    assert_eq!(desk.left(), Vec::<String>::new());
}

#[test]
fn manifests_beside_a_cluster_are_what_kubectl_apply_would_do() {
    let (_server, desk) = served();
    desk.write("same.yaml", CLUSTER);
    // A field that the manifest does not have stays; what is not in the manifests stays.
    desk.write("new.yaml", &CLUSTER.replace("agent:1", "agent:2").replace("disk: hdd", "rack: r1"));
    desk.write("more.yaml", "---\n{apiVersion: v1, kind: Node, metadata: {name: n3}}");
    let mut all = String::new();
    for args in [
        "plan same.yaml --cluster",
        "plan new.yaml --cluster",
        "plan more.yaml --cluster --detailed-exitcode",
    ] {
        all.push_str(&format!("$ dsrules {args}\n{}\n\n", desk.said(args)));
    }
    pinned("what-if", &desk, &all);
    assert!(desk.ok("plan same.yaml --cluster").contains("No changes"));
    assert!(desk.ok("query node_label(N,K,V) --cluster").contains("hdd"));
}

#[test]
fn a_snapshot_is_read_again_as_the_cluster() {
    let (_server, desk) = served();
    let text = desk.ok("snapshot --cluster");
    assert_eq!(text, desk.ok("snapshot --cluster"), "it is stable");
    assert!(!text.contains("managedFields"));
    desk.write("state.yaml", &text);
    desk.write("state.json", &desk.ok("snapshot --cluster -o json"));
    for file in ["state.yaml", "state.json"] {
        let planned = desk.said(&format!("plan {file} --db none.db"));
        assert!(planned.contains("no pod changes"), "{planned}");
        assert_eq!(
            desk.ok(&format!("query has_pod(D,N) -f {file}")),
            desk.ok("query has_pod(D,N) --cluster")
        );
    }
}

#[test]
fn a_cluster_that_changes_is_seen_as_it_stood_at_one_time() {
    let (server, desk) = served();
    let changed = |nth: usize| {
        CLUSTER.replace("disk: ssd", &format!("turn: 't{nth}'")).replace(
            "labels: {app: agent}}\nspec:\n",
            &format!("labels: {{app: agent, turn: 't{nth}'}}}}\nspec:\n"),
        )
    };
    std::thread::scope(|scope| {
        let changing = scope.spawn(|| {
            for nth in 0..25 {
                server.write("cluster.yaml", &changed(nth));
                let said = server.dsrules("apply -q cluster.yaml");
                assert!(said.ok, "{}", said.err);
            }
        });
        let mut seen = BTreeSet::new();
        while !changing.is_finished() {
            let list: Value = serde_json::from_str(&desk.ok("snapshot --cluster -o json")).unwrap();
            let turn = |kind: &str, name: &str| {
                let items = list["items"].as_array().unwrap();
                let found =
                    items.iter().find(|it| it["kind"] == kind && it["metadata"]["name"] == name).unwrap();
                found["metadata"]["labels"]["turn"].clone()
            };
            assert_eq!(turn("Node", "n1"), turn("DaemonSet", "agent"));
            seen.insert(turn("Node", "n1").to_string());
        }
        assert!(seen.len() > 1, "{seen:?}");
    });
}

/// What plans of a cluster on which something goes wrong say, in one text.
fn faults(name: &str, cases: Vec<(&str, Faulty)>) {
    let mut all = String::new();
    let mut last = None;
    for (what, server) in cases {
        let desk = Desk::new(&server.address);
        all.push_str(&format!("# {what}\n{}\n\n", desk.said("plan --cluster")));
        assert_eq!(desk.left(), Vec::<String>::new(), "{what}");
        last = Some(desk);
    }
    pinned(name, &last.unwrap(), &all);
}

fn forbidden(plural: &'static str) -> Faulty {
    let message =
        format!("{plural} is forbidden: User \"u\" cannot list resource \"{plural}\" at the cluster scope");
    let body = status(403, "Forbidden", &message);
    Faulty::new(move |path, _| path.contains(plural).then(|| Fault::Status(403, "", body.clone())))
}

#[test]
fn what_is_refused_is_named() {
    let all = |code, heads, reason, message: &str| {
        let body = status(code, reason, message);
        Faulty::new(move |_, _| Some(Fault::Status(code, heads, body.clone())))
    };
    faults(
        "refused",
        vec![
            ("an expired token", all(401, "", "Unauthorized", "Unauthorized")),
            ("no right to list pods", forbidden("pods")),
            ("no right to list daemonsets", forbidden("daemonsets")),
            (
                "no right to list budgets and services",
                Faulty::new(|path, _| {
                    let refused = path.contains("budgets") || path.contains("services");
                    refused.then(|| Fault::Status(403, "", status(403, "Forbidden", "may not list it")))
                }),
            ),
            (
                "no budgets at all",
                Faulty::new(|path, _| {
                    path.contains("budgets").then(|| {
                        Fault::Status(
                            404,
                            "",
                            status(404, "NotFound", "the server could not find the requested resource"),
                        )
                    })
                }),
            ),
            (
                "no API server",
                Faulty::new(|_, _| Some(Fault::Status(404, "", "<html>nothing here</html>".to_owned()))),
            ),
            ("a web page", Faulty::new(|_, _| Some(Fault::Body("<html>log in</html>".to_owned())))),
            (
                "another object",
                Faulty::new(|_, _| Some(Fault::Body("{\"kind\":\"APIVersions\"}".to_owned()))),
            ),
            (
                "too much to do",
                all(
                    429,
                    "Retry-After: 0\r\n",
                    "TooManyRequests",
                    "the server has received too many requests",
                ),
            ),
            (
                "a server that is ill",
                all(500, "Retry-After: 0\r\n", "InternalError", "etcdserver: no leader"),
            ),
            (
                "what changes too fast",
                Faulty::new(|path, _| {
                    path.contains("continue=").then(|| {
                        Fault::Status(
                            410,
                            "",
                            status(410, "Expired", "The provided continue parameter is too old"),
                        )
                    })
                }),
            ),
        ],
    );
}

#[test]
fn what_passes_is_tried_again() {
    let plain = Desk::new(&Faulty::new(|_, _| None).address).ok("plan --cluster");
    let once = |what: Fault, of: &'static str| {
        Faulty::new(move |path, nth| (nth == 1 && path.contains(of)).then(|| what.clone()))
    };
    let expired = status(410, "Expired", "The provided continue parameter is too old");
    for (what, server) in [
        ("a page that is gone", once(Fault::Status(410, "", expired.clone()), "continue=")),
        ("a version that is gone", once(Fault::Status(410, "", expired), "pods")),
        (
            "come again",
            once(Fault::Status(429, "Retry-After: 1\r\n", status(429, "TooManyRequests", "later")), "pods"),
        ),
        ("a cut connection", once(Fault::Cut, "daemonsets")),
        ("a slow page", once(Fault::Slow(Duration::from_millis(700)), "nodes")),
    ] {
        assert_eq!(Desk::new(&server.address).ok("plan --cluster"), plain, "{what}");
        let asked = server.asked();
        // All but the first list are of the version of that one.
        let exact = |path: &&String| path.contains("resourceVersionMatch=Exact&resourceVersion=41");
        assert!(asked.iter().filter(exact).count() >= 7, "{what}: {asked:?}");
        assert!(asked.iter().any(|path| path.ends_with("continue=n1%26more")), "{what}: {asked:?}");
    }
    let cut = Faulty::new(|path, _| path.contains("pods").then_some(Fault::Cut));
    let desk = Desk::new(&cut.address);
    pinned("cut", &desk, &desk.said("plan --cluster"));
}

#[test]
fn objects_of_another_schema_are_named() {
    let with = |object: Value| {
        let list = json!({ "kind": "DaemonSetList", "apiVersion": "apps/v1", "metadata": { "resourceVersion": "41" },
            "items": [object] });
        Faulty::new(move |path, _| path.contains("daemonsets").then(|| Fault::Body(list.to_string())))
    };
    let daemonset = |strategy: Value| {
        json!({ "metadata": { "name": "agent", "namespace": "logging", "uid": "u-agent" },
            "spec": { "selector": { "matchLabels": { "app": "agent" } }, "updateStrategy": strategy, "surprise": { "x": 1 },
                "template": { "metadata": { "labels": { "app": "agent" } },
                    "spec": { "containers": [{ "name": "agent", "image": "agent:1", "mood": "good" }] } } } })
    };
    faults(
        "schema",
        vec![
            ("fields that are not known", with(daemonset(json!({ "type": "RollingUpdate" })))),
            ("a type that is another", with(daemonset(json!("RollingUpdate")))),
            ("a value that is not known", with(daemonset(json!({ "type": "Wavewise" })))),
            ("no object", with(json!("x"))),
            ("no name", with(json!({ "metadata": {} }))),
        ],
    );
}

#[test]
fn a_kubeconfig_that_leads_nowhere_is_told() {
    let desk = Desk::new("127.0.0.1:1");
    let mut all = String::new();
    let mut tell = |what: &str, text: String| all.push_str(&format!("# {what}\n{text}\n\n"));
    tell("nobody listens", desk.said("plan --cluster"));
    tell("a context that is not there", desk.said("plan --cluster=edg"));
    tell("a context without its cluster", desk.said("plan --cluster=lost"));
    tell("a file that is not there", desk.said("plan --cluster --kubeconfig nope"));
    tell("no kubeconfig", said(desk.command("snapshot --cluster").env_remove("KUBECONFIG")));
    tell("KUBECONFIG names nothing", said(desk.command("plan --cluster").env("KUBECONFIG", "a:b")));
    let in_pod = ("KUBERNETES_SERVICE_HOST", "127.0.0.1");
    let mut command = desk.command("plan --cluster");
    command.env_remove("KUBECONFIG").env(in_pod.0, in_pod.1).env("KUBERNETES_SERVICE_PORT", "1");
    tell("a pod without a token", said(&mut command));
    desk.write("kubeconfig", "a: [");
    tell("no YAML", desk.said("plan --cluster"));
    desk.write("kubeconfig", &kubeconfig("http://127.0.0.1:1").replace("current-context: edge\n", ""));
    tell("no current context", desk.said("plan --cluster"));
    desk.write(
        "kubeconfig",
        &kubeconfig("https://127.0.0.1:1").replace("server:", "certificate-authority: nope.crt, server:"),
    );
    tell("no certificate authority", desk.said("plan --cluster"));
    desk.write(
        "kubeconfig",
        &kubeconfig("https://127.0.0.1:1")
            .replace("server:", "certificate-authority-data: bm90aGluZw==, server:"),
    );
    tell("a certificate authority that is none", desk.said("plan --cluster"));
    desk.write("kubeconfig", &kubeconfig("http://127.0.0.1:1").replace("token: t", "tokenFile: nope.token"));
    tell("no token", desk.said("plan --cluster"));
    let plain = Faulty::new(|_, _| None);
    desk.write("kubeconfig", &kubeconfig(&format!("https://{}", plain.address)));
    tell("a server that speaks no TLS", desk.said("plan --cluster"));
    tell("no cluster is named", desk.said("snapshot"));
    pinned("kubeconfig", &desk, &all);
}

#[test]
fn the_role_of_the_example_names_just_what_is_read() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cluster-reader/rbac.yaml"))
            .unwrap();
    let documents =
        serde_yaml::Deserializer::from_str(&text).map(|it| serde::Deserialize::deserialize(it).unwrap());
    let documents: Vec<Value> = documents.collect();
    let role = documents.iter().find(|it| it["kind"] == "ClusterRole").unwrap();
    let words = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    let mut named = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        assert_eq!(words(&rule["verbs"]), ["list", "watch"]);
        for group in words(&rule["apiGroups"]) {
            named.extend(words(&rule["resources"]).into_iter().map(|resource| (group.clone(), resource)));
        }
    }
    let read = dsrules::app::cluster::READ.iter().map(|it| (it.group.to_owned(), it.plural.to_owned()));
    assert_eq!(named, read.collect());
}
