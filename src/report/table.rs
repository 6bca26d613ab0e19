//! Tables as kubectl prints them: upper-case heads, three spaces, no lines.
//!
//! A table of millions of rows is written in parts, so that it never stands in memory
//! whole; the columns of a part are at least as wide as those before it.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, Width};

use crate::diagnostic::visible;

/// Rows of cells under heads.
#[derive(Debug, Clone, Default)]
pub struct Table {
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    gap: Option<u16>,
    dashes: bool,
    /// How wide the columns of the parts were that were written.
    widths: Vec<u16>,
}

impl Table {
    /// A table with these heads.
    pub fn new<H: Into<String>>(heads: impl IntoIterator<Item = H>) -> Self {
        Table { heads: heads.into_iter().map(Into::into).collect(), ..Table::default() }
    }

    /// With `gap` spaces between columns instead of three.
    #[must_use]
    pub fn gap(mut self, gap: u16) -> Self {
        self.gap = Some(gap);
        self
    }

    /// With a row of dashes under the heads, as kubectl's pages have.
    #[must_use]
    pub fn underlined(mut self) -> Self {
        self.dashes = true;
        self
    }

    /// Makes columns at least so wide.
    pub fn at_least(&mut self, widths: Vec<usize>) {
        self.widths = widths.into_iter().map(|width| u16::try_from(width).unwrap_or(u16::MAX)).collect();
    }

    /// Adds a row; a cell's line feeds become spaces, so a row stays one line.
    pub fn row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let clean = |cell: C| visible(&cell.into()).replace('\n', " ");
        self.rows.push(cells.into_iter().map(clean).collect());
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Writes the rows there are and forgets them: more may follow.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn write_part(&mut self, out: &mut dyn Write, heads: bool) -> io::Result<()> {
        let mut widths = self.arrange(heads).column_max_content_widths();
        widths.iter_mut().zip(&self.widths).for_each(|(width, before)| *width = (*width).max(*before));
        self.widths = widths;
        self.write(out, "", heads)?;
        self.rows.clear();
        Ok(())
    }

    /// Writes it, each line behind `indent`.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn write(&self, out: &mut dyn Write, indent: &str, heads: bool) -> io::Result<()> {
        for line in self.arrange(heads).lines() {
            writeln!(out, "{}", format!("{indent}{line}").trim_end())?;
        }
        Ok(())
    }

    fn arrange(&self, heads: bool) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING);
        if heads && !self.heads.is_empty() {
            table.add_row(&self.heads);
            if self.dashes {
                table.add_row(self.heads.iter().map(|head| "-".repeat(head.chars().count())));
            }
        }
        for row in &self.rows {
            table.add_row(row);
        }
        let gap = self.gap.unwrap_or(3);
        for (nth, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, gap));
            if let Some(width) = self.widths.get(nth) {
                column
                    .set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width.saturating_add(gap))));
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Table;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["NAME", "AGE"]);
        table.row(["a", "5s"]);
        table.row(["a-longer\nname", "<none>"]);
        let mut out = Vec::new();
        table.write(&mut out, "", true).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "NAME            AGE\na               5s\na-longer name   <none>\n"
        );
    }

    #[test]
    fn parts_go_on_where_the_one_before_ended() {
        let mut table = Table::new(["NAME", "AGE"]);
        let mut out = Vec::new();
        for (first, name) in [(true, "a-long-name"), (false, "b"), (false, "c")] {
            table.row([name, "5s"]);
            table.write_part(&mut out, first).unwrap();
        }
        let written = String::from_utf8(out).unwrap();
        assert_eq!(written, "NAME          AGE\na-long-name   5s\nb             5s\nc             5s\n");
    }

    #[test]
    fn an_escape_in_a_cell_does_not_reach_the_terminal() {
        let mut table = Table::new(["NAME"]);
        table.row(["x\u{1b}[31m\u{9b}y"]);
        let mut out = Vec::new();
        table.write(&mut out, "  ", false).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "  x\\u{1b}[31m\\u{9b}y\n");
    }
}
