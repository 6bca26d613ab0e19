//! Handles: the relations that the outside names, found once, when a program is loaded.
//!
//! Whoever fills inputs and reads outputs knows relations by name. Under a name that no text
//! declares there would be no rows, for ever and without a word; so the outside says in one
//! table what it names and which columns it takes it to have, and a program that declares
//! something else is refused.

use std::sync::Arc;

use super::program::{Declaration, Program, RelationId};
use crate::diagnostic::{Diagnostic, Place};

/// A relation that the outside names: its place in the table of [`Signature`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(usize);

impl Handle {
    /// The handle of the signature at this place of the table.
    #[must_use]
    pub const fn at(place: usize) -> Self {
        Handle(place)
    }
}

/// What the outside takes a relation to be.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// Its name.
    pub name: &'static str,
    /// The types of its columns.
    pub columns: &'static [&'static str],
}

impl Signature {
    fn is_of(&self, declaration: &Declaration) -> bool {
        declaration.columns.iter().map(|column| &*column.ty).eq(self.columns.iter().copied())
    }
}

impl Program {
    /// The same program, whose handles are those of the table; `place` says where a
    /// signature is written.
    ///
    /// # Errors
    /// For each signature that no declaration has.
    pub fn with_handles(
        self,
        table: &[Signature],
        place: impl Fn(&Signature) -> Place,
    ) -> Result<Program, Vec<Diagnostic>> {
        let (mut handles, mut wrong) = (Vec::with_capacity(table.len()), Vec::new());
        for signature in table {
            let declared = self.builtin(signature.name).map(|id| self.declaration(id));
            match declared {
                Some(declaration) if signature.is_of(declaration) => handles.push(declaration.id),
                _ => wrong.push(self.refused(signature, declared).at(place(signature))),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mut body = Arc::unwrap_or_clone(self.body);
        body.handles = handles;
        Ok(Program { body: Arc::new(body), asked: self.asked })
    }

    /// The relation that a handle of the program's table stands for.
    ///
    /// # Panics
    /// Of a program that was not given that table.
    #[must_use]
    pub fn id(&self, handle: Handle) -> RelationId {
        self.body.handles[handle.0]
    }

    fn refused(&self, signature: &Signature, declared: Option<&Declaration>) -> Diagnostic {
        let Signature { name, columns } = signature;
        let message = format!("no rule file declares `{name}({})`", columns.join(", "));
        let refused = Diagnostic::error("missing-relation", message)
            .because("what reads or fills it would have no rows, and not say so");
        match declared {
            Some(declaration) => {
                refused.related(self.place_of(declaration), format!("this is `{declaration}`"))
            }
            None => refused.help("declare it, or take it out of the table"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::Source;
    use super::*;

    fn refused(signature: Signature) -> Option<Diagnostic> {
        let text =
            ".type Node\n.decl up(node: Node) input\n.decl on(node: Node) output\non(Node) :- up(Node).\n";
        let program =
            Program::load(&[Source { file: "a.dl", text, builtin: true, folder: "" }]).program.unwrap();
        let found = program.with_handles(&[signature], |_| Place::file("table.rs"));
        if let Ok(program) = &found {
            assert_eq!(&*program.declaration(program.id(Handle::at(0))).name, signature.name);
        }
        found.err().map(|mut wrong| wrong.remove(0))
    }

    #[test]
    fn what_no_text_declares_is_refused_with_the_place_that_wants_it() {
        assert_eq!(refused(Signature { name: "on", columns: &["Node"] }), None);
        let missing = refused(Signature { name: "onn", columns: &["Node"] }).unwrap();
        assert_eq!(missing.message, "no rule file declares `onn(Node)`");
        assert_eq!(missing.place, Some(Place::file("table.rs")));
        for columns in [&["Pod"][..], &["Node", "Node"], &[]] {
            let other = refused(Signature { name: "on", columns }).unwrap();
            assert_eq!(other.code, "missing-relation");
            assert!(other.render(false).contains("this is `on(node: Node)`"), "{other}");
        }
    }
}
