//! The options about the machine's own node.

use std::path::{Path, PathBuf};

use clap::Args;
use dsrules::diagnostic::Diagnostic;
use dsrules::source::{Machine, OwnNode};

/// Which node this is, and what it is like.
#[derive(Debug, Args)]
#[command(next_help_heading = "This node")]
pub struct NodeArgs {
    /// The name of this node [default: the machine's host name]
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// The file that has its Node; else a manifest of the source has it, or it is gathered from
    /// the machine
    #[arg(long, value_name = "FILE")]
    node_file: Option<PathBuf>,
    /// A label that it has besides; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    /// A taint that it has besides; may be given several times
    #[arg(long, value_name = "KEY[=VALUE]:EFFECT", value_parser = taint)]
    taint: Vec<(String, String, String)>,
    /// Its address, in place of the one that was found; may be given several times
    #[arg(long, value_name = "IP")]
    address: Vec<std::net::IpAddr>,
}

impl NodeArgs {
    /// As the library takes it.
    pub fn own(&self) -> Result<OwnNode, Vec<Diagnostic>> {
        let name = match &self.node {
            Some(name) => name.clone(),
            None => Machine::read(Path::new("/")).hostname,
        };
        let own = OwnNode {
            name: name.into(),
            file: self.node_file.clone(),
            labels: self.label.clone(),
            taints: self.taint.clone(),
            addresses: self.address.iter().map(ToString::to_string).collect(),
        };
        own.check()?;
        Ok(own)
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as `KEY=VALUE`")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// As `kubectl taint` takes it.
fn taint(text: &str) -> Result<(String, String, String), String> {
    let (taint, effect) = text.rsplit_once(':').ok_or("write it as `KEY=VALUE:EFFECT` or `KEY:EFFECT`")?;
    let (key, value) = taint.split_once('=').unwrap_or((taint, ""));
    Ok((key.to_owned(), value.to_owned(), effect.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_taints_are_written_as_kubectl_takes_them() {
        let three = |a: &str, b: &str, c: &str| Ok((a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(taint("a=b:NoSchedule"), three("a", "b", "NoSchedule"));
        assert_eq!(taint("x/a:NoExecute"), three("x/a", "", "NoExecute"));
        assert!(taint("a=b").is_err());
        assert_eq!(label("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(label("a").is_err());
    }
}
