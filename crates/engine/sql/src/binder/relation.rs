//! Relations made of relations: projection, filter, and how their schemas follow.

use std::sync::Arc;

use crate::error::Span;
use crate::plan::{Column, Expr, ExprKind, Function, Rel, RelKind, Schema, TimeAttribute};

/// A projection; a time attribute survives in a column that is only referred to.
pub(super) fn project(input: Rel, exprs: Vec<Expr>, names: Vec<String>, span: Span) -> Rel {
    let columns = exprs.iter().zip(names).map(|(expr, name)| column(&input.schema, expr, name)).collect();
    let schema = Arc::new(Schema { columns });
    Rel { kind: RelKind::Project { input: Box::new(input), exprs }, schema, span }
}

/// The column that an expression over `input` makes.
pub(super) fn column(input: &Schema, expr: &Expr, name: String) -> Column {
    let time = match &expr.kind {
        ExprKind::Column(index) => input.columns.get(*index).and_then(|column| column.time),
        ExprKind::Call(Function::Proctime, _) => Some(TimeAttribute::Proctime),
        _ => None,
    };
    Column { name, ty: expr.ty, time }
}

/// The rows for which a condition is TRUE.
pub(super) fn filter(input: Rel, predicate: Expr, span: Span) -> Rel {
    let schema = Arc::clone(&input.schema);
    Rel { kind: RelKind::Filter { input: Box::new(input), predicate }, schema, span }
}

/// All columns of a relation as expressions.
pub(super) fn columns(rel: &Rel) -> Vec<Expr> {
    let columns = rel.schema.columns.iter().enumerate();
    columns.map(|(index, column)| Expr { kind: ExprKind::Column(index), ty: column.ty, span: rel.span }).collect()
}

/// The names of the columns of a relation.
pub(super) fn names(rel: &Rel) -> Vec<String> {
    rel.schema.columns.iter().map(|column| column.name.clone()).collect()
}

/// The same rows under other column names.
pub(super) fn rename(rel: Rel, names: Vec<String>) -> Rel {
    let (exprs, span) = (columns(&rel), rel.span);
    project(rel, exprs, names, span)
}
