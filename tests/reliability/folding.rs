//! R10: two objects whose files would have one name, and the longest names that there are.

use std::collections::BTreeSet;

use crate::base::{Place, daemonset, figure, node};

const FORMATS: [&str; 6] = ["plain", "manifest", "static", "kube-play", "systemd", "quadlet"];

/// A pod of nobody has no file; only those of daemonsets do, so these say what is in a name.
fn named(name: &str, namespace: &str) -> String {
    daemonset("x", "i:1", "")
        .replace("{name: x}\nspec", &format!("{{name: {name}, namespace: {namespace}}}\nspec"))
}

#[test]
fn file_names_are_distinct_and_short() {
    let long = |length: usize| format!("{}z", "a".repeat(length - 1));
    let dotted = |length: usize| {
        let mut name = "a.".repeat(length / 2);
        name.push_str(if length.is_multiple_of(2) { "" } else { "b" });
        let cut = name.trim_end_matches('.').to_owned();
        if cut.len() < length { format!("{cut}{}", "c".repeat(length - cut.len())) } else { cut }
    };
    // Names that differ in what a file name might fold away: dots and dashes, where the
    // namespace ends, the end of a long name.
    let mut all = BTreeSet::new();
    for namespace in ["a", "a-b", "b", "a-b-c", &long(63)] {
        for name in ["a", "a-b", "a.b", "b-a", "b.a", "c", "a-b-c", "b-c", &long(63), &dotted(63)] {
            all.insert((name.to_owned(), namespace.to_owned()));
        }
    }
    for length in [200, 240, 246, 247, 252, 253] {
        all.insert((dotted(length), "a".to_owned()));
        all.insert((dotted(length), long(63)));
        all.insert((dotted(length - 1) + "d", "a".to_owned()));
    }
    let mut distinct = 0;
    for format in FORMATS {
        let place = Place::light();
        let nodes = ["m", "m.m", "m-m", &dotted(253), &(dotted(252) + "d"), &long(63)];
        let mut text: String = nodes.iter().map(|it| node(it, "ssd")).collect();
        all.iter().for_each(|(name, namespace)| text += &named(name, namespace));
        place.write("in/all.yaml", text);
        let said = place.run(&format!("apply in -q --tree pods --tree-format {format}"));
        let seen = place.look("pods");
        let longest = seen.keys().flat_map(|path| path.split('/')).map(str::len).max().unwrap_or(0);
        assert!(longest <= 255, "{format}: {longest}");
        if said.code != Some(0) {
            // Refused, and before anything was done.
            assert!(
                said.is_orderly() && said.code == Some(1) && seen.is_empty(),
                "{format}: {:.2000}",
                said.err
            );
            continue;
        }
        let pods = place.ok("get pods -A -o name").lines().count();
        assert_eq!(pods, all.len() * nodes.len(), "{format}");
        let files: Vec<&String> =
            seen.keys().filter(|path| path.ends_with(".yaml") && !path.contains(".dsrules.files")).collect();
        assert_eq!(files.len(), pods, "{format}: two pods have one file");
        distinct += files.len();
        let folded: BTreeSet<String> = files.iter().map(|path| path.to_lowercase()).collect();
        assert_eq!(folded.len(), pods, "{format}: but for upper and lower case");
        place.ok(&format!("plan in --detailed-exitcode -q --tree pods --tree-format {format}"));
    }
    figure(
        "R10",
        format!(
            "{} names of up to 253 characters in 6 formats: {distinct} files, all distinct, names of at most 255 bytes",
            all.len()
        ),
    );
}
