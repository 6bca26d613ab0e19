//! Where keys are.

/// The keys under a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: String,
}

impl Layout {
    /// Of a prefix, without slashes at its ends.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Layout { root: format!("{prefix}/v1/") }
    }

    /// What all keys begin with.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The key of a row's path.
    #[must_use]
    pub fn key(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// Whose keys these are.
    #[must_use]
    pub fn meta(&self) -> String {
        self.key("meta")
    }

    /// What is written with every change.
    #[must_use]
    pub fn head(&self) -> String {
        self.key("head")
    }

    /// What a node's pods begin with.
    #[must_use]
    pub fn pods_of(&self, node: &str) -> String {
        self.key(&format!("pods/{node}/"))
    }

    /// Under leases: `live/CLASS/NAME`.
    #[must_use]
    pub fn live(&self, class: &str, name: &str) -> String {
        self.key(&format!("live/{class}/{name}"))
    }

    /// The path of a key that is a row.
    #[must_use]
    pub fn path<'k>(&self, key: &'k str) -> Option<&'k str> {
        let path = key.strip_prefix(&self.root)?;
        let is_row = !matches!(path, "meta" | "head") && !path.starts_with("live/");
        is_row.then_some(path)
    }
}
