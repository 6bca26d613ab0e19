//! What rules may ask about the cluster, as questions and their answers in
//! `facts/answers.txt`: the same of manifests and of a store that holds them.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::process::Command;

const ANSWERS: &str = "tests/facts/answers.txt";

fn dsrules(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_dsrules"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("DSRULES_NOW", "2026-03-02T09:00:00Z")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// Each question with its answers; comments stay where they are.
fn answered(text: &str, answer: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.starts_with("  ")) {
        out.push_str(line);
        out.push('\n');
        if !line.is_empty() && !line.starts_with('#') {
            answer(line).lines().for_each(|row| out.push_str(&format!("  {row}\n")));
        }
    }
    out
}

#[test]
fn questions_have_these_answers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let store = tempfile::tempdir().unwrap();
    let db = store.path().join("x.db").display().to_string();
    let written = std::fs::read_to_string(folder.join(ANSWERS)).unwrap();
    let rows = |text: String| text.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
    let ask =
        |query: &str, more: &[&str]| rows(dsrules(folder, &[&["query", "-o", "csv", query], more].concat()));
    let file = "tests/facts/cluster.yaml";
    let of_manifests = answered(&written, |query| ask(query, &["-f", file]));
    if std::env::var_os("DSRULES_UPDATE").is_some() {
        std::fs::write(folder.join(ANSWERS), &of_manifests).unwrap();
    } else {
        assert_eq!(of_manifests, written, "DSRULES_UPDATE=1 writes it anew");
    }
    dsrules(folder, &["apply", "--db", &db, file]);
    let of_store = answered(&written, |query| ask(query, &["--db", &db]));
    assert_eq!(of_store, of_manifests);
    // The pods that the plan made ask for what their template says.
    let made = r#"pod_label(_P, "app", "agent"), pod_target(_P, N), pod_request(_P, "cpu", A)"#;
    assert_eq!(ask(made, &["--db", &db]), "n1,300\nn2,300\nn3,300\n");
}

/// Objects that no rule of dsrules is about are kept, shown, changed and taken away as all
/// others, and what rules ask of them follows.
#[test]
fn other_kinds_are_objects_too() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let ports = |port: u16, more: &str| {
        let node = "apiVersion: v1\nkind: Node\nmetadata: { name: n1 }\n";
        let spaces = "---\napiVersion: v1\nkind: Namespace\nmetadata: { name: pay }\n";
        let service = format!(
            "---\napiVersion: v1\nkind: Service\nmetadata: {{ name: web, namespace: pay }}\nspec: {{ ports: [{{ port: {port} }}] }}\n"
        );
        std::fs::write(at.join("in.yaml"), format!("{node}{spaces}{service}{more}")).unwrap();
    };
    let asked = || {
        dsrules(
            at,
            &[
                "query",
                "-o",
                "csv",
                r#"object(_O, K, _, N), K in ["Service", "Secret"], field(_O, "spec.ports[0].port", P)"#,
            ],
        )
    };
    let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: { name: key, namespace: pay }\nstringData: { token: hidden }\n";
    ports(80, secret);
    let said = dsrules(at, &["apply", "in.yaml"]);
    assert!(said.contains("service/web created") && said.contains("secret/key created"), "{said}");
    assert_eq!(asked(), "K,N,P\nService,web,80\n");
    assert!(dsrules(at, &["get", "svc,secrets", "-n", "pay"]).contains("service/web"));
    let kept = dsrules(at, &["get", "secret", "key", "-n", "pay", "-o", "json"]);
    assert!(kept.contains("\"token\": \"\"") && !kept.contains("hidden"), "{kept}");
    ports(81, "");
    let said = dsrules(at, &["apply", "in.yaml", "--prune"]);
    assert!(said.contains("service/web configured") && said.contains("secret/key pruned"), "{said}");
    assert_eq!(asked(), "K,N,P\nService,web,81\n");
    dsrules(at, &["delete", "service", "web", "-n", "pay"]);
    assert_eq!(asked(), "K,N,P\n");
    // What is in a namespace goes with it.
    dsrules(at, &["apply", "in.yaml"]);
    ports(81, "");
    dsrules(at, &["apply", "in.yaml"]);
    dsrules(at, &["delete", "namespace", "pay"]);
    assert_eq!(asked(), "K,N,P\n");
}
