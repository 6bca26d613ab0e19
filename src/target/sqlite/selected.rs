//! Whole pods that an index leads to, in key order: those of a node or an owner, or with labels.
//!
//! The pods of one owner with one set of labels stand together in the index, in key order; what
//! several of these have is merged as it is read, so nothing is sorted and little in memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rusqlite::types::{Value as Column, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Rows, Statement, params_from_iter};
use serde_json::Value;

use super::dictionary::Reader;
use super::fault::Fault;
use super::objects::{self, Which, pods_sql};
use super::pods;
use super::store::Store;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, Name, ObjectKey, controlling, labels_of, node_of};
use crate::target::memory::{Selected, VisitObject};

/// More sets of labels than these are not told apart: then all pods are read.
const MOST: usize = 256;

impl Store {
    /// Visits the pods that are selected in key order, or those of one namespace. A failure of
    /// the visitor ends the visit.
    ///
    /// # Errors
    /// When what is read of the store is damaged, or it cannot be read; and what the visitor
    /// fails with.
    pub fn pods(
        &self,
        selected: &Selected<'_>,
        namespace: Option<&str>,
        visit: VisitObject<'_>,
    ) -> Result<(), Diagnostic> {
        self.run("read the pods", |connection| {
            let groups = match selected {
                Selected::On(node) => Some(vec![vec![Column::from((*node).to_owned())]]),
                Selected::Of(_) | Selected::With(_) => groups(connection, selected)?,
            };
            match groups {
                Some(groups) => merged(connection, selected, &groups, namespace, visit),
                None => {
                    let which = namespace.map_or(Which::All, Which::Of);
                    objects::each(connection, Kind::Pod, which, &mut |key, pod| {
                        if is_selected(selected, &pod) { visit(key, pod) } else { Ok(()) }
                    })
                }
            }
        })
    }

    /// How many pods of a controller with this uid are in which phase.
    ///
    /// # Errors
    /// When what is read of the store is damaged, or it cannot be read.
    pub fn phases(&self, uid: &str) -> Result<BTreeMap<Name, usize>, Diagnostic> {
        self.run("read the pods", |connection| {
            let mut reader = Reader::new(connection)?;
            let mut owners = connection.prepare_cached("SELECT id FROM owners WHERE uid = ?1")?;
            let ids: Vec<i64> = owners.query_map([uid], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let sql = format!("SELECT {}, sum FROM pods WHERE owner = ?1", pods::columns());
            let (mut statement, mut phases) = (connection.prepare_cached(&sql)?, BTreeMap::new());
            for id in ids {
                let mut rows = statement.query([id])?;
                while let Some(row) = rows.next()? {
                    let pod = pods::read(row, &mut reader)?;
                    if pod.meta.controller.as_ref().is_none_or(|owner| *owner.uid != *uid) {
                        return Err(pods::led_astray(&pod.meta.key));
                    }
                    *phases.entry(pod.phase.clone()).or_default() += 1;
                }
            }
            Ok(phases)
        })
    }
}

fn is_selected(selected: &Selected<'_>, pod: &Value) -> bool {
    match selected {
        Selected::On(node) => node_of(pod).as_deref() == Some(*node),
        Selected::Of(uid) => controlling(pod).is_some_and(|owner| owner["uid"] == **uid),
        Selected::With(fits) => fits(&labels_of(&pod["metadata"]["labels"])),
    }
}

/// Which pairs of owner and labels are selected, of those that pods have; `None` where there
/// are too many.
fn groups(connection: &Connection, selected: &Selected<'_>) -> Result<Option<Vec<Vec<Column>>>, Fault> {
    let mut reader = Reader::new(connection)?;
    let (mut groups, mut met) = (Vec::new(), 0);
    let mut next = pair(connection, None)?;
    while let Some((owner, labels)) = next {
        met += 1;
        let is_wanted = match selected {
            Selected::Of(uid) => reader.owner(owner)?.is_some_and(|owner| *owner.uid == **uid),
            Selected::With(fits) => fits(&*reader.label_set(labels)?),
            Selected::On(_) => true,
        };
        if is_wanted {
            groups.push(vec![owner.map_or(Column::Null, Column::Integer), Column::Integer(labels)]);
        }
        if groups.len() > MOST || met > MOST * MOST {
            return Ok(None);
        }
        next = pair(connection, Some((owner, labels)))?;
    }
    Ok(Some(groups))
}

type Pair = (Option<i64>, i64);

/// The pair of owner and labels that comes behind another one in the index.
fn pair(connection: &Connection, last: Option<Pair>) -> Result<Option<Pair>, Fault> {
    let find = |rest: &str, values: &[i64]| -> Result<Option<Pair>, Fault> {
        let sql = format!("SELECT owner, labels FROM pods {rest} ORDER BY owner, labels LIMIT 1");
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_row(params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    };
    match last {
        None => find("", &[]),
        // A comparison of both columns at once would go through all pods of the pair.
        Some((Some(owner), labels)) => match find("WHERE owner = ?1 AND labels > ?2", &[owner, labels])? {
            None => find("WHERE owner > ?1", &[owner]),
            found => Ok(found),
        },
        Some((None, labels)) => match find("WHERE owner IS NULL AND labels > ?1", &[labels])? {
            None => find("WHERE owner IS NOT NULL", &[]),
            found => Ok(found),
        },
    }
}

/// The next row of a group, as a whole pod.
fn advance(
    rows: &mut Rows<'_>,
    group: &[Column],
    reader: &mut Reader<'_>,
) -> Result<Option<(ObjectKey, Value)>, Fault> {
    let Some(row) = rows.next()? else { return Ok(None) };
    let found = objects::pod(row, reader)?;
    if is_of(row, group)? { Ok(Some(found)) } else { Err(pods::led_astray(&found.0)) }
}

/// Whether a row is of the group that an index has it in.
fn is_of(row: &Row<'_>, group: &[Column]) -> Result<bool, Fault> {
    let is = |at: usize, value: &Column| Ok::<_, Fault>(row.get_ref(at)? == ValueRef::from(value));
    Ok(match group {
        [node] => is(pods::NODE, node)? || is(pods::NODE, &Column::Null)? && is(pods::NODE + 1, node)?,
        [owner, labels] => is(pods::OWNER, owner)? && is(pods::OWNER + 1, labels)?,
        _ => false,
    })
}

fn merged(
    connection: &Connection,
    selected: &Selected<'_>,
    groups: &[Vec<Column>],
    namespace: Option<&str>,
    visit: VisitObject<'_>,
) -> Result<(), Fault> {
    let condition = match selected {
        Selected::On(_) => format!("{} = ?1", pods::TARGET),
        Selected::Of(_) | Selected::With(_) => "t.owner IS ?1 AND t.labels = ?2".to_owned(),
    };
    let of = if namespace.is_some() {
        format!("AND t.namespace = ?{}", groups.first().map_or(0, Vec::len) + 1)
    } else {
        String::new()
    };
    let sql = pods_sql(&format!("WHERE {condition} {of}"));
    let mut reader = Reader::new(connection)?;
    let statements = groups.iter().map(|_| connection.prepare(&sql));
    let mut statements: Vec<Statement<'_>> = statements.collect::<Result<_, _>>()?;
    let mut sources: Vec<(Rows<'_>, &[Column], Value)> = Vec::new();
    let mut heads = BinaryHeap::new();
    for (statement, group) in statements.iter_mut().zip(groups) {
        let values = group.iter().cloned().chain(namespace.map(|it| Column::from(it.to_owned())));
        let mut rows = statement.query(params_from_iter(values))?;
        if let Some((key, pod)) = advance(&mut rows, group, &mut reader)? {
            heads.push(Reverse((key, sources.len())));
            sources.push((rows, group, pod));
        }
    }
    let mut last: Option<ObjectKey> = None;
    while let Some(Reverse((key, nth))) = heads.pop() {
        let Some((rows, group, head)) = sources.get_mut(nth) else { break };
        let pod = std::mem::take(head);
        if last.as_ref().is_some_and(|last| *last >= key) {
            return Err(objects::out_of_order("pods", &key));
        }
        last = Some(key.clone());
        visit(key, pod).map_err(|told| Fault::Told(Box::new(told)))?;
        if let Some((key, next)) = advance(rows, group, &mut reader)? {
            *head = next;
            heads.push(Reverse((key, nth)));
        }
    }
    Ok(())
}
