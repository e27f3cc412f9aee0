//! From the typed plan of a job to the graph of operators.
//!
//! Filters and projections become one [`Calc`]; a table that several queries read becomes one source; state gets
//! identities that depend on what it means and where it stands among its like, never on the expressions around it.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, SchemaRef, TimeUnit};
use kobel_dataflow::graph::{
    AggregateCall, AggregateSpec, Calc, Exchange, Graph, Input, Node, NodeKind, SourceSpec, WatermarkSpec, WindowSpec,
};
use kobel_dataflow::operators::calc::evaluate;
use kobel_dataflow::ports::Sink;
use kobel_model::ids::OperatorId;
use kobel_model::quantity::show_duration;
use kobel_model::{Error, Result, chain};

use super::ExprContext;
use super::expression::lower_expr;
use crate::catalog::{Connectors, Table, TableOptions, TableSpec};
use crate::error::SqlError;
use crate::optimizer::options_equal;
use crate::plan::{self, ChangelogMode, Expr, ExprKind, JobPlan, Rel, RelKind, Schema, Target};
use crate::types::TypeKind;

/// What lowering depends on beside the plan.
pub struct LowerOptions {
    /// What expressions depend on.
    pub expressions: ExprContext,
    /// `pipeline.auto-watermark-interval`, in milliseconds.
    pub watermark_interval_ms: i64,
    /// `table.exec.source.idle-timeout`, in milliseconds; 0 is never.
    pub idle_timeout_ms: i64,
}

/// Makes the graph of a job; `collect` takes the rows of a bare SELECT.
///
/// # Errors
/// Those of the connectors; Unsupported if an operator cannot run what the plan asks for.
pub fn lower_job(
    job: &JobPlan,
    connectors: &dyn Connectors,
    collect: Option<Arc<dyn Sink>>,
    options: &LowerOptions,
) -> Result<Graph> {
    let mut lowering = Lowering { connectors, options, nodes: Vec::new(), sources: Vec::new(), ids: Vec::new() };
    for sink in &job.sinks {
        let from = lowering.rel(&sink.input)?;
        let (name, sink_port) = match &sink.target {
            Target::Table { table, options } => {
                (table.name.clone(), lowering.connectors.sink(&table_spec(table, options))?)
            }
            Target::Collect => {
                let collect = collect.clone().ok_or_else(|| Error::bug("nobody collects the rows of a SELECT"))?;
                ("*collect*".to_owned(), collect)
            }
        };
        let id = lowering.identity(&["sink", &name]);
        let schema = lowering.nodes[from].schema.clone();
        let kind = NodeKind::Sink(sink_port);
        lowering.nodes.push(Node { id, name: format!("Sink: {name}"), kind, inputs: vec![forward(from)], schema });
    }
    let mut graph = Graph { nodes: lowering.nodes };
    tell_windows(&mut graph);
    Ok(graph)
}

/// What a connector needs to know of a table.
pub fn table_spec(table: &Table, options: &TableOptions) -> TableSpec {
    TableSpec {
        name: table.name.clone(),
        options: options.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect(),
        physical: table.physical.clone(),
        partitioned_by: table.partitioned_by.clone(),
    }
}

/// Arrow fields for a relation; all nullable, since nullability is the planner's promise and not a check.
fn carrier(schema: &Schema) -> SchemaRef {
    let field = |column: &plan::Column| Field::new(&column.name, column.ty.kind.arrow(), true);
    Arc::new(arrow_schema::Schema::new(schema.columns.iter().map(field).collect::<Vec<_>>()))
}

fn forward(from: usize) -> Input {
    Input { from, exchange: Exchange::Forward }
}

/// Tells each watermark the windows behind it.
fn tell_windows(graph: &mut Graph) {
    let mut windows: Vec<Vec<(i64, i64)>> = vec![Vec::new(); graph.nodes.len()];
    for index in (0..graph.nodes.len()).rev() {
        if let NodeKind::WindowAggregate(_, window) = &graph.nodes[index].kind {
            windows[index].push((window.size_ms, window.offset_ms));
        }
        for input in 0..graph.nodes[index].inputs.len() {
            let from = graph.nodes[index].inputs[input].from;
            let behind = windows[index].clone();
            windows[from].extend(behind);
        }
    }
    for (node, mut windows) in graph.nodes.iter_mut().zip(windows) {
        if let NodeKind::Source(SourceSpec { watermark: Some(watermark), .. }) = &mut node.kind {
            windows.sort_unstable();
            windows.dedup();
            watermark.windows = windows;
        }
    }
}

struct Lowering<'a> {
    connectors: &'a dyn Connectors,
    options: &'a LowerOptions,
    nodes: Vec<Node>,
    /// Sources that may be shared.
    sources: Vec<(Rel, usize)>,
    /// What identities were made of, to count equals.
    ids: Vec<Vec<String>>,
}

impl Lowering<'_> {
    /// The identity of an operator: what it is, and the how manieth of its like.
    fn identity(&mut self, parts: &[&str]) -> OperatorId {
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        let ordinal = self.ids.iter().filter(|other| **other == parts).count().to_string();
        let all: Vec<&str> = parts.iter().map(String::as_str).chain([ordinal.as_str()]).collect();
        let id = OperatorId::of(&all);
        self.ids.push(parts);
        id
    }

    fn push(&mut self, id: OperatorId, name: String, kind: NodeKind, inputs: Vec<Input>, schema: SchemaRef) -> usize {
        self.nodes.push(Node { id, name, kind, inputs, schema });
        self.nodes.len() - 1
    }

    /// Makes the nodes of a relation; answers the last one.
    fn rel(&mut self, rel: &Rel) -> Result<usize> {
        match &rel.kind {
            RelKind::Scan(_) | RelKind::Watermark { .. } => self.source(rel),
            RelKind::Values(rows) => self.values(rel, rows),
            RelKind::Project { input, exprs } => match &input.kind {
                RelKind::Filter { input, predicate } => self.calc(rel, input, Some(predicate), Some(exprs)),
                _ => self.calc(rel, input, None, Some(exprs)),
            },
            RelKind::Filter { input, predicate } => self.calc(rel, input, Some(predicate), None),
            RelKind::UnionAll(inputs) => {
                let inputs = inputs.iter().map(|input| self.rel(input).map(forward)).collect::<Result<Vec<_>>>()?;
                let id = self.identity(&["union"]);
                Ok(self.push(id, "UnionAll".into(), NodeKind::Union, inputs, carrier(&rel.schema)))
            }
            RelKind::Tumble { input, window } => {
                let from = self.rel(input)?;
                let spec = self.window(input, window, &rel.schema)?;
                let id = self.identity(&["assign-window"]);
                let name = format!("AssignWindow({})", describe_window(window));
                Ok(self.push(id, name, NodeKind::AssignWindow(spec), vec![forward(from)], carrier(&rel.schema)))
            }
            RelKind::WindowAggregate { input, window, keys, aggregates } => {
                let spec = self.window(input, window, &rel.schema)?;
                let name = format!("TumblingWindow({}, keys=[{}])", describe_window(window), key_names(input, keys));
                let (from, aggregate) = self.aggregate(input, keys, aggregates)?;
                if aggregate.input_retracts {
                    return Err(Error::unsupported("a window aggregation over an updating query is not supported"));
                }
                let upstream = self.state_upstream(from);
                let id = self.identity(&["tumble", &upstream]);
                let inputs = vec![Input { from, exchange: Exchange::Hash(keys.clone()) }];
                Ok(self.push(id, name, NodeKind::WindowAggregate(aggregate, spec), inputs, carrier(&rel.schema)))
            }
            RelKind::GroupAggregate { input, keys, aggregates } => {
                let name = format!("GroupAggregate(keys=[{}])", key_names(input, keys));
                let (from, aggregate) = self.aggregate(input, keys, aggregates)?;
                let upstream = self.state_upstream(from);
                let id = self.identity(&["group", &upstream]);
                let inputs = vec![Input { from, exchange: Exchange::Hash(keys.clone()) }];
                Ok(self.push(id, name, NodeKind::GroupAggregate(aggregate), inputs, carrier(&rel.schema)))
            }
        }
    }

    /// The identities of the nearest operators with state at or before a node.
    fn state_upstream(&self, node: usize) -> String {
        match &self.nodes[node].kind {
            NodeKind::Calc(_) | NodeKind::Union | NodeKind::AssignWindow(_) => {
                let inputs = self.nodes[node].inputs.iter();
                inputs.map(|input| self.state_upstream(input.from)).collect::<Vec<_>>().join("+")
            }
            _ => self.nodes[node].id.to_string(),
        }
    }

    fn expr(&self, expr: &Expr) -> Result<Arc<dyn datafusion_physical_expr::PhysicalExpr>> {
        lower_expr(expr, &self.options.expressions)
    }

    fn exprs(&self, exprs: &[Expr]) -> Result<Vec<Arc<dyn datafusion_physical_expr::PhysicalExpr>>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn calc(&mut self, rel: &Rel, input: &Rel, predicate: Option<&Expr>, exprs: Option<&Vec<Expr>>) -> Result<usize> {
        let from = self.rel(input)?;
        let keeps_all = exprs.is_none_or(|exprs| is_identity(exprs, input));
        if keeps_all && predicate.is_none() {
            return Ok(from);
        }
        let schema = if keeps_all { self.nodes[from].schema.clone() } else { carrier(&rel.schema) };
        let calc = Calc {
            predicate: predicate.map(|predicate| self.expr(predicate)).transpose()?,
            projection: if keeps_all { None } else { exprs.map(|exprs| self.exprs(exprs)).transpose()? },
            schema: schema.clone(),
        };
        let columns: Vec<_> = rel.schema.columns.iter().map(|column| column.name.as_str()).collect();
        let filtered = if predicate.is_some() { ", filtered" } else { "" };
        let id = self.identity(&["calc"]);
        let name = format!("Calc([{}]{filtered})", columns.join(", "));
        Ok(self.push(id, name, NodeKind::Calc(calc), vec![forward(from)], schema))
    }

    fn values(&mut self, rel: &Rel, rows: &[Vec<Expr>]) -> Result<usize> {
        let schema = carrier(&rel.schema);
        let one = RecordBatchOptions::new().with_row_count(Some(1));
        let unit = RecordBatch::try_new_with_options(Arc::new(arrow_schema::Schema::empty()), Vec::new(), &one);
        let unit = unit.map_err(kobel_dataflow::batch::arrow_bug)?;
        let mut batches = Vec::with_capacity(rows.len());
        for row in rows {
            let constant = |expr: &Expr| evaluate(&self.expr(expr)?, &unit).map_err(|error| placed(expr, &error));
            let columns = row.iter().map(constant).collect::<Result<Vec<_>>>()?;
            let row = RecordBatch::try_new_with_options(schema.clone(), columns, &one);
            batches.push(row.map_err(kobel_dataflow::batch::arrow_bug)?);
        }
        let all = arrow_select::concat::concat_batches(&schema, &batches).map_err(kobel_dataflow::batch::arrow_bug)?;
        let id = self.identity(&["values"]);
        let name = format!("Values({} rows)", rows.len());
        Ok(self.push(id, name, NodeKind::Values(all), Vec::new(), schema))
    }

    /// A table with its computed columns and watermark; one that is there already is shared.
    fn source(&mut self, rel: &Rel) -> Result<usize> {
        if let Some((_, node)) = self.sources.iter().find(|(other, _)| same_source(other, rel)) {
            return Ok(*node);
        }
        let (input, watermark) = match &rel.kind {
            RelKind::Watermark { input, rowtime, expr } => (input.as_ref(), Some((*rowtime, expr))),
            _ => (rel, None),
        };
        let (scan, exprs) = match &input.kind {
            RelKind::Scan(scan) => (scan, None),
            RelKind::Project { input: below, exprs } => match &below.kind {
                RelKind::Scan(scan) if is_identity(exprs, below) => (scan, None),
                RelKind::Scan(scan) => (scan, Some(exprs)),
                _ => return Err(Error::bug("a watermark stands on something other than a table")),
            },
            _ => return Err(Error::bug("a watermark stands on something other than a table")),
        };
        let source = self.connectors.source(&table_spec(&scan.table, &scan.options), &scan.columns);
        let source = source.map_err(|error| error.context(format!("cannot read table `{}`", scan.table.name)))?;
        let schema = carrier(&input.schema);
        let calc = match exprs {
            Some(exprs) => Some(Calc { predicate: None, projection: Some(self.exprs(exprs)?), schema: schema.clone() }),
            None => None,
        };
        let watermark = match watermark {
            Some((rowtime, expr)) => Some(self.watermark(input, rowtime, expr)?),
            None => None,
        };
        let name = format!("Source: {}", scan.table.name);
        let id = self.identity(&["source", &scan.table.name]);
        let node = self.push(id, name, NodeKind::Source(SourceSpec { source, calc, watermark }), Vec::new(), schema);
        self.sources.push((rel.clone(), node));
        Ok(node)
    }

    fn watermark(&self, input: &Rel, rowtime: usize, expr: &Expr) -> Result<WatermarkSpec> {
        Ok(WatermarkSpec {
            rowtime,
            column: input.schema.columns[rowtime].name.clone(),
            expr: self.expr(expr)?,
            interval_ms: self.options.watermark_interval_ms,
            idle_timeout_ms: self.options.idle_timeout_ms,
            windows: Vec::new(),
        })
    }

    fn window(&self, input: &Rel, window: &plan::Window, output: &Schema) -> Result<WindowSpec> {
        let rowtime = &input.schema.columns[window.rowtime];
        if matches!(rowtime.ty.kind, TypeKind::TimestampLtz(_)) && !is_utc(&self.options.expressions) {
            let message = format!(
                "a window over `{}` ({}) in a time zone other than UTC is not supported by the native engine",
                rowtime.name, rowtime.ty
            );
            return Err(Error::unsupported(message).with_hint("SET 'table.local-time-zone' = 'UTC'"));
        }
        let millisecond = DataType::Timestamp(TimeUnit::Millisecond, None);
        let ty = |back: usize| {
            let column = output.columns.len().checked_sub(back).and_then(|index| output.columns.get(index));
            column.map_or(millisecond.clone(), |column| column.ty.kind.arrow())
        };
        Ok(WindowSpec {
            rowtime: window.rowtime,
            size_ms: window.size_ms,
            offset_ms: window.offset_ms,
            time_types: [ty(3), ty(2), ty(1)],
        })
    }

    /// The input of an aggregation, and what it computes.
    fn aggregate(
        &mut self,
        input: &Rel,
        keys: &[usize],
        aggregates: &[plan::Aggregate],
    ) -> Result<(usize, AggregateSpec)> {
        let from = self.rel(input)?;
        let call = |aggregate: &plan::Aggregate| AggregateCall {
            function: aggregate.function,
            argument: aggregate.argument,
            distinct: aggregate.distinct,
            filter: aggregate.filter,
            result: aggregate.ty.kind.arrow(),
        };
        let spec = AggregateSpec {
            keys: keys.to_vec(),
            aggregates: aggregates.iter().map(call).collect(),
            input_retracts: input.changelog_mode() == ChangelogMode::Updating,
        };
        Ok((from, spec))
    }
}

/// The error of an expression without input, with its place in the script as the cause.
fn placed(expr: &Expr, error: &Error) -> Error {
    let hint = error.hint().map(str::to_owned);
    let cause = SqlError { kind: error.kind(), message: chain(error), span: expr.span, hint };
    Error::new(error.kind(), "cannot compute a constant").with_source(cause)
}

fn is_utc(context: &ExprContext) -> bool {
    context.time_zone == jiff::tz::TimeZone::UTC || context.time_zone.iana_name() == Some("UTC")
}

/// Whether the expressions are the input's columns in order.
fn is_identity(exprs: &[Expr], input: &Rel) -> bool {
    exprs.len() == input.schema.columns.len()
        && exprs.iter().enumerate().all(|(index, expr)| expr.kind == ExprKind::Column(index))
}

/// Whether two relations read the same columns of the same table in the same way.
fn same_source(left: &Rel, right: &Rel) -> bool {
    match (&left.kind, &right.kind) {
        (RelKind::Scan(left), RelKind::Scan(right)) => {
            left.table.name == right.table.name
                && left.columns == right.columns
                && options_equal(&left.options, &right.options)
        }
        (RelKind::Project { input, exprs }, RelKind::Project { input: other, exprs: others }) => {
            exprs == others && same_source(input, other)
        }
        (
            RelKind::Watermark { input, rowtime, expr },
            RelKind::Watermark { input: other, rowtime: others, expr: right },
        ) => rowtime == others && expr == right && same_source(input, other),
        _ => false,
    }
}

fn key_names(input: &Rel, keys: &[usize]) -> String {
    keys.iter().map(|key| input.schema.columns[*key].name.as_str()).collect::<Vec<_>>().join(", ")
}

fn describe_window(window: &plan::Window) -> String {
    let size = std::time::Duration::from_millis(window.size_ms.unsigned_abs());
    let offset = if window.offset_ms == 0 { String::new() } else { format!(", offset={} ms", window.offset_ms) };
    format!("size={}{offset}", show_duration(size))
}
