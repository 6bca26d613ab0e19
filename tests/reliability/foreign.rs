//! R9: files that dsrules did not write stay as they are; its own, edited by hand, are told by a plan
//! and mended by an apply. Random hands are in `tests/tree_random.rs`.

use std::collections::BTreeMap;
use std::fs;

use crate::base::{Place, daemonset, figure, node};

const FORMATS: [&str; 6] = ["plain", "manifest", "static", "kube-play", "systemd", "quadlet"];

#[test]
fn foreign_files_stay_and_own_ones_are_mended() {
    let (mut kept, mut mended) = (0, 0);
    for format in FORMATS {
        let place = Place::light();
        place.write("in/all.yaml", node("n1", "ssd") + &node("n2", "ssd") + &daemonset("agent", "i:1", ""));
        let tree = format!("--tree pods --tree-format {format} --tree-at /pods");
        place.ok(&format!("apply in -q {tree}"));
        let own = place.look("pods");
        let foreign: BTreeMap<String, String> =
            ["README", "n1/other.yaml", "n1/.hidden", "n1/deep/er.yaml", "n3/x.yaml", "n1/.dsrules.bak"]
                .into_iter()
                .map(|path| (path.to_owned(), format!("of others: {path}")))
                .collect();
        foreign.iter().for_each(|(path, text)| place.write(&format!("pods/{path}"), text));
        let files = own.iter().filter(|(path, what)| *what != "folder" && !path.ends_with("/.dsrules"));
        for (path, text) in files {
            type Hand = fn(&str) -> Option<String>;
            let hands: [Hand; 4] = [
                |_| None,
                |_| Some(String::new()),
                |text| Some(format!("{text}# mine\n")),
                |text| Some(text[..text.len() / 2].to_owned()),
            ];
            for hand in hands {
                match hand(text) {
                    Some(other) => place.write(&format!("pods/{path}"), other),
                    None => fs::remove_file(place.path("pods").join(path)).unwrap(),
                }
                let told = place.run(&format!("plan in --detailed-exitcode {tree}"));
                assert!(
                    told.code == Some(2) && told.out.contains(path.as_str()),
                    "{format} {path}: {told:?}"
                );
                place.ok(&format!("apply in -q {tree}"));
                mended += 1;
                let mut now = place.look("pods");
                for (path, text) in &foreign {
                    assert_eq!(now.remove(path).as_ref(), Some(text), "{format}");
                    kept += 1;
                }
                now.retain(|path, _| own.contains_key(path));
                assert_eq!(now, own, "{format} {path}");
            }
        }
        // All goes but what is of others.
        place.ok(&format!("delete ds agent --max-delete 100% -q {tree}"));
        let left = place.look("pods");
        assert!(foreign.keys().all(|path| left.contains_key(path)), "{format}: {left:?}");
        assert!(!left.values().any(|what| what.contains("is written by dsrules")), "{format}: {left:?}");
    }
    figure(
        "R9",
        format!(
            "{mended} edits of own files in 6 formats told and mended; foreign files untouched, {kept} looks"
        ),
    );
}
