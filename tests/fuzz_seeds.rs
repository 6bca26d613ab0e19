//! The fuzz targets on their seeds: what was once found stays mended.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;

fn seeds(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let packed = File::open(folder.join(format!("{target}.tar.gz"))).unwrap();
    let mut count = 0;
    for entry in tar::Archive::new(GzDecoder::new(packed)).entries().unwrap() {
        let mut bytes = Vec::new();
        entry.unwrap().read_to_end(&mut bytes).unwrap();
        run(&bytes);
        count += 1;
    }
    assert!(count >= 100, "{count} seeds of {target}");
}

#[test]
fn manifests_of_the_seeds_are_read() {
    seeds("manifest", targets::manifest);
}

#[test]
fn rules_of_the_seeds_are_read() {
    seeds("rules", targets::rules);
}
