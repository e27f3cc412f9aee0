//! SELECT: FROM, WHERE, GROUP BY, HAVING, the select list and DISTINCT, in this order.

use std::sync::Arc;

use crate::ast::{ExprKind as Ast, GroupItem, Select, SelectItem};
use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{Expr, Rel, RelKind, Scalar, Schema};
use crate::types::TypeKind;

use super::Binder;
use super::aggregate::{Aggregation, distinct};
use super::coercion::literal;
use super::expression::{AggregateCall, Aggregates, ExprBinder};
use super::relation::{column, filter, project};
use super::sameness::Once;
use super::scope::Scope;
use super::table::refuse_hints;

/// The clauses of a SELECT that see the groups instead of the rows.
struct Grouped {
    keys: Vec<Expr>,
    calls: Vec<AggregateCall>,
    items: Vec<Expr>,
    names: Vec<String>,
    having: Option<Expr>,
}

impl Binder<'_> {
    /// Binds a SELECT.
    pub(super) fn bind_select(&mut self, select: &Select) -> SqlResult<Rel> {
        refuse_hints(&select.hints, "a query")?;
        if let Some((clause, span)) = &select.refused {
            return Err(SqlError::unsupported(*span, format!("`{clause}`")));
        }
        let (mut input, scope) = match &select.from {
            Some(from) => {
                let (rel, scope) = self.bind_from(from)?;
                (Some(rel), scope)
            }
            None => (None, Scope::empty()),
        };
        if let Some(condition) = &select.filter {
            let mut binder = ExprBinder::scalar(&scope, &self.budget, "`WHERE`");
            let predicate = binder.bind_condition(condition, "`WHERE`")?;
            input = Some(filter(input.unwrap_or_else(|| one_row(select.span)), predicate, condition.span));
        }
        let grouped = self.bind_clauses(select, &scope)?;
        let is_aggregation = !grouped.calls.is_empty() || !select.group_by.is_empty() || grouped.having.is_some();
        let rel = if is_aggregation {
            let input = input.unwrap_or_else(|| one_row(select.span));
            aggregated(input, &scope, grouped, select.span)?
        } else {
            match input {
                Some(input) => project(input, grouped.items, grouped.names, select.span),
                None => single_row(grouped.items, grouped.names, select.span),
            }
        };
        if select.distinct { distinct(rel, select.span) } else { Ok(rel) }
    }

    fn bind_clauses(&self, select: &Select, scope: &Scope) -> SqlResult<Grouped> {
        let keys = self.bind_group_by(select, scope)?;
        let has_keys = !keys.is_empty();
        let aggregates = Aggregates::Collected { calls: Once::new(), has_keys };
        let mut binder = ExprBinder { scope, budget: &self.budget, aggregates };
        let (mut items, mut names) = (Vec::new(), Vec::new());
        for item in &select.items {
            match item {
                SelectItem::Wildcard(span) => add_all(select, scope, *span, (&mut items, &mut names))?,
                SelectItem::QualifiedWildcard(table) => {
                    scope.check_table(table)?;
                    add_all(select, scope, table.span, (&mut items, &mut names))?;
                }
                SelectItem::Expr(expr, alias) => {
                    let name = match (alias, &expr.kind) {
                        (Some(alias), _) => alias.name.clone(),
                        (None, Ast::Column(name)) => {
                            name.parts.last().map_or_else(String::new, |part| part.name.clone())
                        }
                        (None, _) => format!("EXPR${}", items.len()),
                    };
                    items.push(binder.bind_typed(expr)?);
                    names.push(name);
                }
            }
        }
        let having = match &select.having {
            Some(having) => Some(binder.bind_condition(having, "`HAVING`").map_err(|error| alias_hint(error, select))?),
            None => None,
        };
        let calls = match binder.aggregates {
            Aggregates::Collected { calls, .. } => calls.into_items(),
            Aggregates::Refused(_) => Vec::new(),
        };
        Ok(Grouped { keys, calls, items, names, having })
    }

    fn bind_group_by(&self, select: &Select, scope: &Scope) -> SqlResult<Vec<Expr>> {
        let mut binder = ExprBinder::scalar(scope, &self.budget, "`GROUP BY`");
        let mut keys = Vec::with_capacity(select.group_by.len());
        for item in &select.group_by {
            match item {
                GroupItem::Refused(name, span) => return Err(SqlError::unsupported(*span, format!("`{name}`"))),
                GroupItem::Expr(expr) => {
                    keys.push(binder.bind_typed(expr).map_err(|error| alias_hint(error, select))?);
                }
            }
        }
        Ok(keys)
    }
}

/// Adds all columns to a select list.
fn add_all(select: &Select, scope: &Scope, span: Span, list: (&mut Vec<Expr>, &mut Vec<String>)) -> SqlResult<()> {
    if select.from.is_none() {
        return Err(SqlError::invalid(span, "`SELECT *` needs a `FROM` clause"));
    }
    list.0.extend(scope.all(span)?);
    list.1.extend(scope.schema().columns.iter().map(|column| column.name.clone()));
    Ok(())
}

/// Says that GROUP BY and HAVING do not see the aliases of the select list, if that is what went wrong.
fn alias_hint(error: SqlError, select: &Select) -> SqlError {
    let is_alias = select.items.iter().any(|item| match item {
        SelectItem::Expr(_, Some(alias)) => error.message == format!("column `{}` does not exist", alias.name),
        _ => false,
    });
    if !is_alias {
        return error;
    }
    error.with_hint("an alias of the select list has no meaning in `GROUP BY` and `HAVING`; repeat the expression")
}

/// A row without columns that anybody can name.
fn one_row(span: Span) -> Rel {
    let zero = literal(Scalar::Integer(0), TypeKind::Int, span);
    single_row(vec![zero], vec!["ZERO".to_owned()], span)
}

fn single_row(exprs: Vec<Expr>, names: Vec<String>, span: Span) -> Rel {
    let empty = Schema::default();
    let columns = exprs.iter().zip(names).map(|(expr, name)| column(&empty, expr, name)).collect();
    Rel { kind: RelKind::Values(vec![exprs]), schema: Arc::new(Schema { columns }), span }
}

fn aggregated(input: Rel, scope: &Scope, grouped: Grouped, span: Span) -> SqlResult<Rel> {
    let aggregation = Aggregation::new(input, scope.schema(), grouped.keys, grouped.calls, span)?;
    let having = grouped.having.map(|having| aggregation.place(having)).transpose()?;
    let items = grouped.items.into_iter().map(|item| aggregation.place(item)).collect::<SqlResult<Vec<_>>>()?;
    let mut rel = aggregation.into_rel();
    if let Some(having) = having {
        let place = having.span;
        rel = filter(rel, having, place);
    }
    Ok(project(rel, items, grouped.names, span))
}
