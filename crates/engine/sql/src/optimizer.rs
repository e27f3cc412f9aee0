//! Rewrites a bound plan into one that does less: columns that nobody reads are not read, filters stand together.
//!
//! Every rewrite keeps the rows and their order. A table that several queries of a job read is pruned to what all of them
//! need together, so that it is read once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::catalog::TableOptions;
use crate::plan::{Aggregate, Expr, ExprKind, Function, JobPlan, Rel, RelKind, Scan, Schema, SinkPlan, Window};
use crate::types::SqlType;

/// Rewrites all queries of a job.
pub fn optimize(job: JobPlan) -> JobPlan {
    let merged: Vec<_> =
        job.sinks.into_iter().map(|sink| SinkPlan { input: merge_filters(sink.input), ..sink }).collect();
    let all = |rel: &Rel| (0..rel.schema.columns.len()).collect::<BTreeSet<_>>();
    let mut pruner = Pruner::default();
    for sink in &merged {
        pruner.prune(&sink.input, &all(&sink.input));
    }
    let prune = |sink: SinkPlan| {
        let required = all(&sink.input);
        let (input, columns) = pruner.prune(&sink.input, &required);
        SinkPlan { input: select(input, &columns, &required), ..sink }
    };
    JobPlan { sinks: merged.into_iter().map(prune).collect(), ..job }
}

/// Joins filters that stand directly on each other with AND.
fn merge_filters(rel: Rel) -> Rel {
    let rel = map_inputs(rel, &mut merge_filters);
    match rel.kind {
        RelKind::Filter { input, predicate } => match input.kind {
            RelKind::Filter { input, predicate: inner } => {
                let nullable = predicate.ty.nullable || inner.ty.nullable;
                let (ty, span) = (SqlType { nullable, ..predicate.ty }, predicate.span);
                let predicate = Expr { kind: ExprKind::Call(Function::And, vec![inner, predicate]), ty, span };
                Rel { kind: RelKind::Filter { input, predicate }, schema: rel.schema, span: rel.span }
            }
            kind => {
                let input = Box::new(Rel { kind, ..*input });
                Rel { kind: RelKind::Filter { input, predicate }, schema: rel.schema, span: rel.span }
            }
        },
        kind => Rel { kind, ..rel },
    }
}

/// The relation with `rewrite` applied to its inputs.
fn map_inputs(rel: Rel, rewrite: &mut impl FnMut(Rel) -> Rel) -> Rel {
    let mut boxed = |input: Box<Rel>| Box::new(rewrite(*input));
    let kind = match rel.kind {
        RelKind::Scan(_) | RelKind::Values(_) => rel.kind,
        RelKind::Project { input, exprs } => RelKind::Project { input: boxed(input), exprs },
        RelKind::Filter { input, predicate } => RelKind::Filter { input: boxed(input), predicate },
        RelKind::Watermark { input, rowtime, expr } => RelKind::Watermark { input: boxed(input), rowtime, expr },
        RelKind::UnionAll(inputs) => RelKind::UnionAll(inputs.into_iter().map(rewrite).collect()),
        RelKind::Tumble { input, window } => RelKind::Tumble { input: boxed(input), window },
        RelKind::WindowAggregate { input, window, keys, aggregates } => {
            RelKind::WindowAggregate { input: boxed(input), window, keys, aggregates }
        }
        RelKind::GroupAggregate { input, keys, aggregates } => {
            RelKind::GroupAggregate { input: boxed(input), keys, aggregates }
        }
    };
    Rel { kind, ..rel }
}

/// Where each column of the old output stands in the new one.
type Mapping = Vec<Option<usize>>;

/// A table as it is read: name and options.
type TableKey = (String, TableOptions);

/// Prunes columns; remembers what each table was asked for, so that a second pass prunes all its uses alike.
#[derive(Default)]
struct Pruner {
    wanted: BTreeMap<String, Vec<(TableKey, BTreeSet<usize>)>>,
}

impl Pruner {
    /// The columns that all uses of a table want, these included.
    fn all_wanted(&mut self, scan: &Scan, required: &BTreeSet<usize>) -> BTreeSet<usize> {
        let uses = self.wanted.entry(scan.table.name.clone()).or_default();
        let same = |key: &TableKey| options_equal(&key.1, &scan.options);
        let found = match uses.iter().position(|(key, _)| same(key)) {
            Some(found) => found,
            None => {
                uses.push(((scan.table.name.clone(), scan.options.clone()), BTreeSet::new()));
                uses.len() - 1
            }
        };
        uses[found].1.extend(required);
        uses[found].1.clone()
    }

    fn prune(&mut self, rel: &Rel, required: &BTreeSet<usize>) -> (Rel, Mapping) {
        match &rel.kind {
            RelKind::Scan(scan) => self.prune_scan(rel, scan, required),
            RelKind::Values(_) => (rel.clone(), (0..rel.schema.columns.len()).map(Some).collect()),
            RelKind::Project { input, exprs } => self.prune_project(rel, input, exprs, required),
            RelKind::Filter { input, predicate } => {
                let mut needed = required.clone();
                collect_columns(predicate, &mut needed);
                let (input, mapping) = self.prune(input, &needed);
                let predicate = remap(predicate, &mapping);
                let schema = Arc::clone(&input.schema);
                (Rel { kind: RelKind::Filter { input: Box::new(input), predicate }, schema, span: rel.span }, mapping)
            }
            RelKind::Watermark { input, rowtime, expr } => self.prune_watermark(rel, input, (*rowtime, expr), required),
            RelKind::UnionAll(inputs) => self.prune_union(rel, inputs, required),
            RelKind::Tumble { input, window } => {
                let width = input.schema.columns.len();
                let mut needed: BTreeSet<_> = required.iter().copied().filter(|column| *column < width).collect();
                needed.insert(window.rowtime);
                let (input, mut mapping) = self.prune(input, &needed);
                let window = Window { rowtime: at(&mapping, window.rowtime), ..*window };
                let new_width = input.schema.columns.len();
                mapping.extend((0..3).map(|column| Some(new_width + column)));
                let mut columns = input.schema.columns.clone();
                columns.extend(rel.schema.columns[width..].iter().cloned());
                let schema = Arc::new(Schema { columns });
                (Rel { kind: RelKind::Tumble { input: Box::new(input), window }, schema, span: rel.span }, mapping)
            }
            RelKind::WindowAggregate { input, window, keys, aggregates } => {
                let (input, keys, aggregates, mapping) =
                    self.prune_aggregate(input, keys, aggregates, Some(window.rowtime));
                let window = Window { rowtime: at(&mapping, window.rowtime), ..*window };
                (replaced(rel, RelKind::WindowAggregate { input, window, keys, aggregates }), identity(rel))
            }
            RelKind::GroupAggregate { input, keys, aggregates } => {
                let (input, keys, aggregates, _) = self.prune_aggregate(input, keys, aggregates, None);
                (replaced(rel, RelKind::GroupAggregate { input, keys, aggregates }), identity(rel))
            }
        }
    }

    fn prune_scan(&mut self, rel: &Rel, scan: &Scan, required: &BTreeSet<usize>) -> (Rel, Mapping) {
        let physical: BTreeSet<_> = required.iter().map(|column| scan.columns[*column]).collect();
        let mut wanted = self.all_wanted(scan, &physical);
        if wanted.is_empty() {
            // Rows must be counted even if no column of them is read.
            wanted.extend(scan.columns.first());
        }
        let kept: Vec<_> = (0..scan.columns.len()).filter(|column| wanted.contains(&scan.columns[*column])).collect();
        let columns = kept.iter().map(|column| scan.columns[*column]).collect();
        let kind = RelKind::Scan(Scan { columns, ..scan.clone() });
        (Rel { kind, schema: sub_schema(&rel.schema, &kept), span: rel.span }, mapping_of(rel, &kept))
    }

    fn prune_project(&mut self, rel: &Rel, input: &Rel, exprs: &[Expr], required: &BTreeSet<usize>) -> (Rel, Mapping) {
        let mut kept: Vec<_> = required.iter().copied().collect();
        if kept.is_empty() && !exprs.is_empty() {
            kept.push(0);
        }
        let mut needed = BTreeSet::new();
        kept.iter().for_each(|column| collect_columns(&exprs[*column], &mut needed));
        let (input, mapping) = self.prune(input, &needed);
        let exprs = kept.iter().map(|column| remap(&exprs[*column], &mapping)).collect();
        let kind = RelKind::Project { input: Box::new(input), exprs };
        (Rel { kind, schema: sub_schema(&rel.schema, &kept), span: rel.span }, mapping_of(rel, &kept))
    }

    fn prune_watermark(
        &mut self,
        rel: &Rel,
        input: &Rel,
        (rowtime, expr): (usize, &Expr),
        required: &BTreeSet<usize>,
    ) -> (Rel, Mapping) {
        let mut needed = required.clone();
        needed.insert(rowtime);
        collect_columns(expr, &mut needed);
        if let Some(scan) = scan_below(input) {
            // Uses of one table are pruned alike down to its computed columns, so that they stay one source.
            let computed = self.all_wanted(&watermarked(scan), &needed);
            needed.extend(computed);
        }
        let (input, mapping) = self.prune(input, &needed);
        let kept: Vec<_> = (0..mapping.len()).filter(|column| mapping[*column].is_some()).collect();
        let kind =
            RelKind::Watermark { rowtime: at(&mapping, rowtime), expr: remap(expr, &mapping), input: Box::new(input) };
        (Rel { kind, schema: sub_schema(&rel.schema, &kept), span: rel.span }, mapping)
    }

    fn prune_union(&mut self, rel: &Rel, inputs: &[Rel], required: &BTreeSet<usize>) -> (Rel, Mapping) {
        let mut kept = required.clone();
        if kept.is_empty() {
            kept.insert(0);
        }
        let inputs = inputs.iter().map(|input| {
            let (input, mapping) = self.prune(input, &kept);
            select(input, &mapping, &kept)
        });
        let kind = RelKind::UnionAll(inputs.collect());
        let kept: Vec<_> = kept.into_iter().collect();
        (Rel { kind, schema: sub_schema(&rel.schema, &kept), span: rel.span }, mapping_of(rel, &kept))
    }

    fn prune_aggregate(
        &mut self,
        input: &Rel,
        keys: &[usize],
        aggregates: &[Aggregate],
        rowtime: Option<usize>,
    ) -> (Box<Rel>, Vec<usize>, Vec<Aggregate>, Mapping) {
        let mut needed: BTreeSet<_> = keys.iter().copied().chain(rowtime).collect();
        needed.extend(aggregates.iter().flat_map(|aggregate| aggregate.argument.into_iter().chain(aggregate.filter)));
        let (input, mapping) = self.prune(input, &needed);
        let keys = keys.iter().map(|key| at(&mapping, *key)).collect();
        let aggregates = aggregates.iter().map(|aggregate| Aggregate {
            argument: aggregate.argument.map(|column| at(&mapping, column)),
            filter: aggregate.filter.map(|column| at(&mapping, column)),
            ..aggregate.clone()
        });
        (Box::new(input), keys, aggregates.collect(), mapping)
    }
}

/// The scan that a table's computed columns stand on.
fn scan_below(rel: &Rel) -> Option<&Scan> {
    match &rel.kind {
        RelKind::Scan(scan) => Some(scan),
        RelKind::Project { input, .. } => scan_below(input),
        _ => None,
    }
}

/// A stand-in for the table's columns with computed ones, apart from its physical columns.
fn watermarked(scan: &Scan) -> Scan {
    let table = Arc::new(crate::catalog::Table {
        name: format!("{} with watermark", scan.table.name),
        ..(*scan.table).clone()
    });
    Scan { table, ..scan.clone() }
}

/// Whether options have equal values; where they were written does not matter.
pub(crate) fn options_equal(left: &TableOptions, right: &TableOptions) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|((key, value), (other, others))| key == other && value.value == others.value)
}

fn replaced(rel: &Rel, kind: RelKind) -> Rel {
    Rel { kind, schema: Arc::clone(&rel.schema), span: rel.span }
}

fn identity(rel: &Rel) -> Mapping {
    (0..rel.schema.columns.len()).map(Some).collect()
}

fn sub_schema(schema: &Schema, kept: &[usize]) -> Arc<Schema> {
    Arc::new(Schema { columns: kept.iter().map(|column| schema.columns[*column].clone()).collect() })
}

fn mapping_of(rel: &Rel, kept: &[usize]) -> Mapping {
    let mut mapping = vec![None; rel.schema.columns.len()];
    for (place, column) in kept.iter().enumerate() {
        mapping[*column] = Some(place);
    }
    mapping
}

/// The new index of a column that was required, so it is there.
fn at(mapping: &Mapping, column: usize) -> usize {
    mapping.get(column).copied().flatten().unwrap_or(column)
}

/// Projects to exactly the required columns, if the relation has others or in another order.
fn select(rel: Rel, mapping: &Mapping, required: &BTreeSet<usize>) -> Rel {
    let columns: Vec<_> = required.iter().map(|column| at(mapping, *column)).collect();
    if columns.iter().copied().eq(0..rel.schema.columns.len()) {
        return rel;
    }
    let exprs = columns.iter().map(|column| {
        let ty = rel.schema.columns[*column].ty;
        Expr { kind: ExprKind::Column(*column), ty, span: rel.span }
    });
    let (schema, span, exprs) = (sub_schema(&rel.schema, &columns), rel.span, exprs.collect());
    Rel { kind: RelKind::Project { input: Box::new(rel), exprs }, schema, span }
}

/// Adds the columns that an expression reads.
pub(crate) fn collect_columns(expr: &Expr, columns: &mut BTreeSet<usize>) {
    match &expr.kind {
        ExprKind::Column(column) => {
            columns.insert(*column);
        }
        ExprKind::Literal(_) => {}
        ExprKind::Call(_, args) => args.iter().for_each(|arg| collect_columns(arg, columns)),
        ExprKind::Cast(input, _) => collect_columns(input, columns),
        ExprKind::Case { branches, otherwise } => {
            for (condition, value) in branches {
                collect_columns(condition, columns);
                collect_columns(value, columns);
            }
            collect_columns(otherwise, columns);
        }
    }
}

/// The expression over the columns' new places.
fn remap(expr: &Expr, mapping: &Mapping) -> Expr {
    let again = |expr: &Expr| remap(expr, mapping);
    let kind = match &expr.kind {
        ExprKind::Column(column) => ExprKind::Column(at(mapping, *column)),
        ExprKind::Literal(_) => expr.kind.clone(),
        ExprKind::Call(function, args) => ExprKind::Call(*function, args.iter().map(again).collect()),
        ExprKind::Cast(input, mode) => ExprKind::Cast(Box::new(again(input)), *mode),
        ExprKind::Case { branches, otherwise } => ExprKind::Case {
            branches: branches.iter().map(|(condition, value)| (again(condition), again(value))).collect(),
            otherwise: Box::new(again(otherwise)),
        },
    };
    Expr { kind, ty: expr.ty, span: expr.span }
}
