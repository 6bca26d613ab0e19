//! What `docs/reliability.md` promises, row by row: each test is a row of its table, or a part
//! of one, and writes a line for it. The quick form of each runs here; `DSRULES_FULL=1` asks
//! for the full one, and `DSRULES_TIMES=N` for another number of times.
#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

#[path = "reliability/base.rs"]
mod base;
#[path = "reliability/bodies.rs"]
mod bodies;
#[path = "reliability/calls.rs"]
mod calls;
#[path = "naive/dice.rs"]
mod dice;
#[path = "reliability/escape.rs"]
mod escape;
#[path = "reliability/explosion.rs"]
mod explosion;
#[path = "reliability/fields.rs"]
mod fields;
#[path = "reliability/figure.rs"]
mod figure;
#[path = "reliability/folding.rs"]
mod folding;
#[path = "reliability/foreign.rs"]
mod foreign;
#[path = "reliability/kills.rs"]
mod kills;
#[path = "reliability/long.rs"]
mod long;
#[path = "reliability/lost.rs"]
mod lost;
#[path = "reliability/many.rs"]
mod many;
#[path = "reliability/network.rs"]
mod network;
#[path = "reliability/upgrades.rs"]
mod upgrades;
#[path = "reliability/words.rs"]
mod words;
#[path = "reliability/worlds.rs"]
mod worlds;
