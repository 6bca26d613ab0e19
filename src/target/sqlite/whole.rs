//! The bodies of pods into a world, for rules that ask for more than every world keeps.

use std::sync::Arc;

use serde_json::Value;

use super::columns::text;
use super::fault::Fault;
use super::objects::json_column;
use super::store::Store;
use super::sum;
use crate::diagnostic::Diagnostic;
use crate::kube::{Body, ObjectKey};
use crate::state::{Whole, World};

impl Store {
    /// Reads the bodies of the kinds that are asked for and that the world does not keep yet.
    ///
    /// # Errors
    /// When the store is damaged or cannot be read.
    pub fn load_whole(&self, world: &mut World, whole: Whole) -> Result<(), Diagnostic> {
        if whole.pods && !world.whole.pods {
            world.whole.pods = true;
            self.load_pods(world)?;
        }
        Ok(())
    }

    fn load_pods(&self, world: &mut World) -> Result<(), Diagnostic> {
        self.run("read the pods", |connection| {
            let sql = "SELECT namespace, name, body, status, sum FROM pod_bodies";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                sum::check(row, "pod_bodies", 0, 4)?;
                let key = ObjectKey::new(text(row, 0)?, text(row, 1)?);
                let Some(pod) = world.pods.get_mut(&key).filter(|pod| pod.body == Body::Stored) else {
                    continue;
                };
                let mut value = json_column(row, 2)?.unwrap_or(Value::Null);
                if let (Some(status), Some(fields)) = (json_column(row, 3)?, value.as_object_mut()) {
                    fields.insert("status".to_owned(), status);
                }
                pod.body = Body::Read(Arc::new(value));
            }
            match world.pods.values().find(|pod| pod.body == Body::Stored) {
                Some(pod) => Err::<(), Fault>(sum::missing("pod_bodies", &pod.meta.key.to_string())),
                None => Ok(()),
            }
        })
    }
}
