//! The stages of a use case that writes, between which it counts what there is.

/// Before it nothing is changed; until [`WRITTEN`] it is not known.
pub const WRITING: &str = "writing the store";
/// The store holds what was asked for; what follows it is not done yet.
pub const WRITTEN: &str = "writing the tree";
