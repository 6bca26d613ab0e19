//! `rollout history`: the templates that a daemonset had.

use dsrules::diagnostic::Diagnostic;
use dsrules::model::Revision;
use dsrules::report::{self, Table};

use super::super::context::Context;
use super::super::exit::{Exit, Failure};
use super::{Target, revisions};

/// Lists the revisions, or shows one.
pub fn run(target: &Target, revision: i64, context: &mut Context) -> Result<Exit, Failure> {
    let store = context.read()?;
    let world = store.load()?;
    for daemonset in target.find(&world, &store)? {
        let history = revisions(&world, daemonset);
        let name = &daemonset.meta.key.name;
        if revision > 0 {
            let found = history.iter().find(|it| it.revision == revision);
            let found = found.ok_or_else(|| unknown(revision, &history))?;
            writeln!(context.out, "daemonset.apps/{name} with revision #{revision}")?;
            let page = report::describe_template(&found.value["data"]["spec"]["template"]);
            writeln!(context.out, "{page}")?;
            continue;
        }
        writeln!(context.out, "daemonset.apps/{name}")?;
        let mut table = Table::new(["REVISION", "CHANGE-CAUSE"]).gap(2);
        for it in history {
            let cause = it.value["metadata"]["annotations"]["kubernetes.io/change-cause"].as_str();
            table.row([it.revision.to_string(), cause.unwrap_or("<none>").to_owned()]);
        }
        table.write(&mut context.out, "", true)?;
        writeln!(context.out)?;
    }
    Ok(Exit::Done)
}

/// kubectl's words for a revision that is not there, and which there are.
pub fn unknown(revision: i64, history: &[&Revision]) -> Diagnostic {
    let there: Vec<String> = history.iter().map(|it| it.revision.to_string()).collect();
    Diagnostic::error("no-revision", format!("unable to find specified revision {revision} in history")).help(
        match there.as_slice() {
            [only] => format!("its only revision is {only}"),
            _ => format!("there are {}", there.join(", ")),
        },
    )
}
