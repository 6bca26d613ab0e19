//! Groups of options that commands share: what was typed becomes what is meant. They know
//! no command.

pub mod bounds;
pub mod cluster;
pub mod dry_run;
pub mod export;
pub mod duration;
pub mod global;
pub mod input;
pub mod keep;
pub mod moment;
pub mod output;
pub mod planning;
pub mod rules;
pub mod sort;
pub mod store;
pub mod tree;
pub mod what_if;
pub mod world;
