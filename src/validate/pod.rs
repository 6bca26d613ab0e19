//! The spec of a pod: its parts are checked in files of their own.

use super::containers::{self, Pod};
use super::errors::Errors;
use super::leniency::Leniency;
use super::path::Cursor;
use super::{labels, network, resources, scheduling, security, text, volumes, windows};

/// A pod spec at `at`, with defaults filled in.
pub(super) fn spec(at: &Cursor<'_, '_>, lenient: &Leniency, errors: &mut Errors) {
    let grace = at.field("terminationGracePeriodSeconds");
    if !grace.is_set() {
        errors.required(&grace, "");
    }
    let volumes = volumes::check(&at.field("volumes"), errors);
    let claims = at.field("resourceClaims");
    resources::claims(&claims, errors);
    let pod = Pod {
        volumes,
        claims: claims
            .items()
            .map(|claim| claim.field("name").text().to_owned())
            .filter(|name| !name.is_empty())
            .collect(),
        grace: grace.int().unwrap_or(0),
        restart: at.field("restartPolicy").text().to_owned(),
        host_users: at.field("hostUsers").value.as_bool().unwrap_or(true),
    };
    containers::regular(&at.field("containers"), &pod, errors);
    containers::init(&at.field("initContainers"), &at.field("containers"), &pod, errors);
    containers::ephemeral(at, &pod, errors);
    network::host_ports(at, lenient, errors);
    errors.one_of(&at.field("restartPolicy"), &["Always", "OnFailure", "Never"]);
    errors.one_of(&at.field("dnsPolicy"), &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]);
    labels::labels(&at.field("nodeSelector"), errors);
    security::pod(at, errors);
    scheduling::affinity(&at.field("affinity"), lenient, errors);
    network::dns_config(&at.field("dnsConfig"), at.field("dnsPolicy").text(), errors);
    for gate in at.field("readinessGates").items() {
        labels::label_name(&gate.field("conditionType"), errors);
    }
    scheduling::gates(&at.field("schedulingGates"), errors);
    scheduling::spread(&at.field("topologySpreadConstraints"), lenient, errors);
    windows::host_process(at, errors);
    host_users(at, errors);
    let account = match at.field("serviceAccountName") {
        name if name.text().is_empty() => at.field("serviceAccount"),
        name => name,
    };
    let from = errors.count();
    subdomain(&account, errors);
    errors.report_as(from, |steps| {
        if let Some(super::path::Step::Field(name)) = steps.last_mut() {
            "serviceAccountName".clone_into(name);
        }
    });
    subdomain(&at.field("nodeName"), errors);
    errors.in_range(&at.field("activeDeadlineSeconds"), 1, i64::from(i32::MAX));
    for name in ["hostname", "subdomain"] {
        let field = at.field(name);
        if !field.text().is_empty() {
            errors.invalid_each(&field, &text::dns_label(field.text()));
        }
    }
    scheduling::tolerations(&at.field("tolerations"), errors);
    network::host_aliases(&at.field("hostAliases"), errors);
    subdomain(&at.field("priorityClassName"), errors);
    let runtime = at.field("runtimeClassName");
    if runtime.is_set() {
        errors.invalid_each(&runtime, &text::dns_subdomain(runtime.text()));
    }
    preemption(&at.field("preemptionPolicy"), errors);
    resources::overhead(&at.field("overhead"), errors);
    windows::operating_system(at, errors);
}

/// What the scheduler and the taint-eviction controller read of a Pod. Manifests may say of
/// a pod no more than where it is; what a kubelet reads of it is not looked at.
pub(super) fn scheduled(at: &Cursor<'_, '_>, errors: &mut Errors) {
    containers::demands(at, errors);
    scheduling::tolerations(&at.field("tolerations"), errors);
    subdomain(&at.field("nodeName"), errors);
    subdomain(&at.field("priorityClassName"), errors);
    preemption(&at.field("preemptionPolicy"), errors);
    resources::overhead(&at.field("overhead"), errors);
}

fn preemption(at: &Cursor<'_, '_>, errors: &mut Errors) {
    if at.is_set() {
        errors.one_of(at, &["PreemptLowerPriority", "Never"]);
    }
}

/// A name of some other object, if there is one.
fn subdomain(at: &Cursor<'_, '_>, errors: &mut Errors) {
    if !at.text().is_empty() {
        errors.invalid_each(at, &text::dns_subdomain(at.text()));
    }
}

/// A pod with users of its own cannot share other things with the host.
fn host_users(at: &Cursor<'_, '_>, errors: &mut Errors) {
    if at.field("hostUsers").value.as_bool() != Some(false) {
        return;
    }
    for (name, reported) in [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        let field = at.field(name);
        if field.truth() {
            let from = errors.count();
            errors.forbidden(&field, "may not be set while `hostUsers` is false");
            errors.report_as(from, |steps| {
                if let Some(super::path::Step::Field(last)) = steps.last_mut() {
                    reported.clone_into(last);
                }
            });
        }
    }
}
