//! What an API server would refuse, found from the object alone.
//!
//! These are Kubernetes 1.31's own rules for DaemonSets, Nodes, Services and the pods in
//! templates, with its error types and field paths; how a message is worded is ours.
//! They say whether an object is sound, not where its pods go: that is policy and
//! stands in the rules. Types and unknown fields are looked at where manifests are read.

mod claims;
mod containers;
mod daemonset;
mod env;
mod errors;
mod labels;
mod leniency;
mod meta;
mod network;
mod node;
pub mod path;
mod pod;
mod priority;
mod probes;
mod resources;
mod revision;
mod scheduling;
mod security;
mod service;
mod template;
mod text;
mod vendors;
mod volumes;
mod warnings;
mod windows;

use serde_json::Value;

use self::meta::DEFAULT_NAMESPACE;
use self::path::Cursor;
use crate::kube::{Kind, NameForm, Quantity, defaults};

pub use daemonset::NO_SELECTOR;
pub use errors::{ErrorType, FieldError};
pub use labels::selects;
pub use warnings::{Warning, warnings};

/// Everything an API server would refuse about an object as a user wrote it: one that
/// is to be created, or, with `old`, one that is to take the place of a stored one.
///
/// Defaults are filled in on a copy; `value` stays as it is.
#[must_use]
pub fn validate(kind: Kind, value: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = errors::Errors::default();
    if kind == Kind::Node {
        node::check(&Cursor::root(value), old, &mut errors);
        return errors.0;
    }
    let mut value = value.clone();
    // What is filled in of those without a namespace is sound.
    if kind.namespaced() {
        defaults(kind, &mut value, DEFAULT_NAMESPACE);
    }
    let root = Cursor::root(&value);
    if kind == Kind::DaemonSet {
        let old = old.map(|old| {
            let mut old = old.clone();
            defaults(kind, &mut old, DEFAULT_NAMESPACE);
            old
        });
        daemonset::check(&root, old.as_ref(), &mut errors);
        return errors.0;
    }
    let form = match kind.info().names {
        NameForm::Label => text::dns_label,
        NameForm::Host => text::host_label,
        NameForm::Subdomain => text::dns_subdomain,
    };
    meta::object_meta(&root, kind.namespaced(), form, old, &mut errors);
    match kind {
        Kind::ControllerRevision => revision::check(&root, old, &mut errors),
        Kind::Service => service::check(&root, old, &mut errors),
        _ => {
            if kind == Kind::Pod {
                pod::scheduled(&root.field("spec"), &mut errors);
            }
            old.into_iter().for_each(|old| meta::update(&root, old, &mut errors));
            priority::check(kind, &root, old, &mut errors);
        }
    }
    errors.0
}

/// Whether a value is a quantity, as `500m` or `1.5Gi`.
#[must_use]
pub fn is_quantity(value: &Value) -> bool {
    Quantity::of(value).is_some()
}

/// Whether objects of a kind are looked at; of most that are not managed nothing is read.
#[must_use]
pub fn is_checked(kind: Kind) -> bool {
    !kind.is_other() || priority::is_checked(kind)
}

/// Whether anything of a kind may not change.
#[must_use]
pub fn has_update_rules(kind: Kind) -> bool {
    matches!(kind, Kind::DaemonSet | Kind::Node | Kind::ControllerRevision | Kind::Service)
        || priority::has_update_rules(kind)
}

/// Only what may not change between a stored object and the one that is to take its
/// place: for an object that was found sound by itself.
#[must_use]
pub fn validate_update(kind: Kind, value: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = errors::Errors::default();
    match kind {
        Kind::DaemonSet => daemonset::update(&Cursor::root(value), old, &mut errors),
        Kind::Node => node::update(&Cursor::root(value), old, &mut errors),
        Kind::Service => service::update(&Cursor::root(value), old, &mut errors),
        Kind::ControllerRevision => revision::update(&Cursor::root(value), old, &mut errors),
        _ => priority::update(kind, &Cursor::root(value), old, &mut errors),
    }
    errors.0
}
