//! The Node of the one node that a folder is followed for.
//!
//! It is never gone while somebody is there to ask: a folder that no longer has it is half
//! there, or forgot it.

use crate::app::session::Session;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Object, Written};
use crate::source::{Folder, OwnNode};
use crate::state::Delta;

/// Sees to it that a change has the node as it is: the folder's, else the one that is `given`;
/// that of a file that was named before both.
pub(super) fn put(
    own: &OwnNode,
    given: Option<&Object>,
    change: &mut Delta,
    folder: &Folder,
    session: &Session,
) -> Result<(), Diagnostic> {
    let key = own.key();
    change.gone.retain(|(kind, _)| *kind != Kind::Node);
    let is_own = |object: &Object| object.kind == Kind::Node && object.key == key;
    if own.file.is_some() {
        change.objects.retain(|object| !is_own(object));
    } else if folder.claims(Kind::Node, &key) {
        change.objects.iter_mut().filter(|it| is_own(it)).for_each(|it| own.dress(&mut it.value));
        return Ok(());
    } else if let Some(stored) = session.store().object(Kind::Node, &key)?
        && !OwnNode::is_gathered(&stored)
    {
        return Ok(());
    }
    let known =
        session.world().and_then(|world| world.meta(Kind::Node, &key)).map(|meta| meta.written.object);
    let differs = |object: &&Object| known != Some(Written::of(Kind::Node, &object.value).object);
    change.objects.extend(given.filter(differs).cloned());
    Ok(())
}
