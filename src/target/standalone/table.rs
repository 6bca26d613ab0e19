//! What each runtime takes of a pod, as a table: one row a field, one column a runtime.
//!
//! The column of the kubelet is what it says itself of a static pod
//! (`podutil.HasAPIObjectReference` in Kubernetes 1.35, and validation of ephemeral
//! containers); that of podman is what `podman kube play` 4.3 does, tried out: volumes of
//! other sources than those named here, and fields of the downward API, end it with an
//! error, and what it does not know it passes over without a word.

use super::made::Runtime;

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    /// It stays as it is.
    Keep,
    /// It is left out: it has been decided, or nobody there reads it.
    Drop,
    /// It is left out, and that is told.
    Miss(&'static str),
    /// What it names is looked up, and takes its place.
    Fill,
    /// The pod cannot be written; what to do about it.
    Refuse(&'static str),
}

/// Where in a pod a field stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// In `spec`.
    Spec,
    /// In a container.
    Container,
    /// In `env[].valueFrom` of a container.
    Env,
    /// In `envFrom[]` of a container.
    EnvFrom,
    /// In `volumes[]`, the source.
    Volume,
    /// In `volumes[].projected.sources[]`.
    Projected,
}

use At::{Container, Env, EnvFrom, Projected, Spec, Volume};
use Take::{Drop, Fill, Keep, Miss, Refuse};

const ACCOUNT: Take = Refuse(
    "there is no API server to be an account of: leave the account out of the template, or say \
            `automountServiceAccountToken: false` if the pod needs no token",
);
const TOKEN: Take = Refuse("only an API server makes tokens and certificates: mount them from a hostPath");
const HOST: Take = Refuse("use a hostPath, or a claim whose volume in the manifests is a hostPath");
const CLAIM: Take = Refuse("only an API server makes claims: use a hostPath or an emptyDir");
const DEVICES: Take = Refuse("only a scheduler gives out devices of claims: mount the device's hostPath");
const PULL: Take = Miss("log the machine in to the registry instead");
const UNKNOWN: Take = Refuse("use a kind of volume that runs without an API server, as hostPath");
const VALUE: Take = Refuse("write the value itself, or name a key of a ConfigMap or a Secret");
const SIDECAR: Take = Refuse("it would be waited for without end: make it one of `containers`");
const HOOKS: Take = Miss("podman runs no lifecycle hooks");
const PROBE: Take = Miss("podman does not ask it: a container that runs is ready");
const CLASS: Take = Miss("podman's own runtime is used; name another one in containers.conf");

/// A field, and what becomes of it in a cluster, under a standalone kubelet, and under
/// podman. `*` stands for all fields of the place that have no row.
type Row = (At, &'static str, [Take; 3]);

const TABLE: &[Row] = &[
    //                                        cluster kubelet  podman
    // Where the pod runs has been decided.
    (Spec, "nodeSelector", [Keep, Drop, Drop]),
    (Spec, "tolerations", [Keep, Keep, Drop]),
    (Spec, "topologySpreadConstraints", [Keep, Drop, Drop]),
    (Spec, "schedulerName", [Keep, Drop, Drop]),
    (Spec, "priorityClassName", [Keep, Keep, Drop]),
    (Spec, "priority", [Keep, Keep, Drop]),
    (Spec, "preemptionPolicy", [Keep, Keep, Drop]),
    // Other objects of the API.
    (Spec, "serviceAccountName", [Keep, ACCOUNT, ACCOUNT]),
    (Spec, "serviceAccount", [Keep, Drop, Drop]),
    (Spec, "imagePullSecrets", [Keep, PULL, PULL]),
    (Spec, "resourceClaims", [Keep, DEVICES, DEVICES]),
    (Spec, "ephemeralContainers", [Drop, Drop, Drop]),
    (Spec, "runtimeClassName", [Keep, Keep, CLASS]),
    (Env, "configMapKeyRef", [Keep, Fill, Fill]),
    (Env, "secretKeyRef", [Keep, Fill, Fill]),
    (Env, "fieldRef", [Keep, Keep, Fill]),
    (Env, "resourceFieldRef", [Keep, Keep, Fill]),
    (Env, "*", [Keep, Keep, VALUE]),
    (EnvFrom, "configMapRef", [Keep, Fill, Fill]),
    (EnvFrom, "secretRef", [Keep, Fill, Fill]),
    (Volume, "hostPath", [Keep, Keep, Keep]),
    (Volume, "emptyDir", [Keep, Keep, Keep]),
    (Volume, "configMap", [Keep, Fill, Fill]),
    (Volume, "secret", [Keep, Fill, Fill]),
    (Volume, "projected", [Keep, Fill, Fill]),
    (Volume, "downwardAPI", [Keep, Keep, Fill]),
    (Volume, "persistentVolumeClaim", [Keep, Fill, Fill]),
    (Volume, "ephemeral", [Keep, CLAIM, CLAIM]),
    (Volume, "csi", [Keep, HOST, HOST]),
    (Volume, "glusterfs", [Keep, HOST, HOST]),
    (Volume, "azureFile", [Keep, HOST, HOST]),
    (Volume, "nfs", [Keep, Keep, HOST]),
    (Volume, "iscsi", [Keep, Keep, HOST]),
    (Volume, "fc", [Keep, Keep, HOST]),
    (Volume, "image", [Keep, Keep, HOST]),
    (Volume, "*", [Keep, UNKNOWN, UNKNOWN]),
    (Projected, "configMap", [Keep, Fill, Fill]),
    (Projected, "secret", [Keep, Fill, Fill]),
    (Projected, "downwardAPI", [Keep, Keep, Fill]),
    (Projected, "*", [Keep, TOKEN, TOKEN]),
    // What podman passes over without a word.
    (Container, "readinessProbe", [Keep, Keep, PROBE]),
    (Container, "lifecycle", [Keep, Keep, HOOKS]),
    (Container, "restartPolicy", [Keep, Keep, SIDECAR]),
    (Container, "volumeDevices", [Keep, DEVICES, DEVICES]),
];

/// What becomes of a field of a pod.
pub(super) fn take(at: At, field: &str, runtime: Runtime) -> Take {
    let row = |name: &str| TABLE.iter().find(|(place, field, _)| *place == at && *field == name);
    row(field).or_else(|| row("*")).map_or(Keep, |(.., takes)| {
        takes[match runtime {
            Runtime::Cluster => 0,
            Runtime::Kubelet => 1,
            Runtime::Podman => 2,
        }]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_one_row() {
        for (nth, (at, field, _)) in TABLE.iter().enumerate() {
            let first = TABLE.iter().position(|(place, name, _)| place == at && name == field);
            assert_eq!(first, Some(nth), "{at:?} {field}");
        }
    }

    #[test]
    fn what_has_no_row_goes_by_its_place() {
        assert_eq!(take(Volume, "floppy", Runtime::Kubelet), UNKNOWN);
        assert_eq!(take(Volume, "floppy", Runtime::Cluster), Keep);
        assert_eq!(take(Spec, "hostNetwork", Runtime::Podman), Keep);
    }
}
