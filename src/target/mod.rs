//! What is written to: the SQLite file that holds the state, and the tree of files.

pub mod sqlite;
pub mod tree;
