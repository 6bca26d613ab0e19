//! What the tool's own relations say, as sentences: that a row is there, and that none is.
//!
//! `{0}` is the value of the first column; `{1:time}` and `{2:amount}` are written as what they are. What
//! stands in `[…]` is left away where a value in it is not known. The rules have their sentences over them;
//! these are for what no rule derives, and for what is *not* so. (Those of kinds without a view of their
//! own stand in the list of the kind.) A test holds every relation to having one.

use crate::datalog::explain::Goal;
use crate::kube::{Kind, amount_text, timestamp};

/// A relation, what a row of it says, and what it says that there is none.
type Sentence = (&'static str, &'static str, &'static str);

/// Inputs of the rules about placement, ownership, pods and history.
const INPUTS: &[Sentence] = &[
    ("class", "{0} has rules for where it may be", "{0} has no rules for where it may be"),
    ("profile", "{0} has labels and taints", "{0} is no node that there is"),
    ("labelled", "{0} is a node", "{0} is no node that there is"),
    ("profile_label", "{0} has the label {1}={2}", "{0} has no label {1}[={2}]"),
    ("profile_number", "{0} has the label {1}={2}", "{0} has no label {1} with a whole number"),
    ("profile_name", "the node is named {1}", "{0} is not named {1}"),
    ("profile_taint", "{0} has the taint {1}", "{0} has no taint[ {1}]"),
    ("taint", "{0} is a taint[ with the effect {3}]", "there is no taint[ {0}][ with the effect {3}]"),
    ("class_node_name", "nodeName {1}", "{0} has no nodeName[ {1}]"),
    ("class_node_selector", "nodeSelector {1}={2}", "{0} has no nodeSelector[ {1}][={2}]"),
    ("class_affinity", "{0} has required node affinity", "{0} has no required node affinity"),
    ("class_term", "node affinity term \"{1}\"", "{0} has no node affinity term[ \"{1}\"]"),
    ("tolerant", "{0} tolerates what it tolerates", "{0} has no tolerations"),
    ("class_toleration", "toleration {1}", "{0} has no toleration[ {1}]"),
    ("class_host_network", "hostNetwork: true", "{0} does not use the host network"),
    ("toleration", "{0} is a toleration", "there is no such toleration[ as {0}]"),
    ("term_expression", "requirement \"{1}\"", "\"{0}\" does not ask for labels"),
    ("term_field", "requirement \"{1}\"", "\"{0}\" does not ask for fields"),
    ("requirement", "\"{0}\" asks for {1}", "there is no requirement[ \"{0}\"][ with the operator {2}]"),
    ("requirement_value", "\"{0}\" lists {1}", "\"{0}\" does not list [{1}]"),
    ("requirement_number", "\"{0}\" lists the number {1}", "\"{0}\" does not list exactly one whole number"),
    ("requirement_size", "\"{0}\" lists {1} values", "\"{0}\" lists another number of values"),
    ("bad_key", "{0} cannot be a label's key", "{0} can be a label's key"),
    ("bad_value", "{0} cannot be a label's value", "{0} can be a label's value"),
    ("daemonset", "there is the daemonset {0}", "there is no daemonset[ {0}]"),
    ("daemonset_namespace", "{0} is in the namespace {1}", "{0} is not in the namespace [{1}]"),
    ("daemonset_uid", "{0} has the uid {1}", "{0} does not have the uid [{1}]"),
    ("daemonset_deleting", "{0} is being deleted", "{0} is not being deleted"),
    (
        "selector_requirement",
        "the selector of {0} asks for {1}",
        "the selector of {0} does not ask for [{1}]",
    ),
    ("label_set", "{0} has labels", "{0} has no labels"),
    ("set_label", "{0} has the label {1}={2}", "{0} has no label {1}[={2}]"),
    ("pod_shape", "{0} is one of the {1}", "{0} is not one of the [{1}]"),
    ("pod_started", "{0} runs since {1:time}", "{0} does not run yet"),
    ("pod_tried", "{0} was refused before", "{0} was not refused before"),
    ("shape", "there are {0}", "there are no [{0}]"),
    ("service", "there is the service {0}", "there is no service[ {0}][ in {1}][ named {2}]"),
    ("service_selector", "{0} asks for the label {1}={2}", "{0} does not ask for the label [{1}][={2}]"),
    ("service_type", "the type of {0} is {1}", "the type of {0} is not [{1}]"),
    ("service_headless", "{0} is headless", "{0} is not headless"),
    (
        "service_publishes_unready",
        "{0} publishes pods that are not ready",
        "{0} does not publish pods that are not ready",
    ),
    (
        "service_local",
        "the internalTrafficPolicy of {0} is Local",
        "the internalTrafficPolicy of {0} is not Local",
    ),
    ("service_family_written", "{0} says {1}", "{0} does not say a family of addresses[: {1}]"),
    ("service_stack", "the ipFamilyPolicy of {0} is {1}", "the ipFamilyPolicy of {0} is not [{1}]"),
    ("service_port", "{0} has the port {3}/{4}", "{0} has no port[ {3}][/{4}]"),
    ("service_target", "{0} leads to the port {2}", "{0} does not lead to the port [{2}]"),
    ("service_target_name", "{0} leads to the port {2}", "{0} does not lead to the port [{2}]"),
    ("service_node_port", "{0} has the node port {2}", "{0} has no node port[ {2}]"),
    ("pod_ip", "{0} has the address {1}", "{0} has no address[ {1}][ of {2}]"),
    ("pod_host_ip", "{0} says that its node has the address {1}", "{0} says no address of its node[: {1}]"),
    ("pod_net", "{0} is one of the {1}", "{0} is not one of the [{1}]"),
    ("net_on_host", "{0} are on the network of their node", "{0} are not on the network of their node"),
    ("net_port", "{0} have the port {3}/{4}[ named {2!}]", "{0} have no port[ {3}][/{4}][ named {2!}]"),
    ("net_hostname", "{0} are named {1}[ in {2!}]", "{0} have no hostname[ {1}][ in {2!}]"),
    ("node_ip_written", "{0} has the address {2}", "{0} has no address[ {2}][ of {3}]"),
    ("shape_request", "{0} request {2:amount} {1}", "{0} request no[ {2:amount}] {1}"),
    ("shape_host_port", "{0} take port {1} ({2}) of {3}", "{0} do not take [port {1} ]of the node"),
    ("shape_toleration", "toleration {1}", "{0} have no toleration[ {1}]"),
    ("scaled_uid", "{0} has the uid {1}", "{0} does not have the uid [{1}]"),
    ("scaled_by", "{0} belongs to what has the uid {1}", "{0} belongs to nothing[ with the uid {1}]"),
    ("shape_term", "the node affinity \"{1}\"", "{0} have no node affinity[ \"{1}\"]"),
    ("shape_node_selector", "nodeSelector {1}={2}", "{0} have no nodeSelector[ {1}][={2}]"),
    ("shape_priority", "the priority of {0} is {1}", "{0} do not say a priority"),
    ("shape_priority_class", "{0} are of the class {1}", "{0} are not of the class [{1}]"),
    ("shape_preemption", "preemptionPolicy {1}", "{0} have no preemptionPolicy[ {1}]"),
    ("node_taint_order", "{0} has the taint {1}", "{0} has no taint[ {1}]"),
    ("pod_tolerance", "{0} has tolerations", "{0} has no tolerations"),
    ("listed_toleration", "toleration {2}", "there is no toleration[ {2}]"),
    ("toleration_seconds", "tolerationSeconds {2}", "there are no tolerationSeconds[ {2}]"),
    ("taint_since", "{0} has the taint {1} since {2:time}", "{0} has no taint[ {1}]"),
    ("budget_selector", "the selector of {0} asks for {1}", "the selector of {0} does not ask for [{1}]"),
    ("budget_disrupted", "{0} has counted {1}", "{0} has not counted [{1}]"),
    ("eviction_asked", "somebody asks to evict {0}", "nobody asks to evict [{0}]"),
    ("pod", "there is the pod {0}", "there is no pod[ {0}]"),
    ("pod_controller", "{0} is controlled by the owner {1}", "{0} is not controlled by an owner[ {1}]"),
    ("pod_deleting", "{0} is being deleted", "{0} is not being deleted"),
    ("revision", "there is the revision {0}", "there is no revision[ {0}]"),
    (
        "revision_controller",
        "the revision {0} is controlled by the owner {1}",
        "the revision {0} is not controlled by an owner[ {1}]",
    ),
    ("revision_deleting", "the revision {0} is being deleted", "the revision {0} is not being deleted"),
    ("node", "there is the node {0}", "there is no node[ {0}]"),
    ("in_class", "there is the daemonset {0}", "there is no daemonset[ {0}]"),
    ("in_profile", "there is the node {0}", "there is no node[ {0}]"),
    ("pod_target", "{0} is meant for {1}", "{0} is meant for no node[ {1}]"),
    ("pod_unbound", "{0} is not bound to a node yet", "{0} is bound to a node"),
    ("pod_not_running", "the phase of {0} is {1}", "the phase of {0} is not [{1}]"),
    ("pod_ready", "{0} is ready", "{0} is not ready"),
    ("pod_unready", "{0} is not ready", "{0} is ready"),
    ("pod_ready_since", "{0} is ready since {1:time}", "{0} is not ready"),
    ("pod_created", "{0} was created at {1:time}", "{0} was created at another time"),
    ("min_ready_seconds", "the minReadySeconds of {0} are {1}", "{0} has other minReadySeconds[ than {1}]"),
    ("update_strategy", "the update strategy of {0} is {1}", "the update strategy of {0} is not [{1}]"),
    ("surge_of_one", "maxSurge of {0} is {1} for one node", "maxSurge of {0} is another for one node"),
    (
        "unavailable_of_one",
        "maxUnavailable of {0} is {1} for a single node",
        "maxUnavailable of {0} is another for a single node",
    ),
    ("now", "it is {0:time}", "it is another time"),
    ("backoff_until", "after a failed pod of {0}, {1} waits until {2:time}", "{0} waits for nothing on {1}"),
    ("awaits_turn", "it is not the turn of {1} yet in the rollout of {0}: {2}", "the turn of {1} has come"),
    ("driven", "`rollout run` gives a new pod of {0} {1} seconds", "no `rollout run` is about {0}"),
    ("node_silent", "the agent of {0} is not heard of", "the agent of {0} is heard of"),
    ("pod_waits", "the container {1} of {0} waits: {2}", "no container of {0} waits[: {2}]"),
    ("pod_unready_since", "{0} is not ready since {1:time}", "nobody says since when {0} is not ready"),
    ("deleted_owner", "the owner {0} was deleted", "the owner {0} was not deleted"),
    ("deleted_namespace", "the namespace {0} was deleted", "the namespace {0} was not deleted"),
    ("daemonset_given", "the input still has {0}", "the input does not have {0} any longer"),
    ("pod_given", "the input still has {0}", "the input does not have {0} any longer"),
    ("revision_given", "the input still has {0}", "the input does not have {0} any longer"),
    ("template", "{0} has a template", "{0} has another template"),
    ("revision_template", "{0} holds a template", "{0} holds another template"),
    ("revision_number", "{0} has the number {1}", "{0} does not have the number [{1}]"),
    ("revision_hash", "{0} has the hash {1}", "{0} does not have the hash [{1}]"),
    ("new_revision", "a new revision of {0} is named {1}", "a new revision of {0} is not named [{1}]"),
    ("template_generation", "{0} has the template generation {1}", "{0} has no template generation[ {1}]"),
    ("set_generation", "{0} has the template generation {1}", "{0} has no template generation[ {1}]"),
    ("new_hash", "a new revision of {0} gets the hash {1}", "a new revision of {0} gets another hash"),
    ("set_hash", "{0} has the hash {1}", "{0} does not have the hash [{1}]"),
];

/// Inputs that only a user's own rules ask for.
const CLUSTER: &[Sentence] = &[
    ("node_label", "{0} has the label {1}={2}", "{0} has no label {1}[={2}]"),
    ("node_number", "{0} has the label {1}={2}", "{0} has no label {1} with a whole number[ {2}]"),
    (
        "node_label_version",
        "{0} has the version {2}.{3}.{4} in the label {1}",
        "{0} has no label {1} with a version[ {2}.{3}.{4}]",
    ),
    ("node_annotation", "{0} has the annotation {1}={2}", "{0} has no annotation {1}[={2}]"),
    ("node_taint", "{0} has the taint {1}[={2!}]:{3}", "{0} has no taint[ {1}][={2!}][:{3}]"),
    ("node_condition", "the condition {1} of {0} is {2}", "{0} has no condition {1}[ that is {2}]"),
    (
        "node_condition_since",
        "the condition {1} of {0} is as it is since {2:time}",
        "{0} has no condition {1} with a time",
    ),
    ("node_capacity", "the capacity of {0} is {2:amount} {1}", "{0} has no capacity[ of {2:amount}] {1}"),
    ("node_allocatable", "{0} has {2:amount} {1} for pods", "{0} has no[ {2:amount}] {1} for pods"),
    ("node_info", "{1} of {0} is {2}", "{0} has no {1}[ {2}]"),
    ("node_info_version", "{1} of {0} is {2}.{3}.{4}", "{0} has no {1}[ {2}.{3}.{4}]"),
    ("node_address", "{0} has the {1} {2}", "{0} has no {1}[ {2}]"),
    ("node_unschedulable", "{0} is cordoned", "{0} is not cordoned"),
    ("node_created", "{0} was created at {1:time}", "{0} has no time of creation[ {1:time}]"),
    ("node_role", "{0} has the role {1}", "{0} has no role[ {1}]"),
    ("daemonset_name", "{0} is named {1}", "{0} is not named [{1}]"),
    ("daemonset_label", "{0} has the label {1}={2}", "{0} has no label {1}[={2}]"),
    ("daemonset_annotation", "{0} has the annotation {1}={2}", "{0} has no annotation {1}[={2}]"),
    ("daemonset_created", "{0} was created at {1:time}", "{0} has no time of creation[ {1:time}]"),
    (
        "daemonset_request",
        "a pod of {0} requests {2:amount} {1}",
        "a pod of {0} requests no[ {2:amount}] {1}",
    ),
    ("max_unavailable_written", "maxUnavailable of {0} is {1}", "maxUnavailable of {0} is not [{1}]"),
    ("max_surge_written", "maxSurge of {0} is {1}", "maxSurge of {0} is not [{1}]"),
    ("template_label", "the pods of {0} get the label {1}={2}", "the pods of {0} get no label {1}[={2}]"),
    (
        "template_annotation",
        "the pods of {0} get the annotation {1}={2}",
        "the pods of {0} get no annotation {1}[={2}]",
    ),
    (
        "template_container",
        "the container {1} of {0} has the image {2}",
        "{0} has no container[ {1}][ with the image {2}]",
    ),
    (
        "template_init_container",
        "the init container {1} of {0} has the image {2}",
        "{0} has no init container[ {1}][ with the image {2}]",
    ),
    (
        "template_image",
        "the image of the container {1} of {0} is {2}[:{3!}][@{4!}]",
        "{0} has no container[ {1}] with such an image[ of {2!}][:{3!}][@{4!}]",
    ),
    (
        "host_port",
        "the container {1} of {0} takes the port {2}/{3} of the node",
        "{0} takes no port[ {2}][/{3}] of the node",
    ),
    ("template_port", "the container {1} of {0} has the port {2}/{3}", "{0} has no port[ {2}][/{3}]"),
    (
        "template_host_port",
        "{0} takes the port {1}/{2} of the node",
        "{0} takes no port[ {1}][/{2}] of the node",
    ),
    (
        "template_request",
        "the container {1} of {0} requests {3:amount} {2}",
        "{0} requests no[ {3:amount}] {2}",
    ),
    (
        "template_limit",
        "the container {1} of {0} is limited to {3:amount} {2}",
        "{0} has no limit[ of {3:amount}] for {2}",
    ),
    (
        "template_toleration",
        "{0} has the toleration[ {1!}] {2}[ {3!}][ for {4!}]",
        "{0} has no toleration[ {1!}][ {2}][ {3!}][ for {4!}]",
    ),
    ("template_volume", "the volume {1} of {0} is a {2}", "{0} has no volume[ {1}][ of the kind {2}]"),
    (
        "template_host_path",
        "the volume {1} of {0} is the node's {2}",
        "no volume of {0} is a path of the node[: {2}]",
    ),
    (
        "template_host_namespace",
        "the pods of {0} share the node's {1} namespace",
        "the pods of {0} do not share the node's [{1} ]namespace",
    ),
    (
        "template_privileged",
        "the container {1} of {0} is privileged",
        "{0} has no privileged container[ {1}]",
    ),
    (
        "template_capability",
        "the container {1} of {0} gets the capability {2}",
        "no container of {0} gets a capability[ {2}]",
    ),
    ("template_priority_class", "the priority class of {0} is {1}", "{0} has no priority class[ {1}]"),
    ("template_service_account", "the service account of {0} is {1}", "{0} has no service account[ {1}]"),
    ("pod_name", "{0} is named {1}", "{0} is not named [{1}]"),
    ("pod_namespace", "{0} is in the namespace {1}", "{0} is not in the namespace [{1}]"),
    ("pod_label", "{0} has the label {1}={2}", "{0} has no label {1}[={2}]"),
    ("pod_phase", "the phase of {0} is {1}", "the phase of {0} is not [{1}]"),
    ("pod_request", "{0} requests {2:amount} {1}", "{0} requests no[ {2:amount}] {1}"),
    ("node_field", "{1} of {0} is {2}", "{0} has no {1}[ that is {2}]"),
    ("daemonset_field", "{1} of {0} is {2}", "{0} has no {1}[ that is {2}]"),
    ("pod_field", "{1} of {0} is {2}", "{0} has no {1}[ that is {2}]"),
    ("revision_field", "{1} of {0} is {2}", "{0} has no {1}[ that is {2}]"),
    ("namespace_field", "{1} of {0} is {2}", "{0} has no {1}[ that is {2}]"),
    ("service_field", "{1} of {0} is {2}", "{0} has no {1}[ that is {2}]"),
    ("object_field", "{1} of {0} is {2}", "{0} has no {1}[ that is {2}]"),
    ("object", "there is {0}", "there is no {1}[ {3}][ in {2}]"),
    ("minute_of_day", "it is the minute {0} of the day", "it is not the minute [{0}] of the day"),
    ("weekday", "it is {0}", "it is not [{0}]"),
    ("date", "it is {0}-{1}-{2}", "it is not the date [{0}]-[{1}]-[{2}]"),
    ("planned", "the plan is to {0} a pod of {1} on {2}", "the plan is not to {0} a pod of [{1} on {2}]"),
];

/// What rules derive, where it is told that it is *not* so. Those with a full stop at the
/// end are not gone into: why there is no such thing is of no help.
const DERIVED: &[(&str, &str)] = &[
    ("pod_ended", "{0} has not ended"),
    ("pod_pending", "{0} has started"),
    ("eligible", "{0} should not run on {1}"),
    ("fits", "{0} does not fit {1}"),
    ("has_pod", "{1} has no pod of {0}."),
    ("new_pod", "there is no such pod of {0} with the current template[ on {2}]."),
    ("old_pod", "there is no such pod of {0} with a former template[ on {2}]."),
    ("occupied", "{1} has no pod of {0}."),
    ("counted", "{0} has no pod[ {1}][ on {2}]."),
    ("daemon_pod", "{0} has no pod[ {1}][ on {2}]."),
    ("live", "{0} has no pod[ {1}][ on {2}] that stays."),
    ("running", "{0} has no pod[ {1}][ on {2}] that runs."),
    ("runs_on", "no pod of {0} runs on {1}."),
    ("claims", "[{1} ]belongs not to {0}."),
    ("owned", "[{1} ]belongs not to {0}."),
    ("selects", "the selector of {0} does not match {1}."),
    ("updated", "[{1} ]has not the current template of {0}."),
    ("outdated", "{0} has no pod[ {1}][ on {2}] with a former template."),
    ("available", "[{1} ]is not available."),
    ("unmanaged", "{0} is looked after."),
    ("create", "no pod of {0} is to be created on {1}."),
    ("delete", "no pod of {0} is to go[ from {2}]."),
    ("rolling", "{0} is not being rolled out."),
    ("desired_pods", "another number of nodes than [{1}] should run {0}"),
    ("max_unavailable", "maxUnavailable of {0} comes not to [{1}]"),
    ("max_surge", "maxSurge of {0} comes not to [{1}]"),
    ("wave", "{1} has no wave for {0}"),
    ("blocked", "no rule blocks {0} on {1}"),
    ("hold", "no rule holds the pod of {0} on {1}"),
    ("required", "{0} is not required on {1}"),
    ("node_ready", "{0} is not ready"),
    ("node_zone", "{0} is in no zone[ {1}]"),
    ("node_region", "{0} is in no region[ {1}]"),
    ("template_node_selector", "{0} has no nodeSelector[ {1}][={2}]."),
    ("tolerates", "{0} does not tolerate {1}"),
    ("scheduled", "{0} has no pod[ {1}][ on {2}] where it should."),
    ("misscheduled", "{0} has no pod on {1} that should not be there."),
];

/// What rules of a user's own derive, where they have no sentence over them.
const OPEN: &[(&str, &str)] = &[
    ("blocked", "a rule blocks {0} on {1}"),
    ("hold", "a rule holds the pod of {0} on {1}"),
    ("wave", "{1} is in wave {2} of {0}"),
    ("required", "{0} is required on {1}"),
];

/// What a row of an input says, and what it says that there is none.
fn find(relation: &str) -> Option<(&'static str, &'static str)> {
    let known = INPUTS.iter().chain(CLUSTER).find(|(name, ..)| *name == relation);
    known.map(|(_, yes, no)| (*yes, *no)).or_else(|| Some(Kind::of_relation(relation)?.1.says))
}

/// What a row of an input says; none for a relation of a user's own.
pub(super) fn says(goal: &Goal) -> Option<String> {
    let open = || OPEN.iter().find(|(name, _)| *name == goal.relation).map(|(_, yes)| *yes);
    let yes = find(&goal.relation).map(|(yes, _)| yes).or_else(open)?;
    Some(fill(yes, &goal.values))
}

/// What it says that there is no row of an input or of what the tool's rules derive.
pub(super) fn denies(goal: &Goal) -> Option<String> {
    let input = find(&goal.relation);
    let derived = || DERIVED.iter().find(|(name, _)| *name == goal.relation).map(|(_, no)| *no);
    let no = input.map(|(_, no)| no).or_else(derived)?;
    // Of what is not known, nothing can be said but that there is none.
    if goal.values.first().is_some_and(Option::is_none)
        && no.starts_with("{0}")
        && let Some((yes, _)) = input
    {
        let mut values = goal.values.clone();
        values[0] = Some("nothing".to_owned());
        if yes.contains("{0}") {
            return Some(fill(yes, &values));
        }
        let is_known = values[1..].iter().all(Option::is_some);
        let what = if is_known { yes } else { yes.split(['{', '"']).next().unwrap_or(yes) };
        return Some(format!("there is no {}", fill(what, &values)));
    }
    Some(fill(no, &goal.values).trim_end_matches('.').to_owned())
}

/// Whether a column of an input is a time.
pub(super) fn is_time(relation: &str, column: usize) -> bool {
    find(relation).is_some_and(|(yes, _)| yes.contains(&format!("{{{column}:time}}")))
}

/// Whether it helps to say why there is no such row.
pub(super) fn goes_on(goal: &Goal) -> bool {
    !DERIVED.iter().any(|(name, no)| *name == goal.relation && no.ends_with('.'))
}

/// Fills in the values.
fn fill(template: &str, values: &[Option<String>]) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['[', '{']) {
        out.push_str(&rest[..at]);
        let close = if rest[at..].starts_with('[') { ']' } else { '}' };
        let Some((inside, behind)) = rest[at + 1..].split_once(close) else { break };
        if close == ']' {
            // A part of which something is not known, or is empty, is left away.
            if let Some(part) = filled(inside, values) {
                out.push_str(&part);
            }
        } else {
            out.push_str(&slot(inside, values).unwrap_or_else(|| "some".to_owned()));
        }
        rest = behind;
    }
    out.push_str(rest);
    out.replace("  ", " ").trim_end().to_owned()
}

fn filled(part: &str, values: &[Option<String>]) -> Option<String> {
    let mut out = String::new();
    let mut rest = part;
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        let (name, after) = behind.split_once('}')?;
        out.push_str(&slot(name, values)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// One value: `0`, `1:time`, `2:amount`, `3!` for one that says nothing when it is empty.
fn slot(name: &str, values: &[Option<String>]) -> Option<String> {
    let digits = name.trim_end_matches(|it: char| !it.is_ascii_digit());
    let at: usize = digits.parse().ok()?;
    let value = values.get(at)?.as_deref()?;
    match &name[digits.len()..] {
        ":time" => Some(value.parse().map_or_else(|_| value.to_owned(), timestamp)),
        // In the unit of the resource that stands beside it; cpu in thousandths, as rules have it.
        ":amount" => {
            let others = values.iter().enumerate().filter(|(other, _)| *other != at);
            let resource = others.filter_map(|(_, it)| it.as_deref()).find(|it| is_measured(it));
            Some(match (resource, value.parse()) {
                (Some(cpu), Ok(_)) if cpu.ends_with("cpu") => format!("{value}m"),
                (Some(resource), Ok(bytes)) => amount_text(resource, bytes, true),
                _ => value.to_owned(),
            })
        }
        "!" if value.is_empty() => None,
        _ => Some(value.to_owned()),
    }
}

/// Whether a resource is counted in thousandths or in bytes.
fn is_measured(resource: &str) -> bool {
    let name = resource.rsplit('.').next().unwrap_or(resource);
    matches!(name, "cpu" | "memory" | "ephemeral-storage" | "storage") || name.starts_with("hugepages-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{DERIVED, fill, find};
    use crate::datalog::Kind;
    use crate::kube;

    #[test]
    fn every_input_has_a_sentence_for_yes_and_no() {
        let program = crate::policy::builtin::load(&[]).program.unwrap();
        let without: Vec<&str> = program
            .declarations()
            .filter(|it| it.kind == Kind::Input && find(&it.name).is_none())
            .map(|it| &*it.name)
            .collect();
        assert!(without.is_empty(), "give these a sentence: {without:?}");
        for (name, ..) in super::INPUTS.iter().chain(super::CLUSTER) {
            let id = program.relation(name).unwrap_or_else(|| panic!("there is no {name}"));
            assert_eq!(program.declaration(id).kind, Kind::Input, "{name}");
        }
    }

    #[test]
    fn sentences_name_columns_that_there_are() {
        let program = crate::policy::builtin::load(&[]).program.unwrap();
        let inputs =
            super::INPUTS.iter().chain(super::CLUSTER).flat_map(|(name, yes, no)| [(name, yes), (name, no)]);
        let facts = kube::Kind::ALL.into_iter().flat_map(|kind| kind.info().facts);
        let facts = facts.flat_map(|it| [(&it.relation, &it.says.0), (&it.relation, &it.says.1)]);
        for (name, text) in inputs.chain(facts).chain(DERIVED.iter().map(|(name, no)| (name, no))) {
            let id = program.relation(name).unwrap_or_else(|| panic!("there is no {name}"));
            let values: Vec<_> =
                program.declaration(id).columns.iter().map(|column| Some(column.name.to_string())).collect();
            let filled = fill(text, &values);
            assert!(!filled.contains(['{', '}', '[', ']']), "{name}: {filled}");
            let unknown = fill(text, &vec![None; values.len()]);
            assert!(!unknown.contains(['{', '}', '[', ']']), "{name}: {unknown}");
        }
    }

    #[test]
    fn every_rule_of_the_tool_has_a_sentence() {
        let program = crate::policy::builtin::load(&[]).program.unwrap();
        let without: Vec<&str> = program
            .rules()
            .filter(|rule| rule.sentence.is_empty() && !rule.body.is_empty())
            // What an aggregate is about is told with its value.
            .filter(|rule| program.declaration(rule.head.relation).within.is_none())
            .map(|rule| &*rule.text)
            .collect();
        assert!(without.is_empty(), "{without:#?}");
    }

    #[test]
    fn what_is_not_known_is_left_away() {
        let value = |text: &str| Some(text.to_owned());
        let disk = fill("{0} has no label {1}[={2}]", &[value("n1"), value("disk"), None]);
        assert_eq!(disk, "n1 has no label disk");
        assert_eq!(fill("it is {0:time}", &[value("0")]), "it is 1970-01-01T00:00:00Z");
        for (resource, amount, said) in
            [("cpu", "500", "500m"), ("memory", "536870912", "512Mi"), ("requests.cpu", "1500", "1500m")]
        {
            let values = [value("n"), value(resource), value(amount)];
            assert_eq!(fill("{0} has {2:amount} {1}", &values), format!("n has {said} {resource}"));
        }
    }
}
