//! The main job: manifests -> store -> facts -> rules -> plan -> execute.
//!
//! Each function is one command's work on a world or on an open store; what was typed
//! and how the outcome looks is the business of `cli/` and `report/`. Everything that a
//! command changes is one transaction: an error anywhere changes nothing.

mod bound;
mod causes;
pub mod cases;
mod gone;
mod load;
mod options;
mod placed;
mod planning;
mod put;
mod restart;
mod save;
pub mod session;
pub mod settled;
mod standing;
mod strangers;
mod tick;
mod unknown;
pub mod whatif;

pub use gone::{brought, gone};
pub use load::load;
pub use options::{Cascade, MaxDelete, Options};
pub use planning::{Planned, delete, plan, waiting, warnings};
pub use restart::{IN_PLACE, RESTARTED, mark_rolled_back, undoes_rollback};
pub use save::{apply, apply_delete};
pub use tick::Tick;
