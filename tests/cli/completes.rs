//! Completion as shells ask for it: in the shells themselves, where they are there.

use std::process::Command;

use crate::session::{Session, daemonset, node};

const OTHER: &str = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: audit, namespace: sec}\nspec: {selector: \
    {matchLabels: {app: audit}}, template: {metadata: {labels: {app: audit}}, spec: {containers: [{name: c, image: i}]}}}\n";

fn begun() -> Session {
    let session = Session::new();
    let nodes =
        [node("worker-1", "zone=east", ""), node("worker-2", "zone=west", ""), node("spot-1", "a=b", "")];
    session.write("fleet/nodes.yaml", nodes.join("---\n"));
    session.write("fleet/agent.yaml", daemonset("agent", "agent:1", "", ""));
    session.write("fleet/audit.yaml", OTHER);
    assert_eq!(session.quietly("apply fleet -q").code, 0);
    for shell in ["bash", "zsh", "fish"] {
        session.write(&format!("script.{shell}"), session.quietly(&format!("completions {shell}")).out);
    }
    session
}

/// What a shell says to a script of its own, in the session's folder; nothing where it is not there.
fn asked(session: &Session, shell: &str, script: &str) -> Option<Vec<String>> {
    let tools = std::path::Path::new(env!("CARGO_BIN_EXE_dsrules")).parent().unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(shell);
    // Nothing of who runs the test.
    command.args(if shell == "fish" { &["--no-config", "-c"][..] } else { &["-c"][..] }).arg(script);
    command.env_clear().env("PATH", path).env("HOME", session.path("")).current_dir(session.path(""));
    let Ok(said) = command.output() else {
        println!("skipped: there is no {shell}");
        return None;
    };
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(said.status.success() && said.stderr.is_empty(), "{}", String::from_utf8_lossy(&said.stderr));
    Some(text.lines().map(|line| line.split(['\t', ':']).next().unwrap().to_owned()).collect())
}

/// What each shell offers behind a line.
fn offered(session: &Session, line: &str) -> Vec<(&'static str, Vec<String>)> {
    let words: Vec<String> = line.split(' ').map(|word| format!("'{word}'")).collect();
    let (last, words) = (words.last().unwrap(), words.join(" "));
    let option = line.rsplit(' ').next().unwrap().starts_with('-');
    let at = line.split(' ').count() - 1;
    let bash = format!(
        "source script.bash; COMP_WORDS=({words}); COMP_CWORD={at}; COMP_TYPE=9; \
         _clap_complete_dsrules dsrules {last}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let zsh = format!(
        "compdef() {{ true; }}; _describe() {{ local name=\"${{@[-1]}}\"; print -l -- \"${{(@P)name}}\"; }}; source ./script.zsh; \
         words=({words}); CURRENT={}; _clap_dynamic_completer_dsrules; true",
        at + 1
    );
    let fish = format!("source script.fish; complete -C \"{line}\"");
    [("bash", bash), ("zsh", zsh), ("fish", fish)]
        .into_iter()
        .filter_map(|(shell, script)| Some((shell, asked(session, shell, &script)?)))
        .map(|(shell, mut found)| {
            // Behind nothing some offer options as well.
            found.retain(|it| !it.is_empty() && it.starts_with('-') == option);
            found.sort();
            (shell, found)
        })
        .collect()
}

#[test]
fn names_are_offered_as_the_store_knows_them() {
    let session = begun();
    for (line, expected) in [
        ("dsrules explain a", &["agent"][..]),
        ("dsrules explain sec", &["sec/audit"]),
        ("dsrules explain agent w", &["worker-1", "worker-2"]),
        ("dsrules blame agent s", &["spot-1"]),
        ("dsrules explain -n sec au", &["audit"]),
        ("dsrules get daemonset ", &["agent"]),
        ("dsrules get -n sec ds/", &["ds/audit"]),
        ("dsrules describe node w", &["worker-1", "worker-2"]),
        ("dsrules get pods -n ", &["default", "sec"]),
        ("dsrules log no", &["node/spot-1", "node/worker-1", "node/worker-2"]),
        ("dsrules rollout status daemonset/", &["daemonset/agent"]),
        ("dsrules plan --cordon sp", &["spot-1"]),
        ("dsrules --db nowhere.db explain a", &[]),
        ("dsrules rollout und", &["undo"]),
        ("dsrules plan --detailed-e", &["--detailed-exitcode"]),
    ] {
        for (shell, found) in offered(&session, line) {
            assert_eq!(found, expected, "{shell}: {line}");
        }
    }
    for (shell, found) in offered(&session, "dsrules get pods agent") {
        assert!(
            found.len() == 3 && found.iter().all(|name| name.starts_with("agent-")),
            "{shell}: {found:?}"
        );
    }
    assert!(!session.path("nowhere.db").exists());
}
