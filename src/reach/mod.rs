//! How clients find pods: the endpoints of services and the ports of daemonsets, as what name
//! servers, Prometheus and hosts files read.
//!
//! The rules of `rules/service.dl` say which pods, where and whether they are ready. Here that
//! is put together. Nothing is decided here, and nothing is written.
//!
//! ```text
//!   rows ──> Endpoints ──> slices, records
//!        └─> Reached ────> prometheus_sd, hosts, zone, documents
//! ```

mod derived;
mod document;
mod endpoints;
mod hosts;
mod listing;
mod prometheus;
mod records;
mod slices;
mod target;
mod zone;

pub use derived::Derived;
pub use document::{Document, Documents, documents};
pub use endpoints::{Endpoint, EndpointPort, Endpoints};
pub use hosts::hosts;
pub use listing::{Form, Listing, Only};
pub use prometheus::prometheus_sd;
pub use records::{DOMAIN, Data, Record, records};
pub use slices::{MOST, SERVICE_NAME, slices};
pub use target::{Container, Reached, Target};
pub use zone::{Zone, of_daemonset, serial_of, zone};
