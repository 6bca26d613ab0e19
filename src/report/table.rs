//! Tables as kubectl prints them: upper-case heads, three spaces, no lines.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;

use crate::diagnostic::visible;

/// Rows of cells under heads.
#[derive(Debug, Clone, Default)]
pub struct Table {
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    gap: Option<u16>,
    dashes: bool,
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

    /// Writes it, each line behind `indent`.
    ///
    /// # Errors
    /// Where writing fails.
    pub fn write(&self, out: &mut dyn Write, indent: &str, heads: bool) -> io::Result<()> {
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
        for column in table.column_iter_mut() {
            column.set_padding((0, self.gap.unwrap_or(3)));
        }
        for line in table.lines() {
            writeln!(out, "{}", format!("{indent}{line}").trim_end())?;
        }
        Ok(())
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
    fn an_escape_in_a_cell_does_not_reach_the_terminal() {
        let mut table = Table::new(["NAME"]);
        table.row(["x\u{1b}[31m\u{9b}y"]);
        let mut out = Vec::new();
        table.write(&mut out, "  ", false).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "  x\\u{1b}[31m\\u{9b}y\n");
    }
}
