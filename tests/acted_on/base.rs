//! From one folder to another: `--base`, and `--prune` over an input that is not known.

use crate::session::{Session, daemonset, node, nodes};

/// A base and a head in which `old` is gone, `kept` has another image and `new` is new.
fn branches() -> Session {
    let session = Session::new();
    for folder in ["base", "head"] {
        session.write(&format!("{folder}/nodes/all.yaml"), nodes(&["a", "b"]));
    }
    session.write("base/sets/old.yaml", daemonset("old", "old:1", "", ""));
    session.write("base/sets/kept.yaml", daemonset("kept", "kept:1", "", ""));
    session.write("head/sets/kept.yaml", daemonset("kept", "kept:2", "", ""));
    session.write("head/sets/new.yaml", daemonset("new", "new:1", "", ""));
    session
}

#[test]
fn a_plan_from_base_to_head_needs_no_store() {
    let mut session = branches();
    let plan = session.ok("plan -R --base base head");
    assert!(plan.contains("daemonset.apps/old pruned"), "{plan}");
    for (line, code) in [
        ("plan -R --base base head --detailed-exitcode", 2),
        ("plan -R --base base base --detailed-exitcode", 0),
        ("plan -R --base base base --detailed-exitcode --cordon a", 2),
        ("plan -R --base base/nodes --base base/sets base --detailed-exitcode", 0),
        ("plan --base base/sets/kept.yaml head/sets/kept.yaml --detailed-exitcode", 2),
        ("plan -R head --base base --prune", 0),
        ("plan --base base", 1),
        ("plan -R --base base head --keep-going", 1),
        ("plan -R --base nowhere head", 1),
    ] {
        let said = session.quietly(line);
        assert_eq!(said.code, code, "{line}: {}{}", said.out, said.err);
    }
    let json = session.quietly("plan -R --base base head -o json").out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["summary"]["create"], &json["summary"]["delete"]), (&4.into(), &4.into()), "{json}");
    session.say("what may not change from base to head is an error");
    let other = daemonset("kept", "kept:1", "", "").replace("app: kept", "app: other");
    session.write("head/sets/kept.yaml", other);
    assert!(session.fails("plan -R --base base head").contains("may not change"));
    session.say("losing everything has to be asked for");
    std::fs::create_dir(session.path("nothing")).unwrap();
    session.fails("plan -R --base base nothing");
    session.ok("plan -R --base base nothing --allow-empty");
    session.ok("plan -R --base nothing base");
    assert!(!session.path("dsrules.db").exists());
    session.snapshot("base");
}

#[test]
fn pruning_an_input_that_was_never_applied_names_those_that_were() {
    let session = branches();
    assert_eq!(session.quietly("apply -R head --prune").code, 0, "there is nothing to take it for yet");
    assert_eq!(session.quietly("delete ds --all --max-delete 100%").code, 0);
    assert_eq!(session.quietly("apply -R base").code, 0);
    std::fs::rename(session.path("head"), session.path("moved")).unwrap();
    let said = session.quietly("plan -R moved --prune");
    assert_eq!(said.code, 1, "{}", said.out);
    for part in ["error[unknown-input]", "/base`, of 4 objects", "--input-of", "--base"] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    let said = session.quietly("plan -R moved --prune --input-of base");
    assert!(said.out.contains("daemonset.apps/old pruned"), "{}{}", said.out, said.err);
    let said = session.quietly("apply -R moved --prune --input-of base");
    assert_eq!((said.code, session.nodes_of("old").len()), (0, 0), "{}", said.err);
    let said = session.quietly("plan -R moved --prune --input-of base");
    assert!(said.out.contains("No changes"), "{}", said.out);
}

#[test]
fn what_if_takes_patterns_and_labels_and_only_fields_that_there_are() {
    let mut session = Session::new();
    let gpus = ["gpu-1", "gpu-2"].map(|name| node(name, "pool=gpu", ""));
    session.write("nodes.yaml", nodes(&["a"]) + "---\n" + &gpus.join("---\n"));
    session.write("agent.yaml", daemonset("agent", "agent:1", "nodeSelector:\n  os.io/name: linux\n", ""));
    session.ok("apply nodes.yaml agent.yaml -q");
    let gained = |session: &Session, line: &[&str]| {
        let output = session.command().args(["plan", "-o", "json"]).args(line).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line:?}: {told}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        json["difference"].as_array().unwrap().len()
    };
    for (line, count) in [
        (&["--set", "node/gpu-*:metadata.labels.os.io/name=linux"][..], 2),
        (&["--set", "node/gpu-*:metadata.labels[os.io/name]=linux"], 2),
        (&["--set", "node/*:label.os\\.io/name=linux"], 3),
        (&["--set", "node/*:label.os.io/name=linux", "-l", "pool=gpu"], 2),
        (&["--set", "daemonset/ag*:spec.template.spec.nodeSelector.os.io/name-"], 3),
        (&["--set", "daemonset/agent:spec.template.spec.nodeSelector={}"], 3),
        (&["--set", "node/*:label.os.io/name=linux", "--taint", "gpu-?=k=v:NoExecute"], 1),
        (&["--cordon", "gpu-*"], 0),
        (&["--cordon", "node/gpu-*"], 0),
        (&["--cordon", "-l", "pool=gpu"], 0),
        (&["--remove", "node/*", "-l", "pool in (gpu)"], 0),
        (&["--set", "daemonset/agent:spec.template.spec.containers[main].image=x:2"], 0),
        (&["--set", "daemonset/agent:spec.template.spec.containers[0].resources.limits.nvidia.com/gpu=1"], 0),
        (&["--set", "daemonset/agent:spec.template.spec.tolerations[0]={operator: Exists}"], 0),
        (&["--set", "daemonset/agent:spec.template.spec.hostNetwork=true"], 0),
        (&["--set", "daemonset/agent:spec.updateStrategy.rollingUpdate.maxUnavailable=10%"], 0),
    ] {
        assert_eq!(gained(&session, line), count, "{line:?}");
    }
    for line in [
        "plan --set daemonset/agent:spec.template.spec.nodeSelektor.disk=ssd",
        "plan --set node/a:metadata.labls.x=y",
        "plan --set node/a:nonsense=1",
        "plan --set node/a:metadata.name=b",
        "plan --set daemonset/agent:spec.minReadySeconds=soon",
        "plan --set daemonset/agent:spec.minReadySeconds=-1",
        "plan --set daemonset/agent:spec.template.spec.hostNetwork=yes",
        "plan --set daemonset/agent:spec.template.spec.containers[3].image=x",
        "plan --set daemonset/agent:spec.template.spec.containers[sidecar].image=x",
        "plan --set daemonset/agent:spec.template.spec.containers[0].resources.limits.cpu=much",
        "plan --set daemonset/agent:spec.template.metadata.labels.app=other",
        "plan --set daemonset/agent:spec.selector.matchLabels.more=label",
        "plan --set daemonset/agent:spec.template.spec.tolerations[0]={\"operater\":\"Exists\"}",
        "plan --set node/a:label.x=not/a/value",
        "plan --cordon gpu-9*",
        "plan --cordon",
        "plan --cordon a -l pool=gpu",
        "plan -l pool=gpu",
    ] {
        let told = session.fails(line);
        assert!(!told.is_empty(), "{line}");
    }
    for (line, code) in [
        ("plan nodes.yaml agent.yaml --set node/a:label.os.io/name=linux --detailed-exitcode", 2),
        ("plan nodes.yaml agent.yaml --set node/a:label.other- --detailed-exitcode", 0),
    ] {
        assert_eq!(session.quietly(line).code, code, "{line}");
    }
    session.snapshot("what_if_fields");
}
