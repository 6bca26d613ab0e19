//! `dsrules agent`: one node is kept at what the rules say, as a central run would keep it, and
//! nothing that goes wrong beside it stops a pod.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "agent/equal.rs"]
mod equal;
#[path = "agent/fleet.rs"]
mod fleet;
#[path = "agent/source.rs"]
mod source;
