//! Types of Kubernetes on the way down an object: what is under a field, and how that is merged.

use crate::kube::merge::{Merge, is_whole, merge_of};
use crate::kube::shape::{self, Shape};

/// A type; nothing is known of one that is only kept.
#[derive(Debug, Clone, Copy)]
pub struct Typed(Option<Of>);

#[derive(Debug, Clone, Copy)]
enum Of {
    Object(&'static str),
    Shape(&'static Shape),
    /// An object that is only kept; its metadata is that of any other.
    Root,
}

impl Typed {
    /// The type of a kind's objects.
    #[must_use]
    pub fn of(kind: &'static str) -> Typed {
        Typed(Some(if shape::of_name(kind).is_some() { Of::Object(kind) } else { Of::Root }))
    }

    fn name(self) -> Option<&'static str> {
        match self.0? {
            Of::Object(name) => Some(name),
            Of::Shape(Shape::Object(name)) => Some(name),
            Of::Shape(_) | Of::Root => None,
        }
    }

    /// The type of a field, or of a map's entry.
    #[must_use]
    pub fn field(self, name: &str) -> Typed {
        if let Some(Of::Root) = self.0 {
            return Typed((name == "metadata").then_some(Of::Object("ObjectMeta")));
        }
        if let Some(Of::Shape(Shape::Map(inner))) = self.0 {
            return Typed(Some(Of::Shape(inner)));
        }
        let field = self.name().and_then(shape::of_name).and_then(|it| it.fields.get(name));
        Typed(field.map(|field| Of::Shape(&field.shape)))
    }

    /// The type of a list's items.
    #[must_use]
    pub fn item(self) -> Typed {
        match self.0 {
            Some(Of::Shape(Shape::List(inner))) => Typed(Some(Of::Shape(inner))),
            _ => Typed(None),
        }
    }

    /// How a field is merged, where that is said.
    #[must_use]
    pub fn merge(self, name: &str) -> Option<Merge> {
        merge_of(self.name()?, name)
    }

    /// By what the items of a field's list are told apart in a strategic merge patch.
    #[must_use]
    pub fn key(self, name: &str) -> Option<&'static str> {
        match self.merge(name) {
            Some(Merge::Keyed(keys)) => keys.first().copied(),
            _ => None,
        }
    }

    /// Whether an object of it is one value where somebody applies.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.name().is_some_and(is_whole)
    }
}
