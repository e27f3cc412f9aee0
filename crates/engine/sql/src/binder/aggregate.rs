//! Aggregation: what is below it, which kind it is, and where its keys and results stand afterwards.
//!
//! ```text
//! Project (select list) → [Filter (HAVING)] → GroupAggregate or WindowAggregate → Project (keys, arguments)
//! ```
//! GROUP BY with window_start and window_end of the same TUMBLE is an aggregation per window; every other one updates
//! its results as rows arrive.

use std::sync::Arc;

use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{Aggregate, Column, Expr, ExprKind, Rel, RelKind, Schema};

use super::expression::AggregateCall;
use super::relation::{columns, names, project};
use super::sameness::Once;
use super::window::{self, Role};

/// An aggregation, and where it puts what the query refers to.
pub(super) struct Aggregation {
    rel: Rel,
    /// The columns that expressions of the query refer to; results of aggregates stand behind them.
    input: Arc<Schema>,
    keys: Once<Expr>,
    /// For each of `keys` its column in `rel`.
    key_columns: Vec<usize>,
    /// For each aggregate call its column in `rel`.
    call_columns: Vec<usize>,
}

/// The expressions below an aggregation, each once.
struct Feed {
    exprs: Once<Expr>,
}

impl Feed {
    fn new() -> Self {
        Self { exprs: Once::new() }
    }

    fn add(&mut self, expr: &Expr) -> usize {
        self.exprs.add(expr)
    }

    fn aggregates(&mut self, calls: &[AggregateCall]) -> Vec<Aggregate> {
        calls
            .iter()
            .map(|call| Aggregate {
                function: call.function,
                argument: call.argument.as_ref().map(|argument| self.add(argument)),
                distinct: call.distinct,
                filter: call.filter.as_ref().map(|filter| self.add(filter)),
                ty: call.ty,
            })
            .collect()
    }

    /// The projection that makes the expressions.
    fn project(self, input: Rel, span: Span) -> Rel {
        let mut exprs = self.exprs.into_items();
        if exprs.is_empty() {
            // Rows are counted, so that there must be something to carry them.
            exprs.extend(columns(&input).into_iter().take(1));
        }
        let names = exprs.iter().enumerate().map(|(index, expr)| feed_name(&input, expr, index)).collect();
        project(input, exprs, names, span)
    }
}

fn feed_name(input: &Rel, expr: &Expr, index: usize) -> String {
    match &expr.kind {
        ExprKind::Column(column) => input.schema.columns[*column].name.clone(),
        _ => format!("$f{index}"),
    }
}

impl Aggregation {
    /// Aggregates `input`, whose columns the query knows as `known`.
    pub(super) fn new(
        input: Rel,
        known: &Arc<Schema>,
        keys: Vec<Expr>,
        calls: Vec<AggregateCall>,
        span: Span,
    ) -> SqlResult<Self> {
        let roles: Vec<_> = keys.iter().map(|key| window::role_of(&input, key)).collect();
        let is_windowed = roles.contains(&Some(Role::Start)) && roles.contains(&Some(Role::End));
        if is_windowed {
            windowed(input, known, (keys, roles), &calls, span)
        } else {
            grouped(input, known, keys, &calls, span)
        }
    }

    /// An expression of the query over the result of the aggregation.
    ///
    /// # Errors
    /// Invalid at a column that is neither a key nor in an aggregate.
    pub(super) fn place(&self, expr: Expr) -> SqlResult<Expr> {
        let (ty, span) = (expr.ty, expr.span);
        if let Some(key) = self.keys.find(&expr) {
            return Ok(Expr { kind: ExprKind::Column(self.key_columns[key]), ty, span });
        }
        let place_all =
            |exprs: Vec<Expr>| exprs.into_iter().map(|expr| self.place(expr)).collect::<SqlResult<Vec<_>>>();
        let kind = match expr.kind {
            ExprKind::Literal(scalar) => ExprKind::Literal(scalar),
            ExprKind::Column(index) => match self.input.columns.get(index) {
                None => ExprKind::Column(self.call_columns[index - self.input.columns.len()]),
                Some(column) => {
                    let error = SqlError::invalid(span, format!("expression `{}` is not being grouped", column.name));
                    return Err(error.with_hint("add it to `GROUP BY`, or aggregate it"));
                }
            },
            ExprKind::Call(function, args) => ExprKind::Call(function, place_all(args)?),
            ExprKind::Cast(input, mode) => ExprKind::Cast(Box::new(self.place(*input)?), mode),
            ExprKind::Case { branches, otherwise } => {
                let branches = branches
                    .into_iter()
                    .map(|(when, then)| Ok((self.place(when)?, self.place(then)?)))
                    .collect::<SqlResult<Vec<_>>>()?;
                ExprKind::Case { branches, otherwise: Box::new(self.place(*otherwise)?) }
            }
        };
        Ok(Expr { kind, ty, span })
    }

    /// The relation.
    pub(super) fn into_rel(self) -> Rel {
        self.rel
    }
}

/// A continuously updating aggregation.
fn grouped(
    input: Rel,
    known: &Arc<Schema>,
    keys: Vec<Expr>,
    calls: &[AggregateCall],
    span: Span,
) -> SqlResult<Aggregation> {
    let mut feed = Feed::new();
    let key_columns: Vec<_> = keys.iter().map(|key| feed.add(key)).collect();
    // The keys come first, so that they stand where they stand in the feed.
    let key_count = feed.exprs.items().len();
    let aggregates = feed.aggregates(calls);
    let input = feed.project(input, span);
    let mut columns: Vec<_> = input.schema.columns[..key_count].iter().map(without_time).collect();
    columns.extend(result_columns(&aggregates));
    let call_columns = (key_count..key_count + calls.len()).collect();
    let kind = RelKind::GroupAggregate { input: Box::new(input), keys: (0..key_count).collect(), aggregates };
    let rel = Rel { kind, schema: Arc::new(Schema { columns }), span };
    let (keys, key_columns) = placed(&keys, key_columns);
    Ok(Aggregation { rel, input: Arc::clone(known), keys, key_columns, call_columns })
}

/// The keys, each once, with their columns.
fn placed(keys: &[Expr], columns: impl IntoIterator<Item = usize>) -> (Once<Expr>, Vec<usize>) {
    let (mut once, mut key_columns) = (Once::new(), Vec::new());
    for (key, column) in keys.iter().zip(columns) {
        if once.add(key) == key_columns.len() {
            key_columns.push(column);
        }
    }
    (once, key_columns)
}

/// An aggregation per window.
fn windowed(
    input: Rel,
    known: &Arc<Schema>,
    (keys, roles): (Vec<Expr>, Vec<Option<Role>>),
    calls: &[AggregateCall],
    span: Span,
) -> SqlResult<Aggregation> {
    let mut feed = Feed::new();
    let plain: Vec<_> = keys.iter().zip(&roles).map(|(key, role)| role.is_none().then(|| feed.add(key))).collect();
    let key_count = feed.exprs.items().len();
    let aggregates = feed.aggregates(calls);
    let windowed = window::input_of(input, feed.exprs.into_items(), span)?;
    let input = windowed.rel;
    let mut columns: Vec<_> = input.schema.columns[..key_count].iter().map(without_time).collect();
    columns.extend(result_columns(&aggregates));
    let first_bound = columns.len();
    columns.extend(window::bounds(input.schema.columns[windowed.window.rowtime].ty.kind));
    let key_columns = plain.iter().zip(&roles).map(|(plain, role)| match (plain, role) {
        (Some(column), _) => *column,
        (None, role) => first_bound + role.map_or(0, Role::position),
    });
    let (keys, key_columns) = placed(&keys, key_columns);
    let call_columns = (key_count..key_count + calls.len()).collect();
    let keys_of_input = (0..key_count).collect();
    let kind =
        RelKind::WindowAggregate { input: Box::new(input), window: windowed.window, keys: keys_of_input, aggregates };
    let rel = Rel { kind, schema: Arc::new(Schema { columns }), span };
    Ok(Aggregation { rel, input: Arc::clone(known), keys, key_columns, call_columns })
}

fn without_time(column: &Column) -> Column {
    Column { time: None, ..column.clone() }
}

fn result_columns(aggregates: &[Aggregate]) -> impl Iterator<Item = Column> {
    let columns = aggregates.iter().enumerate();
    columns.map(|(index, aggregate)| Column { name: format!("$agg{index}"), ty: aggregate.ty, time: None })
}

/// Each row once.
pub(super) fn distinct(rel: Rel, span: Span) -> SqlResult<Rel> {
    let (keys, names, known) = (columns(&rel), names(&rel), Arc::clone(&rel.schema));
    let aggregation = Aggregation::new(rel, &known, keys.clone(), Vec::new(), span)?;
    let items = keys.into_iter().map(|key| aggregation.place(key)).collect::<SqlResult<Vec<_>>>()?;
    Ok(project(aggregation.into_rel(), items, names, span))
}
