//! Where clients find daemonsets and services: tables, and the files of other programs, each
//! read by what reads it: `named-checkzone` where it is there, and strict readers.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code)]
#[path = "cli/session.rs"]
mod session;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use session::{Session, daemonset};

/// A group of Prometheus' file_sd, and nothing beside it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    targets: Vec<String>,
    labels: BTreeMap<String, String>,
}

/// What Prometheus asks of a file_sd file: the form, names of labels, targets that are a host
/// and a port, and none twice with the same labels.
fn file_sd(text: &str) -> Vec<Group> {
    let groups: Vec<Group> = serde_json::from_str(text).unwrap();
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    for group in &groups {
        assert!(group.labels.keys().all(|name| is_name(name)), "{group:?}");
        assert_eq!(group.targets.len(), 1);
        for target in &group.targets {
            let (host, port) = target.rsplit_once(':').unwrap();
            port.parse::<u16>().unwrap();
            match host.strip_prefix('[') {
                Some(host) => assert!(host.strip_suffix(']').unwrap().parse::<std::net::Ipv6Addr>().is_ok()),
                None => assert!(host.parse::<std::net::Ipv4Addr>().is_ok(), "{host}"),
            }
        }
    }
    groups
}

/// The lines of a hosts file as the C library reads them: an address and names.
fn hosts_file(text: &str) -> Vec<(IpAddr, Vec<String>)> {
    let lines =
        text.lines().map(|line| line.split('#').next().unwrap()).filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let address = words.next().unwrap().parse().unwrap();
            let names: Vec<String> = words.map(str::to_owned).collect();
            assert!(!names.is_empty(), "{line}");
            (address, names)
        })
        .collect()
}

/// Lets `named-checkzone` read a zone; false where there is none.
fn checked(zone: &str, domain: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("zone");
    fs::write(&file, zone).unwrap();
    let program = ["named-checkzone", "/usr/bin/named-checkzone", "/usr/sbin/named-checkzone"]
        .into_iter()
        .find(|it| Command::new(it).arg("-v").output().is_ok());
    let Some(program) = program else {
        println!("skipped: zones are not read by named-checkzone, which is not here (bind9-utils)");
        return false;
    };
    let said = Command::new(program).args(["-i", "full", domain]).arg(&file).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{text}\n{zone}");
    assert!(text.contains("\nOK") && !text.to_lowercase().contains("warning"), "{text}");
    true
}

fn records(zone: &str) -> Vec<String> {
    zone.lines().filter(|line| !line.starts_with([';', '$', '@'])).map(str::to_owned).collect()
}

fn cluster() -> Session {
    let session = Session::new();
    session.example("cluster");
    assert_eq!(session.quietly("apply -R cluster").code, 0);
    session
}

#[test]
fn the_examples_daemonsets_are_reached() {
    let mut session = cluster();
    let two = "--node cp-1 --node gpu-a-01";
    session.ok(&format!("reach daemonset/node-local-dns -n kube-system {two}"));
    session.ok(&format!("reach ds node-local-dns -n kube-system {two} --port metrics -o wide"));
    session.ok(&format!("reach ds/node-local-dns -n kube-system {two} --port 9253 -o yaml"));
    session.ok(&format!("reach ds/node-local-dns -n kube-system {two} --port 9253 -o json"));
    session.ok("reach service/cni-agent -n kube-system --node cp-1 -o wide");
    session.ok("reach ds/node-local-dns -n kube-system --node cp-1 --port metrics -o prometheus-sd");
    session.ok(&format!("reach ds/node-local-dns -n kube-system {two} -o hosts"));
    session.ok(&format!("reach ds/node-local-dns -n kube-system {two} -o dns-zone"));
    session.ok("reach daemonsets -n monitoring --node cp-1");
    session.fails("reach ds/node-local-dns -n kube-system --node cp-11");
    session.fails("reach ds/node-local-dns -n kube-system --port metric");
    session.fails("reach ds/node-local-dns");
    session.fails("reach node/cp-1");
    session.fails("reach ds/node-local-dns -n kube-system -o dns-zone --domain a..b");
    session.snapshot("reach");
}

#[test]
fn the_examples_files_are_read_by_their_programs() {
    let session = cluster();
    let ready = |name: &str| session.nodes_of(name).len();
    let (dns, cni) = (ready("node-local-dns"), ready("cni-agent"));
    assert!(dns > 30 && cni == 40);

    let text = session.quietly("reach ds/node-local-dns -n kube-system --port metrics -o prometheus-sd").out;
    let groups = file_sd(&text);
    assert_eq!(groups.len(), dns);
    let meta = |group: &Group, name: &str| group.labels[&format!("__meta_kubernetes_{name}")].clone();
    for group in &groups {
        assert!(group.targets[0].ends_with(":9253"));
        assert_eq!(meta(group, "pod_container_port_name"), "metrics");
        assert_eq!(meta(group, "pod_label_k8s_app"), "node-local-dns");
        assert_eq!(meta(group, "pod_annotation_prometheus_io_port"), "9253");
        assert_eq!(meta(group, "pod_ready"), "true");
        assert_eq!(meta(group, "node_label_kubernetes_io_os"), "linux");
        assert_eq!(meta(group, "pod_node_name"), meta(group, "node_name"));
    }
    let targets: BTreeSet<&String> = groups.iter().flat_map(|it| &it.targets).collect();
    assert_eq!(targets.len(), dns, "each is another");
    let services = file_sd(&session.quietly("reach services -n kube-system -o prometheus-sd").out);
    assert_eq!(services.len(), 3 * dns + cni);

    let hosts = hosts_file(&session.quietly("reach ds/node-local-dns -n kube-system -o hosts").out);
    assert_eq!(hosts.len(), dns);
    assert!(hosts.iter().all(|(_, names)| names[1] == "node-local-dns.kube-system"));
    let cp = hosts.iter().find(|(_, names)| names[0] == "cp-1.node-local-dns.kube-system").unwrap();

    for what in ["ds/node-local-dns", "svc/node-local-dns", "svc/cni-agent", "daemonsets", "services"] {
        let zone = session.quietly(&format!("reach {what} -n kube-system -o dns-zone")).out;
        checked(&zone, "cluster.local");
        let own =
            session.quietly(&format!("reach {what} -n kube-system -o dns-zone --domain plant.example")).out;
        checked(&own, "plant.example");
    }
    let zone = session.quietly("reach ds/node-local-dns -n kube-system -o dns-zone").out;
    let found = records(&zone);
    assert!(found.contains(&format!("cp-1.node-local-dns.kube-system.daemonset IN A {}", cp.0)), "{zone}");
    let srv = found.iter().filter(|it| it.starts_with("_metrics._tcp.node-local-dns.kube-system.svc IN SRV"));
    assert_eq!(srv.count(), dns);
}

#[test]
fn a_node_that_is_not_there_any_more_is_not_reached() {
    let session = cluster();
    let rows = |session: &Session| session.quietly("reach ds/cni-agent -n kube-system").out.lines().count();
    let before = rows(&session);
    assert_eq!(session.quietly("delete node cp-1").code, 0);
    assert_eq!(rows(&session), before - 1);
}

/// The records of the DNS specification, by hand.
#[test]
fn names_are_those_of_a_clusters_dns() {
    let session = Session::new();
    let text = "---
apiVersion: v1
kind: Node
metadata: {name: a}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  clusterIP: None
  ipFamilyPolicy: PreferDualStack
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}, {name: dns, port: 53, protocol: UDP}, ]
---
apiVersion: v1
kind: Service
metadata: {name: all, namespace: shop}
spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec:
  clusterIP: 10.96.0.7
  clusterIPs: [10.96.0.7, 'fd00::7']
  ipFamilyPolicy: RequireDualStack
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: unnamed, namespace: shop}
spec: {clusterIP: 10.96.0.8, selector: {app: none}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: unknown, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {type: ExternalName, externalName: db.example.com.}
";
    let pod = |name: &str, spec: &str, ready: &str, ips: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, labels: {{app: web}}}}\n\
             spec: {{nodeName: a, {spec} containers: [{{name: c, image: x, ports: [{{name: http, \
             containerPort: 8080}}]}}]}}\nstatus: {{phase: Running, podIPs: [{ips}], \
             conditions: [{{type: Ready, status: '{ready}'}}]}}\n"
        )
    };
    let pods = [
        pod("one", "hostname: one, subdomain: web,", "True", "{ip: 10.1.0.1}, {ip: 'fd01::1'}"),
        pod("two", "", "True", "{ip: 10.1.0.2}"),
        pod("three", "", "False", "{ip: 10.1.0.3}"),
    ];
    session.write("a.yaml", format!("{text}{}", pods.concat()));
    let applied = session.quietly("apply a.yaml");
    assert_eq!(applied.code, 0, "{}", applied.err);
    let zone = session.quietly("reach services -n shop -o dns-zone").out;
    let expected = "\
10-1-0-1.all.shop.svc IN A 10.1.0.1
10-1-0-2.all.shop.svc IN A 10.1.0.2
10-1-0-2.web.shop.svc IN A 10.1.0.2
10-1-0-3.all.shop.svc IN A 10.1.0.3
_dns._udp.web.shop.svc IN SRV 0 33 53 10-1-0-2.web.shop.svc
_dns._udp.web.shop.svc IN SRV 0 33 53 one.web.shop.svc
_http._tcp.front.shop.svc IN SRV 0 100 80 front.shop.svc
_http._tcp.web.shop.svc IN SRV 0 33 8080 10-1-0-2.web.shop.svc
_http._tcp.web.shop.svc IN SRV 0 33 8080 one.web.shop.svc
all.shop.svc IN A 10.1.0.1
all.shop.svc IN A 10.1.0.2
all.shop.svc IN A 10.1.0.3
db.shop.svc IN CNAME db.example.com.
front.shop.svc IN A 10.96.0.7
front.shop.svc IN AAAA fd00::7
one.web.shop.svc IN A 10.1.0.1
one.web.shop.svc IN AAAA fd01::1
unnamed.shop.svc IN A 10.96.0.8
web.shop.svc IN A 10.1.0.1
web.shop.svc IN A 10.1.0.2
web.shop.svc IN AAAA fd01::1";
    assert_eq!(records(&zone).join("\n"), expected);
    checked(&zone, "cluster.local");
}

/// A daemonset with ports of all kinds.
const PORTS: &str = "---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: mixed}
spec:
  selector: {matchLabels: {app: mixed}}
  template:
    metadata: {labels: {app: mixed}}
    spec:
      containers:
      - name: c
        image: x:1
        ports:
        - {name: open, containerPort: 80, hostPort: 8080}
        - {name: bound, containerPort: 81, hostPort: 8081, hostIP: 10.9.0.1}
        - {name: inside, containerPort: 82, hostPort: 8082, hostIP: 127.0.0.1}
        - {name: own, containerPort: 83}
---
apiVersion: v1
kind: Node
metadata: {name: a}
status: {addresses: [{type: InternalIP, address: '2001:db8::1'}, {type: InternalIP, address: 10.0.0.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: b}
";

#[test]
fn ports_of_all_kinds() {
    let mut session = Session::new();
    session.write("a.yaml", PORTS);
    session.ok("apply a.yaml -q");
    session.ok("reach ds/mixed");
    session.ok("reach ds/mixed -o hosts");
    let zone = session.ok("reach ds/mixed -o dns-zone");
    checked(&zone, "cluster.local");
    let groups = file_sd(&session.quietly("reach ds/mixed -o prometheus-sd").out);
    let targets: Vec<&str> = groups.iter().flat_map(|it| &it.targets).map(String::as_str).collect();
    // Of the node without an address only the port that is bound to one is known.
    assert_eq!(targets, ["[2001:db8::1]:8080", "10.9.0.1:8081", "10.9.0.1:8081"]);
    session.snapshot("reach_ports");
}

fn fleet(session: &Session, image: &str) {
    let node = |name: &str, ip: &str| {
        let addresses = format!("status: {{addresses: [{{type: InternalIP, address: {ip}}}]}}\n");
        format!("---\napiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\n{addresses}")
    };
    let agent = daemonset("agent", image, "hostNetwork: true\n", "");
    let port = "        ports:\n        - containerPort: 9100\n          name: metrics\n";
    let text = format!("{}{}---\n{agent}{port}", node("a", "10.0.0.1"), node("b", "10.0.0.2"));
    session.write("fleet/all.yaml", text);
}

#[test]
fn files_follow_what_is_applied() {
    let session = Session::new();
    fleet(&session, "x:1");
    let all = "--export prometheus-sd=out/t.json --export hosts=out/hosts --export dns-zone:default/agent=out/zone \
               --export json=out/r.json";
    session.write("out/mine", "mine");
    let said = session.quietly(&format!("apply fleet {all}"));
    assert_eq!((said.code, said.err.matches("wrote out/").count()), (0, 4), "{}", said.err);
    let read = |name: &str| fs::read_to_string(session.path(name)).unwrap();
    assert_eq!(file_sd(&read("out/t.json")).len(), 2);
    assert_eq!(hosts_file(&read("out/hosts")).len(), 2);
    checked(&read("out/zone"), "cluster.local");
    let document: serde_json::Value = serde_json::from_str(&read("out/r.json")).unwrap();
    assert_eq!((&document["apiVersion"], &document["kind"]), (&"dsrules.dev/v1".into(), &"Reached".into()));
    // Nothing is new, so nothing is written, though time has passed and a zone has a number.
    let mut session = session;
    session.later(600);
    let inode = |session: &Session, name: &str| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(session.path(name)).unwrap().ino()
    };
    let before: Vec<u64> =
        ["t.json", "hosts", "zone", "r.json"].map(|it| inode(&session, &format!("out/{it}"))).into();
    let said = session.quietly(&format!("apply fleet {all}"));
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let after: Vec<u64> =
        ["t.json", "hosts", "zone", "r.json"].map(|it| inode(&session, &format!("out/{it}"))).into();
    assert_eq!(before, after);
    // A node goes, and a zone has a higher number.
    let serial = |session: &Session| -> u32 {
        let zone = fs::read_to_string(session.path("out/zone")).unwrap();
        zone.lines().find(|it| it.contains("SOA")).unwrap().split(' ').nth(5).unwrap().parse().unwrap()
    };
    let old = serial(&session);
    assert_eq!(session.quietly("delete node b").code, 0);
    let text = fs::read_to_string(session.path("fleet/all.yaml")).unwrap();
    session.write("fleet/all.yaml", text.replace("10.0.0.1", "10.0.0.9").replace("name: b", "name: c"));
    let said = session.quietly(&format!("apply fleet {all}"));
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(serial(&session) > old);
    assert!(fs::read_to_string(session.path("out/t.json")).unwrap().contains("10.0.0.9:9100"));
    // What a run left that was killed as it wrote is no hindrance; nothing else is touched.
    session.write("out/.hosts.dsrules.tmp", "half");
    session.remove("out/hosts");
    assert_eq!(session.quietly(&format!("apply fleet {all}")).code, 0);
    let mut names: Vec<String> = fs::read_dir(session.path("out"))
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["hosts", "mine", "r.json", "t.json", "zone"]);
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_undoes_nothing() {
    let mut session = Session::new();
    fleet(&session, "x:1");
    session.write("folder/in/it", "");
    let said =
        session.run("apply fleet -q --export hosts=no/such/hosts --export hosts=folder --export hosts=ok");
    assert_eq!(said.code, 4);
    assert_eq!(session.nodes_of("agent"), ["a", "b"]);
    assert!(session.path("ok").exists() && !session.path("no").exists());
    session.fails("apply fleet --export hosts");
    session.fails("apply fleet --export zones=a");
    session.ok("plan fleet");
    session.snapshot("export_refused");
}

#[test]
fn a_watcher_writes_what_an_apply_writes() {
    let session = Session::new();
    fleet(&session, "x:1");
    let exports = |at: &str| {
        ["prometheus-sd", "hosts", "dns-zone", "json"].map(|it| format!("--export {it}={at}-{it}")).join(" ")
    };
    let applied = session.quietly(&format!("apply fleet {}", exports("applied")));
    assert_eq!(applied.code, 0, "{}", applied.err);
    let said = session.quietly(&format!("watch fleet --once {}", exports("watched")));
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("wrote watched-prometheus-sd"), "{}", said.out);
    for form in ["prometheus-sd", "hosts", "dns-zone", "json"] {
        let read = |at: &str| fs::read_to_string(session.path(&format!("{at}-{form}"))).unwrap();
        assert_eq!(read("applied"), read("watched"), "{form}");
    }
    let said = session.quietly("watch fleet --once --export hosts=no/such/file");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("`no/such/file` cannot be written"), "{}", said.err);
    assert!(!Path::new("no").exists());
}
