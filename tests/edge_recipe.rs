//! The recipe for podman in `examples/edge`, run as it is written, with a `podman` that
//! refuses what the real one does: several files at once, and a pod whose host port another
//! one has.

#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// What `podman kube` does, as far as the recipe needs it: each pod is its file's name and
/// has the one host port there is.
const PODMAN: &str = r#"#!/bin/sh
[ "$1" = kube ] || exit 125
verb=$2; shift 2
[ "$1" = --replace ] && { replace=1; shift; }
[ $# -eq 1 ] || { echo "accepts at most 1 arg" >&2; exit 125; }
[ -f "$1" ] || exit 125
name=$(sed -n 's/^name: //p' "$1")
case $verb in
play) for other in "$RUNNING"/*; do
        [ -e "$other" ] || continue
        [ "${other##*/}" = "$name" ] || { echo "the host port is taken by ${other##*/}" >&2; exit 126; }
      done
      cp "$1" "$RUNNING/$name" ;;
down) rm -f "$RUNNING/$name" ;;
*) exit 125 ;;
esac
"#;

/// The shell lines of the recipe, for these folders.
fn recipe(new: &Path, old: &Path) -> String {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/edge/README.md")).unwrap();
    let from = readme.find("new=/etc/dsrules/pods").unwrap();
    let lines = readme[from..].lines().take_while(|line| !line.starts_with("```"));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.replace("/etc/dsrules/pods", new.to_str().unwrap())
        .replace("/var/lib/dsrules/pods", old.to_str().unwrap())
}

#[test]
fn the_recipe_replaces_a_pod_under_a_new_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["new", "running", "bin"] {
        fs::create_dir(path(name)).unwrap();
    }
    fs::write(path("bin/podman"), PODMAN).unwrap();
    fs::set_permissions(path("bin/podman"), fs::Permissions::from_mode(0o755)).unwrap();
    let search = format!("{}:{}", path("bin").display(), std::env::var("PATH").unwrap());
    let run = || {
        let script = recipe(&path("new"), &path("old"));
        let output = Command::new("sh")
            .args(["-c", &script])
            .env("PATH", &search)
            .env("RUNNING", path("running"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said, "", "{script}");
    };
    let running = || {
        let mut names: Vec<String> = fs::read_dir(path("running"))
            .unwrap()
            .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
            .collect();
        names.sort();
        names
    };
    fs::write(path("new/shop_till-a.yaml"), "name: till-a\n").unwrap();
    run();
    assert_eq!(running(), ["name: till-a\n"]);
    // Nothing changed: nothing happens.
    run();
    assert_eq!(running(), ["name: till-a\n"]);
    // Another version is another pod under another name.
    fs::remove_file(path("new/shop_till-a.yaml")).unwrap();
    fs::write(path("new/shop_till-b.yaml"), "name: till-b\n").unwrap();
    run();
    assert_eq!(running(), ["name: till-b\n"]);
    // The same pod, other in its body.
    fs::write(path("new/shop_till-b.yaml"), "name: till-b\nimage: 2\n").unwrap();
    run();
    assert_eq!(running(), ["name: till-b\nimage: 2\n"]);
    fs::remove_file(path("new/shop_till-b.yaml")).unwrap();
    run();
    assert!(running().is_empty());
}
