//! Windowing table functions: TUMBLE, and the input of an aggregation over its windows.
//!
//! An aggregation per window wants the rows as they were before TUMBLE appended its columns. What stands between the
//! two, filters and projections, is moved below TUMBLE. Where that is impossible, because something reads the window's
//! bounds, or because the windows come from another aggregation, the rows are put into the same windows once more by
//! their `window_time`: it is the last millisecond of the window.

use std::sync::Arc;

use crate::ast::{Ident, ObjectName, TableArg, TableArgValue, TableRef};
use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{Column, Expr, ExprKind, Rel, RelKind, Scalar, Schema, TimeAttribute, Window};
use crate::types::TypeKind;

use super::Binder;
use super::expression::ExprBinder;
use super::refused;
use super::relation::{filter, project};
use super::scope::{Qualifier, Scope};

/// The parameters of TUMBLE, in order.
const PARAMETERS: [&str; 4] = ["DATA", "TIMECOL", "SIZE", "OFFSET"];
const USAGE: &str = "it is written TUMBLE(TABLE t, DESCRIPTOR(rowtime), INTERVAL '1' HOUR [, offset])";

/// What a column says about the window of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// window_start
    Start,
    /// window_end
    End,
    /// window_time
    Time,
}

impl Role {
    /// Where it stands among the columns of a window.
    pub(super) fn position(self) -> usize {
        self as usize
    }

    fn at(position: usize) -> Option<Self> {
        [Self::Start, Self::End, Self::Time].get(position).copied()
    }
}

/// The columns that a window appends: window_start, window_end and window_time, for a rowtime of this type.
pub(super) fn bounds(rowtime: TypeKind) -> [Column; 3] {
    let time = match rowtime {
        TypeKind::TimestampLtz(_) => TypeKind::TimestampLtz(3),
        _ => TypeKind::Timestamp(3),
    };
    let bound = |name: &str, kind: TypeKind| Column { name: name.to_owned(), ty: kind.not_null(), time: None };
    [
        bound("window_start", TypeKind::Timestamp(3)),
        bound("window_end", TypeKind::Timestamp(3)),
        Column { time: Some(TimeAttribute::Rowtime), ..bound("window_time", time) },
    ]
}

/// What `expr` over `rel` says about a window, if it is a column that does.
pub(super) fn role_of(rel: &Rel, expr: &Expr) -> Option<Role> {
    let ExprKind::Column(mut index) = expr.kind else {
        return None;
    };
    let mut rel = rel;
    loop {
        rel = match &rel.kind {
            RelKind::Filter { input, .. } => input,
            RelKind::Project { input, exprs } => {
                let ExprKind::Column(inner) = exprs.get(index)?.kind else {
                    return None;
                };
                index = inner;
                input
            }
            RelKind::Tumble { input, .. } => return Role::at(index.checked_sub(input.schema.columns.len())?),
            RelKind::WindowAggregate { keys, aggregates, .. } => {
                return Role::at(index.checked_sub(keys.len() + aggregates.len())?);
            }
            _ => return None,
        };
    }
}

/// The input of an aggregation per window.
pub(super) struct WindowInput {
    /// Yields the expressions that were asked for, in order, and somewhere the rowtime column.
    pub(super) rel: Rel,
    /// The windows.
    pub(super) window: Window,
}

/// Makes the input of an aggregation over the windows of `rel`, which yields `exprs`.
pub(super) fn input_of(rel: Rel, exprs: Vec<Expr>, span: Span) -> SqlResult<WindowInput> {
    if let Some(below) = below_tumble(&rel)
        && let Some(moved) = exprs.iter().map(|expr| remapped(expr, &below.columns)).collect::<Option<Vec<_>>>()
    {
        return Ok(fed(below.rel, below.window, moved, span));
    }
    match with_window_time(rel) {
        Some((rel, window)) => Ok(fed(rel, window, exprs, span)),
        None => Err(SqlError::unsupported(span, "an aggregation over windows of this form")),
    }
}

/// Projects `exprs` and the rowtime column of `window`.
fn fed(rel: Rel, window: Window, mut exprs: Vec<Expr>, span: Span) -> WindowInput {
    let rowtime = exprs.iter().position(|expr| expr.kind == ExprKind::Column(window.rowtime)).unwrap_or_else(|| {
        let ty = rel.schema.columns[window.rowtime].ty;
        exprs.push(Expr { kind: ExprKind::Column(window.rowtime), ty, span });
        exprs.len() - 1
    });
    let names = exprs.iter().enumerate().map(|(index, expr)| match expr.kind {
        ExprKind::Column(column) => rel.schema.columns[column].name.clone(),
        _ => format!("$f{index}"),
    });
    let names = names.collect();
    WindowInput { rel: project(rel, exprs, names, span), window: Window { rowtime, ..window } }
}

/// Filters and projections without the TUMBLE that stood below them.
struct BelowTumble {
    rel: Rel,
    /// For each column of the original its column in `rel`, if it has one.
    columns: Vec<Option<usize>>,
    window: Window,
}

fn below_tumble(rel: &Rel) -> Option<BelowTumble> {
    match &rel.kind {
        RelKind::Tumble { input, window } => {
            let width = input.schema.columns.len();
            let columns = (0..rel.schema.columns.len()).map(|index| (index < width).then_some(index)).collect();
            Some(BelowTumble { rel: Rel::clone(input), columns, window: *window })
        }
        RelKind::Filter { input, predicate } => {
            let below = below_tumble(input)?;
            let predicate = remapped(predicate, &below.columns)?;
            Some(BelowTumble { rel: filter(below.rel, predicate, rel.span), ..below })
        }
        RelKind::Project { input, exprs } => {
            let below = below_tumble(input)?;
            let (mut kept, mut names, mut columns) = (Vec::new(), Vec::new(), Vec::new());
            for (expr, column) in exprs.iter().zip(&rel.schema.columns) {
                let moved = remapped(expr, &below.columns);
                columns.push(moved.is_some().then_some(kept.len()));
                if let Some(moved) = moved {
                    kept.push(moved);
                    names.push(column.name.clone());
                }
            }
            let rowtime = &below.rel.schema.columns[below.window.rowtime];
            kept.push(Expr { kind: ExprKind::Column(below.window.rowtime), ty: rowtime.ty, span: rel.span });
            names.push(rowtime.name.clone());
            let window = Window { rowtime: kept.len() - 1, ..below.window };
            Some(BelowTumble { rel: project(below.rel, kept, names, rel.span), columns, window })
        }
        _ => None,
    }
}

/// An expression over other columns; `None` if it needs one that is not there.
fn remapped(expr: &Expr, columns: &[Option<usize>]) -> Option<Expr> {
    let all = |exprs: &[Expr]| exprs.iter().map(|expr| remapped(expr, columns)).collect::<Option<Vec<_>>>();
    let kind = match &expr.kind {
        ExprKind::Column(index) => ExprKind::Column(columns.get(*index).copied().flatten()?),
        ExprKind::Literal(scalar) => ExprKind::Literal(scalar.clone()),
        ExprKind::Call(function, args) => ExprKind::Call(*function, all(args)?),
        ExprKind::Cast(input, mode) => ExprKind::Cast(Box::new(remapped(input, columns)?), *mode),
        ExprKind::Case { branches, otherwise } => ExprKind::Case {
            branches: branches
                .iter()
                .map(|(when, then)| Some((remapped(when, columns)?, remapped(then, columns)?)))
                .collect::<Option<Vec<_>>>()?,
            otherwise: Box::new(remapped(otherwise, columns)?),
        },
    };
    Some(Expr { kind, ty: expr.ty, span: expr.span })
}

/// The same relation, with `window_time` among its columns, and the windows by which it puts the rows into theirs.
fn with_window_time(rel: Rel) -> Option<(Rel, Window)> {
    let Rel { kind, schema, span } = rel;
    match kind {
        RelKind::Tumble { input, window } => {
            let rowtime = input.schema.columns.len() + Role::Time.position();
            let kind = RelKind::Tumble { input, window };
            Some((Rel { kind, schema, span }, by_window_time(window, rowtime)))
        }
        RelKind::WindowAggregate { input, window, keys, aggregates } => {
            let rowtime = keys.len() + aggregates.len() + Role::Time.position();
            let kind = RelKind::WindowAggregate { input, window, keys, aggregates };
            Some((Rel { kind, schema, span }, by_window_time(window, rowtime)))
        }
        RelKind::Filter { input, predicate } => {
            let (input, window) = with_window_time(*input)?;
            Some((filter(input, predicate, span), window))
        }
        RelKind::Project { input, mut exprs } => {
            let (input, window) = with_window_time(*input)?;
            let mut names: Vec<_> = schema.columns.iter().map(|column| column.name.clone()).collect();
            let rowtime = &input.schema.columns[window.rowtime];
            exprs.push(Expr { kind: ExprKind::Column(window.rowtime), ty: rowtime.ty, span });
            names.push(rowtime.name.clone());
            let window = Window { rowtime: exprs.len() - 1, ..window };
            Some((project(input, exprs, names, span), window))
        }
        _ => None,
    }
}

fn by_window_time(window: Window, rowtime: usize) -> Window {
    Window { rowtime, ..window }
}

impl Binder<'_> {
    /// Binds a table function.
    pub(super) fn bind_table_function(&mut self, name: &ObjectName, args: &[TableArg], span: Span) -> SqlResult<Rel> {
        let upper = name.dotted().to_uppercase();
        if upper != "TUMBLE" {
            if refused::TABLE_FUNCTIONS.contains(&upper.as_str()) {
                return Err(SqlError::unsupported(name.span, format!("table function `{upper}`")));
            }
            let message = format!("table function `{}` does not exist", name.dotted());
            return Err(SqlError::invalid(name.span, message).with_suggestion(&upper, ["TUMBLE"]));
        }
        let arguments = tumble_arguments(args, span)?;
        let (input, _) = self.bind_from(arguments.data)?;
        let rowtime = rowtime_column(&input, arguments.time)?;
        let size_ms = self.interval_millis("SIZE", arguments.size)?;
        if size_ms <= 0 {
            return Err(SqlError::invalid(arguments.size.span, "the size of a window must be positive"));
        }
        let offset_ms = match arguments.offset {
            Some(offset) => self.interval_millis("OFFSET", offset)?,
            None => 0,
        };
        if let Some(offset) = arguments.offset.filter(|_| offset_ms.unsigned_abs() >= size_ms.unsigned_abs()) {
            return Err(SqlError::invalid(offset.span, "the offset of a window must be less than its size"));
        }
        let mut columns = input.schema.columns.clone();
        columns.extend(bounds(input.schema.columns[rowtime].ty.kind));
        let window = Window { rowtime, size_ms, offset_ms };
        let kind = RelKind::Tumble { input: Box::new(input), window };
        Ok(Rel { kind, schema: Arc::new(Schema { columns }), span })
    }

    fn interval_millis(&self, parameter: &str, expr: &crate::ast::Expr) -> SqlResult<i64> {
        let scope = Scope::empty();
        let bound = ExprBinder::scalar(&scope, &self.budget, "`TUMBLE`").bind_typed(expr)?;
        match bound.kind {
            ExprKind::Literal(Scalar::Millis(millis)) => Ok(millis),
            ExprKind::Literal(Scalar::Months(_)) => {
                Err(SqlError::unsupported(expr.span, "a window of months or years").with_hint("use days or less"))
            }
            _ => {
                let message = format!("`{parameter}` of `TUMBLE` must be an interval literal");
                Err(SqlError::invalid(expr.span, message).with_hint("write it like INTERVAL '10' MINUTE"))
            }
        }
    }
}

/// The arguments of TUMBLE.
struct TumbleArguments<'q> {
    data: &'q TableRef,
    time: &'q Ident,
    size: &'q crate::ast::Expr,
    offset: Option<&'q crate::ast::Expr>,
}

fn tumble_arguments(args: &[TableArg], span: Span) -> SqlResult<TumbleArguments<'_>> {
    let mut slots: [Option<&TableArgValue>; 4] = [None; 4];
    for (position, arg) in args.iter().enumerate() {
        let slot = match &arg.name {
            None => position,
            Some(name) => match PARAMETERS.iter().position(|known| known.eq_ignore_ascii_case(&name.name)) {
                Some(slot) => slot,
                None => {
                    let message = format!("`TUMBLE` has no parameter `{}`", name.name);
                    return Err(SqlError::invalid(name.span, message).with_suggestion(&name.name, PARAMETERS));
                }
            },
        };
        match slots.get_mut(slot) {
            Some(free) if free.is_none() => *free = Some(&arg.value),
            Some(_) => {
                let message = format!("the parameter `{}` of `TUMBLE` is given twice", PARAMETERS[slot]);
                return Err(SqlError::invalid(arg.name.as_ref().map_or(span, |name| name.span), message));
            }
            None => return Err(SqlError::invalid(span, "`TUMBLE` takes at most four arguments").with_hint(USAGE)),
        }
    }
    let wrong = |slot: usize, what: &str| {
        let message = format!("the parameter `{}` of `TUMBLE` must be {what}", PARAMETERS[slot]);
        SqlError::invalid(span, message).with_hint(USAGE)
    };
    let [data, time, size, offset] = slots;
    let data = match data {
        Some(TableArgValue::Table(table)) => table,
        _ => return Err(wrong(0, "a table")),
    };
    let time = match time {
        Some(TableArgValue::Descriptor(columns, place)) => match columns.as_slice() {
            [only] => only,
            _ => return Err(SqlError::invalid(*place, "`DESCRIPTOR` of `TUMBLE` takes one column").with_hint(USAGE)),
        },
        _ => return Err(wrong(1, "a DESCRIPTOR")),
    };
    let size = match size {
        Some(TableArgValue::Expr(size)) => size,
        _ => return Err(wrong(2, "an interval")),
    };
    let offset = match offset {
        None => None,
        Some(TableArgValue::Expr(offset)) => Some(offset),
        Some(_) => return Err(wrong(3, "an interval")),
    };
    Ok(TumbleArguments { data, time, size, offset })
}

/// The index of a column that has a watermark.
fn rowtime_column(input: &Rel, column: &Ident) -> SqlResult<usize> {
    let scope = Scope::new(Qualifier::None, Arc::clone(&input.schema));
    let index = scope.index_of(column)?;
    match input.schema.columns[index].time {
        Some(TimeAttribute::Rowtime) => Ok(index),
        Some(TimeAttribute::Proctime) => Err(SqlError::unsupported(column.span, "a window over processing time")),
        None => {
            let name = &column.name;
            let hint = format!(
                "a window needs event time: declare WATERMARK FOR {name} AS {name} - INTERVAL '5' SECOND in CREATE \
                 TABLE, and select the column without changing it"
            );
            Err(SqlError::invalid(column.span, format!("column `{name}` is not a time attribute")).with_hint(hint))
        }
    }
}
