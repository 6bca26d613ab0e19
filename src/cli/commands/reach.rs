//! `dsrules reach daemonset/NAME`: where clients find it, for people and for other programs.

use std::io::Write;

use clap::{Args, ValueEnum};
use dsrules::app::resources::wanted;
use dsrules::app::{Reachable, reach};
use dsrules::diagnostic::counted;
use dsrules::reach::{Form, Only};
use dsrules::report;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// Arguments of `reach`.
#[derive(Debug, Args)]
pub struct ReachArgs {
    /// What is to be reached: `daemonset/NAME`, `service/NAME`, or all `daemonsets` or `services`
    #[arg(value_name = "daemonset/NAME | service/NAME", required = true, num_args = 1..)]
    resources: Vec<String>,
    /// The namespace it is in
    #[arg(long, short = 'n', value_name = "NAMESPACE", default_value = "default")]
    namespace: String,
    /// Only the port of this name or number
    #[arg(long, value_name = "PORT")]
    port: Option<String>,
    /// Only on this node; may be given several times
    #[arg(long, value_name = "NODE")]
    node: Vec<String>,
    /// The domain of a dns-zone [default: cluster.local]
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    domain: Option<String>,
    /// How to show it
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum)]
    output: Option<ReachFormat>,
}

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReachFormat {
    // JSON, with a version field
    Json,
    // YAML, with a version field
    Yaml,
    // More columns: pod, container, services
    Wide,
    // Targets for Prometheus' file_sd_configs
    PrometheusSd,
    // Lines for a hosts file, of what is ready
    Hosts,
    // A zone file, of what is ready
    DnsZone,
}

/// Shows where it is reached.
pub fn run(args: &ReachArgs, context: &mut Context) -> Result<Exit, Failure> {
    let only = Only { nodes: args.node.clone(), port: args.port.clone() };
    let wanted = wanted(&args.resources)?;
    let found = reach(&context.database, &wanted, &args.namespace, only, context.seconds())?;
    let form = match args.output {
        Some(ReachFormat::PrometheusSd) => Form::PrometheusSd,
        Some(ReachFormat::Hosts) => Form::Hosts,
        Some(ReachFormat::DnsZone) => Form::DnsZone,
        shown => return show(&found, shown, context),
    };
    let text = found.text(form, args.domain.as_deref(), context.seconds());
    context.out.write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

fn show(found: &Reachable, shown: Option<ReachFormat>, context: &mut Context) -> Result<Exit, Failure> {
    let reached = &found.listing.reached;
    let document = report::reach_document(reached);
    match shown {
        Some(ReachFormat::Json) => report::write_json(&document, &mut context.out)?,
        Some(ReachFormat::Yaml) => report::write_yaml(&document, &mut context.out)?,
        _ => {
            let table = report::reach_table(reached, shown == Some(ReachFormat::Wide));
            if table.is_empty() {
                context.note("Nothing is reached there.");
            } else {
                table.write(&mut context.fitted(), "", true)?;
            }
        }
    }
    for it in reached.iter().filter(|it| it.without_address > 0) {
        let pods = counted(it.without_address, "pod");
        let what = format!("{}/{}", it.kind.resource(), it.key.name);
        context.note(&format!(
            "{pods} of {what} without a known address: no host port or host network on a node that says its address, \
             and no address in a status"
        ));
    }
    Ok(Exit::Done)
}

/// A domain, without the full stop at its end.
fn domain(text: &str) -> Result<String, String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if name.len() <= 200 && name.split('.').all(is_label) {
        Ok(name.to_lowercase())
    } else {
        Err("a domain is words of letters, digits and `-`, joined by full stops".to_owned())
    }
}
