//! The examples, as a newcomer runs them.

use std::fs;

use crate::session::Session;

#[test]
fn the_quickstart_lands_on_all_three_nodes() {
    let mut session = Session::new();
    session.example("quickstart");
    session.ok("apply quickstart");
    session.ok("get pods -A -o wide");
    assert_eq!(session.nodes_of("fluentd-elasticsearch"), ["control-plane", "worker-1", "worker-2"]);
    session.later(60);
    assert!(session.ok("apply quickstart").contains("No changes:"));
    session.ok("explain fluentd-elasticsearch control-plane -n kube-system");
    session.snapshot("quickstart");
}

#[test]
fn the_cluster_has_its_pods_where_its_comments_say() {
    let mut session = Session::new();
    session.example("cluster");
    session.ok("apply -R cluster -q");
    session.ok("get daemonsets -A -o wide");
    assert_eq!(session.nodes_of("cni-agent").len(), 40, "tolerates everything");
    assert_eq!(session.nodes_of("object-store"), ["storage-a-01", "storage-c-01"], "storage-b-01 is full");
    assert_eq!(session.nodes_of("nvidia-device-plugin"), ["gpu-a-01", "gpu-b-01", "gpu-b-02", "gpu-c-01"]);
    assert!(session.nodes_of("power-meter").is_empty());
    let logs = session.nodes_of("fluent-bit");
    for (node, runs) in [
        ("worker-b-03", true),
        ("worker-a-06", true),
        ("worker-c-05", false),
        ("gpu-a-01", false),
        ("arm-c-02", false),
    ] {
        assert_eq!(logs.iter().any(|on| on == node), runs, "fluent-bit on {node}");
    }
    assert!(session.nodes_of("node-local-dns").iter().any(|on| on == "arm-c-02"), "host network");
    session.ok("explain fluent-bit gpu-a-01 -n logging");
    session.ok("explain power-meter worker-a-01 -n monitoring");
    session.ok("explain fluent-bit worker-c-05 -n logging");
    session.ok("get nodes");
    session.say("one pod is pending: what is in its way asks for less");
    session.ok("plan -R cluster");
    let less = "pod/storage/warehouse-0:spec.containers[0].resources.requests.memory=100Gi";
    session.ok(&format!("plan --set {less}"));
    session.ok("rollout status ds/node-exporter -n monitoring");
    session.fails_after("rollout status ds/object-store -n storage");
    session.snapshot("cluster");
}

#[test]
fn the_clusters_tree_heals_and_keeps_foreign_files() {
    let mut session = Session::new();
    session.example("cluster");
    session.ok("apply -R cluster --tree pods -q");
    let count = |session: &Session| {
        let nodes = fs::read_dir(session.path("pods")).unwrap();
        nodes
            .flat_map(|node| fs::read_dir(node.unwrap().path()).unwrap())
            .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|e| e == "yaml"))
            .count()
    };
    assert_eq!(count(&session), 193);
    session.say("a node is removed");
    session.ok("delete node worker-a-01 --tree pods");
    assert!(!session.path("pods/worker-a-01").exists());
    session.say("hands in the tree: a file changed, one removed, one of somebody else's, a folder too");
    let on = |node: &str, daemonset: &str| {
        let folder = fs::read_dir(session.path("pods").join(node)).unwrap();
        let mut files = folder.map(|file| file.unwrap().path());
        files.find(|file| file.file_name().unwrap().to_str().unwrap().contains(daemonset)).unwrap()
    };
    let (changed, removed) = (on("cp-1", "cni-agent"), on("cp-2", "cni-agent"));
    let (right, gone) = (fs::read(&changed).unwrap(), fs::read(&removed).unwrap());
    fs::write(&changed, "tampered: true\n").unwrap();
    fs::remove_file(&removed).unwrap();
    session.write("pods/cp-3/mine.yaml", "mine");
    session.write("pods/elsewhere/other.txt", "other");
    session.later(60);
    session.ok("apply -R cluster/daemonsets --tree pods");
    assert_eq!(fs::read(&changed).unwrap(), right);
    assert_eq!(fs::read(&removed).unwrap(), gone);
    assert_eq!(fs::read(session.path("pods/cp-3/mine.yaml")).unwrap(), b"mine");
    assert_eq!(fs::read(session.path("pods/elsewhere/other.txt")).unwrap(), b"other");
    session.ok("apply -R cluster/daemonsets --tree pods -q");
    session.snapshot("cluster_tree");
}

#[test]
fn the_edge_machines_get_folders_of_pods() {
    let mut session = Session::new();
    session.example("edge");
    session.ok("apply -R edge --tree pods");
    assert_eq!(session.nodes_of("till"), ["berlin-till-1", "porto-till-1"]);
    assert_eq!(session.nodes_of("people-counter"), ["berlin-camera"]);
    session.snapshot("edge");
}

#[test]
fn the_ci_example_plans_what_its_readme_says() {
    let session = Session::new();
    session.example("ci");
    assert_eq!(session.quietly("validate -R ci/fleet").code, 0);
    assert_eq!(session.quietly("apply -R ci/fleet -q").code, 0);
    assert_eq!(session.quietly("plan -R ci/fleet --prune --max-delete 10% --detailed-exitcode").code, 0);
    let nodes = fs::read_to_string(session.path("ci/fleet/nodes.yaml")).unwrap();
    session.write("ci/fleet/nodes.yaml", nodes.replace("disk: hdd", "disk: ssd"));
    assert_eq!(session.quietly("plan -R ci/fleet --prune --max-delete 10% --detailed-exitcode").code, 2);
}
