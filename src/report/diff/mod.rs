//! What a change does to the fleet: for a terminal, for a pull request, for a program.

mod document;
mod markdown;
mod text;
mod words;

pub use document::diff_document;
pub use markdown::{MOST as MARKDOWN_MOST, diff_markdown};
pub use text::diff_text;
