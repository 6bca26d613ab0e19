//! What hands that know other tools type, and what it is called here.
//!
//! A guess by spelling alone ("did you mean `agent`?" for `taint`) leads nowhere.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use dsrules::diagnostic::Diagnostic;

const CHANGE: &str = "write it into the manifest, look with `dsrules plan PATH`, and `dsrules apply PATH`";
const RUNNING: &str =
    "dsrules knows which pods there are to be; ask what runs them: kubectl, podman or journalctl";
const DRAIN: &str = "`dsrules plan --taint NODE=maintenance=true:NoExecute` says which pods a taint drives out; write \
                     it into the Node's manifest, and `dsrules apply PATH`";
const LABEL: &str = "`dsrules plan --set node/NAME:label.KEY=VALUE` says what it would change; write it into the \
                     manifest, and `dsrules apply PATH`";
const CORDON: &str = "`dsrules plan --cordon NODE` says what it would change; in the Node's manifest it is \
                      `spec.unschedulable: true`";
const SHOW: &str =
    "`dsrules get pods -A -o wide` lists pods, `dsrules report` says how each daemonset stands";

/// Commands.
const COMMANDS: [(&[&str], &str); 12] = [
    (&["taint", "drain", "evict"], DRAIN),
    (&["cordon", "uncordon"], CORDON),
    (&["label", "annotate"], LABEL),
    (&["create", "edit", "patch", "replace", "run", "scale", "set", "expose", "autoscale"], CHANGE),
    (&["attach", "cp", "debug", "exec", "logs", "port-forward", "top"], RUNNING),
    (&["list", "ls", "ps", "status", "state", "pods", "nodes"], SHOW),
    (
        &["check", "lint", "vet"],
        "`dsrules validate PATH` is for manifests, `dsrules rules check PATH` for rules",
    ),
    (&["fmt", "format"], "`dsrules rules fmt PATH` brings rules into one layout"),
    (&["rollback", "undo"], "`dsrules rollout undo daemonset/NAME` goes back to an earlier template"),
    (&["pause", "resume"], "a rule of your own for `hold(DaemonSet, Node)` leaves old pods where they are"),
    (&["history"], "`dsrules rollout history daemonset/NAME` has its templates, `dsrules log` what happened"),
    (&["why", "whynot"], "`dsrules explain DAEMONSET NODE` says why a pod is there, or is not"),
];

/// Options.
const OPTIONS: [(&[&str], &str); 3] = [
    (&["--label", "--labels"], "a label is planned by `--set node/NAME:label.KEY=VALUE`"),
    (&["--drain", "--evict"], "a taint drives pods out: `--taint NODE=maintenance=true:NoExecute`"),
    (
        &["--image"],
        "an image is planned by `--set 'daemonset/NAME:spec.template.spec.containers[0].image=IMAGE'`",
    ),
];

/// What to do in place of what was typed, where it is a habit from elsewhere.
pub fn instead(error: &clap::Error) -> Option<Diagnostic> {
    let (kind, list): (_, &[(&[&str], &str)]) = match error.kind() {
        ErrorKind::InvalidSubcommand => (ContextKind::InvalidSubcommand, &COMMANDS),
        ErrorKind::UnknownArgument => (ContextKind::InvalidArg, &OPTIONS),
        _ => return None,
    };
    let Some(ContextValue::String(typed)) = error.get(kind) else { return None };
    let (_, help) = list.iter().find(|(words, _)| words.contains(&typed.as_str()))?;
    let (code, what) =
        if typed.starts_with('-') { ("no-such-option", "option") } else { ("no-such-command", "command") };
    Some(Diagnostic::error(code, format!("there is no {what} `{typed}` here")).help(*help))
}
