//! Two examples for every command, at the end of its help.
//!
//! They are about the folder that `dsrules init` writes, so that whoever reads them can type
//! them; a test does so.

use clap::Command;

/// A command with its examples: what is typed, and what for.
type Examples = (&'static str, &'static [(&'static str, &'static str)]);

const ALL: &[Examples] = &[
    (
        "init",
        &[
            ("dsrules init ours", "a folder with manifests, a rule, a test and a CI file"),
            ("mkdir -p team && cd team && dsrules init", "the same in this folder"),
        ],
    ),
    (
        "apply",
        &[
            ("dsrules apply fleet", "read a folder, put pods on its nodes"),
            (
                "dsrules apply fleet --prune --tree pods",
                "remove what left it; a folder of pods for each node",
            ),
        ],
    ),
    (
        "plan",
        &[
            ("dsrules plan fleet", "what an apply would do, and why"),
            ("dsrules plan --cordon spot-1 --taint worker-1=a=b:NoExecute", "what if?"),
            ("dsrules plan fleet --out plan.json", "keep it, to apply just that later"),
        ],
    ),
    (
        "show",
        &[
            ("dsrules plan fleet --out plan.json && dsrules show plan.json", "a plan that was kept"),
            (
                "dsrules plan fleet --out plan.json && dsrules show plan.json -o json",
                "the same for a program",
            ),
        ],
    ),
    (
        "diff",
        &[
            (
                "cp -r fleet new && dsrules diff fleet new",
                "what the second folder does to a fleet of the first",
            ),
            (
                "dsrules diff main HEAD --path fleet -o markdown",
                "of two git revisions, as a comment for a pull request",
            ),
            ("dsrules diff main --path fleet", "of the working copy"),
        ],
    ),
    (
        "watch",
        &[
            ("dsrules watch fleet", "keep the store equal to a folder, until Ctrl-C"),
            ("dsrules watch fleet --once --tree pods", "one step"),
        ],
    ),
    (
        "controller",
        &[
            (
                "dsrules controller --store etcd://127.0.0.1:2379 fleet",
                "keep a shared store at what a folder and the rules say",
            ),
            (
                "dsrules controller --store etcd://127.0.0.1:2379 --id spare",
                "one more, for its share and in case",
            ),
        ],
    ),
    (
        "agent",
        &[
            ("dsrules agent --node worker-1 --source fleet --tree pods", "keep this machine, until Ctrl-C"),
            ("dsrules agent --node worker-1 --source fleet --tree pods --once", "one step"),
        ],
    ),
    (
        "serve",
        &[
            ("dsrules serve", "and then: kubectl --server http://127.0.0.1:8001 get ds"),
            ("dsrules serve --write --listen 127.0.0.1:8002", "take changes, too"),
        ],
    ),
    (
        "snapshot",
        &[
            ("dsrules snapshot --cluster > cluster.yaml", "the current cluster, to be looked at later"),
            ("dsrules snapshot --cluster=staging -o json > staging.json", "another context, read faster"),
        ],
    ),
    (
        "restore",
        &[
            ("dsrules restore backup.json --store etcd://127.0.0.1:2379/fleet", "fill an empty store"),
            ("dsrules snapshot --store etcd://127.0.0.1:2379/fleet > backup.json", "what it takes"),
        ],
    ),
    (
        "validate",
        &[
            ("dsrules validate fleet", "all that an API server would refuse"),
            ("dsrules validate -R . --validate=warn", "unknown fields are warnings"),
        ],
    ),
    (
        "get",
        &[
            ("dsrules get pods -A -o wide", "all pods, with their nodes"),
            ("dsrules get nodes -l disk=ssd -o name", "the nodes with a label"),
        ],
    ),
    (
        "describe",
        &[
            ("dsrules describe daemonset log-agent", "one with its pods and events"),
            ("dsrules describe node spot-1", "a node with what runs there"),
        ],
    ),
    (
        "reach",
        &[
            ("dsrules reach daemonset/log-agent", "node, address and port of each pod"),
            ("dsrules reach daemonsets -o hosts", "of all of them, as a hosts file"),
        ],
    ),
    (
        "capacity",
        &[
            ("dsrules capacity -o wide", "what each node has, and what takes it"),
            ("dsrules capacity --by daemonset", "which daemonset takes most"),
        ],
    ),
    (
        "report",
        &[
            ("dsrules report -R fleet -o html > fleet.html", "what a folder comes to, as a page"),
            ("dsrules report --cordon 'spot-*'", "what the store holds, and what that would change"),
        ],
    ),
    (
        "blame",
        &[
            ("dsrules blame log-agent worker-1", "which run made its pod, by whose change of which line"),
            ("dsrules blame local-db spot-1 -o json", "since when it is left out, for a program"),
        ],
    ),
    (
        "log",
        &[
            ("dsrules log", "what happened, the last run first"),
            ("dsrules log node/worker-1 --since 30d", "what came to a node, or went, and by what"),
        ],
    ),
    (
        "delete",
        &[
            ("dsrules delete node spot-1 --dry-run", "what a node takes with it"),
            ("dsrules delete daemonset local-db", "a daemonset and its pods"),
        ],
    ),
    (
        "explain",
        &[
            ("dsrules explain local-db spot-1", "why there is no pod on a node"),
            ("dsrules explain local-db", "the same of all nodes, by cause"),
            ("dsrules explain node/worker-1", "what runs there, what does not, and why"),
        ],
    ),
    (
        "query",
        &[
            ("dsrules query 'eligible(DaemonSet, Node)'", "which pods there should be"),
            (
                "dsrules query 'node_label(Node, \"disk\", \"ssd\"), !has_pod(_, Node)' -o json",
                "fast disks that nobody uses",
            ),
        ],
    ),
    (
        "fleet",
        &[
            (
                "dsrules fleet --source fleet --reports reports",
                "how machines stand, by what their agents say",
            ),
            ("dsrules fleet --source fleet --reports reports --node worker-1", "one of them"),
        ],
    ),
    (
        "rollout",
        &[
            ("dsrules rollout status daemonset/log-agent", "how far it is"),
            ("dsrules rollout undo daemonset/log-agent --help", "and the way back"),
        ],
    ),
    (
        "rollout status",
        &[
            ("dsrules rollout status daemonset/log-agent", "how far it is, and what it waits for"),
            ("dsrules rollout status ds/log-agent -o json", "the same for a program"),
        ],
    ),
    (
        "rollout history",
        &[
            ("dsrules rollout history daemonset/log-agent", "its revisions"),
            ("dsrules rollout history daemonset/log-agent --revision 1", "the template of one"),
        ],
    ),
    (
        "rollout undo",
        &[
            (
                "dsrules rollout restart ds/log-agent && dsrules rollout undo ds/log-agent",
                "back to the template before",
            ),
            ("dsrules rollout undo ds/log-agent --to-revision 1 --dry-run", "what that would do"),
        ],
    ),
    (
        "rollout restart",
        &[
            ("dsrules rollout restart daemonset/log-agent", "replace its pods, wave by wave"),
            ("dsrules rollout restart daemonset/log-agent --dry-run", "in which order that would be"),
        ],
    ),
    (
        "rollout run",
        &[
            ("dsrules rollout run daemonset/log-agent --cluster --dry-run", "what would be replaced first"),
            (
                "dsrules rollout run daemonset/log-agent --cluster=staging",
                "replace the old pods of a live cluster",
            ),
        ],
    ),
    (
        "test",
        &[
            ("dsrules test tests", "whether plans and rules are as expected"),
            ("dsrules test tests --coverage", "and which rules no case fires"),
        ],
    ),
    (
        "rules",
        &[
            ("dsrules rules list", "what rules may ask about"),
            ("dsrules rules check policy", "mistakes in rules of your own"),
        ],
    ),
    (
        "rules list",
        &[
            ("dsrules rules list --open", "what rules of your own may add to"),
            ("dsrules rules list -o wide", "all relations as a table"),
        ],
    ),
    (
        "rules show",
        &[
            ("dsrules rules show eligible", "a relation with its rules"),
            ("dsrules rules show blocked --rules policy", "with your own rules"),
        ],
    ),
    (
        "rules check",
        &[
            ("dsrules rules check policy", "mistakes that need no cluster to be seen"),
            ("dsrules rules check policy -f fleet --deny-warnings", "and what that fleet never has"),
        ],
    ),
    (
        "rules fmt",
        &[
            ("dsrules rules fmt policy", "one layout for all"),
            ("dsrules rules fmt --check policy", "whether it has it already, for CI"),
        ],
    ),
    (
        "rules profile",
        &[
            ("dsrules rules profile -f fleet", "what each rule costs for a folder"),
            ("dsrules rules profile -f fleet --top 5", "the dearest five"),
        ],
    ),
    (
        "lsp",
        &[
            ("dsrules lsp --stdio < /dev/null", "as an editor starts it; editors/ has how"),
            ("dsrules lsp < /dev/null", "the same"),
        ],
    ),
    (
        "completions",
        &[
            ("eval \"$(dsrules completions bash)\"", "for this shell, with the names in the store"),
            ("dsrules completions fish > dsrules.fish", "a file for ~/.config/fish/completions"),
        ],
    ),
    (
        "man",
        &[
            ("dsrules man > dsrules.1", "the main page"),
            ("mkdir -p pages && dsrules man pages", "a page for each command"),
        ],
    ),
    (
        "version",
        &[
            ("dsrules version", "the version"),
            ("dsrules version -o json", "with the formats that it reads and writes"),
        ],
    ),
    (
        "help",
        &[
            ("dsrules help plan", "as `dsrules plan --help`"),
            ("dsrules help rollout undo", "of a command of a command"),
        ],
    ),
];

/// The command line with its examples.
pub fn with_examples(command: Command) -> Command {
    ALL.iter().fold(command, |command, (path, lines)| {
        let words: Vec<&str> = path.split(' ').collect();
        at(command, &words, &told(lines))
    })
}

/// The command at the end of a path, with a text behind its help.
fn at(command: Command, path: &[&str], text: &str) -> Command {
    let Some((first, rest)) = path.split_first() else {
        let before = command.get_after_help().map(|help| format!("{help}\n\n")).unwrap_or_default();
        return command.after_help(format!("{before}{text}"));
    };
    if command.find_subcommand(first).is_none() {
        return command;
    }
    command.mut_subcommand(*first, |inner| at(inner, rest, text))
}

fn told(lines: &[(&str, &str)]) -> String {
    const BESIDE: usize = 40;
    let mut text = "Examples:".to_owned();
    for (line, what) in lines {
        let gap = if line.len() + 1 < BESIDE {
            " ".repeat(BESIDE - line.len())
        } else {
            format!("\n{}", " ".repeat(BESIDE + 2))
        };
        text.push_str(&format!("\n  {line}{gap}{what}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn without<'c>(command: &'c Command, found: &mut Vec<&'c str>) {
        for inner in command.get_subcommands().filter(|it| it.get_name() != "help") {
            let help = inner.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines = help.split("Examples:").nth(1).unwrap_or_default().lines();
            if lines.filter(|line| line.starts_with("  ") && !line.starts_with("   ")).count() < 2 {
                found.push(inner.get_name());
            }
            without(inner, found);
        }
    }

    #[test]
    fn every_command_has_two_and_each_is_of_a_command() {
        let command = with_examples(crate::cli::args::Cli::command());
        let mut found = Vec::new();
        without(&command, &mut found);
        assert!(found.is_empty(), "{found:?}");
        for (path, _) in ALL {
            let found = path.split(' ').try_fold(&command, |command, word| command.find_subcommand(word));
            assert!(found.is_some(), "there is no {path}");
        }
    }
}
