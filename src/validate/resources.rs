//! Requests, limits and claims of resources.

use std::collections::BTreeSet;

use super::errors::Errors;
use super::path::Cursor;
use super::text;
use crate::kube::Quantity;

/// The requests and limits of a container.
pub(super) fn requirements(at: &Cursor<'_, '_>, claims: Option<&BTreeSet<String>>, errors: &mut Errors) {
    let (limits, requests) = (at.field("limits"), at.field("requests"));
    amounts(&limits, errors);
    for (name, amount) in requests.entries() {
        one_amount(name, &amount, errors);
        let Some(requested) = rounded(&amount) else { continue };
        match rounded(&limits.key(name)) {
            Some(limit) if requested != limit && !may_overcommit(name) => {
                report_on_map(errors, &amount, &format!("must be equal to the limit of `{name}`"));
            }
            Some(limit) if requested > limit => {
                report_on_map(errors, &amount, &format!("must not be more than the limit of `{name}`"));
            }
            None if !may_overcommit(name) && !limits.key(name).is_set() => {
                errors.required(&limits, &format!("a request of `{name}` needs an equal limit"));
            }
            _ => {}
        }
    }
    let names: Vec<&str> = limits.entries().chain(requests.entries()).map(|(name, _)| name).collect();
    if names.iter().any(|name| is_huge_page(name))
        && !names.iter().any(|name| matches!(*name, "cpu" | "memory"))
    {
        errors.forbidden(at, "huge pages need `cpu` or `memory` beside them");
    }
    if let Some(known) = claims {
        container_claims(&at.field("claims"), known, errors);
    }
}

/// An amount too high for its limit is reported for all requests.
fn report_on_map(errors: &mut Errors, amount: &Cursor<'_, '_>, detail: &str) {
    let from = errors.count();
    errors.invalid(amount, detail);
    errors.report_as(from, |steps| {
        steps.pop();
    });
}

/// What a pod costs beside its containers.
pub(super) fn overhead(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let from = errors.count();
    amounts(at, errors);
    let depth = at.path().0.len();
    errors.report_as(from, |steps| steps.insert(depth, super::path::Step::Field("limits".to_owned())));
}

fn amounts(at: &Cursor<'_, '_>, errors: &mut Errors) {
    for (name, amount) in at.entries() {
        one_amount(name, &amount, errors);
    }
}

fn one_amount(name: &str, at: &Cursor<'_, '_>, errors: &mut Errors) {
    let wrong = text::qualified_name(name);
    errors.invalid_each(at, &wrong);
    let plain = !name.contains('/');
    if wrong.is_empty() && plain && !is_standard(name) {
        errors.invalid(at, "is neither a standard resource nor one with a domain, like `example.com/gpu`");
    }
    if plain && !is_standard_for_containers(name) {
        errors.invalid(
            at,
            "is no resource that a container can have: `cpu`, `memory`, `ephemeral-storage`, `hugepages-…`",
        );
    } else if !plain && !is_native(name) && !is_extended(name) {
        errors.invalid(at, "is no name of an extended resource");
    }
    quantity(name, at, errors);
    if is_huge_page(name) && !is_whole_pages(name, at) {
        errors.invalid(at, "is no whole number of pages");
    }
}

/// An amount of a resource: not negative, and whole where there are no parts.
pub(super) fn quantity(name: &str, at: &Cursor<'_, '_>, errors: &mut Errors) {
    let Some(amount) = rounded(at) else { return };
    if amount.is_negative() {
        errors.invalid(at, "must be greater than or equal to 0");
    }
    if is_integer(name) && !amount.is_whole() {
        errors.invalid(at, "must be a whole number");
    }
}

fn rounded(at: &Cursor<'_, '_>) -> Option<Quantity> {
    Quantity::of(at.value).map(Quantity::to_milli)
}

fn is_whole_pages(name: &str, at: &Cursor<'_, '_>) -> bool {
    let page = name.strip_prefix("hugepages-").and_then(Quantity::parse);
    match (page, rounded(at)) {
        (Some(page), Some(amount)) if page.value() > 0 && page.is_whole() => {
            amount.value() % page.value() == 0
        }
        _ => false,
    }
}

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_standard_for_containers(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || is_huge_page(name)
}

const COUNTED: [&str; 9] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

fn is_standard(name: &str) -> bool {
    const MORE: [&str; 8] = [
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
        "requests.storage",
        "storage",
    ];
    is_standard_for_containers(name) || COUNTED.contains(&name) || MORE.contains(&name)
}

fn is_integer(name: &str) -> bool {
    COUNTED.contains(&name) || is_extended(name)
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && text::qualified_name(&format!("requests.{name}")).is_empty()
}

fn may_overcommit(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

/// Which claims of the pod a container uses.
fn container_claims(at: &Cursor<'_, '_>, known: &BTreeSet<String>, errors: &mut Errors) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    // The claims of which single requests were used.
    let mut in_part: BTreeSet<&str> = BTreeSet::new();
    for claim in at.items() {
        let name = claim.field("name").text();
        if name.is_empty() {
            errors.required(&claim, "");
            continue;
        }
        let request = claim.field("request");
        if seen.contains(name) {
            errors.duplicate(&claim);
        } else {
            let mut key = name.to_owned();
            if !request.text().is_empty() {
                errors.invalid_each(&request, &text::dns_label(request.text()));
                key = format!("{name}/{}", request.text());
            }
            let part_seen = request.text().is_empty() && in_part.contains(name);
            if seen.contains(&key) || part_seen {
                errors.duplicate(&claim);
            }
            if !request.text().is_empty() {
                in_part.insert(name);
            }
            seen.insert(key);
        }
        if !known.contains(name) {
            errors.not_found(&claim, "must be one of the pod's `resourceClaims`");
        }
    }
}

/// The claims of a pod.
pub(super) fn claims(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for claim in at.items() {
        let name = claim.field("name");
        if name.text().is_empty() {
            errors.required(&name, "");
        } else if !seen.insert(name.text()) {
            errors.duplicate(&name);
        } else {
            errors.invalid_each(&name, &text::dns_label(name.text()));
        }
        let (direct, template) = (claim.field("resourceClaimName"), claim.field("resourceClaimTemplateName"));
        if direct.is_set() == template.is_set() {
            errors
                .invalid(&claim, "needs exactly one of `resourceClaimName` and `resourceClaimTemplateName`");
        }
        for reference in [&direct, &template] {
            if reference.is_set() {
                errors.invalid_each(reference, &text::dns_subdomain(reference.text()));
            }
        }
    }
}

/// What happens to a container when its resources change.
pub(super) fn resize(at: &Cursor<'_, '_>, restart: &str, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for policy in at.items() {
        let (resource, action) = (policy.field("resourceName").text(), policy.field("restartPolicy").text());
        if !seen.insert(resource) {
            errors.duplicate(&policy);
        }
        match resource {
            "cpu" | "memory" => {}
            "" => errors.required(at, ""),
            _ => errors.not_supported(at, &["cpu", "memory"]),
        }
        match action {
            "NotRequired" | "RestartContainer" => {}
            "" => errors.required(at, ""),
            _ => errors.not_supported(at, &["NotRequired", "RestartContainer"]),
        }
        if restart == "Never" && action != "NotRequired" {
            errors.invalid(at, "must be `NotRequired` where containers are never started again");
        }
    }
}
