//! Paths of rules as a person names them.

use std::path::PathBuf;

use dsrules::policy::Asked;

/// The file that names rules.
pub const CONFIG: &str = "dsrules.yaml";

/// What was asked for with what these paths name: rules, folders of them, or folders with a
/// `dsrules.yaml`.
pub fn named(paths: &[PathBuf], mut asked: Asked) -> Asked {
    for path in paths {
        let names_rules = path.join(CONFIG).is_file() || path.file_name().is_some_and(|name| name == CONFIG);
        if names_rules { &mut asked.beside } else { &mut asked.rules }.push(path.clone());
    }
    asked
}
