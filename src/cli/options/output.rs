//! `-o` of the commands that show objects or a plan.

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

/// How a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    // JSON, with a version field
    Json,
    // YAML, with a version field
    Yaml,
    // Every line, however many there are
    Wide,
    // Names only, as `create pod/NAMESPACE/NAME`
    Name,
    // What rules say of it, as SARIF 2.1.0, for code scanning
    Sarif,
    // What rules say of it, as workflow commands, for GitHub Actions
    Github,
    // What rules say of it, as JUnit XML: each violation or warning that rules may find is a test
    Junit,
}

impl PlanFormat {
    /// Whether it is for a program, which is told everything.
    pub fn is_for_programs(self) -> bool {
        !matches!(self, PlanFormat::Wide | PlanFormat::Name)
    }

    /// Whether it has only what rules say of a plan.
    pub fn is_findings(self) -> bool {
        matches!(self, PlanFormat::Sarif | PlanFormat::Github | PlanFormat::Junit)
    }
}

/// How a table of our own is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    // JSON, with a version field
    Json,
    // YAML, with a version field
    Yaml,
    // More rows
    Wide,
}

/// The forms for programs, of what is text else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DataFormat {
    // JSON, with a version field
    Json,
    // YAML, with a version field
    Yaml,
}
