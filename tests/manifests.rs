//! Reading manifests as users have them: YAML and JSON, lists, folders, pipes.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;

use dsrules::kube::Kind;
use dsrules::manifest::{FieldValidation, Input, Options, Reading, read};

fn text(name: &str, text: &str) -> Input {
    Input::Text { name: name.into(), bytes: text.as_bytes().to_vec().into() }
}

fn read_text(yaml: &str) -> Reading {
    read(&[text("<stdin>", yaml)], &Options::default())
}

fn messages(reading: &Reading) -> Vec<String> {
    reading
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let place = diagnostic.place.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{place}: {}", diagnostic.message)
        })
        .collect()
}

fn keys(reading: &Reading) -> Vec<String> {
    reading.objects.iter().map(|object| format!("{} {}", object.kind, object.key)).collect()
}

const DAEMONSET: &str = "
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: kube-system}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers: [{name: agent, image: 'agent:1'}]
";

fn node(name: &str) -> String {
    format!("apiVersion: v1\nkind: Node\nmetadata:\n  name: {name}\n")
}

#[test]
fn a_stream_of_documents_is_read_in_order() {
    let stream =
        format!("---\n# nothing here\n---{DAEMONSET}---\n{}--- # last\n{}...\n", node("b"), node("a"));
    let reading = read_text(&stream);
    assert_eq!(messages(&reading), Vec::<String>::new());
    assert_eq!(keys(&reading), ["DaemonSet kube-system/agent", "Node b", "Node a"]);
    let file = &reading.files[0];
    assert!(file.complete);
    assert_eq!(file.objects.len(), 3);
    assert_eq!(file.bytes, stream.len() as u64);
}

#[test]
fn lists_are_read_as_kubectl_prints_them() {
    let yaml = "
apiVersion: v1
items:
- apiVersion: v1
  kind: Node
  metadata: {name: a, managedFields: [{manager: kubelet, operation: Update, fieldsV1: {'f:status': {}}}]}
  status: {capacity: {cpu: 4}, somethingNew: 1}
- apiVersion: v1
  kind: LimitRange
  metadata: {name: s}
- apiVersion: v1
  kind: Pod
  metadata: {name: p}
  spec: {containers: [{name: c, image: i}]}
kind: List
metadata: {resourceVersion: ''}
";
    let reading = read_text(yaml);
    assert_eq!(messages(&reading), Vec::<String>::new());
    assert_eq!(keys(&reading), ["Node a", "LimitRange default/s", "Pod default/p"]);
    assert!(reading.others.is_empty());
    assert_eq!(reading.objects[0].value["status"]["somethingNew"], 1);
    assert_eq!(reading.objects[2].origin.path, "items[2]");
}

#[test]
fn the_items_of_a_typed_list_need_no_kind() {
    let json = r#"{"kind": "NodeList", "apiVersion": "v1", "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]}"#;
    let reading = read_text(json);
    assert_eq!(messages(&reading), Vec::<String>::new());
    assert_eq!(keys(&reading), ["Node a", "Node b"]);
    assert_eq!(reading.objects[1].value["kind"], "Node");
}

#[test]
fn json_values_may_follow_each_other() {
    let one =
        |name: &str| format!(r#"{{"apiVersion": "v1", "kind": "Node", "metadata": {{"name": "{name}"}}}}"#);
    assert_eq!(keys(&read_text(&format!("{}\n{}", one("a"), one("b")))), ["Node a", "Node b"]);
}

#[test]
fn what_starts_with_a_brace_is_json() {
    let yaml = "{apiVersion: v1, kind: Node, metadata: {name: a}}\n";
    assert_eq!(
        messages(&read_text(yaml)),
        ["<stdin>:1:2: this is no JSON: key must be a string"],
        "kubectl refuses it too"
    );
    assert_eq!(keys(&read_text(&format!("---\n{yaml}"))), ["Node a"]);
}

#[test]
fn what_is_broken_of_other_kinds_is_told_and_left_alone() {
    let broken = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: [\n";
    let reading = read_text(&format!("{broken}---\n{}", node("a")));
    assert_eq!(keys(&reading), ["Node a"]);
    assert!(!reading.has_errors() && reading.files[0].complete);
    assert_eq!(reading.diagnostics.len(), 1);
    assert_eq!(reading.others["v1/ConfigMap"], 1);
    assert!(read_text(&broken.replace("ConfigMap", "Node")).has_errors());
    assert!(read_text(&broken.replace("kind", "kin")).has_errors());
    let twice = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nmetadata: {name: b}\n";
    assert!(!read_text(twice).has_errors());
    let twice = twice.replace("ConfigMap", "Node");
    assert!(read_text(&twice).has_errors());
    let lenient = Options { validate: FieldValidation::Warn, ..Options::default() };
    let reading = read(&[text("<stdin>", &twice)], &lenient);
    assert_eq!((keys(&reading), reading.has_errors()), (vec!["Node b".to_owned()], false));
}

#[test]
fn what_follows_the_end_of_a_document_is_told() {
    let reading = read_text(&format!("{}...\n{}", node("a"), node("b")));
    assert_eq!(keys(&reading), ["Node a"]);
    assert_eq!(messages(&reading), ["<stdin>:6:1: kubectl reads nothing from here to the next `---`"]);
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    let yaml = "
apiVersion: v1
kind: Node
metadata:
  name: a
  annotations: &both {one: '1', two: '2'}
  labels:
    <<: *both
    two: '3'
";
    let reading = read_text(yaml);
    assert_eq!(messages(&reading), Vec::<String>::new());
    assert_eq!(reading.objects[0].value["metadata"]["labels"], serde_json::json!({"one": "1", "two": "3"}));
}

#[test]
fn a_key_that_yaml_takes_for_a_boolean_is_warned_of() {
    let reading = read_text("apiVersion: v1\nkind: Node\nmetadata: {name: a, labels: {y: '1', true: '2'}}\n");
    assert_eq!(
        messages(&reading),
        [
            "<stdin>:3:30: the key `y` is a boolean in YAML and becomes `true`",
            "<stdin>:3:38: the key `true` stands twice in one mapping"
        ]
    );
    let reading = read_text("apiVersion: v1\nkind: Node\nmetadata: {name: a, labels: {no: '1'}}\n");
    assert_eq!(keys(&reading), ["Node a"]);
    assert!(!reading.has_errors());
}

#[test]
fn one_broken_document_does_not_hide_the_others() {
    let stream = format!("{}---\na: b: c\n---\n{}---\nkind: [\n", node("a"), node("b"));
    let reading = read_text(&stream);
    assert_eq!(keys(&reading), ["Node a", "Node b"]);
    assert_eq!(
        messages(&reading),
        [
            "<stdin>:6:5: a `:` stands where no key can be",
            "<stdin>:14:1: a value is missing here, or a bracket above is not closed"
        ]
    );
    assert!(!reading.files[0].complete);
}

#[test]
fn an_identical_object_counts_once_and_a_different_one_is_an_error() {
    let reading = read(&[text("a", &node("n1")), text("b", &node("n1"))], &Options::default());
    assert_eq!(keys(&reading), ["Node n1"]);
    assert_eq!(messages(&reading), Vec::<String>::new());
    assert_eq!(reading.files[1].objects.len(), 1);
    let other = node("n1") + "spec: {unschedulable: true}\n";
    let reading = read(&[text("a", &node("n1")), text("b", &other)], &Options::default());
    assert_eq!(messages(&reading), ["b:1:1: Node `n1` is defined twice, with different content"]);
    assert_eq!(reading.diagnostics[0].related[0].0.to_string(), "a:1:1");
}

#[test]
fn unknown_fields_can_be_warned_of_or_ignored_and_are_kept() {
    let yaml = node("n1") + "spec: {unschedulabel: true}\n";
    let with = |validate| read(&[text("a", &yaml)], &Options { validate, ..Options::default() });
    assert!(with(FieldValidation::Strict).has_errors());
    assert!(with(FieldValidation::Strict).objects.is_empty());
    let warned = with(FieldValidation::Warn);
    assert!(!warned.has_errors());
    assert_eq!(messages(&warned), ["a:5:8: unknown field `spec.unschedulabel`"]);
    assert_eq!(warned.objects[0].value["spec"]["unschedulabel"], true);
    assert!(with(FieldValidation::Ignore).diagnostics.is_empty());
}

#[test]
fn a_wrong_type_does_not_hide_what_else_is_wrong() {
    let yaml = DAEMONSET
        .replace(
            "containers:",
            "hostNetwork: 'yes'\n      volumes: [{name: X, hostPath: {path: 1}}]\n      containers:",
        )
        .replace("image: 'agent:1'", "imagePullPolicy: Sometimes, volumeMounts: [{name: X, mountPath: /x}]")
        .replace("labels: {app: agent}", "labels: {app: agent, canary: 1, -: x}");
    assert_eq!(
        messages(&read_text(&yaml)),
        [
            "<stdin>:8:45: `spec.template.metadata.labels[canary]` must be a string, not a number",
            "<stdin>:8:48: `spec.template.metadata.labels[-]`: the name must be letters, digits, `-`, `_` and `.`, and start and end with a letter or digit",
            "<stdin>:10:20: `spec.template.spec.hostNetwork` must be `true` or `false`, not a string",
            "<stdin>:11:24: `spec.template.spec.volumes[0].name` must be lower-case letters, digits and `-`, and start and end with a letter or digit, not `X`",
            "<stdin>:11:44: `spec.template.spec.volumes[0].hostPath.path` must be a string, not a number",
            "<stdin>:12:20: `spec.template.spec.containers[0].image` is required: a container must have an image",
            "<stdin>:12:51: `spec.template.spec.containers[0].imagePullPolicy` cannot be `Sometimes`",
        ]
    );
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("b.yml", &node("b"));
    write("a.yaml", &node("a"));
    write("notes.txt", "nothing: of: ours");
    write(".hidden.yaml", "nothing: of: ours");
    write("deep/c.JSON", r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"c"}}"#);
    write("deep/.git/d.yaml", "nothing: of: ours");
    folder
}

fn read_path(path: &Path, recursive: bool) -> Reading {
    read(&[Input::Path(path.to_owned())], &Options { recursive, ..Options::default() })
}

#[test]
fn a_folder_is_read_by_name_and_deeper_only_when_asked() {
    let folder = folder();
    assert_eq!(keys(&read_path(folder.path(), false)), ["Node a", "Node b"]);
    let reading = read_path(folder.path(), true);
    assert_eq!(keys(&reading), ["Node a", "Node b", "Node c"]);
    assert!(reading.objects.iter().all(|object| object.kind == Kind::Node));
}

#[cfg(unix)]
#[test]
fn links_are_followed_to_files_and_never_round_in_circles() {
    use std::os::unix::fs::symlink;
    let folder = folder();
    symlink(folder.path(), folder.path().join("deep/up")).unwrap();
    symlink(folder.path().join("a.yaml"), folder.path().join("z.yaml")).unwrap();
    let reading = read_path(folder.path(), true);
    assert_eq!(messages(&reading), Vec::<String>::new());
    assert_eq!(keys(&reading), ["Node a", "Node b", "Node c"]);
    symlink(folder.path().join("gone.yaml"), folder.path().join("y.yaml")).unwrap();
    let reading = read_path(folder.path(), false);
    assert_eq!(reading.diagnostics[0].code, "no-such-file");
    assert_eq!(keys(&reading), ["Node a", "Node b"]);
}

#[test]
fn paths_that_lead_nowhere_are_all_named() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = [Input::Path("no/such.yaml".into()), Input::Path(folder.path().to_owned())];
    let reading = read(&inputs, &Options::default());
    let codes: Vec<&str> = reading.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes.len(), 2);
    assert!(codes.contains(&"no-such-file") && codes.contains(&"empty-folder"));
    assert_eq!(read(&[], &Options::default()).diagnostics[0].code, "no-objects");
}

#[test]
fn the_items_of_a_large_list_are_read_in_parallel_and_in_order() {
    let item = |n: usize| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"node-{n:05}","labels":{{"a":"b"}}}}}}"#
        )
    };
    let items: Vec<String> = (0..20_000).map(item).collect();
    let list = format!("{{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[{}]}}", items.join(","));
    let reading = read_text(&list);
    assert_eq!(reading.objects.len(), 20_000);
    assert!(reading.objects.is_sorted_by_key(|object| object.key.clone()));
    let broken = list.replacen("\"node-15000\"", "15000", 1);
    let reading = read_text(&broken);
    assert_eq!(messages(&reading).len(), 1);
    assert!(messages(&reading)[0].ends_with("`metadata.name` must be a string, not a number"));
    let column = broken.find("15000").unwrap() + 1;
    assert_eq!(reading.diagnostics[0].place.as_ref().unwrap().column as usize, column);
}
