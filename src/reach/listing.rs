//! What is reached of some daemonsets and services, in each form that there is.

use std::collections::BTreeSet;

use super::derived::Derived;
use super::document::documents;
use super::endpoints::Endpoints;
use super::hosts::hosts;
use super::prometheus::prometheus_sd;
use super::records::{Record, records};
use super::target::Reached;
use super::zone::{Zone, of_daemonset, zone};
use crate::kube::{Kind, ObjectKey};
use crate::state::World;

/// A form for programs that are not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Targets for Prometheus' `file_sd_configs`.
    PrometheusSd,
    /// Lines for a hosts file.
    Hosts,
    /// A zone file.
    DnsZone,
    /// A document, with a version field.
    Json,
}

impl Form {
    /// All of them.
    pub const ALL: [Form; 4] = [Form::PrometheusSd, Form::Hosts, Form::DnsZone, Form::Json];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Form::PrometheusSd => "prometheus-sd",
            Form::Hosts => "hosts",
            Form::DnsZone => "dns-zone",
            Form::Json => "json",
        }
    }
}

/// Which part of what is reached is meant.
#[derive(Debug, Clone, Default)]
pub struct Only {
    /// These nodes; all where none is named.
    pub nodes: Vec<String>,
    /// Ports of this name or number; all where none is named.
    pub port: Option<String>,
}

impl Only {
    fn node(&self, node: &str) -> bool {
        self.nodes.is_empty() || self.nodes.iter().any(|it| it == node)
    }

    fn port(&self, name: &str, number: Option<i64>) -> bool {
        let is = |port: &String| port == name || number.is_some_and(|number| number.to_string() == *port);
        self.port.as_ref().is_none_or(is)
    }
}

/// Daemonsets and services with what is reached of them.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// What is reached.
    pub reached: Vec<Reached>,
    only: Only,
}

impl Listing {
    /// What a form has where nothing is named: all daemonsets, and all services where it is not
    /// about targets.
    #[must_use]
    pub fn all(form: Form, world: &World, derived: Derived<'_>) -> Self {
        let daemonsets = world.daemonsets.keys().map(|key| (Kind::DaemonSet, key));
        let services = world.others.keys().filter(|(kind, _)| *kind == Kind::Service);
        let services = services.filter(|_| form != Form::PrometheusSd).map(|(kind, key)| (*kind, key));
        let all: Vec<(Kind, &ObjectKey)> = daemonsets.chain(services).collect();
        Listing::of(&all, Only::default(), world, derived)
    }

    /// The part that is meant of these daemonsets and services; those that are not there are
    /// left out.
    #[must_use]
    pub fn of(objects: &[(Kind, &ObjectKey)], only: Only, world: &World, derived: Derived<'_>) -> Self {
        let reached = objects.iter().filter_map(|(kind, key)| match kind {
            Kind::Service => Reached::service(key, world, derived),
            _ => Reached::daemonset(key, world, derived),
        });
        let mut reached: Vec<Reached> = reached.collect();
        for it in &mut reached {
            it.targets.retain(|target| only.node(&target.node) && only.port(&target.name, target.port));
        }
        Listing { reached, only }
    }

    /// The text of a form; a zone has this name and number.
    #[must_use]
    pub fn text(&self, form: Form, world: &World, derived: Derived<'_>, of: &Zone<'_>) -> String {
        match form {
            Form::PrometheusSd => prometheus_sd(&self.reached, world),
            Form::Hosts => hosts(&self.reached),
            Form::DnsZone => zone(self.records(world, derived), of),
            Form::Json => {
                let mut text = serde_json::to_string_pretty(&documents(&self.reached)).unwrap_or_default();
                text.push('\n');
                text
            }
        }
    }

    /// The records of all of them, and of the services that find the pods of a daemonset.
    fn records(&self, world: &World, derived: Derived<'_>) -> Vec<Record> {
        let daemonsets = self.reached.iter().filter(|it| it.kind == Kind::DaemonSet);
        let mut found: Vec<Record> = daemonsets.flat_map(of_daemonset).collect();
        let of = |it: &Reached| match it.kind {
            Kind::Service => vec![it.key.clone()],
            _ => it.services.clone(),
        };
        let services: BTreeSet<ObjectKey> = self.reached.iter().flat_map(of).collect();
        for key in services {
            let Some(service) = world.others.get(&(Kind::Service, key)) else { continue };
            let mut endpoints = Endpoints::of(service, world, derived);
            endpoints.pods.retain(|pod| self.only.node(pod.node.as_deref().unwrap_or("")));
            for pod in &mut endpoints.pods {
                pod.ports.retain(|port| self.only.port(&port.name, Some(port.port)));
            }
            found.extend(records(service, &endpoints));
        }
        found
    }
}
