//! The examples for CI, as CI runs them: each step's script by a shell, in a real repository.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::done;
use crate::session::Session;

/// A repository with the example's fleet on `main`, and a merged change of it as HEAD.
fn repository() -> Option<Session> {
    let session = Session::new();
    session.example("ci");
    let here = session.path("ci");
    done(&here, "init -q .")?;
    done(&here, "add fleet")?;
    done(&here, "commit -q -m first")?;
    done(&here, "checkout -q -b change")?;
    let nodes = fs::read_to_string(session.path("ci/fleet/nodes.yaml")).unwrap();
    session.write("ci/fleet/nodes.yaml", nodes.replace("disk: hdd", "disk: ssd"));
    done(&here, "commit -q -a -m second")?;
    done(&here, "checkout -q main")?;
    done(&here, "merge -q --no-ff change -m merged")?;
    // What the scripts call beside git: what it was called with is written down.
    for program in ["gh", "curl"] {
        tool(&session, program, "#!/bin/sh\necho \"$0 $*\" >> \"$CALLED\"\n");
    }
    tool(&session, "cargo", "#!/bin/sh\n");
    let dsrules = session.path("bin/dsrules");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_dsrules"), dsrules).unwrap();
    Some(session)
}

fn tool(session: &Session, name: &str, text: &str) {
    session.write(&format!("bin/{name}"), text);
    fs::set_permissions(session.path(&format!("bin/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
}

fn shell(session: &Session, script: &str, environment: &[(&str, &str)]) -> Output {
    let path = format!("{}:{}", session.path("bin").display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["-e", "-o", "pipefail", "-c", script]).current_dir(session.path("ci")).env("PATH", path);
    command.env("CALLED", session.path("called")).env("GITHUB_STEP_SUMMARY", session.path("summary"));
    command.envs(environment.iter().copied()).output().unwrap()
}

fn ok(said: Output) -> String {
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap()
}

fn example(name: &str) -> Value {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(name);
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn read(session: &Session, name: &str) -> String {
    fs::read_to_string(session.path(name)).unwrap_or_default()
}

#[test]
fn the_github_workflow_comments_what_a_pull_request_does() {
    let Some(session) = repository() else { return };
    let workflow = example("daemonsets.yml");
    let steps = workflow["jobs"]["diff"]["steps"].as_array().unwrap();
    let scripts: Vec<&str> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
    assert_eq!(scripts.len(), 4);
    for script in scripts {
        ok(shell(&session, script, &[("PR", "7")]));
    }
    let summary = read(&session, "summary");
    assert!(summary.starts_with("### dsrules: `HEAD^1` → `HEAD`"), "{summary}");
    assert!(summary.contains("come"), "{summary}");
    assert_eq!(read(&session, "ci/diff.md"), summary);
    let called = read(&session, "called");
    assert!(called.contains("pr comment 7 --body-file diff.md"), "{called}");
}

#[test]
fn the_gitlab_job_comments_where_it_may() {
    let Some(session) = repository() else { return };
    let job = &example("gitlab-ci.yml")["daemonsets"];
    let lines = |name: &str| -> String {
        let lines = job[name].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
        lines.collect::<Vec<_>>().join("\n")
    };
    let script = format!("{}\n{}", lines("before_script"), lines("script"));
    let base = ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "HEAD^1");
    let said = ok(shell(&session, &script, &[base]));
    assert!(said.contains("### dsrules: "), "{said}");
    assert_eq!(read(&session, "called"), "");
    ok(shell(&session, &script, &[base, ("COMMENT_TOKEN", "t"), ("CI_API_V4_URL", "https://x/api/v4")]));
    assert!(read(&session, "called").contains("body=<diff.md"));
}

#[test]
fn the_hook_says_what_is_staged_and_refuses_what_is_broken() {
    let Some(session) = repository() else { return };
    let hook = session.path("ci/.git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::copy(session.path("ci/pre-commit"), &hook).unwrap();
    let commit = "git -c user.name=n -c user.email=e@x.y commit -q -m more";
    let nodes = read(&session, "ci/fleet/nodes.yaml");
    session.write("ci/fleet/nodes.yaml", nodes.replace("disk: ssd", "disk: hdd"));
    let said = shell(&session, &format!("git add fleet && {commit}"), &[]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let told = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(told.contains("Pods that go") || told.contains("No pod comes"), "{told}");
    session.write("ci/fleet/nodes.yaml", "broken: [");
    let said = shell(&session, &format!("git add fleet && {commit}"), &[]);
    assert!(!said.status.success(), "a broken manifest is not committed");
}
