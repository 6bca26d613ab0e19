//! The fuzz targets on their seeds: what was once found stays mended.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;

fn seeds(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        run(&fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 10, "{count} seeds of {target}");
}

#[test]
fn manifests_of_the_seeds_are_read() {
    seeds("manifest", targets::manifest);
}

#[test]
fn rules_of_the_seeds_are_read() {
    seeds("rules", targets::rules);
}
