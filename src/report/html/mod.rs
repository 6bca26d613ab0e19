//! A picture of the fleet as a page: one file that needs nothing from elsewhere.
//!
//! The frame of the page is markup in Rust, where text is escaped by its type ([`page`]); the
//! matrix is drawn by a script from data in the page ([`packed`]), so that a thousand nodes with
//! fifty daemonsets are a few hundred kilobytes. The page's own policy lets a browser run that
//! script and nothing else, and fetch nothing.

mod packed;
mod page;
mod signs;

pub use page::picture_html;
