//! kubectl against the server, command by command, with all that it says kept: those of
//! Kubernetes' page on DaemonSets, and those that people use on them.

use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

use super::server::{Server, has_kubectl};

/// The manifest of Kubernetes' page on DaemonSets.
const PAGE: &str = r#"apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: fluentd-elasticsearch
  namespace: kube-system
  labels:
    k8s-app: fluentd-logging
spec:
  selector:
    matchLabels:
      name: fluentd-elasticsearch
  template:
    metadata:
      labels:
        name: fluentd-elasticsearch
    spec:
      tolerations:
      - key: node-role.kubernetes.io/master
        effect: NoSchedule
      containers:
      - name: fluentd-elasticsearch
        image: quay.io/fluentd_elasticsearch/fluentd:v2.5.2
        resources:
          limits:
            memory: 200Mi
          requests:
            cpu: 100m
            memory: 200Mi
        volumeMounts:
        - name: varlog
          mountPath: /var/log
        - name: varlibdockercontainers
          mountPath: /var/lib/docker/containers
          readOnly: true
      terminationGracePeriodSeconds: 30
      volumes:
      - name: varlog
        hostPath:
          path: /var/log
      - name: varlibdockercontainers
        hostPath:
          path: /var/lib/docker/containers
"#;

/// Keeps what each of these commands says.
fn transcript(name: &str, server: &Server, commands: &str) {
    let mut all = String::new();
    for command in commands.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let said = server.kubectl(command);
        all.push_str(&format!("$ kubectl {command}\n{}{}", said.out, said.err));
        if !all.ends_with('\n') {
            all.push('\n');
        }
        if !said.ok {
            all.push_str("(fails)\n");
        }
        all.push('\n');
    }
    keep(name, &all);
}

fn keep(name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => "../../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
        filters => vec![
            (r"127\.0\.0\.1:\d+", "ADDRESS"),
            // What a client's clock goes into: a restart, and a pod's name and template by it.
            (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^ \n]*( \+\d{4})?", "TIME"),
            (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
            (r"fluentd-elasticsearch-[bcdf-hj-np-tv-z0-9]{5,10}\b", "fluentd-elasticsearch-HASH"),
            (r"hash: [0-9a-z]+", "hash: HASH"),
            (r"hash=[0-9a-z]+", "hash=HASH"),
            (r"/tmp/(LIVE|MERGED)-\d+", "$1"),
            (r"\b\d+s\b", "AGE"),
            (r"(Client Version|Kustomize Version): .*", "$1: ITS"),
            // Tables are as wide as the widest age.
            (r" {2,}", "  "),
            (r"-{4,}", "----"),
            (r" +\n", "\n"),
        ],
    }, {
        insta::assert_snapshot!(format!("serve_{name}"), text);
    });
}

/// A server that takes changes, with the page's manifest and others beside it.
fn served() -> Server {
    let server = Server::new(&["--write"]);
    server.write("page.yaml", PAGE);
    server.write("newer.yaml", &PAGE.replace("v2.5.2", "v2.6.0"));
    server.write(
        "wrong.yaml",
        &PAGE.replace("name: varlog\n          mountPath", "name: other\n          mountPath"),
    );
    server.write("misspelt.yaml", &PAGE.replace("  selector:", "  minReadySecond: 3\n  selector:"));
    server.write("space.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n");
    server
        .write("edit.sh", "#!/bin/sh\nsed -i 's/revisionHistoryLimit: 10/revisionHistoryLimit: 3/' \"$1\"\n");
    server
}

#[test]
fn the_page_is_created_and_then_unchanged() {
    if !has_kubectl("the_page_is_created_and_then_unchanged") {
        return;
    }
    let server = served();
    assert_eq!(server.ok("apply -f page.yaml"), "daemonset.apps/fluentd-elasticsearch created\n");
    assert_eq!(server.ok("apply -f page.yaml"), "daemonset.apps/fluentd-elasticsearch unchanged\n");
}

#[test]
fn what_kubectl_shows_is_kept() {
    if !has_kubectl("what_kubectl_shows_is_kept") {
        return;
    }
    transcript(
        "kubectl_shows",
        &served(),
        "create -f space.yaml
         apply -f page.yaml
         get ds -A
         get ds,pods -A -o wide
         get ds fluentd-elasticsearch -n kube-system -o 'jsonpath={.status.desiredNumberScheduled}'
         get pods -n kube-system -o name
         get pods -A --field-selector spec.nodeName=n1
         get pods -n kube-system -l 'name in (fluentd-elasticsearch)' --show-labels
         get nodes -o wide
         get nodes --chunk-size=1
         get all -n kube-system
         get controllerrevisions -n kube-system
         get events -n kube-system
         get endpointslices,leases,priorityclasses,pdb -A
         describe ds fluentd-elasticsearch -n kube-system
         describe pods -n kube-system --show-events=false
         explain ds.spec.updateStrategy
         api-resources
         api-versions
         version
         get --raw /readyz
         get secrets
         get ds none -n kube-system",
    );
}

#[test]
fn what_kubectl_changes_is_kept() {
    if !has_kubectl("what_kubectl_changes_is_kept") {
        return;
    }
    transcript(
        "kubectl_changes",
        &served(),
        "apply -f page.yaml --dry-run=server
         create -f page.yaml
         create -f page.yaml
         apply --server-side -f page.yaml
         apply --server-side --field-manager=other -f newer.yaml
         apply --server-side --field-manager=other --force-conflicts -f newer.yaml
         diff -f page.yaml
         replace -f page.yaml
         apply -f wrong.yaml
         apply -f misspelt.yaml
         patch ds fluentd-elasticsearch -n kube-system -p '{\"spec\":{\"selector\":{\"matchLabels\":{\"name\":\"y\"}}}}'
         patch ds fluentd-elasticsearch -n kube-system --type=merge -p '{\"spec\":{\"minReadySeconds\":1}}'
         patch ds fluentd-elasticsearch -n kube-system --type=json -p '[{\"op\":\"replace\",\"path\":\"/spec/minReadySeconds\",\"value\":0}]'
         scale ds/fluentd-elasticsearch -n kube-system --replicas=3
         annotate ds fluentd-elasticsearch -n kube-system a=b
         label node n1 zone=a
         label node n1 zone=b
         label node n1 zone-
         taint node n2 a=b:NoExecute
         get pods -n kube-system -o wide
         taint node n2 a-
         cordon n1
         get nodes
         drain n1
         drain n1 --ignore-daemonsets
         uncordon n1
         delete ds fluentd-elasticsearch -n kube-system --cascade=orphan
         get ds,pods -n kube-system
         apply -f page.yaml
         get ds,pods -n kube-system
         delete pods --all -n kube-system
         get pods -n kube-system
         delete -f page.yaml
         get ds,pods -n kube-system",
    );
}

#[test]
fn what_kubectl_says_of_rollouts_is_kept() {
    if !has_kubectl("what_kubectl_says_of_rollouts_is_kept") {
        return;
    }
    transcript(
        "kubectl_rollouts",
        &served(),
        "apply -f page.yaml
         rollout status ds/fluentd-elasticsearch -n kube-system
         set image ds/fluentd-elasticsearch fluentd-elasticsearch=fluentd:3 -n kube-system
         rollout status ds/fluentd-elasticsearch -n kube-system
         rollout history ds/fluentd-elasticsearch -n kube-system
         rollout history ds/fluentd-elasticsearch -n kube-system --revision=2
         rollout undo ds/fluentd-elasticsearch -n kube-system
         get ds -n kube-system -o wide
         rollout undo ds/fluentd-elasticsearch -n kube-system --to-revision=2
         rollout undo ds/fluentd-elasticsearch -n kube-system --to-revision=9
         rollout history ds/fluentd-elasticsearch -n kube-system
         rollout restart ds/fluentd-elasticsearch -n kube-system
         rollout status ds/fluentd-elasticsearch -n kube-system
         rollout pause ds/fluentd-elasticsearch -n kube-system",
    );
}

#[test]
fn what_kubectl_says_of_what_is_not_here_is_kept() {
    if !has_kubectl("what_kubectl_says_of_what_is_not_here_is_kept") {
        return;
    }
    let server = served();
    let pods = server.ok("get pods -n logging --field-selector spec.nodeName=n1 -o name");
    let pod = pods.trim().trim_start_matches("pod/");
    let commands = "logs POD -n logging
         exec POD -n logging -- ls
         attach POD -n logging
         port-forward POD 8080:80 -n logging
         cp logging/POD:/etc/hosts here
         debug POD -n logging --image=busybox --container=tool --profile=general
         top nodes
         auth can-i create pods
         auth can-i create pods --subresource=eviction
         auth can-i create pods --subresource=exec
         auth can-i watch daemonsets.apps -A
         auth can-i create endpointslices.discovery.k8s.io
         auth can-i get secrets
         auth can-i get /version
         auth can-i get /metrics
         auth whoami
         auth can-i --list
         diff -f cluster.yaml
         wait --for=condition=Ready pods --all -n logging --timeout=5s";
    transcript("kubectl_absent", &server, &commands.replace("POD", pod));
}

#[test]
fn who_may_not_write_is_told_so_by_kubectl() {
    if !has_kubectl("who_may_not_write_is_told_so_by_kubectl") {
        return;
    }
    let server = Server::new(&[]);
    transcript(
        "kubectl_reads_only",
        &server,
        "auth can-i list nodes
         auth can-i create pods
         auth can-i '*' '*'
         delete pods --all -n logging
         label node n1 a=b
         cordon n1
         rollout restart ds/agent -n logging",
    );
}

#[test]
fn an_editor_changes_what_it_is_shown() {
    if !has_kubectl("an_editor_changes_what_it_is_shown") {
        return;
    }
    let server = served();
    server.ok("apply -f page.yaml");
    let mut edit = server.kubectl_command("edit ds fluentd-elasticsearch -n kube-system");
    let output = edit.env("KUBE_EDITOR", "sh ./edit.sh").output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "daemonset.apps/fluentd-elasticsearch edited\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let path = "'jsonpath={.spec.revisionHistoryLimit}'";
    assert_eq!(server.ok(&format!("get ds fluentd-elasticsearch -n kube-system -o {path}")), "3");
}

#[test]
fn kubectl_watches_what_kubectl_does() {
    if !has_kubectl("kubectl_watches_what_kubectl_does") {
        return;
    }
    let server = served();
    let mut watch = server.kubectl_command("get ds -n kube-system -o wide -w --output-watch-events");
    let mut child = watch.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    server.ok("apply -f page.yaml");
    server.ok("apply -f newer.yaml");
    server.ok("delete -f newer.yaml");
    std::thread::sleep(Duration::from_secs(2));
    child.kill().unwrap();
    child.wait().unwrap();
    let mut said = String::new();
    out.read_to_string(&mut said).unwrap();
    keep("kubectl_watch", &said);
}
