//! How things look: values in, text out.
//!
//! Every function here takes what an earlier stage made and writes it to a
//! [`std::io::Write`]. Nothing decides, nothing reads a clock or an environment: whether
//! to colour ([`Paint`]) and what time it is are arguments. All text that came from
//! outside goes through [`crate::diagnostic::visible`] before it reaches a terminal.

mod answers;
mod applied;
mod blame;
mod capacity;
mod capacity_data;
mod cases;
mod columns;
mod data;
mod describe;
mod diff;
mod events;
mod eviction;
mod explain;
mod finding;
mod findings;
mod fit;
mod fleet;
mod html;
mod judged;
mod junit;
mod key;
mod listed;
mod log;
mod look;
mod paint;
mod picture;
mod plan;
mod profile;
mod reach;
mod rollout;
mod summed;
mod table;
mod tree;
mod waiting;
mod whatif;

pub use answers::Answers;
pub use applied::{applied, statuses};
pub use blame::{blame_document, blame_text};
pub use capacity::{capacity_text, costs_text};
pub use capacity_data::capacity_document;
pub use cases::{case_failure, cases_document, coverage_text};
pub use columns::{Columns, cells, columns};
pub use data::{
    FileLine, ListWriter, list, list_json, list_yaml, plan_document, write_json, write_json_line, write_yaml,
};
pub use describe::{describe_daemonset, describe_node, describe_pod, describe_service, describe_template};
pub use diff::{MARKDOWN_MOST, diff_document, diff_markdown, diff_text};
pub use events::{EventRow, event_columns};
pub use explain::{
    RuleText, explanation, explanation_document, explanation_dot, on_node, on_node_document, rows,
    rows_document, rows_dot, summary, summary_document,
};
pub use finding::{FindingLine, finding_lines};
pub use findings::{findings_github, findings_json, findings_junit, findings_sarif};
pub use fit::Fit;
pub use fleet::{fleet_document, fleet_names, fleet_pods, fleet_text};
pub use html::picture_html;
pub use judged::{judged_github, judged_junit, judged_sarif};
pub use junit::{Tested, junit};
pub use listed::{listed_document, listed_table, listed_text};
pub use log::{LogLook, led_line, log_document, log_text, run_document, run_text};
pub use look::{Detail, Look};
pub use paint::Paint;
pub use picture::{picture_document, picture_text};
pub use plan::{plan_names, plan_text};
pub use profile::{profile_document, profile_text};
pub use reach::{reach_document, reach_table};
pub use rollout::{RevisionLine, rollout_history_document, rollout_status_document};
pub use table::Table;
pub use tree::{tree_files, tree_text};
pub use waiting::{WaitingLine, awaited, waiting_line};
pub use whatif::{differences, what_if_document};
