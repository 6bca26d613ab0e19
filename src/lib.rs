//! dsrules answers, for Kubernetes-style DaemonSets, which node must run which pod, why,
//! and what has to change; and makes it so.
//!
//! ```text
//!  manifest      state       facts       datalog      plan        target           report
//!  YAML, JSON -> the world -> relations -> strata  -> actions  -> SQLite, tree  -> text, JSON
//! ```
//! One direction: a module knows nothing of those that stand below it in the list of modules. [`app`] joins the
//! stages into what a command does; the policy is in `rules/*.dl` and nowhere else.
//!
//! The whole way, without a store:
//!
//! ```
//! # use dsrules::{app::{Options, planning}, manifest, policy, report, state::{Gone, World}};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = "---
//! {apiVersion: v1, kind: Node, metadata: {name: edge-1}}
//! ---
//! {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent}, spec: {
//!   selector: {matchLabels: {app: agent}}, template: {metadata: {labels: {app: agent}},
//!   spec: {containers: [{name: agent, image: 'agent:1'}]}}}}";
//! let input = manifest::Input::Text { name: "cluster.yaml".into(), bytes: text.as_bytes().to_vec().into() };
//! let reading = manifest::read(&[input], &manifest::Options::default());
//! let program = policy::load(&[]).program.ok_or("a built-in rule is wrong")?;
//! let (mut world, now) = (World::default(), 1_772_442_000);
//! let planned = planning::plan(&mut world, reading.objects, &Gone::default(), &program, &Options::at(now))?;
//! let mut shown = Vec::new();
//! let look = report::Look { detail: report::Detail::Short, paint: report::Paint(false), done: false };
//! report::plan_text(&planned.plan, look, &mut shown)?;
//! assert!(String::from_utf8(shown)?.contains("edge-1 should run a pod of agent and has none."));
//! # Ok(())
//! # }
//! ```
#![cfg_attr(not(test), warn(clippy::expect_used))]

pub mod diagnostic;
pub mod yaml;
mod cores;
pub mod meter;
mod hash;

pub mod kube;
pub mod validate;
pub mod manifest;
pub mod state;
pub mod source;
pub mod datalog;
pub mod policy;
pub mod facts;
pub mod reason;
pub mod plan;
pub mod reach;
pub mod explain;
pub mod etcd;
pub mod target;
pub mod cluster;
pub mod app;
pub mod report;
pub mod serve;
pub mod lsp;
