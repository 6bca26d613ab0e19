//! The command line itself: help texts, completions, pages, typos, pipes, stdin.

use std::io::{Read, Write};
use std::process::Stdio;

use crate::session::{Session, daemonset, nodes, snapshot};

#[test]
fn the_help_texts_are_these() {
    let session = Session::new();
    let mut all = String::new();
    for command in [
        "",
        "apply",
        "plan",
        "watch",
        "validate",
        "get",
        "describe",
        "explain",
        "log",
        "query",
        "test",
        "delete",
        "rollout",
        "rollout status",
        "rollout history",
        "rollout undo",
        "rollout restart",
        "rules",
        "rules list",
        "rules show",
        "rules fmt",
        "lsp",
        "completions",
    ] {
        let said = session.quietly(&format!("{command} --help"));
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        all.push_str(&format!("$ dsrules {command} --help\n{}\n", said.out));
    }
    snapshot("help", &all);
}

#[test]
fn every_command_and_variable_is_in_the_documentation() {
    let session = Session::new();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md")).unwrap();
    let help = session.quietly("--help").out;
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    // What does not fit on a command's line stands further in.
    let lines = commands.lines().filter(|line| !line.starts_with("   "));
    let names: Vec<&str> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 8, "{commands}");
    for name in names {
        assert!(page.contains(&format!("| `{name} ")), "docs/cli.md has no row for `{name}`");
        let help = session.quietly(&format!("{name} --help")).out;
        for variable in help.split("[env: ").skip(1).map(|rest| rest.split('=').next().unwrap()) {
            assert!(page.contains(&format!("`{variable}`")), "docs/cli.md does not have {variable}");
        }
    }
}

#[test]
fn every_shell_has_a_completion_script_and_every_command_a_page() {
    let session = Session::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = session.quietly(&format!("completions {shell}")).out;
        assert!(script.contains("DSRULES_COMPLETE") && script.contains("dsrules"), "{shell}");
    }
    assert!(session.quietly("man").out.starts_with(".ie"));
    std::fs::create_dir(session.path("man")).unwrap();
    assert_eq!(session.quietly("man man").code, 0);
    assert!(session.path("man/dsrules-apply.1").exists());
}

#[test]
fn a_mistyped_command_is_an_error_with_a_way_out() {
    let mut session = Session::new();
    for line in [
        "aply x",
        "apply --prun x",
        "apply",
        "apply - -",
        "apply x --allow-empty",
        "apply x --max-delete many",
        "apply x --tree t --dry-run",
        "get",
        "get pods -o toml",
        "get pods --sort-by [0]",
        "get pods -l a=(b",
        "delete ds x --all -l a=b",
        "apply x --lock-timeout soon",
        "apply x -v -q",
        "rollout status",
    ] {
        let said = session.run(line);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{line}");
        assert!(said.err.starts_with("error"), "{line}: {}", said.err);
    }
    session.snapshot("typos");
}

#[test]
fn manifests_come_through_a_pipe_too() {
    let session = Session::new();
    let text = format!("{}---\n{}", nodes(&["a"]), daemonset("agent", "agent:1", "", ""));
    for form in [&["apply", "-"][..], &["apply", "-f", "-"]] {
        let mut child =
            session.command().args(form).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(session.nodes_of("agent"), ["a"]);
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let session = Session::new();
    let mut child = session
        .command()
        .args(["rules", "show", "placement"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn quiet_says_nothing_and_verbose_says_all() {
    let session = Session::new();
    let names: Vec<String> = (0..40).map(|n| format!("n{n:02}")).collect();
    session.write("nodes.yaml", nodes(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    session.write("agent.yaml", daemonset("agent", "agent:1", "", ""));
    let said = session.quietly("apply nodes.yaml agent.yaml --quiet");
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", ""));
    assert!(session.quietly("apply nodes.yaml").out.contains("node: 30 more unchanged"));
    assert!(session.quietly("apply nodes.yaml -v").out.contains("node/n39 unchanged"));
}

#[test]
fn the_environment_names_the_database() {
    let session = Session::new();
    session.write("nodes.yaml", nodes(&["a"]));
    let done = session.command().args(["apply", "nodes.yaml", "-q"]).env("DSRULES_DB", "my.db").status();
    assert!(done.unwrap().success());
    assert!(session.path("my.db").exists() && !session.path("dsrules.db").exists());
    assert_eq!(session.quietly("get nodes -o name --db my.db").out, "node/a\n");
}
