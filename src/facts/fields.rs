//! Fields of objects by their paths, and objects of any kind, as far as rules ask for them.

use serde_json::Value;

use super::encoder::Encoder;
use crate::datalog::{Handle, Sym};
use crate::kube::path::{leaves, text_of};
use crate::kube::{self, DaemonSet, Kind, Node, ObjectKey, Plain, Pod, Revision};
use crate::policy::relations;

impl Encoder {
    pub(super) fn node_fields(&mut self, node: &Node, it: Sym) {
        self.fields(Kind::Node, relations::node_field, it, &node.meta.key, || node.whole());
    }

    pub(super) fn daemonset_fields(&mut self, daemonset: &DaemonSet, it: Sym) {
        let whole = || Some(daemonset.whole());
        self.fields(Kind::DaemonSet, relations::daemonset_field, it, &daemonset.meta.key, whole);
    }

    pub(super) fn revision_fields(&mut self, revision: &Revision, it: Sym) {
        let whole = || Some(revision.whole());
        self.fields(Kind::ControllerRevision, relations::revision_field, it, &revision.meta.key, whole);
    }

    pub(super) fn pod_fields(&mut self, pod: &Pod, it: Sym) {
        self.fields(Kind::Pod, relations::pod_field, it, &pod.meta.key, || pod.whole());
    }

    pub(super) fn namespace_fields(&mut self, namespace: &Plain, it: Sym) {
        let whole = || Some(namespace.whole(Kind::Namespace));
        self.fields(Kind::Namespace, relations::namespace_field, it, &namespace.meta.key, whole);
    }

    pub(super) fn service_fields(&mut self, service: &Plain, it: Sym) {
        let whole = || Some(service.whole(Kind::Service));
        self.fields(Kind::Service, relations::service_field, it, &service.meta.key, whole);
    }

    /// An object of a kind that is not managed, which has no type of its own.
    pub(super) fn other(&mut self, kind: Kind, object: &Plain) {
        let whole = || Some(object.whole(kind));
        let it = self.as_object(kind, &object.meta.key);
        self.fields(kind, relations::object_field, it, &object.meta.key, whole);
    }

    /// Whether objects of a kind that is not managed are asked for.
    pub(super) fn asks_for_others(&self) -> bool {
        self.uses(relations::object) || self.uses(relations::object_field)
    }

    /// The symbol of an object among those of all kinds, as `Secret/pay/key`.
    pub(super) fn as_object(&mut self, kind: Kind, key: &ObjectKey) -> Sym {
        self.symbols.text(&format!("{kind}/{key}"))
    }

    /// What is asked of an object by its own type, and as one of any kind.
    fn fields(
        &mut self,
        kind: Kind,
        relation: Handle,
        it: Sym,
        key: &ObjectKey,
        whole: impl FnOnce() -> Option<Value>,
    ) {
        let name = kind.written();
        let as_object = self.demand.asks_for(name);
        let (object, of_object) = (relations::object, relations::object_field);
        let of_type = !kind.is_other() && self.uses(relation);
        let fields = of_type || as_object && self.uses(of_object);
        let whole = if fields { whole() } else { None }.map(|mut value| {
            kube::defaults(kind, &mut value, &key.namespace);
            value
        });
        if let Some(whole) = whole.as_ref().filter(|_| of_type) {
            self.rows_of_fields(relation, it, whole);
        }
        if as_object && (self.uses(object) || self.uses(of_object)) {
            let it = self.as_object(kind, key);
            self.text_row(object, it, &[name, &key.namespace, &key.name]);
            if let Some(whole) = &whole {
                self.rows_of_fields(of_object, it, whole);
            }
        }
    }

    fn rows_of_fields(&mut self, relation: Handle, it: Sym, whole: &Value) {
        let Some(id) = self.relation(relation) else { return };
        let Some(paths) = self.demand.paths.get(&id) else { return };
        let (symbols, out) = (&mut self.symbols, &mut self.out);
        let mut row = |path: &str, value: &Value| {
            if let Some(text) = text_of(value) {
                out.insert(id, &[it, symbols.text(path), symbols.text(&text)]);
            }
        };
        for (text, path) in &paths.named {
            path.values(whole).into_iter().for_each(|value| row(text, value));
        }
        if paths.all {
            leaves(whole).into_iter().for_each(|(path, value)| row(&path, value));
        }
    }
}
