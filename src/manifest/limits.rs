//! How much of anything an input may hold.
//!
//! Manifests come from people, tools and pipes, so every dimension in which a text
//! can grow has a bound, and each bound has an error of its own. The defaults are far
//! above what real clusters need; they are data, so a caller may set others.

/// The bounds of one reading. [`Limits::default`] has the documented defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one JSON file or of stdin. Default 2 GiB.
    pub file_bytes: u64,
    /// Bytes of one YAML file: reading YAML costs ten times what JSON does. Default 512 MiB.
    pub yaml_bytes: u64,
    /// Files of one reading. Default 1,000,000.
    pub files: usize,
    /// Documents of one file. Default 1,000,000.
    pub documents: usize,
    /// How deep lists and mappings may nest. Default 100.
    pub depth: usize,
    /// Bytes of one string. An API server takes no object over 3 MiB. Default 4 MiB.
    pub scalar_bytes: usize,
    /// Bytes that the aliases and merge keys of one document may expand to. Default 16 MiB.
    pub alias_bytes: usize,
    /// Diagnostics of one file that are shown; the others are counted. Default 1,000.
    pub diagnostics: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            file_bytes: 2 << 30,
            yaml_bytes: 512 << 20,
            files: 1_000_000,
            documents: 1_000_000,
            depth: 100,
            scalar_bytes: 4 << 20,
            alias_bytes: 16 << 20,
            diagnostics: 1_000,
        }
    }
}
