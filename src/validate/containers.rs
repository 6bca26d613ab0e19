//! Containers of all kinds: names, images, ports, mounts, devices.

use std::collections::{BTreeMap, BTreeSet};

use super::errors::Errors;
use super::path::{Cursor, Step};
use super::{env, probes, resources, security, text};

/// What containers need to know of the pod that they are in.
pub(super) struct Pod {
    /// The sound volumes, and whether each is a claim, which can be a device.
    pub(super) volumes: BTreeMap<String, bool>,
    /// The names of the resource claims.
    pub(super) claims: BTreeSet<String>,
    /// Seconds between asking a container to stop and killing it.
    pub(super) grace: i64,
    /// When containers are started again.
    pub(super) restart: String,
    /// Whether users in the pod are users of the host.
    pub(super) host_users: bool,
}

/// The containers that a pod is for.
pub(super) fn regular(at: &Cursor<'_, '_>, pod: &Pod, errors: &mut Errors) {
    if at.is_empty() {
        errors.required(at, "a pod must have at least one container");
        return;
    }
    let mut names = BTreeSet::new();
    for container in at.items() {
        common(&container, pod, errors);
        let name = container.field("name");
        if !names.insert(name.text()) {
            errors.duplicate(&name);
        }
        probes::lifecycle(&container.field("lifecycle"), pod.grace, errors);
        probes::all(&container, pod.grace, errors);
        let restart = container.field("restartPolicy");
        if restart.is_set() {
            errors.forbidden(&restart, "only init containers have a restart policy of their own");
        }
    }
    unique_host_ports(at.items(), errors);
}

/// The containers that run before them.
pub(super) fn init(at: &Cursor<'_, '_>, regular: &Cursor<'_, '_>, pod: &Pod, errors: &mut Errors) {
    let regular: Vec<_> = regular.items().map(|container| container.field("name").text()).collect();
    let mut names: BTreeSet<&str> = regular.into_iter().collect();
    for container in at.items() {
        common(&container, pod, errors);
        let restart = container.field("restartPolicy");
        if restart.is_set() && restart.text() != "Always" {
            errors.not_supported(&restart, &["Always"]);
        }
        let name = container.field("name");
        if names.contains(name.text()) {
            errors.duplicate(&name);
        } else if !name.text().is_empty() {
            names.insert(name.text());
        }
        let from = errors.count();
        unique_host_ports(std::iter::once(container), errors);
        let depth = at.path().0.len();
        // They are counted one by one, so each reports the index 0.
        errors.report_as(from, |steps| {
            if let Some(step) = steps.get_mut(depth) {
                *step = Step::Index(0);
            }
        });
        if restart.text() == "Always" {
            probes::lifecycle(&container.field("lifecycle"), pod.grace, errors);
            probes::all(&container, pod.grace, errors);
        } else {
            for name in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
                let field = container.field(name);
                if field.is_set() {
                    errors.forbidden(&field, "only init containers with `restartPolicy: Always` can have it");
                }
            }
        }
        let resize = container.field("resizePolicy");
        if !resize.is_empty() {
            errors.invalid(&resize, "init containers cannot have it");
        }
    }
}

/// Containers for a look into a running pod.
pub(super) fn ephemeral(spec: &Cursor<'_, '_>, pod: &Pod, errors: &mut Errors) {
    let (regular, init) = (spec.field("containers"), spec.field("initContainers"));
    let others: BTreeSet<&str> =
        regular.items().chain(init.items()).map(|container| container.field("name").text()).collect();
    let mut names = others.clone();
    for container in spec.field("ephemeralContainers").items() {
        common(&container, pod, errors);
        let image = container.field("image");
        if image.text().trim() != image.text() {
            errors.invalid(&image, "must not start or end with blanks");
        }
        let name = container.field("name");
        if !names.insert(name.text()) {
            errors.duplicate(&name);
        }
        let target = container.field("targetContainerName");
        if !target.text().is_empty() && !others.contains(target.text()) {
            errors.not_found(&target, "");
        }
        const NOT_ALLOWED: [&str; 8] = [
            "ports",
            "resources",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle",
            "resizePolicy",
            "restartPolicy",
        ];
        for name in NOT_ALLOWED {
            let field = container.field(name);
            let set =
                field.is_set() && !(field.value.is_object() || field.value.is_array()) || !field.is_empty();
            if set {
                errors.forbidden(&field, "an ephemeral container cannot have it");
            }
        }
        for mount in container.field("volumeMounts").items() {
            for name in ["subPath", "subPathExpr"] {
                let field = mount.field(name);
                if !field.text().is_empty() {
                    errors.forbidden(&field, "an ephemeral container cannot have it");
                }
            }
        }
    }
}

/// What holds for containers of all kinds.
fn common(at: &Cursor<'_, '_>, pod: &Pod, errors: &mut Errors) {
    let name = at.field("name");
    if name.text().is_empty() {
        errors.required(&name, "a container must have a name");
    } else {
        errors.invalid_each(&name, &text::dns_label(name.text()));
    }
    let image = at.field("image");
    if image.text().is_empty() {
        errors.required(&image, "a container must have an image");
    }
    errors.one_of(&at.field("terminationMessagePolicy"), &["File", "FallbackToLogsOnError"]);
    ports(&at.field("ports"), errors);
    env::env(&at.field("env"), errors);
    env::env_from(&at.field("envFrom"), errors);
    mounts(at, pod, errors);
    devices(at, pod, errors);
    errors.one_of(&at.field("imagePullPolicy"), &["Always", "IfNotPresent", "Never"]);
    resources::requirements(&at.field("resources"), Some(&pod.claims), errors);
    resources::resize(&at.field("resizePolicy"), &pod.restart, errors);
    security::container(&at.field("securityContext"), pod.host_users, errors);
}

/// What the containers of a pod ask of its node: resources and ports.
pub(super) fn demands(spec: &Cursor<'_, '_>, errors: &mut Errors) {
    let (regular, init) = (spec.field("containers"), spec.field("initContainers"));
    for container in regular.items().chain(init.items()) {
        for port in container.field("ports").items() {
            host_port(&port.field("hostPort"), errors);
            let protocol = port.field("protocol");
            if !protocol.text().is_empty() {
                errors.one_of(&protocol, &PROTOCOLS);
            }
        }
        resources::requirements(&container.field("resources"), None, errors);
    }
    unique_host_ports(regular.items(), errors);
}

fn host_port(at: &Cursor<'_, '_>, errors: &mut Errors) {
    if at.int().unwrap_or(0) != 0 {
        errors.in_range(at, 1, 65_535);
    }
}

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

fn ports(at: &Cursor<'_, '_>, errors: &mut Errors) {
    let mut names = BTreeSet::new();
    for port in at.items() {
        let name = port.field("name");
        if !name.text().is_empty() {
            let wrong = text::port_name(name.text());
            errors.invalid_each(&name, &wrong);
            if wrong.is_empty() && !names.insert(name.text()) {
                errors.duplicate(&name);
            }
        }
        let number = port.field("containerPort");
        if number.int().unwrap_or(0) == 0 {
            errors.required(&number, "");
        } else {
            errors.in_range(&number, 1, 65_535);
        }
        host_port(&port.field("hostPort"), errors);
        errors.one_of(&port.field("protocol"), &PROTOCOLS);
    }
}

/// No two containers that run together can have the same port of the host.
fn unique_host_ports<'v: 's, 's>(containers: impl Iterator<Item = Cursor<'v, 's>>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for container in containers {
        for port in container.field("ports").items() {
            let host = port.field("hostPort");
            let number = host.int().unwrap_or(0);
            let key =
                (port.field("protocol").text().to_owned(), port.field("hostIP").text().to_owned(), number);
            if number != 0 && !seen.insert(key) {
                errors.duplicate(&host);
            }
        }
    }
}

/// Reports without the index of the mount, as Kubernetes does for some of its fields.
fn without_index(from: usize, mount: &Cursor<'_, '_>, errors: &mut Errors) {
    let depth = mount.path().0.len() - 1;
    errors.report_as(from, |steps| {
        steps.remove(depth);
    });
}

/// So many volumes are named to somebody who names another.
const NAMED: usize = 50;

fn mounts(container: &Cursor<'_, '_>, pod: &Pod, errors: &mut Errors) {
    let devices = container.field("volumeDevices");
    let device_names: BTreeSet<&str> = devices.items().map(|device| device.field("name").text()).collect();
    let device_paths: BTreeSet<&str> =
        devices.items().map(|device| device.field("devicePath").text()).collect();
    let privileged = container.field("securityContext").field("privileged").truth();
    let mut paths = BTreeSet::new();
    for mount in container.field("volumeMounts").items() {
        let (name, path) = (mount.field("name"), mount.field("mountPath"));
        if name.text().is_empty() {
            errors.required(&name, "");
        }
        if !pod.volumes.contains_key(name.text()) {
            errors.not_found(&name, "the pod has no sound volume of this name");
            // Every error has them, so there must not be many.
            if let Some(error) = errors.0.last_mut()
                && pod.volumes.len() <= NAMED
            {
                error.allowed = pod.volumes.keys().cloned().collect();
            }
        }
        if path.text().is_empty() {
            errors.required(&path, "");
        }
        if !paths.insert(path.text()) {
            errors.invalid(&path, "another volume is mounted there");
        }
        if device_names.contains(name.text()) {
            errors.invalid(&name, "is a device of this container already");
        }
        if device_paths.contains(path.text()) {
            errors.invalid(&path, "is the path of a device of this container");
        }
        let from = errors.count();
        let (sub, expression) = (mount.field("subPath"), mount.field("subPathExpr"));
        if !sub.text().is_empty() {
            errors.descending_path(&sub);
        }
        without_index(from, &mount, errors);
        if !expression.text().is_empty() {
            if !sub.text().is_empty() {
                errors.invalid(&expression, "cannot stand beside `subPath`");
            }
            let from = errors.count();
            errors.descending_path(&expression);
            without_index(from, &mount, errors);
        }
        let from = errors.count();
        propagation(&mount, privileged, errors);
        recursive_read_only(&mount, errors);
        without_index(from, &mount, errors);
    }
}

fn propagation(mount: &Cursor<'_, '_>, privileged: bool, errors: &mut Errors) {
    let at = mount.field("mountPropagation");
    if !at.is_set() {
        return;
    }
    if !matches!(at.text(), "Bidirectional" | "HostToContainer" | "None") {
        errors.not_supported(&at, &["Bidirectional", "HostToContainer", "None"]);
    }
    if at.text() == "Bidirectional" && !privileged {
        errors.forbidden(&at, "only a privileged container can have `Bidirectional`");
    }
}

fn recursive_read_only(mount: &Cursor<'_, '_>, errors: &mut Errors) {
    let at = mount.field("recursiveReadOnly");
    match at.text() {
        _ if !at.is_set() => {}
        "Disabled" => {}
        "Enabled" | "IfPossible" => {
            if !mount.field("readOnly").truth() {
                errors.forbidden(&at, "needs `readOnly: true`");
            }
            if !matches!(mount.field("mountPropagation").text(), "" | "None") {
                errors.forbidden(&at, "cannot stand beside a `mountPropagation` other than `None`");
            }
        }
        _ => errors.not_supported(&at, &["Disabled", "Enabled", "IfPossible"]),
    }
}

fn devices(container: &Cursor<'_, '_>, pod: &Pod, errors: &mut Errors) {
    let mounts = container.field("volumeMounts");
    let mount_names: BTreeSet<&str> = mounts.items().map(|mount| mount.field("name").text()).collect();
    let mount_paths: BTreeSet<&str> = mounts.items().map(|mount| mount.field("mountPath").text()).collect();
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for device in container.field("volumeDevices").items() {
        let (name, path) = (device.field("name"), device.field("devicePath"));
        if name.text().is_empty() {
            errors.required(&name, "");
        }
        if names.contains(name.text()) {
            errors.invalid(&name, "stands twice");
        }
        match pod.volumes.get(name.text()) {
            Some(false) => errors.invalid(&name, "only a claim can be a device"),
            Some(true) => {}
            None => errors.not_found(&name, "the pod has no sound volume of this name"),
        }
        if path.text().is_empty() {
            errors.required(&path, "");
        }
        if paths.contains(path.text()) {
            errors.invalid(&path, "stands twice");
        }
        if !path.text().is_empty() && text::has_backsteps(path.text()) {
            errors.invalid(&path, "must not have `..` in it");
        } else {
            paths.insert(path.text());
        }
        if mount_names.contains(name.text()) {
            errors.invalid(&name, "is mounted in this container already");
        }
        if mount_paths.contains(path.text()) {
            errors.invalid(&path, "is the path of a mount of this container");
        }
        if !name.text().is_empty() {
            names.insert(name.text());
        }
    }
}
