//! Advice, each followed to where it leads.
