//! The numbers of a watch, for those who ask.

use std::net::SocketAddr;
use std::sync::Arc;

use dsrules::diagnostic::Diagnostic;
use dsrules::serve::{self, Metrics};

use crate::cli::context::Context;

/// Serves the metrics, and says where.
pub fn listen(
    address: SocketAddr,
    hosts: &[String],
    metrics: &Arc<Metrics>,
    context: &Context,
) -> Result<(), Diagnostic> {
    if !address.ip().is_loopback() {
        context.tell(vec![serve::open(address)]);
    }
    let served = serve::serve(metrics, address, hosts)?;
    context.note(&format!("listening on http://{served}"));
    Ok(())
}
