//! How lists and maps of Kubernetes' own types are merged: what patches and applies go by.
//!
//! Of most lists nothing is said here: they are replaced as a whole.

/// How a field is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// A list of objects that are told apart by fields: by the first alone in a strategic merge
    /// patch, by all of them where somebody applies.
    Keyed(&'static [&'static str]),
    /// A list of values, each once.
    Set,
    /// A map or object that is one value.
    Whole,
}

/// By type and field.
const FIELDS: &[(&str, &str, Merge)] = &[
    ("ObjectMeta", "finalizers", Merge::Set),
    ("ObjectMeta", "ownerReferences", Merge::Keyed(&["uid"])),
    ("PodSpec", "volumes", Merge::Keyed(&["name"])),
    ("PodSpec", "initContainers", Merge::Keyed(&["name"])),
    ("PodSpec", "containers", Merge::Keyed(&["name"])),
    ("PodSpec", "ephemeralContainers", Merge::Keyed(&["name"])),
    ("PodSpec", "imagePullSecrets", Merge::Keyed(&["name"])),
    ("PodSpec", "hostAliases", Merge::Keyed(&["ip"])),
    ("PodSpec", "topologySpreadConstraints", Merge::Keyed(&["topologyKey", "whenUnsatisfiable"])),
    ("PodSpec", "resourceClaims", Merge::Keyed(&["name"])),
    ("PodSpec", "schedulingGates", Merge::Keyed(&["name"])),
    ("PodSpec", "nodeSelector", Merge::Whole),
    ("Container", "ports", Merge::Keyed(&["containerPort", "protocol"])),
    ("Container", "env", Merge::Keyed(&["name"])),
    ("Container", "volumeMounts", Merge::Keyed(&["mountPath"])),
    ("Container", "volumeDevices", Merge::Keyed(&["devicePath"])),
    ("EphemeralContainer", "ports", Merge::Keyed(&["containerPort", "protocol"])),
    ("EphemeralContainer", "env", Merge::Keyed(&["name"])),
    ("EphemeralContainer", "volumeMounts", Merge::Keyed(&["mountPath"])),
    ("EphemeralContainer", "volumeDevices", Merge::Keyed(&["devicePath"])),
    ("NodeSpec", "podCIDRs", Merge::Set),
    ("NodeStatus", "conditions", Merge::Keyed(&["type"])),
    ("NodeStatus", "addresses", Merge::Keyed(&["type"])),
    ("PodStatus", "conditions", Merge::Keyed(&["type"])),
    ("PodStatus", "podIPs", Merge::Keyed(&["ip"])),
    ("PodStatus", "resourceClaimStatuses", Merge::Keyed(&["name"])),
    ("DaemonSetStatus", "conditions", Merge::Keyed(&["type"])),
    ("NamespaceStatus", "conditions", Merge::Keyed(&["type"])),
    ("ServiceStatus", "conditions", Merge::Keyed(&["type"])),
    ("ServiceSpec", "ports", Merge::Keyed(&["port", "protocol"])),
    ("ServiceSpec", "selector", Merge::Whole),
];

/// Types whose objects are one value where somebody applies.
const WHOLE: &[&str] = &[
    "ConfigMapKeySelector",
    "FieldsV1",
    "LabelSelector",
    "LocalObjectReference",
    "NodeSelector",
    "NodeSelectorTerm",
    "ObjectFieldSelector",
    "ObjectReference",
    "OwnerReference",
    "ResourceFieldSelector",
    "SecretKeySelector",
    "SecretReference",
    "TypedLocalObjectReference",
];

/// How a field of a type is merged, where that is not as its shape says.
#[must_use]
pub fn merge_of(type_name: &str, field: &str) -> Option<Merge> {
    FIELDS.iter().find(|(of, name, _)| (*of, *name) == (type_name, field)).map(|(_, _, merge)| *merge)
}

/// Whether an object of this type is one value where somebody applies.
#[must_use]
pub fn is_whole(type_name: &str) -> bool {
    WHOLE.contains(&type_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::shape;

    #[test]
    fn every_field_is_one_of_its_type() {
        for (of, field, merge) in FIELDS {
            let fields = &shape::of_name(of).map(|it| &it.fields);
            let shape = fields.and_then(|it| it.get(field)).map(|it| &it.shape);
            let keys = if let Merge::Keyed(keys) = merge { *keys } else { &[] };
            let inner = match shape {
                Some(shape::Shape::List(inner)) => Some(&**inner),
                other => other,
            };
            assert!(inner.is_some(), "{of}.{field}");
            if let Some(shape::Shape::Object(name)) = inner {
                let has = |key: &&&str| shape::of_name(name).is_some_and(|it| it.fields.contains_key(**key));
                assert_eq!(keys.iter().filter(has).count(), keys.len(), "{of}.{field}");
            }
        }
    }
}
