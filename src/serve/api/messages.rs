//! The messages of kinds that are read in protobuf: the fields by their numbers, as `generated.proto`
//! of k8s.io/api and k8s.io/apimachinery 1.32 has them.

/// What a field is.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// Text.
    Text,
    /// A whole number.
    Number,
    /// Yes or no.
    Bool,
    /// Texts by texts.
    Map,
    /// A time of whole seconds.
    Time,
    /// A time with microseconds.
    MicroTime,
    /// A number, or a text that has one.
    IntOrString,
    /// JSON in a message of its own.
    Json,
    /// Another message.
    Message(&'static str),
}

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its number.
    pub number: u64,
    /// Its name in JSON.
    pub name: &'static str,
    /// What it is.
    pub of: Type,
    /// Whether there may be several.
    pub repeated: bool,
    /// Whether it is there where it is sent, whatever it is.
    pub pointer: bool,
}

use Type::{Bool, IntOrString, Json, Map, Message, MicroTime, Number, Text, Time};

const fn one(number: u64, name: &'static str, of: Type) -> Field {
    Field { number, name, of, repeated: false, pointer: false }
}

const fn many(number: u64, name: &'static str, of: Type) -> Field {
    Field { repeated: true, ..one(number, name, of) }
}

const fn said(number: u64, name: &'static str, of: Type) -> Field {
    Field { pointer: true, ..one(number, name, of) }
}

/// The fields of a message, where it is known.
pub fn fields_of(message: &str) -> Option<&'static [Field]> {
    MESSAGES.iter().find(|(name, _)| *name == message).map(|(_, fields)| *fields)
}

/// What has a name, and its metadata.
const META: Field = one(1, "metadata", Message("ObjectMeta"));

static MESSAGES: [(&str, &[Field]); 38] = [
    ("Unknown", &[one(1, "typeMeta", Message("TypeMeta"))]),
    ("TypeMeta", &[one(1, "apiVersion", Text), one(2, "kind", Text)]),
    ("Entry", &[one(1, "key", Text), one(2, "value", Text)]),
    ("Time", &[one(1, "seconds", Number), one(2, "nanos", Number)]),
    ("FieldsV1", &[one(1, "Raw", Text)]),
    ("IntOrString", &[said(1, "type", Number), said(2, "intVal", Number), said(3, "strVal", Text)]),
    (
        "ObjectMeta",
        &[
            one(1, "name", Text),
            one(2, "generateName", Text),
            one(3, "namespace", Text),
            one(5, "uid", Text),
            one(6, "resourceVersion", Text),
            one(7, "generation", Number),
            one(8, "creationTimestamp", Time),
            said(9, "deletionTimestamp", Time),
            said(10, "deletionGracePeriodSeconds", Number),
            one(11, "labels", Map),
            one(12, "annotations", Map),
            many(13, "ownerReferences", Message("OwnerReference")),
            many(14, "finalizers", Text),
            many(17, "managedFields", Message("ManagedFieldsEntry")),
        ],
    ),
    (
        "OwnerReference",
        &[
            one(1, "kind", Text),
            one(3, "name", Text),
            one(4, "uid", Text),
            one(5, "apiVersion", Text),
            said(6, "controller", Bool),
            said(7, "blockOwnerDeletion", Bool),
        ],
    ),
    (
        "ManagedFieldsEntry",
        &[
            one(1, "manager", Text),
            one(2, "operation", Text),
            one(3, "apiVersion", Text),
            one(4, "time", Time),
            one(6, "fieldsType", Text),
            one(7, "fieldsV1", Json),
            one(8, "subresource", Text),
        ],
    ),
    (
        "LabelSelector",
        &[one(1, "matchLabels", Map), many(2, "matchExpressions", Message("LabelSelectorRequirement"))],
    ),
    ("LabelSelectorRequirement", &[one(1, "key", Text), one(2, "operator", Text), many(3, "values", Text)]),
    (
        "DeleteOptions",
        &[
            said(1, "gracePeriodSeconds", Number),
            one(2, "preconditions", Message("Preconditions")),
            said(3, "orphanDependents", Bool),
            said(4, "propagationPolicy", Text),
            many(5, "dryRun", Text),
        ],
    ),
    ("Preconditions", &[said(1, "uid", Text), said(2, "resourceVersion", Text)]),
    (
        "Namespace",
        &[META, one(2, "spec", Message("NamespaceSpec")), one(3, "status", Message("NamespaceStatus"))],
    ),
    ("NamespaceSpec", &[many(1, "finalizers", Text)]),
    ("NamespaceStatus", &[one(1, "phase", Text)]),
    ("Service", &[META, one(2, "spec", Message("ServiceSpec"))]),
    (
        "ServiceSpec",
        &[
            many(1, "ports", Message("ServicePort")),
            one(2, "selector", Map),
            one(3, "clusterIP", Text),
            one(4, "type", Text),
            many(5, "externalIPs", Text),
            one(7, "sessionAffinity", Text),
            one(8, "loadBalancerIP", Text),
            many(9, "loadBalancerSourceRanges", Text),
            one(10, "externalName", Text),
            one(11, "externalTrafficPolicy", Text),
            one(12, "healthCheckNodePort", Number),
            one(13, "publishNotReadyAddresses", Bool),
            one(14, "sessionAffinityConfig", Message("SessionAffinityConfig")),
            said(17, "ipFamilyPolicy", Text),
            many(18, "clusterIPs", Text),
            many(19, "ipFamilies", Text),
            said(20, "allocateLoadBalancerNodePorts", Bool),
            said(21, "loadBalancerClass", Text),
            said(22, "internalTrafficPolicy", Text),
            said(23, "trafficDistribution", Text),
        ],
    ),
    (
        "ServicePort",
        &[
            one(1, "name", Text),
            one(2, "protocol", Text),
            one(3, "port", Number),
            one(4, "targetPort", IntOrString),
            one(5, "nodePort", Number),
            said(6, "appProtocol", Text),
        ],
    ),
    ("SessionAffinityConfig", &[one(1, "clientIP", Message("ClientIPConfig"))]),
    ("ClientIPConfig", &[said(1, "timeoutSeconds", Number)]),
    (
        "PriorityClass",
        &[
            META,
            said(2, "value", Number),
            one(3, "globalDefault", Bool),
            one(4, "description", Text),
            said(5, "preemptionPolicy", Text),
        ],
    ),
    ("PodDisruptionBudget", &[META, one(2, "spec", Message("PodDisruptionBudgetSpec"))]),
    (
        "PodDisruptionBudgetSpec",
        &[
            said(1, "minAvailable", IntOrString),
            said(2, "selector", Message("LabelSelector")),
            said(3, "maxUnavailable", IntOrString),
            said(4, "unhealthyPodEvictionPolicy", Text),
        ],
    ),
    ("Eviction", &[META, one(2, "deleteOptions", Message("DeleteOptions"))]),
    ("Lease", &[META, one(2, "spec", Message("LeaseSpec"))]),
    (
        "LeaseSpec",
        &[
            said(1, "holderIdentity", Text),
            said(2, "leaseDurationSeconds", Number),
            one(3, "acquireTime", MicroTime),
            one(4, "renewTime", MicroTime),
            said(5, "leaseTransitions", Number),
            said(6, "strategy", Text),
            said(7, "preferredHolder", Text),
        ],
    ),
    (
        "Event",
        &[
            META,
            one(2, "involvedObject", Message("ObjectReference")),
            one(3, "reason", Text),
            one(4, "message", Text),
            one(5, "source", Message("EventSource")),
            one(6, "firstTimestamp", Time),
            one(7, "lastTimestamp", Time),
            one(8, "count", Number),
            one(9, "type", Text),
            one(10, "eventTime", MicroTime),
            one(11, "series", Message("EventSeries")),
            one(12, "action", Text),
            one(13, "related", Message("ObjectReference")),
            one(14, "reportingComponent", Text),
            one(15, "reportingInstance", Text),
        ],
    ),
    (
        "ObjectReference",
        &[
            one(1, "kind", Text),
            one(2, "namespace", Text),
            one(3, "name", Text),
            one(4, "uid", Text),
            one(5, "apiVersion", Text),
            one(6, "resourceVersion", Text),
            one(7, "fieldPath", Text),
        ],
    ),
    ("EventSource", &[one(1, "component", Text), one(2, "host", Text)]),
    ("EventSeries", &[one(1, "count", Number), one(2, "lastObservedTime", MicroTime)]),
    ("SelfSubjectReview", &[META]),
    ("SelfSubjectAccessReview", &[META, one(2, "spec", Message("SelfSubjectAccessReviewSpec"))]),
    (
        "SelfSubjectAccessReviewSpec",
        &[
            one(1, "resourceAttributes", Message("ResourceAttributes")),
            one(2, "nonResourceAttributes", Message("NonResourceAttributes")),
        ],
    ),
    (
        "ResourceAttributes",
        &[
            one(1, "namespace", Text),
            one(2, "verb", Text),
            one(3, "group", Text),
            one(4, "version", Text),
            one(5, "resource", Text),
            one(6, "subresource", Text),
            one(7, "name", Text),
        ],
    ),
    ("NonResourceAttributes", &[one(1, "path", Text), one(2, "verb", Text)]),
    ("SelfSubjectRulesReview", &[META, one(2, "spec", Message("SelfSubjectRulesReviewSpec"))]),
    ("SelfSubjectRulesReviewSpec", &[one(1, "namespace", Text)]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_that_is_named_is_there() {
        for (message, fields) in &MESSAGES {
            for field in *fields {
                if let Message(name) = field.of {
                    assert!(fields_of(name).is_some(), "{message} {}: {name}", field.name);
                }
            }
        }
    }
}
