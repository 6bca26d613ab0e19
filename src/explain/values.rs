//! Comparisons and what aggregates come to, in words.

use super::sentences::is_time;
use crate::datalog::Aggregate;
use crate::datalog::explain::{Compared, Counted, Goal, Part, Total, Tried};
use crate::diagnostic::counted;
use crate::kube::{amount_text, timestamp};

/// A comparison, if it says something: times as times, and none of a text with itself.
pub(super) fn comparison(compared: &Compared, builtin: bool, times: &[&str]) -> Option<String> {
    if builtin && compared.text.contains('"') {
        return None;
    }
    compared.said(&|number, is_time| {
        let text = number.to_string();
        if is_time || times.contains(&&*text) { timestamp(number) } else { text }
    })
}

/// The values of a rule's parts that are times.
pub(super) fn times(tried: &Tried) -> Vec<&str> {
    let rows = tried.parts.iter().filter_map(|part| match part {
        Part::Row(goal) => Some(goal),
        _ => None,
    });
    rows.flat_map(times_of).collect()
}

fn times_of(goal: &Goal) -> Vec<&str> {
    let values = goal.values.iter().enumerate().filter(|(at, _)| is_time(&goal.relation, *at));
    values.filter_map(|(_, value)| value.as_deref()).collect()
}

/// What an aggregate comes to, and of how many: `14 pods, 1.8 cores in all; the largest are`.
pub(super) fn total(total: &Total) -> String {
    let rows = counted(total.ways, &noun(total));
    let value = |value: &str| amount(value, total);
    let comes = match (total.aggregate, total.value.as_deref()) {
        (Some(Aggregate::Count), _) => rows,
        (Some(Aggregate::Sum), Some(sum)) => format!("{rows}, {} in all", value(sum)),
        (Some(Aggregate::Min), Some(least)) => format!("{rows}, the least is {}", value(least)),
        (Some(Aggregate::Max), Some(most)) => format!("{rows}, the greatest is {}", value(most)),
        (Some(Aggregate::Mean), Some(mean)) => format!("{rows}, the mean is {}", value(mean)),
        (Some(_), None) => format!("{rows}, so there is no value"),
        // The place of one among the first.
        (None, _) => total.text.clone(),
    };
    let wanted = total.wanted.as_deref().filter(|_| !total.holds);
    let wanted = wanted.map_or_else(String::new, |wanted| format!(", and not {}", value(wanted)));
    let first = match total.aggregate {
        Some(Aggregate::Sum) if total.ways > total.first.len() => "; the largest are",
        _ => "",
    };
    format!("{comes}{wanted}{first}")
}

/// One of the ways of an aggregate that has a value of its own, as `0.7 cores`.
pub(super) fn value_of(counted: &Counted, total: &Total) -> Option<String> {
    counted.value.as_deref().map(|value| amount(value, total))
}

/// What is counted: things of a kind where there is one, else rows.
fn noun(total: &Total) -> String {
    match total.of.as_slice() {
        [only] => match &**only {
            "Pod" | "Node" | "Namespace" | "Taint" | "Toleration" | "Key" | "Value" => only.to_lowercase(),
            "DaemonSet" => "daemonset".to_owned(),
            "Revision" => "revision".to_owned(),
            _ => "row".to_owned(),
        },
        _ => "row".to_owned(),
    }
}

/// A value in the unit of what is added up or compared.
fn amount(value: &str, total: &Total) -> String {
    let goals = total.first.iter().flat_map(|counted| &counted.parts).filter_map(|part| match part {
        Part::Row(goal) => Some(goal),
        _ => None,
    });
    let keys = goals.flat_map(|goal| goal.values.iter().zip(&goal.types));
    let mut resources = keys.filter(|(_, ty)| ***ty == *"Key").filter_map(|(value, _)| value.as_deref());
    let is_resource = |key: &&str| *key == "cpu" || matches!(*key, "memory" | "ephemeral-storage");
    match (resources.find(is_resource), value.parse::<i64>()) {
        (Some("cpu"), Ok(1000)) => "1 core".to_owned(),
        (Some("cpu"), Ok(milli)) => {
            let sign = if milli < 0 { "-" } else { "" };
            let (cores, rest) = (milli.unsigned_abs() / 1000, milli.unsigned_abs() % 1000);
            let rest = format!(".{rest:03}");
            format!("{sign}{cores}{} cores", rest.trim_end_matches('0').trim_end_matches('.'))
        }
        (Some(resource), Ok(bytes)) => amount_text(resource, bytes, true),
        _ => value.to_owned(),
    }
}
