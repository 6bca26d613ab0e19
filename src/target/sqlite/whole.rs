//! The bodies of nodes and pods into a world, for rules that ask for more than every world keeps.

use std::sync::Arc;

use rusqlite::{Row, Rows};
use serde_json::Value;

use super::columns::{json_column, text};
use super::dictionary::Reader;
use super::fault::Fault;
use super::load::{node_bodies, others, some_nodes};
use super::store::Store;
use super::sum;
use crate::diagnostic::Diagnostic;
use crate::kube::{Body, Details, Node, ObjectKey};
use crate::state::{Whole, World};

impl Store {
    /// Reads the bodies of the kinds that are asked for and that the world does not keep yet.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn load_whole(&self, world: &mut World, whole: Whole) -> Result<(), Diagnostic> {
        let before = world.whole;
        world.whole = before.or(whole);
        if whole.pods && !before.pods {
            self.load_pods(world)?;
        }
        if whole.nodes && !before.nodes {
            self.load_nodes(world)?;
        }
        if whole.others && !before.others {
            self.load_others(world)?;
        }
        Ok(())
    }

    fn load_nodes(&self, world: &mut World) -> Result<(), Diagnostic> {
        self.run("read the nodes", |connection| {
            let some = some_nodes(world);
            node_bodies(connection, some.as_deref(), |row| {
                if let Some(node) = world.nodes.get_mut(&ObjectKey::new("", text(row, 0)?)) {
                    let whole = with_status(row, 1)?;
                    node.set_details(Details::from_value(&whole, None).with_whole(&whole, None));
                }
                Ok(())
            })?;
            let without = |node: &&Node| node.details.as_ref().is_none_or(|it| it.whole.is_none());
            match world.nodes.values().find(without) {
                Some(node) => Err::<(), Fault>(sum::missing("node_bodies", &node.meta.key.name)),
                None => Ok(()),
            }
        })
    }

    fn load_others(&self, world: &mut World) -> Result<(), Diagnostic> {
        self.run("read the objects", |connection| {
            let read = others(connection, &mut Reader::new(connection)?, true)?;
            for (it, read) in read {
                // What was put meanwhile says more than the store.
                if let Some(object) = world.others.get_mut(&it).filter(|object| object.value.is_null()) {
                    object.value = read.value;
                }
            }
            Ok(())
        })
    }

    fn load_pods(&self, world: &mut World) -> Result<(), Diagnostic> {
        let stored = world.pods.values().filter(|pod| world.part.is_some() && pod.body == Body::Stored);
        let keys: Vec<ObjectKey> = stored.map(|pod| pod.meta.key.clone()).collect();
        self.run("read the pods", |connection| {
            let World { pods, part, .. } = world;
            let mut show = |rows: &mut Rows<'_>| -> Result<(), Fault> {
                while let Some(row) = rows.next()? {
                    sum::check(row, "pod_bodies", 0, 4)?;
                    let key = ObjectKey::new(text(row, 0)?, text(row, 1)?);
                    if let Some(pod) = pods.get_mut(&key).filter(|pod| pod.body == Body::Stored) {
                        pod.body = Body::Read(with_status(row, 2)?);
                    }
                }
                Ok(())
            };
            let all = "SELECT namespace, name, body, status, sum FROM pod_bodies";
            if part.is_none() {
                show(&mut connection.prepare_cached(all)?.query([])?)?;
            } else {
                let mut one =
                    connection.prepare_cached(&format!("{all} WHERE namespace = ?1 AND name = ?2"))?;
                for key in keys {
                    show(&mut one.query([&*key.namespace, &*key.name])?)?;
                }
            }
            match world.pods.values().find(|pod| pod.body == Body::Stored) {
                Some(pod) => Err::<(), Fault>(sum::missing("pod_bodies", &pod.meta.key.to_string())),
                None => Ok(()),
            }
        })
    }
}

/// The body in one column with the status in the next one.
fn with_status(row: &Row<'_>, column: usize) -> Result<Arc<Value>, Fault> {
    let mut value = json_column(row, column)?.unwrap_or(Value::Null);
    if let (Some(status), Some(fields)) = (json_column(row, column + 1)?, value.as_object_mut()) {
        fields.insert("status".to_owned(), status);
    }
    Ok(Arc::new(value))
}
