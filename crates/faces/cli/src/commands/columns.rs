//! Text in columns, as `kubectl` prints tables: no rules, three blanks between the columns.

use unicode_width::UnicodeWidthStr as _;

use crate::terminal::escape::push_escaped;

const GAP: usize = 3;

/// The widths of the columns, which only grow, so that later rows stand under the first.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    widths: Vec<usize>,
}

impl Columns {
    /// The lines of the rows.
    pub(crate) fn lines(&mut self, rows: &[Vec<String>]) -> String {
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| shown(cell)).collect()).collect();
        for row in &rows {
            for (index, cell) in row.iter().enumerate() {
                match self.widths.get_mut(index) {
                    Some(width) => *width = (*width).max(cell.width()),
                    None => self.widths.push(cell.width()),
                }
            }
        }
        let mut text = String::new();
        for row in &rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&self.widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + GAP));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// The first line of a cell, harmless for a terminal.
fn shown(cell: &str) -> String {
    let mut text = String::new();
    let (first, is_cut) = match cell.split_once('\n') {
        Some((first, _)) => (first, true),
        None => (cell, false),
    };
    push_escaped(&mut text, first);
    if is_cut {
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut columns = Columns::default();
        let first = columns.lines(&[row(&["NAME", "STATE"]), row(&["basic", "RUNNING"])]);
        assert_eq!(first, "NAME    STATE\nbasic   RUNNING\n");
        assert_eq!(columns.lines(&[row(&["a", "FAILED\nlong story"])]), "a       FAILED...\n");
    }

    #[test]
    fn cells_cannot_move_the_cursor() {
        assert_eq!(Columns::default().lines(&[row(&["a\u{1b}[2J", "b"])]), "a\\u001b[2J   b\n");
    }
}
