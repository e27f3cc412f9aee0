//! Bounds on what a statement may expand to: views, CTEs and CASE operands are copied, and copies of copies explode.
//!
//! Counting costs a walk over what is copied; refusing costs nothing but the statement.

use std::cell::Cell;

use crate::error::{Span, SqlError, SqlResult};
use crate::plan::{Expr, ExprKind, Rel, RelKind};

/// The most relations that one statement may have.
const MAX_RELATIONS: usize = 4096;
/// The most expression nodes that the binder copies for one statement.
const MAX_COPIED_NODES: usize = 200_000;

/// What a statement has used.
#[derive(Debug, Default)]
pub(super) struct Budget {
    relations: Cell<usize>,
    copied_nodes: Cell<usize>,
}

impl Budget {
    /// Accounts for `count` relations that appear at `span`.
    pub(super) fn spend_relations(&self, count: usize, span: Span) -> SqlResult<()> {
        let used = self.relations.get().saturating_add(count);
        self.relations.set(used);
        if used > MAX_RELATIONS {
            let message = format!("the statement expands to more than {MAX_RELATIONS} relations");
            return Err(SqlError::invalid(span, message).with_hint("write the result of a part to a table of its own"));
        }
        Ok(())
    }

    /// A copy of an expression that stands in several places of the plan but once in the text.
    pub(super) fn copy(&self, expr: &Expr) -> SqlResult<Expr> {
        let used = self.copied_nodes.get().saturating_add(expr_nodes(expr));
        self.copied_nodes.set(used);
        if used > MAX_COPIED_NODES {
            let message = "the expression is too large once `CASE`, `BETWEEN` and `NULLIF` are written out";
            return Err(SqlError::invalid(expr.span, message).with_hint("compute the operand in a subquery"));
        }
        Ok(expr.clone())
    }

    /// A copy of a relation that is referred to at `span`.
    pub(super) fn copy_relation(&self, rel: &Rel, span: Span) -> SqlResult<Rel> {
        self.spend_relations(relations(rel), span)?;
        Ok(rel.clone())
    }
}

fn expr_nodes(expr: &Expr) -> usize {
    1 + match &expr.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) => 0,
        ExprKind::Call(_, args) => args.iter().map(expr_nodes).sum(),
        ExprKind::Cast(input, _) => expr_nodes(input),
        ExprKind::Case { branches, otherwise } => {
            let branches: usize = branches.iter().map(|(when, then)| expr_nodes(when) + expr_nodes(then)).sum();
            branches + expr_nodes(otherwise)
        }
    }
}

fn relations(rel: &Rel) -> usize {
    1 + match &rel.kind {
        RelKind::Scan(_) | RelKind::Values(_) => 0,
        RelKind::Project { input, .. }
        | RelKind::Filter { input, .. }
        | RelKind::Watermark { input, .. }
        | RelKind::Tumble { input, .. }
        | RelKind::WindowAggregate { input, .. }
        | RelKind::GroupAggregate { input, .. } => relations(input),
        RelKind::UnionAll(inputs) => inputs.iter().map(relations).sum(),
    }
}
