//! Result tables in a box, in the manner of Flink's SQL client: widths come from the types, so that rows can be printed
//! as they arrive.
//!
//! A value that is wider than its column is cut only where a person reads it; a file or a pipe gets it whole.

use kobel_sql::plan::{ChangelogMode, Schema};
use kobel_sql::types::TypeKind;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape::push_escaped;
use super::value::NULL;

/// The widest column of a type without a bound.
const WIDTH_MAX: usize = 30;
/// Header of the column that holds the row kinds.
const ROW_KIND: &str = "op";

/// What happens to a value that is wider than its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// It is cut.
    Cut,
    /// It is printed whole.
    Keep,
}

/// On which side a column is filled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

#[derive(Debug)]
struct Column {
    name: String,
    width: usize,
    align: Align,
}

/// The columns of a table.
#[derive(Debug)]
pub(crate) struct Layout {
    columns: Vec<Column>,
    overflow: Overflow,
}

impl Layout {
    /// For the rows of a query; those of an updating one have their kind in the first column.
    pub(crate) fn of_query(schema: &Schema, mode: ChangelogMode, overflow: Overflow) -> Self {
        let mut columns = Vec::with_capacity(schema.columns.len() + 1);
        if mode == ChangelogMode::Updating {
            columns.push(Column { name: ROW_KIND.to_owned(), width: ROW_KIND.width(), align: Align::Left });
        }
        for column in &schema.columns {
            let name = escaped(&column.name);
            let mut width = width_of(column.ty.kind).max(name.width());
            if column.ty.nullable {
                width = width.max(NULL.width());
            }
            columns.push(Column { name, width, align: align_of(column.ty.kind) });
        }
        Self { columns, overflow }
    }

    /// For rows that are all there.
    pub(crate) fn of_rows(header: &[String], rows: &[Vec<String>]) -> Self {
        let column = |(index, name): (usize, &String)| {
            let name = escaped(name);
            let widest = rows.iter().filter_map(|row| row.get(index)).map(|cell| escaped(cell).width()).max();
            Column { width: name.width().max(widest.unwrap_or(0)), name, align: Align::Left }
        };
        Self { columns: header.iter().enumerate().map(column).collect(), overflow: Overflow::Keep }
    }

    /// The line above and below.
    pub(crate) fn border(&self) -> String {
        let mut line = String::from("+");
        for column in &self.columns {
            line.push_str(&"-".repeat(column.width + 2));
            line.push('+');
        }
        line.push('\n');
        line
    }

    /// The lines above the rows.
    pub(crate) fn header(&self) -> String {
        let mut lines = self.border();
        self.push_row(&mut lines, self.columns.iter().map(|column| column.name.as_str()));
        lines.push_str(&self.border());
        lines
    }

    /// Appends the line of a row; its cells are escaped already.
    pub(crate) fn push_row<'a>(&self, out: &mut String, cells: impl Iterator<Item = &'a str>) {
        out.push('|');
        for (column, cell) in self.columns.iter().zip(cells) {
            out.push(' ');
            self.push_cell(out, column, cell);
            out.push_str(" |");
        }
        out.push('\n');
    }

    fn push_cell(&self, out: &mut String, column: &Column, cell: &str) {
        let width = cell.width();
        if width > column.width {
            match self.overflow {
                Overflow::Keep => out.push_str(cell),
                Overflow::Cut => push_cut(out, cell, column.width),
            }
            return;
        }
        let fill = column.width - width;
        if column.align == Align::Right {
            out.extend(std::iter::repeat_n(' ', fill));
        }
        out.push_str(cell);
        if column.align == Align::Left {
            out.extend(std::iter::repeat_n(' ', fill));
        }
    }
}

/// A table that is all there.
pub(crate) fn whole_table(header: &[String], rows: &[Vec<String>]) -> String {
    let layout = Layout::of_rows(header, rows);
    let mut lines = layout.header();
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        layout.push_row(&mut lines, cells.iter().map(String::as_str));
    }
    lines.push_str(&layout.border());
    lines
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(&mut out, text);
    out
}

/// The beginning of a cell and `…`, together as wide as the column.
fn push_cut(out: &mut String, cell: &str, width: usize) {
    let mut room = width.saturating_sub(1);
    for c in cell.chars() {
        let wide = c.width().unwrap_or(0);
        if wide > room {
            break;
        }
        room -= wide;
        out.push(c);
    }
    out.push('…');
    // A wide character may have left one column.
    out.extend(std::iter::repeat_n(' ', room));
}

/// The width that all values of a type have room in, if it is bounded.
fn width_of(kind: TypeKind) -> usize {
    let fraction = |precision: u8| if precision == 0 { 0 } else { usize::from(precision) + 1 };
    let length = |length: u32| usize::try_from(length).unwrap_or(WIDTH_MAX).min(WIDTH_MAX);
    match kind {
        TypeKind::Null => NULL.len(),
        TypeKind::Boolean => "FALSE".len(),
        TypeKind::TinyInt => 4,
        TypeKind::SmallInt => 6,
        TypeKind::Int => 11,
        TypeKind::BigInt => 20,
        TypeKind::Float => 14,
        TypeKind::Double => 23,
        // A sign and a point.
        TypeKind::Decimal(precision, _) => usize::from(precision) + 2,
        TypeKind::Char(n) | TypeKind::Varchar(n) => length(n),
        TypeKind::Binary(n) | TypeKind::Varbinary(n) => length(n.saturating_mul(2).saturating_add(3)),
        TypeKind::Date => 10,
        TypeKind::Time(precision) => 8 + fraction(precision),
        TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) => 19 + fraction(precision),
        TypeKind::IntervalMonths => 9,
        TypeKind::IntervalMillis => 20,
    }
}

fn align_of(kind: TypeKind) -> Align {
    if kind.is_numeric() { Align::Right } else { Align::Left }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use kobel_sql::plan::Column as PlanColumn;
    use kobel_sql::types::STRING;

    use super::*;

    fn schema() -> Schema {
        let column = |name: &str, ty| PlanColumn { name: name.to_owned(), ty, time: None };
        Schema {
            columns: vec![
                column("name", TypeKind::Varchar(8).nullable()),
                column("n", TypeKind::TinyInt.not_null()),
                column("at", TypeKind::Timestamp(0).not_null()),
            ],
        }
    }

    fn printed(mode: ChangelogMode, overflow: Overflow, rows: &[&[&str]]) -> String {
        let layout = Layout::of_query(&schema(), mode, overflow);
        let mut lines = layout.header();
        for row in rows {
            layout.push_row(&mut lines, row.iter().copied());
        }
        lines.push_str(&layout.border());
        lines
    }

    #[test]
    fn rows_stand_in_a_box() {
        let rows: [&[&str]; 2] = [&["ab", "-1", "2013-01-01 00:00:00"], &["<NULL>", "12", "2013-01-01 00:00:00"]];
        expect![[r#"
            +----------+------+---------------------+
            | name     |    n | at                  |
            +----------+------+---------------------+
            | ab       |   -1 | 2013-01-01 00:00:00 |
            | <NULL>   |   12 | 2013-01-01 00:00:00 |
            +----------+------+---------------------+
        "#]]
        .assert_eq(&printed(ChangelogMode::InsertOnly, Overflow::Cut, &rows));
    }

    #[test]
    fn updates_show_what_each_row_does() {
        let rows: [&[&str]; 1] = [&["-U", "ab", "-1", "2013-01-01 00:00:00"]];
        expect![[r#"
            +----+----------+------+---------------------+
            | op | name     |    n | at                  |
            +----+----------+------+---------------------+
            | -U | ab       |   -1 | 2013-01-01 00:00:00 |
            +----+----------+------+---------------------+
        "#]]
        .assert_eq(&printed(ChangelogMode::Updating, Overflow::Cut, &rows));
    }

    #[test]
    fn wide_values_are_cut_for_people_and_kept_for_programs() {
        let cell = |text: &str, overflow| {
            let lines = printed(ChangelogMode::InsertOnly, overflow, &[&[text, "1", "x"]]);
            let line = lines.lines().nth(3).unwrap_or_default().to_owned();
            line.split('|').nth(1).unwrap_or_default().trim_end().to_owned()
        };
        for (text, cut) in [
            ("12345678", " 12345678"),
            ("123456789", " 1234567…"),
            ("東京東京", " 東京東京"),
            ("東京東京東", " 東京東…"),
        ] {
            assert_eq!(cell(text, Overflow::Cut), cut);
            assert_eq!(cell(text, Overflow::Keep), format!(" {text}"));
        }
    }

    #[test]
    fn a_string_column_is_thirty_wide_at_the_most() {
        assert_eq!(width_of(STRING), WIDTH_MAX);
        assert_eq!(width_of(TypeKind::Varbinary(u32::MAX)), WIDTH_MAX);
        assert_eq!(width_of(TypeKind::Char(3)), 3);
    }

    #[test]
    fn a_whole_table_is_as_wide_as_its_content() {
        let header = ["table name".to_owned()];
        let rows = [vec!["a".to_owned()], vec!["a\tlonger name".to_owned()]];
        expect![[r#"
            +----------------+
            | table name     |
            +----------------+
            | a              |
            | a\tlonger name |
            +----------------+
        "#]]
        .assert_eq(&whole_table(&header, &rows));
    }
}
