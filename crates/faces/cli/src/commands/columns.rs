//! Text in columns, as `kubectl` prints tables: no rules, three blanks between the columns.

use unicode_width::UnicodeWidthStr as _;

use crate::terminal::escape::push_escaped;

const GAP: usize = 3;
/// What stands before a further line of a row, which is so told from the next row.
const INDENT: &str = "    ";

/// The widths of the columns, which only grow, so that later rows stand under the first.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    widths: Vec<usize>,
}

/// What becomes of the further lines of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Further {
    /// They are left out.
    Cut,
    /// Those of the last cell of a row follow the row.
    Follow,
}

impl Columns {
    /// The lines of the rows, one for each.
    pub(crate) fn lines(&mut self, rows: &[Vec<String>]) -> String {
        self.printed(rows, Further::Cut)
    }

    /// The lines of the rows; what the last cell of a row says on further lines follows the row, indented.
    pub(crate) fn whole_lines(&mut self, rows: &[Vec<String>]) -> String {
        self.printed(rows, Further::Follow)
    }

    fn printed(&mut self, rows: &[Vec<String>], further: Further) -> String {
        let firsts: Vec<Vec<String>> = rows.iter().map(|row| firsts(row, further)).collect();
        for row in &firsts {
            for (index, cell) in row.iter().enumerate() {
                match self.widths.get_mut(index) {
                    Some(width) => *width = (*width).max(cell.width()),
                    None => self.widths.push(cell.width()),
                }
            }
        }
        let mut text = String::new();
        for (cells, row) in firsts.iter().zip(rows) {
            let mut line = String::new();
            for (cell, width) in cells.iter().zip(&self.widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + GAP));
            }
            text.push_str(line.trim_end());
            text.push('\n');
            if further == Further::Follow {
                push_further(&mut text, row);
            }
        }
        text
    }
}

/// Lines two blanks further to the right.
pub(crate) fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("  {line}\n")).collect()
}

/// The first lines of the cells of a row.
fn firsts(row: &[String], further: Further) -> Vec<String> {
    let mut cells: Vec<String> = row.iter().map(|cell| shown(cell)).collect();
    if further == Further::Follow
        && let (Some(cell), Some(last)) = (cells.last_mut(), row.last())
    {
        cell.clear();
        push_escaped(cell, last.lines().next().unwrap_or_default());
    }
    cells
}

/// What the last cell of a row says after its first line.
fn push_further(text: &mut String, row: &[String]) {
    let lines = row.last().into_iter().flat_map(|last| last.lines().skip(1));
    for line in lines.filter(|line| !line.trim().is_empty()) {
        text.push_str(INDENT);
        push_escaped(text, line.trim_end());
        text.push('\n');
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
    fn further_lines_of_the_last_cell_follow_its_row() {
        let rows =
            [row(&["AGE", "MESSAGE"]), row(&["5s\nago", "it failed:\n  1 | SELECT\n\n \x1b[2J\n"]), row(&["1s", "ok"])];
        let expected = "AGE     MESSAGE\n5s...   it failed:\n      1 | SELECT\n     \\u001b[2J\n1s      ok\n";
        assert_eq!(Columns::default().whole_lines(&rows), expected);
        assert_eq!(indented("a\n b\n"), "  a\n   b\n");
    }

    #[test]
    fn cells_cannot_move_the_cursor() {
        assert_eq!(Columns::default().lines(&[row(&["a\u{1b}[2J", "b"])]), "a\\u001b[2J   b\n");
    }
}
