//! What only pods on Windows have, and what only others do.

use super::errors::Errors;
use super::path::Cursor;
use super::text;

/// The lists of containers in a pod's spec, in the order in which Kubernetes visits them.
pub(super) const KINDS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// Which fields go with the operating system that a pod asks for, `at` being its spec.
pub(super) fn operating_system(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let os = at.field("os");
    if !os.is_set() {
        return;
    }
    let name = os.field("name");
    match name.text() {
        "" => errors.required(&name, ""),
        "linux" => {
            let context = at.field("securityContext");
            forbid(&[context.field("windowsOptions")], "a linux pod cannot have it", errors);
            for list in KINDS {
                for container in at.field(list).items() {
                    let context = container.field("securityContext");
                    forbid(&[context.field("windowsOptions")], "a linux pod cannot have it", errors);
                }
            }
        }
        "windows" => on_windows(at, errors),
        _ => {
            let from = errors.count();
            errors.not_supported(&name, &["linux", "windows"]);
            errors.report_as(from, |steps| {
                steps.pop();
            });
        }
    }
}

fn forbid(fields: &[Cursor<'_, '_>], detail: &str, errors: &mut Errors) {
    for field in fields {
        if field.is_set() {
            errors.forbidden(field, detail);
        }
    }
}

fn on_windows(at: &Cursor<'_, '_>, errors: &mut Errors) {
    const DETAIL: &str = "a windows pod cannot have it";
    let context = at.field("securityContext");
    for name in [
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "fsGroup",
        "fsGroupChangePolicy",
        "runAsUser",
        "runAsGroup",
        "supplementalGroups",
        "supplementalGroupsPolicy",
    ] {
        forbid(&[context.field(name)], DETAIL, errors);
    }
    if !context.field("sysctls").is_empty() {
        errors.forbidden(&context.field("sysctls"), DETAIL);
    }
    forbid(&[at.field("hostUsers"), at.field("shareProcessNamespace")], DETAIL, errors);
    for name in ["hostPID", "hostIPC"] {
        if at.field(name).truth() {
            errors.forbidden(&at.field(name), DETAIL);
        }
    }
    for list in KINDS {
        for container in at.field(list).items() {
            let own = container.field("securityContext");
            for name in [
                "appArmorProfile",
                "seLinuxOptions",
                "seccompProfile",
                "capabilities",
                "readOnlyRootFilesystem",
                "privileged",
                "allowPrivilegeEscalation",
                "procMount",
                "runAsUser",
                "runAsGroup",
            ] {
                forbid(&[own.field(name)], DETAIL, errors);
            }
        }
    }
}

/// Options of a security context for Windows.
pub(super) fn options(at: &Cursor<'_, '_>, errors: &mut Errors) {
    const SPEC_BYTES: usize = 64 << 10;
    let name = at.field("gmsaCredentialSpecName");
    if name.is_set() {
        errors.invalid_each(&name, &text::dns_subdomain(name.text()));
    }
    let spec = at.field("gmsaCredentialSpec");
    if spec.is_set() && (spec.text().is_empty() || spec.text().len() > SPEC_BYTES) {
        errors.invalid(&spec, "must have between 1 and 65536 bytes");
    }
    let user = at.field("runAsUserName");
    if user.is_set() {
        user_name(&user, errors);
    }
}

fn user_name(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let text = at.text();
    let parts: Vec<&str> = text.split('\\').collect();
    let (domain, user) = match parts.as_slice() {
        _ if text.is_empty() => return errors.invalid(at, "must not be empty"),
        _ if text.chars().any(|c| c.is_ascii_control()) => {
            return errors.invalid(at, "must not have control characters in it");
        }
        [user] => (None, *user),
        [domain, user] => (Some(*domain), *user),
        _ => return errors.invalid(at, "must not have more than one backslash in it"),
    };
    if let Some(domain) = domain {
        if domain.len() >= 256 {
            errors.invalid(at, "the domain must have less than 256 characters");
        }
        if !is_net_bios(domain) && !is_windows_dns(domain) {
            errors.invalid(at, "the domain is neither a NetBios nor a DNS name");
        }
    }
    if user.is_empty() {
        errors.invalid(at, "the user must not be empty");
    } else if user.len() > 104 {
        errors.invalid(at, "the user must have 104 characters at most");
    }
    if !user.is_empty() && user.chars().all(|c| matches!(c, '.' | ' ')) {
        errors.invalid(at, "the user must not be dots and blanks only");
    }
    if user.contains(['"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']']) {
        errors.invalid(at, "the user must not have any of \"/\\:;|=,+*?<>@[] in it");
    }
}

fn is_net_bios(domain: &str) -> bool {
    let fits = |c: char| !matches!(c, '\\' | '/' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    !domain.starts_with('.') && (1..=15).contains(&domain.chars().count()) && domain.chars().all(fits)
}

fn is_windows_dns(domain: &str) -> bool {
    domain.split('.').all(|label| {
        let bytes = label.as_bytes();
        label.len() <= 63
            && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    })
}

/// Containers that are processes of the host: all of a pod's or none.
pub(super) fn host_process(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let of_pod = at.field("securityContext").field("windowsOptions").field("hostProcess").value.as_bool();
    let (mut all, mut hosted) = (0, 0);
    for list in KINDS {
        for container in at.field(list).items() {
            all += 1;
            let context = container.field("securityContext");
            let options = context.field("windowsOptions");
            let own = options.field("hostProcess");
            let value = own.value.as_bool();
            if let (Some(pod), Some(value)) = (of_pod, value)
                && pod != value
            {
                errors.invalid(&own, "must be the same as the pod's, where both are set");
            }
            hosted += usize::from(value.or(of_pod).unwrap_or(false));
        }
    }
    if hosted == 0 {
        return;
    }
    if hosted != all {
        errors.invalid(at, "if one container is a process of the host, all must be");
    }
    let network = at.field("hostNetwork");
    if !network.truth() {
        errors.invalid(&network, "must be true for containers that are processes of the host");
    }
}
