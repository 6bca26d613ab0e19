//! Revisions of a repository, whose working copy is neither read nor touched.

use std::fs;
use std::os::unix::fs::symlink;

use crate::session::{Session, daemonset};
use crate::{done, fleet, repository};

#[test]
fn two_revisions_are_compared_and_the_working_copy_stays_as_it_is() {
    let Some(mut session) = repository() else { return };
    let here = session.path("");
    session.write("fleet/agent.yaml", "broken: [");
    let before = done(&here, "status --porcelain").unwrap();
    let said = session.ok("diff main change --path fleet");
    session.ok("diff main change --path fleet -o markdown");
    assert!(said.contains("Pods that come"), "{said}");
    assert_eq!(done(&here, "status --porcelain").unwrap(), before);
    session.say("the working copy is what it is, broken");
    session.fails("diff change --path fleet");
    session.say("an error in a revision says which");
    done(&here, "commit -q -a -m broken").unwrap();
    session.fails("diff change main --path fleet");
    session.fails("diff main change --path fleet");
    session.snapshot("diff_revisions");
}

#[test]
fn what_is_no_revision_or_no_repository_says_what_to_do() {
    let Some(mut session) = repository() else { return };
    session.fails("diff main chnge --path fleet");
    session.fails("diff -R -- -x main");
    session.fails("diff main change --path ../elsewhere");
    session.fails("diff main --path nowhere");
    session.say("a folder that the base does not have stands for nothing");
    session.write("more/n.yaml", daemonset("x", "x:1", "", ""));
    done(&session.path(""), "add .").unwrap();
    done(&session.path(""), "commit -q -m more").unwrap();
    session.ok("diff HEAD^ HEAD --path more");
    session.say("outside of any repository");
    let mut bare = Session::new();
    fleet(&bare, "fleet");
    let said =
        bare.command().args(["diff", "main", "HEAD"]).env("GIT_CEILING_DIRECTORIES", "/").output().unwrap();
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("no-repository") || said.contains("no-git"), "{said}");
    bare.fails("diff fleet");
    session.snapshot("diff_no_revision");
}

#[test]
fn rules_outside_of_the_path_come_along_and_links_do_not_lead_out() {
    let Some(session) = repository() else { return };
    let here = session.path("");
    session.write("policy/own.dl", "/// {N} rests.\nblocked(D, N) :- daemonset(D), node(N), N = \"b\".\n");
    session.write("fleet/dsrules.yaml", "rules: ../policy\n");
    session.write("secret.yaml", daemonset("secret", "s:1", "", ""));
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x.yaml"), daemonset("outside", "o:1", "", "")).unwrap();
    symlink(outside.path().join("x.yaml"), session.path("fleet/out.yaml")).unwrap();
    symlink("../secret.yaml", session.path("fleet/in.yaml")).unwrap();
    done(&here, "add .").unwrap();
    done(&here, "commit -q -m links").unwrap();
    let said = session.quietly("diff HEAD^ HEAD --path fleet");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("the link `fleet/out.yaml` leads out of the revision"), "{}", said.err);
    assert!(said.out.contains("+ daemonset.apps/default/secret"), "{}", said.out);
    assert!(!said.out.contains("outside"), "{}", said.out);
    assert!(said.out.contains("is blocked by the rule HEAD:policy/own.dl:2"), "{}", said.out);
    assert!(
        !format!("{}{}", said.out, said.err).contains("dsrules-"),
        "no path of ours: {}{}",
        said.out,
        said.err
    );
}

#[test]
fn it_works_from_a_folder_below_and_for_what_is_staged() {
    let Some(session) = repository() else { return };
    let here = session.path("");
    let run = |args: &[&str]| {
        let mut command = session.command();
        command.current_dir(session.path("fleet")).args(args);
        let said = command.output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr))
    };
    assert!(run(&["diff", "main", "change"]).contains("Pods that come"));
    assert!(run(&["diff", "main"]).contains("Nothing changes"));
    session.write("fleet/agent.yaml", daemonset("agent", "agent:9", "", ""));
    assert!(run(&["diff", "main"]).contains("agent:1 -> agent:9"));
    let staged = done(&here, "write-tree").unwrap();
    assert!(run(&["diff", "main", &staged]).contains("Nothing changes"));
    done(&here, "add .").unwrap();
    let staged = done(&here, "write-tree").unwrap();
    assert!(run(&["diff", "main", &staged]).contains("agent:1 -> agent:9"));
}
