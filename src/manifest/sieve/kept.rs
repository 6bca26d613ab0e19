//! What is kept of a text, and on which lines it stood.

use std::io;

/// The parts of a text that are kept, one after the other.
#[derive(Debug, Default)]
pub(in crate::manifest) struct Kept {
    pub(in crate::manifest) bytes: Vec<u8>,
    pub(in crate::manifest) lines: Lines,
    /// How many were passed over.
    pub(in crate::manifest) passed: usize,
    /// How many lines there are.
    count: u32,
    most: u64,
}

/// Where lines stood before others were left out: from a line on, by how many it moved.
#[derive(Debug, Clone, Default)]
pub(in crate::manifest) struct Lines(Vec<(u32, u32)>);

impl Kept {
    pub(super) fn new(most: u64) -> Self {
        Kept { most, ..Kept::default() }
    }

    /// Keeps a part that began on the line `line`, counted from 0.
    pub(super) fn keep(&mut self, part: &[u8], line: u32) -> io::Result<()> {
        if (self.bytes.len() + part.len()) as u64 > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let moved = line.saturating_sub(self.count);
        if self.lines.0.last().map_or(0, |(_, moved)| *moved) != moved {
            self.lines.0.push((self.count, moved));
        }
        self.bytes.extend_from_slice(part);
        self.count = self.count.saturating_add(newlines(part));
        Ok(())
    }

    /// Whether nothing but blanks was kept.
    pub(in crate::manifest) fn is_blank(&self) -> bool {
        self.bytes.trim_ascii().is_empty()
    }
}

impl Lines {
    /// The number that a line had, both from 1.
    pub(in crate::manifest) fn original(&self, line: u32) -> u32 {
        let after = self.0.partition_point(|(from, _)| *from < line);
        line + after.checked_sub(1).map_or(0, |at| self.0[at].1)
    }
}

pub(super) fn newlines(part: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', part).count()).unwrap_or(u32::MAX)
}
