//! What `podman kube play` passes over without a word, by the name of the field.
//!
//! A daemon without the host's processes, or with another profile than it was written for,
//! would run and be wrong, so such a pod is refused before anything of it starts. What refers
//! to objects of an API server is looked at where it is resolved (`standalone`).

use serde_json::Value;

use super::version::Version;
use crate::diagnostic::Diagnostic;
use crate::kube::list;
use crate::target::standalone::Standalone;

/// Since then `kube play` knows `hostPID` and `hostIPC`.
const HOST_NAMESPACES: Version = Version(4, 5, 0);

/// A field, and why it cannot be had.
type Refused = (String, String);

/// All that cannot be had, in one error.
pub(super) fn check(pod: &Value, version: Version) -> Result<(), Diagnostic> {
    let mut refused = Vec::new();
    let spec = &pod["spec"];
    of_pod(spec, version, &mut refused);
    for (nth, volume) in list(spec, "volumes").enumerate() {
        if volume["emptyDir"]["medium"].as_str().is_some_and(|medium| !medium.is_empty()) {
            let field = format!("spec.volumes[{nth}].emptyDir.medium");
            refused.push((field, "podman has directories on disk alone".into()));
        }
    }
    for field in ["initContainers", "containers"] {
        for (nth, container) in list(spec, field).enumerate() {
            of_container(&format!("spec.{field}[{nth}]"), container, spec, &mut refused);
        }
    }
    let help = "leave the field out of the daemonset's template, or run these pods under a kubelet";
    error(&refused, help)
}

/// What could not be resolved, as one error.
pub(super) fn resolved(made: &Standalone) -> Result<(), Diagnostic> {
    let refused: Vec<Refused> =
        made.refused.iter().map(|finding| (finding.field.clone(), finding.why.clone())).collect();
    error(&refused, made.refused.first().map_or("", |finding| &finding.help))
}

fn error(refused: &[Refused], help: &str) -> Result<(), Diagnostic> {
    let Some((field, why)) = refused.first() else { return Ok(()) };
    let mut error =
        Diagnostic::error("pod-field", format!("`{field}` cannot be had under podman: {why}")).help(help);
    for (field, why) in &refused[1..] {
        error = error.because(format!("nor can `{field}`: {why}"));
    }
    Err(error)
}

fn of_pod(spec: &Value, version: Version, refused: &mut Vec<Refused>) {
    let mut no = |field: &str, why: String| refused.push((format!("spec.{field}"), why));
    for field in ["hostPID", "hostIPC"] {
        if spec[field] == true && version < HOST_NAMESPACES {
            no(field, format!("it needs podman {HOST_NAMESPACES} or newer, this is {version}"));
        }
    }
    if spec["hostUsers"] == false {
        no("hostUsers", "podman gives a pod no user namespace of its own here".into());
    }
    if spec["runtimeClassName"].as_str().is_some_and(|class| !class.is_empty()) {
        no(
            "runtimeClassName",
            "the runtime is podman's own; set it with `--podman-arg=--runtime=NAME`".into(),
        );
    }
    if list(spec, "readinessGates").next().is_some() {
        no("readinessGates", "nobody would ever set them".into());
    }
    if list(spec, "hostAliases").next().is_some() {
        no("hostAliases", "podman writes /etc/hosts itself; put the names into the machine's own".into());
    }
    let own_dns = spec["dnsConfig"].as_object().is_some_and(|config| !config.is_empty());
    if own_dns && spec["hostNetwork"] == true {
        no("dnsConfig", "a pod with the host's network has the host's names".into());
    }
    let security = &spec["securityContext"];
    if list(security, "sysctls").next().is_some() {
        no("securityContext.sysctls", "podman does not set them; set them on the machine".into());
    }
    refused.extend(profiles("spec", security));
}

fn of_container(place: &str, container: &Value, spec: &Value, refused: &mut Vec<Refused>) {
    let mut no = |field: &str, why: &str| refused.push((format!("{place}.{field}"), why.into()));
    if !container["lifecycle"]["postStart"].is_null() {
        no("lifecycle.postStart", "podman runs no such hook; do it where the container starts");
    }
    for kind in ["httpGet", "tcpSocket"] {
        if !container["lifecycle"]["preStop"][kind].is_null() {
            no(
                &format!("lifecycle.preStop.{kind}"),
                "`exec` and `sleep` are run before a stop, nothing else",
            );
        }
    }
    for resource in container["resources"]["limits"].as_object().into_iter().flatten().map(|(name, _)| name) {
        if !matches!(resource.as_str(), "cpu" | "memory" | "ephemeral-storage") {
            no(&format!("resources.limits[{resource}]"), "podman counts cpu and memory alone");
        }
    }
    let security = &container["securityContext"];
    if security["procMount"].as_str().is_some_and(|mount| mount != "Default") {
        no("securityContext.procMount", "podman masks /proc as it does by default");
    }
    let unprivileged = security["privileged"] != true;
    refused.extend(profiles(place, security).into_iter().filter(|_| unprivileged));
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        if let Err(why) = super::probe::Probe::of(&container[probe], container, spec) {
            refused.push((format!("{place}.{probe}"), why));
        }
    }
}

/// Profiles that podman would not load.
fn profiles(place: &str, security: &Value) -> Vec<Refused> {
    let profile = |field: &str| security[field]["type"].as_str();
    let others = ["seccompProfile", "appArmorProfile"].into_iter();
    let asked = others.filter(|field| profile(field).is_some_and(|kind| kind != "RuntimeDefault"));
    asked
        .map(|field| {
            let why = "podman uses its own profile; set another one in containers.conf";
            (format!("{place}.securityContext.{field}"), why.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn refused(spec: &Value) -> Vec<String> {
        let Err(error) = check(&json!({ "spec": spec }), Version(4, 3, 1)) else { return Vec::new() };
        let fields = std::iter::once(&error.message).chain(&error.notes);
        fields.filter_map(|text| Some(text.split('`').nth(1)?.to_owned())).collect()
    }

    #[test]
    fn what_podman_would_leave_out_is_refused_by_name() {
        let spec = json!({
            "hostPID": true, "runtimeClassName": "gvisor", "readinessGates": [{}], "hostAliases": [{}],
            "securityContext": {"sysctls": [{}], "seccompProfile": {"type": "Localhost"}},
            "volumes": [{"name": "ram", "emptyDir": {"medium": "Memory"}}],
            "containers": [{"name": "web",
                "lifecycle": {"postStart": {"exec": {}}, "preStop": {"httpGet": {}}},
                "resources": {"limits": {"cpu": "1", "nvidia.com/gpu": 1}},
                "readinessProbe": {"grpc": {"port": 9}}}],
        });
        assert_eq!(
            refused(&spec),
            [
                "spec.hostPID",
                "spec.runtimeClassName",
                "spec.readinessGates",
                "spec.hostAliases",
                "spec.securityContext.sysctls",
                "spec.securityContext.seccompProfile",
                "spec.volumes[0].emptyDir.medium",
                "spec.containers[0].lifecycle.postStart",
                "spec.containers[0].lifecycle.preStop.httpGet",
                "spec.containers[0].resources.limits[nvidia.com/gpu]",
                "spec.containers[0].readinessProbe",
            ]
        );
    }

    #[test]
    fn an_ordinary_daemon_is_accepted() {
        let spec = json!({
            "hostNetwork": true, "tolerations": [{}], "priorityClassName": "x",
            "securityContext": {"runAsUser": 1, "seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": [{"name": "a", "hostPath": {"path": "/"}}, {"name": "b", "emptyDir": {}}],
            "containers": [{"name": "web", "ports": [{"name": "http", "containerPort": 80}],
                "livenessProbe": {"httpGet": {"port": "http"}}}],
        });
        assert_eq!(refused(&spec), Vec::<String>::new());
        let newer = check(&json!({"spec": {"hostPID": true}}), Version(4, 9, 0));
        assert!(newer.is_ok());
    }
}
