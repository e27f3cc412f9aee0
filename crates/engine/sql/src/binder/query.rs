//! Queries: WITH, UNION, VALUES; SELECT goes to `select`.

use std::sync::Arc;

use crate::ast::{self, QueryBody, SetOperator};
use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{Column, Expr, Rel, RelKind, Schema};
use crate::types::{SqlType, TypeKind};

use super::Binder;
use super::aggregate::distinct;
use super::coercion::{Approximate, any_nullable, cast, common_type, unify};
use super::expression::ExprBinder;
use super::relation::{columns, project, rename};
use super::scope::Scope;
use super::table::column_names;

/// How deep queries may stand in queries, those of views included: binding one level takes some kilobytes of stack.
const MAX_QUERY_DEPTH: usize = 80;

impl Binder<'_> {
    /// Binds a query.
    pub(super) fn bind_query(&mut self, query: &ast::Query) -> SqlResult<Rel> {
        self.budget.spend_relations(1, query.span)?;
        if self.depth >= MAX_QUERY_DEPTH {
            let message = format!("queries nest more than {MAX_QUERY_DEPTH} levels deep");
            return Err(SqlError::invalid(query.span, message).with_hint("create a view of an inner query"));
        }
        let outer_ctes = self.ctes.len();
        self.depth += 1;
        let bound = self.bind_ctes(query).and_then(|()| self.bind_body(query));
        self.depth -= 1;
        self.ctes.truncate(outer_ctes);
        bound
    }

    fn bind_ctes(&mut self, query: &ast::Query) -> SqlResult<()> {
        let outer_ctes = self.ctes.len();
        for cte in &query.ctes {
            if self.ctes[outer_ctes..].iter().any(|(name, _)| *name == cte.name.name) {
                return Err(SqlError::invalid(cte.name.span, format!("`{}` is defined twice", cte.name.name)));
            }
            let mut rel = self.bind_query(&cte.query)?;
            if !cte.columns.is_empty() {
                let names = column_names(&cte.columns, rel.schema.columns.len(), cte.name.span)?;
                rel = rename(rel, names);
            }
            self.ctes.push((cte.name.name.clone(), rel));
        }
        Ok(())
    }

    fn bind_body(&mut self, query: &ast::Query) -> SqlResult<Rel> {
        refuse_order(query)?;
        match &query.body {
            QueryBody::Select(select) => self.bind_select(select),
            QueryBody::Values(rows, span) => self.bind_values(rows, *span),
            QueryBody::Nested(inner) => self.bind_query(inner),
            QueryBody::SetOperation { operator: SetOperator::Intersect, span, .. } => {
                Err(SqlError::unsupported(*span, "`INTERSECT`"))
            }
            QueryBody::SetOperation { operator: SetOperator::Except, span, .. } => {
                Err(SqlError::unsupported(*span, "`EXCEPT`"))
            }
            QueryBody::SetOperation { operator: SetOperator::Union, all, .. } => {
                let operands = union_operands(query);
                let mut inputs = Vec::with_capacity(operands.len());
                for operand in operands {
                    inputs.push((self.bind_query(operand)?, operand.span));
                }
                let union = union_all(inputs, query.span)?;
                if *all { Ok(union) } else { distinct(union, query.span) }
            }
        }
    }

    fn bind_values(&mut self, rows: &[Vec<ast::Expr>], span: Span) -> SqlResult<Rel> {
        let scope = Scope::empty();
        let width = rows.first().map_or(0, Vec::len);
        let mut bound = Vec::with_capacity(rows.len());
        for row in rows {
            if row.len() != width {
                let place = row.first().map_or(span, |first| first.span);
                let message = format!("this row has {} values, but the first has {width}", row.len());
                return Err(SqlError::invalid(place, message));
            }
            let mut binder = ExprBinder::scalar(&scope, &self.budget, "`VALUES`");
            bound.push(row.iter().map(|value| binder.bind_typed(value)).collect::<SqlResult<Vec<_>>>()?);
        }
        values(bound, width, span)
    }
}

/// Rows of constants, whose columns get the types that all rows have in common.
fn values(rows: Vec<Vec<Expr>>, width: usize, span: Span) -> SqlResult<Rel> {
    let height = rows.len();
    let mut by_column: Vec<Vec<Expr>> = (0..width).map(|_| Vec::with_capacity(height)).collect();
    for row in rows {
        for (column, value) in by_column.iter_mut().zip(row) {
            column.push(value);
        }
    }
    let mut schema = Vec::with_capacity(width);
    let mut unified = Vec::with_capacity(width);
    for (index, column) in by_column.into_iter().enumerate() {
        let (kind, column) = unify(column, Approximate::First, "`VALUES`")?;
        let ty = SqlType { kind, nullable: any_nullable(&column) };
        schema.push(Column { name: format!("EXPR${index}"), ty, time: None });
        unified.push(column.into_iter());
    }
    let rows = (0..height).map(|_| unified.iter_mut().filter_map(Iterator::next).collect()).collect();
    Ok(Rel { kind: RelKind::Values(rows), schema: Arc::new(Schema { columns: schema }), span })
}

/// The operands of a chain of UNIONs of one kind, which is a tree as the parser makes it.
fn union_operands(union: &ast::Query) -> Vec<&ast::Query> {
    let mut operands = Vec::new();
    let mut kind: Option<bool> = None;
    let mut rest = vec![union];
    while let Some(query) = rest.pop() {
        match &query.body {
            QueryBody::SetOperation { operator: SetOperator::Union, all, left, right, .. }
                if kind.is_none_or(|kind| kind == *all && is_bare(query)) =>
            {
                kind = Some(*all);
                rest.push(right);
                rest.push(left);
            }
            _ => operands.push(query),
        }
    }
    operands
}

/// Whether a query is nothing but its body.
fn is_bare(query: &ast::Query) -> bool {
    query.ctes.is_empty() && query.order_by.is_empty() && query.limit.is_none() && query.offset.is_none()
}

fn refuse_order(query: &ast::Query) -> SqlResult<()> {
    if let Some(first) = query.order_by.first() {
        let error = SqlError::unsupported(first.expr.span, "`ORDER BY`");
        return Err(error.with_hint("rows come in the order in which they are made; sort the result where it is read"));
    }
    if let Some(limit) = &query.limit {
        return Err(SqlError::unsupported(limit.span, "`LIMIT`"));
    }
    match &query.offset {
        Some(offset) => Err(SqlError::unsupported(offset.span, "`OFFSET`")),
        None => Ok(()),
    }
}

/// All rows of all inputs, in the types that they have in common, under the names of the first.
fn union_all(inputs: Vec<(Rel, Span)>, span: Span) -> SqlResult<Rel> {
    let Some((first, _)) = inputs.first() else {
        return Err(SqlError::invalid(span, "`UNION` has no operands"));
    };
    let mut schema = Schema::clone(&first.schema);
    for (input, place) in inputs.iter().skip(1) {
        let (expected, found) = (schema.columns.len(), input.schema.columns.len());
        if expected != found {
            let message = format!("this side of `UNION` has {found} columns, the first has {expected}");
            return Err(SqlError::invalid(*place, message));
        }
        for (index, (column, other)) in schema.columns.iter_mut().zip(&input.schema.columns).enumerate() {
            let Some(kind) = common_type(column.ty.kind, other.ty.kind, Approximate::First) else {
                return Err(mismatch(index, [column.ty.kind, other.ty.kind], *place));
            };
            column.ty = SqlType { kind, nullable: column.ty.nullable || other.ty.nullable };
            column.time = column.time.filter(|time| other.time == Some(*time));
        }
    }
    let schema = Arc::new(schema);
    let inputs = inputs.into_iter().map(|(input, _)| conform(input, &schema)).collect();
    Ok(Rel { kind: RelKind::UnionAll(inputs), schema, span })
}

fn mismatch(index: usize, [left, right]: [TypeKind; 2], span: Span) -> SqlError {
    let message = format!("column {} of `UNION` mixes `{left}` and `{right}`", index + 1);
    SqlError::invalid(span, message).with_hint("write a CAST on one of them")
}

/// The rows of a relation with the types and names of `schema`.
fn conform(rel: Rel, schema: &Schema) -> Rel {
    let is_same = rel
        .schema
        .columns
        .iter()
        .zip(&schema.columns)
        .all(|(column, wanted)| column.ty.kind == wanted.ty.kind && column.name == wanted.name);
    if is_same {
        return rel;
    }
    let exprs = columns(&rel).into_iter().zip(&schema.columns).map(|(expr, wanted)| cast(expr, wanted.ty.kind));
    let (exprs, span) = (exprs.collect(), rel.span);
    project(rel, exprs, schema.columns.iter().map(|column| column.name.clone()).collect(), span)
}
