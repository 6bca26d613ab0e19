//! The relations that Rust names, each once, with the types of its columns.
//!
//! Facts are put into them and plans are read from them by these handles, which are found when the
//! rules are loaded: what no rule file declares so is an error there. What is derived for a plan and
//! what is counted follows from this table and from what `.decl` says.

// A handle has the name of its relation.
#![allow(non_upper_case_globals, missing_docs)]

use crate::datalog::{Column, Handle, Kind, Program, RelationId, Signature};
use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{self, Rows};

/// Makes of `name(Type, …)` a handle `name`, and of each group of them a list.
macro_rules! relations {
    ($($(#[doc = $doc:literal])* $group:ident { $($name:ident($($column:ident),*))* })*) => {
        /// The places of all handles in the table.
        #[allow(non_camel_case_types)]
        enum At { $($($name,)*)* }
        $($(pub const $name: Handle = Handle::at(At::$name as usize);)*)*
        $($(#[doc = $doc])* pub const $group: &[Handle] = &[$($name),*];)*
        const TABLE: &[Signature] = &[
            $($(Signature { name: stringify!($name), columns: &[$(stringify!($column)),*] },)*)*
        ];
    };
}

relations! {
    /// What every node, daemonset, pod and revision is known by.
    OBJECTS {
        daemonset(DaemonSet)
        daemonset_namespace(DaemonSet, Namespace)
        daemonset_uid(DaemonSet, Uid)
        daemonset_deleting(DaemonSet)
        selector_requirement(DaemonSet, Requirement)
        template(DaemonSet, Template)
        new_hash(DaemonSet, Hash)
        new_revision(DaemonSet, Revision)
        template_generation(DaemonSet, Value)
        min_ready_seconds(DaemonSet, Seconds)
        update_strategy(DaemonSet, Value)
        surge_of_one(DaemonSet, number)
        unavailable_of_one(DaemonSet, number)
        in_class(DaemonSet, Class)
        node(Node)
        in_profile(Node, Profile)
        pod(Pod, LabelSet)
        pod_controller(Pod, Uid)
        pod_deleting(Pod)
        pod_target(Pod, Node)
        pod_unbound(Pod)
        pod_not_running(Pod, Phase)
        pod_ready(Pod)
        pod_ready_since(Pod, Time)
        pod_unready(Pod)
        pod_created(Pod, Time)
        revision(Revision, LabelSet)
        revision_controller(Revision, Uid)
        revision_deleting(Revision)
        revision_template(Revision, Template)
        revision_number(Revision, number)
        revision_hash(Revision, Hash)
    }
    /// What objects share: groups, labels, requirements, tolerations.
    SHARED {
        class(Class, Selector, Affinity, Tolerations)
        class_node_name(Selector, Value)
        class_node_selector(Selector, Key, Value)
        class_affinity(Affinity)
        class_term(Affinity, Term)
        tolerant(Tolerations)
        class_toleration(Tolerations, Toleration)
        class_host_network(Tolerations)
        toleration(Toleration, Key, Operator, Value, Effect)
        profile(Profile, NodeLabels, NodeTaints)
        labelled(NodeLabels)
        profile_label(NodeLabels, Key, Value)
        profile_number(NodeLabels, Key, number)
        profile_name(NodeLabels, Value)
        profile_taint(NodeTaints, Taint)
        taint(Taint, Key, Value, Effect)
        term_expression(Term, Requirement)
        term_field(Term, Requirement)
        requirement(Requirement, Key, Operator)
        requirement_value(Requirement, Value)
        requirement_number(Requirement, number)
        requirement_size(Requirement, number)
        bad_key(Key)
        bad_value(Value)
        label_set(LabelSet, Namespace)
        set_label(LabelSet, Key, Value)
        set_hash(LabelSet, Hash)
        set_generation(LabelSet, Value)
    }
    /// What belongs to no object, or passes: all of it is given anew each time.
    PASSING {
        now(Time)
        minute_of_day(Minute)
        weekday(Value)
        date(number, number, number)
        backoff_until(DaemonSet, Node, Time)
        deleted_owner(Uid, Value)
        deleted_namespace(Namespace)
        daemonset_given(DaemonSet)
        pod_given(Pod)
        revision_given(Revision)
        pod_tried(Pod)
        awaits_turn(DaemonSet, Node, Value)
        driven(DaemonSet, Seconds)
        pod_waits(Pod, Value, Value)
        pod_unready_since(Pod, Time)
        node_silent(Node)
        planned(Value, DaemonSet, Node)
    }
    /// What a user's rules may ask of objects beside that.
    CLUSTER {
        node_label(Node, Key, Value)
        node_number(Node, Key, number)
        node_label_version(Node, Key, number, number, number)
        node_taint(Node, Key, Value, Effect)
        node_unschedulable(Node)
        node_created(Node, Time)
        node_role(Node, Value)
        daemonset_name(DaemonSet, Value)
        daemonset_label(DaemonSet, Key, Value)
        daemonset_annotation(DaemonSet, Key, Value)
        daemonset_created(DaemonSet, Time)
        daemonset_request(DaemonSet, Key, Amount)
        max_unavailable_written(DaemonSet, Value)
        max_surge_written(DaemonSet, Value)
        template_label(DaemonSet, Key, Value)
        template_annotation(DaemonSet, Key, Value)
        template_container(DaemonSet, Value, Value)
        template_init_container(DaemonSet, Value, Value)
        template_image(DaemonSet, Value, Value, Value, Value)
        template_port(DaemonSet, Value, Port, Value)
        template_host_port(DaemonSet, Port, Value)
        host_port(DaemonSet, Value, Port, Value, Value)
        template_request(DaemonSet, Value, Key, Amount)
        template_limit(DaemonSet, Value, Key, Amount)
        template_toleration(DaemonSet, Key, Operator, Value, Effect)
        template_volume(DaemonSet, Value, Value)
        template_host_path(DaemonSet, Value, Value)
        template_host_namespace(DaemonSet, Value)
        template_privileged(DaemonSet, Value)
        template_capability(DaemonSet, Value, Value)
        template_priority_class(DaemonSet, Value)
        template_service_account(DaemonSet, Value)
        pod_name(Pod, Value)
        pod_namespace(Pod, Namespace)
        pod_label(Pod, Key, Value)
        pod_phase(Pod, Phase)
    }
    /// And what only whole manifests of nodes say, which not every world has.
    DETAILS {
        node_annotation(Node, Key, Value)
        node_condition(Node, Value, Value)
        node_condition_since(Node, Value, Time)
        node_capacity(Node, Key, Amount)
        node_allocatable(Node, Key, Amount)
        node_info(Node, Key, Value)
        node_info_version(Node, Key, number, number, number)
        node_address(Node, Value, Value)
        node_ip_written(Node, Value, Value, Value, number)
    }
    /// And what only whole manifests of pods say.
    WHOLE_PODS {
        pod_request(Pod, Key, Amount)
    }
    /// What the scheduler asks of pods, nodes and budgets.
    SCHEDULING {
        pod_shape(Pod, Shape)
        pod_started(Pod, Time)
        node_taint_order(Node, Taint, number)
        shape(Shape)
        shape_request(Shape, Key, Amount)
        shape_host_port(Shape, Port, Value, Value)
        shape_toleration(Shape, Toleration)
        shape_node_selector(Shape, Key, Value)
        shape_term(Shape, Term)
        shape_priority(Shape, number)
        shape_priority_class(Shape, Value)
        shape_preemption(Shape, Value)
    }
    /// What services say, and what pods have of the network.
    NETWORK {
        service(Service, Namespace, Value)
        service_selector(Service, Key, Value)
        service_type(Service, Value)
        service_headless(Service)
        service_publishes_unready(Service)
        service_local(Service)
        service_family_written(Service, Value)
        service_stack(Service, Value)
        service_port(Service, number, Value, Port, Value)
        service_target(Service, number, Port)
        service_target_name(Service, number, Value)
        service_node_port(Service, number, Port)
        pod_ip(Pod, Value, Value, number)
        pod_host_ip(Pod, Value, Value, number)
        pod_net(Pod, Net)
        net_on_host(Net)
        net_port(Net, number, Value, Port, Value)
        net_hostname(Net, Value, Value)
    }
    /// How clients reach pods; it is derived where it is asked for.
    REACHED {
        endpoint(Service, Pod, Value, Value, number)
        endpoint_hostname(Service, Pod, Value)
        endpoint_port(Service, Net, number, Port)
        endpoint_ready(Service, Pod)
        endpoint_serving(Service, Pod)
        endpoint_terminating(Service, Pod)
        host_address(Pod, Value, Value, number)
        in_service(Service, Pod)
        pod_address(Pod, Value, Value, number)
        reached(DaemonSet, Pod, Node)
        reached_by(DaemonSet, Service)
        reached_ready(DaemonSet, Pod)
        service_family(Service, Value)
    }
    /// What eviction by taints asks of pods and nodes.
    EVICTION {
        pod_tolerance(Pod, Tolerance)
        listed_toleration(Tolerance, number, Toleration)
        toleration_seconds(Tolerance, number, Seconds)
        taint_since(Node, Taint, Time)
    }
    /// What the scheduler decides; it is derived where it is simulated.
    SCHEDULED {
        bind(Pod, Node)
        preempt(Pod, Pod, Node)
        refused(Pod, Node)
        first_filter(Pod, Node, Value)
        objection(Pod, Node, Value, Key)
        no_preemption(Pod, Value)
        short_of(Pod, Node, Key, Amount, Amount, Amount)
        takes_most(Node, Key, Pod)
        port_taken(Pod, Node, Pod)
        missing_class(DaemonSet, Value)
        assumed_priority(DaemonSet, Value)
        two_defaults(Value, Value)
    }
    /// What becomes of nodes whose agents are not heard of; it is derived where there are agents.
    LIFECYCLE {
        unreachable(Node)
        unreachable_taint(Key, Effect)
        unseen(Pod, Node)
    }
    /// What is bound where the scheduler is not simulated.
    TAKEN_TO_FIT {
        taken_to_fit(Pod, Node)
    }
    /// What pods take of their nodes; it is derived where somebody asks.
    CAPACITY {
        requested(Node, Key, Amount)
        daemon_requested(Node, Key, Amount)
        free(Node, Key, Amount)
        daemonset_overhead(Node, Key, Amount)
        carries_daemon(Node, DaemonSet, Pod)
        takes(Shape, Key, Amount)
        full(Node)
        waits_for_room(Node, Pod)
        astray(Pod, Node)
    }
    /// How daemonsets stand on nodes, in words; it is derived where somebody asks.
    PICTURE {
        standing(number, Value)
        stands(DaemonSet, Node, Value)
    }
    /// Fields by their paths, of objects of each type.
    FIELDS {
        node_field(Node, Key, Value)
        daemonset_field(DaemonSet, Key, Value)
        pod_field(Pod, Key, Value)
        revision_field(Revision, Key, Value)
        namespace_field(Namespace, Key, Value)
        service_field(Service, Key, Value)
        object_field(Object, Key, Value)
    }
    /// What is said of objects of any kind beside their fields.
    ANY {
        object(Object, Value, Namespace, Value)
        budget_selector(Object, Requirement)
        budget_disrupted(Object, Pod)
        scaled_uid(Object, Uid)
        scaled_by(Object, Uid)
        eviction_asked(Pod)
    }
    /// What is said to one who asks to evict a pod; it is derived where somebody does.
    EVICTED {
        eviction_refused(Pod, Object)
        eviction_unclear(Pod, Object, Object)
    }
    /// What plans and explanations read.
    READ {
        added_toleration(Tolerations, number, Key, Effect)
        adopt(DaemonSet, Pod)
        adopt_revision(DaemonSet, Revision)
        at_max_surge(DaemonSet)
        at_max_unavailable(DaemonSet)
        awaited_node(DaemonSet, Node)
        barred(DaemonSet, Node)
        below_bounds(DaemonSet)
        blocked(DaemonSet, Node)
        collision(DaemonSet, Revision)
        contended(DaemonSet)
        counted(DaemonSet, Pod, Node)
        create_revision(DaemonSet)
        at_least_one(DaemonSet)
        current_hash(DaemonSet, Hash)
        daemon_pod(DaemonSet, Pod, Node)
        eligible(DaemonSet, Node)
        failed(DaemonSet, Pod, Node)
        folded_revision(DaemonSet, Revision)
        goes_on(DaemonSet)
        halts(DaemonSet, Pod, Node)
        held(DaemonSet, Pod, Node)
        hold(DaemonSet, Node)
        host_port_clash(DaemonSet, DaemonSet, Port, Value, Node)
        keeps_wave(DaemonSet, Node)
        may_start(Class, Profile)
        may_stay(Class, Profile)
        misplaced(DaemonSet, Pod, Node)
        node_port_clash(DaemonSet, Service, Port, Value, Node)
        old_revision(DaemonSet, Revision)
        relabel(DaemonSet, Pod)
        release(DaemonSet, Pod)
        release_revision(DaemonSet, Revision)
        replace_candidate(DaemonSet, Pod, Node)
        wants_turn(DaemonSet, Node, Value)
        replace_now(DaemonSet, Pod, Node)
        replaced(DaemonSet, Pod, Node)
        retire_candidate(DaemonSet, Pod, Node)
        retire_now(DaemonSet, Pod, Node)
        rolling(DaemonSet)
        selects_everything(DaemonSet)
        same_node_port(Service, Service, Port, Value)
        self_clash(DaemonSet, Value, Value, Port, Value)
        spare_revision(DaemonSet, Revision)
        stuck(DaemonSet)
        succeeded(DaemonSet, Pod, Node)
        surge_candidate(DaemonSet, Node)
        surge_clash(DaemonSet, Port, Value)
        surge_now(DaemonSet, Node)
        unmanaged(DaemonSet)
        updated(DaemonSet, Pod)
        waits(DaemonSet)
        wave(DaemonSet, Node, number)
    }
    /// What a plan reads, each of whose rules is a reason of its own.
    CAUSED {
        awaited(DaemonSet, Node, Pod)
        collect(Pod)
        collect_daemonset(DaemonSet)
        collect_revision(Revision)
        create(DaemonSet, Node)
        delete(DaemonSet, Pod, Node)
        evict(Pod, Node)
        evict_later(Pod, Node, Time)
        orphan(Pod)
        orphan_revision(Revision)
        renumber(DaemonSet, Revision)
    }
    /// What a plan counts of each daemonset: its rows are counted as they come and go.
    COUNTED {
        kept_off(DaemonSet, Node)
        misscheduled(DaemonSet, Node)
        outdated(DaemonSet, Pod, Node)
        scheduled(DaemonSet, Pod, Node)
        scheduled_available(DaemonSet, Node)
        scheduled_ready(DaemonSet, Node)
        scheduled_updated(DaemonSet, Node)
        serving(DaemonSet, Node)
        surging(DaemonSet, Node)
        unavailable_node(DaemonSet, Node)
    }
}

/// The type of the rules for objects of any kind.
pub const OBJECT: &str = "Object";

/// What a plan is read from: of what is named here what `.decl` calls an output.
#[must_use]
pub fn outputs(program: &Program) -> Vec<RelationId> {
    let named = [READ, CAUSED, COUNTED].into_iter().flatten().map(|handle| program.id(*handle));
    named.filter(|id| program.declaration(*id).kind == Kind::Output).collect()
}

/// The program that is asked what the scheduler does as well.
#[must_use]
pub fn scheduling(program: &Program) -> Program {
    program.asking(SCHEDULED.iter().map(|handle| program.id(*handle)))
}

/// The program that is asked which pods are bound where nobody asks whether they fit.
#[must_use]
pub fn assuming(program: &Program) -> Program {
    program.asking(TAKEN_TO_FIT.iter().map(|handle| program.id(*handle)))
}

/// The program that is asked which nodes are not reached as well.
#[must_use]
pub fn living(program: &Program) -> Program {
    program.asking(LIFECYCLE.iter().map(|handle| program.id(*handle)))
}

/// The program that is asked how clients reach pods as well.
#[must_use]
pub fn reaching(program: &Program) -> Program {
    program.asking(REACHED.iter().map(|handle| program.id(*handle)))
}

/// Whether a program is asked what the scheduler does.
#[must_use]
pub fn schedules(program: &Program) -> bool {
    program.asked().contains(&program.id(bind))
}

/// The program that is asked what pods take of their nodes as well.
#[must_use]
pub fn capacity(program: &Program) -> Program {
    program.asking(CAPACITY.iter().map(|handle| program.id(*handle)))
}

/// The program that is asked for a picture of the fleet as well, with what pods take of nodes.
#[must_use]
pub fn picture(program: &Program) -> Program {
    capacity(program).asking(PICTURE.iter().map(|handle| program.id(*handle)))
}

/// The type of the rules that objects of a kind have.
#[must_use]
pub fn type_of(kind: kube::Kind) -> &'static str {
    match kind {
        kube::Kind::ControllerRevision => "Revision",
        kind => kind.name(),
    }
}

/// The program with the handles of this table, and with what the list of kinds names.
///
/// # Errors
/// For each relation that is declared otherwise, or not at all.
pub(super) fn resolved(program: Program) -> Result<Program, Vec<Diagnostic>> {
    let mut wrong: Vec<Diagnostic> =
        kube::Kind::ALL.into_iter().flat_map(|kind| of_kind(&program, kind)).collect();
    match program.with_handles(TABLE, written) {
        Ok(program) if wrong.is_empty() => Ok(program),
        Ok(_) => Err(wrong),
        Err(more) => {
            wrong.extend(more);
            Err(wrong)
        }
    }
}

/// What is wrong with the relations that the facts of a kind name: they begin with an
/// object of the kind.
fn of_kind(program: &Program, kind: kube::Kind) -> impl Iterator<Item = Diagnostic> {
    kind.info().facts.iter().filter_map(move |fact| {
        let columns = match fact.rows {
            Rows::Itself => 1,
            Rows::Field(_) | Rows::Items(_) => 2,
            Rows::Entries(_) => 3,
        };
        let name = fact.relation;
        let declared = program.builtin(name).map(|id| &program.declaration(id).columns);
        let fits =
            |is: &Vec<Column>| is.len() == columns && is.first().is_some_and(|it| &*it.ty == type_of(kind));
        (!declared.is_some_and(fits)).then(|| {
            let ty = type_of(kind);
            let message =
                format!("no rule file declares `{name}` with {columns} columns, the first a `{ty}`");
            Diagnostic::error("missing-relation", message)
                .because(format!("the facts of the kind {kind} fill it"))
        })
    })
}

/// Where a signature is written in this file.
fn written(signature: &Signature) -> Place {
    let text = include_str!("relations.rs");
    let start = text.find(&format!("        {}(", signature.name)).map_or(0, |at| at + 8);
    Place::of_span("src/policy/relations.rs", text, start, start + signature.name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_where_it_is_written() {
        for signature in TABLE {
            let place = written(signature);
            let line = format!("        {}({})", signature.name, signature.columns.join(", "));
            assert_eq!(place.text.trim(), line.trim());
        }
    }
}
