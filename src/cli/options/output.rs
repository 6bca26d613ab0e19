//! `-o` of the commands that show a plan or objects.

use clap::ValueEnum;

/// How they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // JSON; a plan has a version field
    Json,
    // YAML; a plan has a version field
    Yaml,
    // More columns, every line
    Wide,
    // Names only, as `pod/a`
    Name,
}
