//! Why a daemonset has a pod on a node, or has none, and why any row of any relation is
//! there, or is not: from the rules that decided it.
//!
//! ```text
//!   world -> evaluate, the pair in question by name -> datalog::explain::tree -> steps, causes
//! ```
//! Nothing is remembered from planning: the rules are asked again. Steps are the rules'
//! own sentences with the facts under them; causes say what keeps a pod off, each with
//! what would mend it. How it looks is the business of `report/`.

mod ask;
mod blocker;
mod cause;
mod context;
mod explanation;
mod grouped;
mod leaf;
mod levers;
mod pair;
mod pairs;
mod pods;
mod rows;
mod sentences;
mod step;
mod steps;
mod summary;
mod values;

pub use ask::asked;
pub use blocker::blocker;
pub use cause::{Cause, TermCause};
pub use explanation::{Explanation, Told};
pub use grouped::{Also, Group, Named};
pub use pair::{of_pod, pair};
pub use pairs::pairs;
pub use pods::PodState;
pub use rows::{Rows, rows};
pub use step::{Mark, Segment, SourceField, Step, locate, trim};
pub use summary::{OnNode, Running, Summary, node, summary};
