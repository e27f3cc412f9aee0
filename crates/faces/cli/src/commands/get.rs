//! `kobel get`: objects as the API's own tables, or whole; with `-w` what changes after them.

use kobel_kubernetes::context::yaml;
use kobel_kubernetes::kinds::Served;
use kobel_kubernetes::objects::{Selection, metadata};
use kobel_kubernetes::tables::{Column, Row, Rows, Table};
use kobel_kubernetes::watch::{Shape, Watch};
use kobel_model::{Error, Result};
use serde_json::{Value, json};

use super::client::{Session, complete, namespace_made, print, reference};
use super::columns::Columns;
use super::meant_kind::kind_meant;
use super::namesakes::missing;
use super::target::has_jobs;
use super::wide;
use crate::args::resources::{GetArguments, Output};
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// Prints objects and reports what goes wrong.
pub(crate) fn run(arguments: &GetArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    complete(&terminal, get(arguments, &terminal))
}

async fn get(arguments: &GetArguments, terminal: &Terminal) -> Result<Exit> {
    let (kind, name) = reference("get", &arguments.kind, arguments.name.as_deref())?;
    if name.is_some() && arguments.all_namespaces {
        return Err(Error::invalid("an object of one name is in one namespace").with_hint("leave out `-A`"));
    }
    if name.is_some() && arguments.selector.is_some() {
        return Err(Error::invalid("a name and a selector cannot be given together").with_hint("leave out one of them"));
    }
    let session = Session::open(&arguments.api).await?;
    let served = kind_meant(&session, "get", kind, name).await?;
    let namespace = if arguments.all_namespaces { None } else { session.namespace_of(served) };
    let selection = Selection {
        namespace: namespace.map(str::to_owned),
        labels: arguments.selector.clone(),
        fields: name.map(|name| format!("metadata.name={name}")),
    };
    let query = Query { session: &session, served, name, selection, arguments, terminal };
    match arguments.output {
        Output::Table | Output::Wide => query.tables().await,
        Output::Yaml | Output::Json | Output::Name => query.objects().await,
    }
}

struct Query<'a> {
    session: &'a Session,
    served: &'a Served,
    name: Option<&'a str>,
    selection: Selection,
    arguments: &'a GetArguments,
    terminal: &'a Terminal,
}

impl Query<'_> {
    async fn tables(&self) -> Result<Exit> {
        let (cluster, namespace) = (&self.session.cluster, self.selection.namespace.as_deref());
        let is_wide = self.arguments.output == Output::Wide;
        let shows_job = is_wide && has_jobs(self.served);
        let carried = if shows_job { Rows::Objects } else { Rows::Metadata };
        let table = match self.name {
            // A list would not tell that there is no such object.
            Some(name) => match cluster.table_of(self.served, namespace, name, carried).await {
                // Only a list has the version that a watch goes on from.
                Ok(_) if self.arguments.watch => cluster.table(self.served, &self.selection, carried).await?,
                Ok(table) => table,
                Err(failure) => return Err(missing(self.session, failure, self.served, name).await),
            },
            None => cluster.table(self.served, &self.selection, carried).await?,
        };
        let layout = Layout {
            columns: table.columns.clone(),
            is_wide,
            shows_namespace: self.arguments.all_namespaces && self.served.is_namespaced,
            shows_job,
        };
        let mut columns = Columns::default();
        let mut rows = layout.rows(&table);
        if rows.is_empty() && !self.arguments.watch {
            self.terminal.say(&self.nothing());
            self.warn_of_namespace().await;
            return Ok(Exit::Done);
        }
        rows.insert(0, layout.header());
        print(self.terminal, &columns.lines(&rows))?;
        if !self.arguments.watch {
            // A program reads the words themselves.
            if self.terminal.shows_rows()
                && let Some(note) = unfinished(&table, cluster.namespace())
            {
                self.terminal.note(&note);
            }
            return Ok(Exit::Done);
        }
        let mut watch = self.watch(Shape::Tables(carried), &table.resource_version);
        loop {
            let change = watch.next().await?;
            let rows = layout.rows(&Table::read(&change.object));
            print(self.terminal, &columns.lines(&rows))?;
        }
    }

    async fn objects(&self) -> Result<Exit> {
        let (cluster, namespace) = (&self.session.cluster, self.selection.namespace.as_deref());
        let is_single = self.name.is_some() && !self.arguments.watch;
        let named = match self.name {
            // A list, and what is watched after it, would not tell that there is no such object.
            Some(name) => match cluster.get(self.served, namespace, name).await {
                Ok(object) => Some(object),
                Err(failure) => return Err(missing(self.session, failure, self.served, name).await),
            },
            None => None,
        };
        let (objects, version) = match named {
            Some(object) if is_single => (vec![object], String::new()),
            _ => {
                let mut list = cluster.list(self.served, &self.selection).await?;
                let version = metadata(&list, "resourceVersion").to_owned();
                match list.get_mut("items").map(Value::take) {
                    Some(Value::Array(items)) => (items, version),
                    _ => (Vec::new(), version),
                }
            }
        };
        let objects: Vec<Value> = objects.into_iter().map(without_managers).collect();
        let text = match (self.arguments.output, self.arguments.watch || is_single) {
            (Output::Name, _) | (_, true) => self.each(&objects)?,
            _ => {
                let list =
                    json!({"apiVersion": "v1", "items": objects, "kind": "List", "metadata": {"resourceVersion": ""}});
                self.whole(&list)?
            }
        };
        print(self.terminal, &text)?;
        if !self.arguments.watch {
            return Ok(Exit::Done);
        }
        let mut watch = self.watch(Shape::Objects, &version);
        objects.iter().for_each(|object| watch.knows(object));
        loop {
            let change = watch.next().await?;
            print(self.terminal, &self.each(&[without_managers(change.object)])?)?;
        }
    }

    fn watch(&self, shape: Shape, version: &str) -> Watch {
        Watch::after(&self.session.cluster, self.served, self.selection.clone(), shape, version)
    }

    fn each(&self, objects: &[Value]) -> Result<String> {
        let mut text = String::new();
        for object in objects {
            if self.arguments.output == Output::Yaml && self.arguments.watch {
                text.push_str("---\n");
            }
            text.push_str(&self.whole(object)?);
        }
        Ok(text)
    }

    fn whole(&self, object: &Value) -> Result<String> {
        let mut text = match self.arguments.output {
            Output::Name => format!("{}/{}", self.served.shown(), metadata(object, "name")),
            Output::Yaml => yaml(object)?,
            _ => serde_json::to_string_pretty(object)
                .map_err(|error| Error::bug("cannot write JSON").with_source(error))?,
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(text)
    }

    /// Tells of a namespace that is not there; nothing is in it, so that a wrong word looks like an empty one.
    async fn warn_of_namespace(&self) {
        let Some(namespace) = &self.selection.namespace else { return };
        let Ok(namespaces) = self.session.kinds.named("namespaces") else { return };
        if let Ok(None) = self.session.cluster.find(namespaces, None, namespace).await {
            let advice = namespace_made(namespace);
            self.terminal.warn(&format!("there is no namespace `{namespace}`; {advice}"));
        }
    }

    fn nothing(&self) -> String {
        match &self.selection.namespace {
            Some(namespace) => format!("No resources found in {namespace} namespace."),
            None => "No resources found".to_owned(),
        }
    }
}

/// Which columns are shown.
struct Layout {
    columns: Vec<Column>,
    is_wide: bool,
    shows_namespace: bool,
    /// Whether the columns of [`wide`] follow.
    shows_job: bool,
}

impl Layout {
    fn header(&self) -> Vec<String> {
        let names = self.columns.iter().filter(|column| self.is_wide || !column.is_wide);
        let first = self.shows_namespace.then(|| "NAMESPACE".to_owned());
        let more = wide::TITLES.iter().filter(|_| self.shows_job).map(|title| (*title).to_owned());
        first.into_iter().chain(names.map(|column| column.name.clone())).chain(more).collect()
    }

    fn rows(&self, table: &Table) -> Vec<Vec<String>> {
        let row = |row: &Row| -> Vec<String> {
            let cells = self.columns.iter().zip(&row.cells).filter(|(column, _)| self.is_wide || !column.is_wide);
            let first = self.shows_namespace.then(|| row.namespace.clone());
            let more = self.shows_job.then(|| wide::cells(&row.object)).into_iter().flatten();
            first.into_iter().chain(cells.map(|(_, cell)| cell.clone())).chain(more).collect()
        };
        table.rows.iter().map(row).collect()
    }
}

/// What to say of a table with something that is not as it was asked for yet: the words of its state can look finished.
fn unfinished(table: &Table, namespace: &str) -> Option<String> {
    let column = |name: &str| table.columns.iter().position(|column| column.name == name);
    let (name, job, state) = (column("NAME")?, column("JOB STATUS")?, column("LIFECYCLE STATE")?);
    let mut rows = table.rows.iter().filter(|row| is_unfinished(cell(row, state), cell(row, job)));
    let first = rows.next()?;
    let mut words = cell(first, name).to_owned();
    let others = rows.count();
    let whom = if others == 0 { format!("`{words}` is") } else { format!("`{words}` and {others} more are") };
    if !first.namespace.is_empty() && first.namespace != namespace {
        words.push_str(" -n ");
        words.push_str(&first.namespace);
    }
    Some(format!("{whom} not as asked for yet; `kobel explain {words}` tells what is awaited"))
}

fn is_unfinished(state: &str, job: &str) -> bool {
    match state {
        "" | "CREATED" | "UPGRADING" | "ROLLING_BACK" | "FAILED" => true,
        "DEPLOYED" => !["RUNNING", "FINISHED"].contains(&job),
        _ => false,
    }
}

fn cell(row: &Row, index: usize) -> &str {
    row.cells.get(index).map_or("", String::as_str)
}

/// Who wrote which field is for the API, not for a reader.
fn without_managers(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("managedFields");
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_columns_and_namespaces_are_shown_on_request() {
        let table = Table::read(&json!({
            "kind": "Table",
            "columnDefinitions": [{"name": "Name"}, {"name": "Image", "priority": 1}, {"name": "Age"}],
            "rows": [{"cells": ["a", "i", "1s"], "object": {"metadata": {"namespace": "n"}}}],
        }));
        for (is_wide, shows_namespace, header, row) in [
            (false, false, "NAME AGE", "a 1s"),
            (true, false, "NAME IMAGE AGE", "a i 1s"),
            (false, true, "NAMESPACE NAME AGE", "n a 1s"),
        ] {
            let layout = Layout { columns: table.columns.clone(), is_wide, shows_namespace, shows_job: false };
            assert_eq!(layout.header().join(" "), header);
            assert_eq!(layout.rows(&table)[0].join(" "), row);
        }
    }

    #[test]
    fn what_a_job_is_like_follows_in_columns_of_its_own() {
        let object = json!({"kind": "FlinkSessionJob", "spec": {"job": {"parallelism": 2}}});
        let table = Table::read(&json!({
            "kind": "Table", "columnDefinitions": [{"name": "Name"}], "rows": [{"cells": ["a"], "object": object}],
        }));
        for (shows_job, header, row) in [
            (false, vec!["NAME"], vec!["a"]),
            (true, vec!["NAME", "PARALLELISM", "ENGINE", "ERROR"], vec!["a", "2", "flink", ""]),
        ] {
            let layout = Layout { columns: table.columns.clone(), is_wide: true, shows_namespace: false, shows_job };
            assert_eq!((layout.header(), layout.rows(&table)), (owned(&header), vec![owned(&row)]));
        }
    }

    fn owned(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn what_is_not_as_asked_for_yet_is_told() {
        let table = |cells: &[[&str; 3]]| {
            let rows: Vec<Value> = cells
                .iter()
                .map(|cells| json!({"cells": cells, "object": {"metadata": {"namespace": "team"}}}))
                .collect();
            let columns = json!([{"name": "Name"}, {"name": "Job Status"}, {"name": "Lifecycle State"}]);
            Table::read(&json!({"kind": "Table", "columnDefinitions": columns, "rows": rows}))
        };
        let one = "`a` is not as asked for yet; `kobel explain a` tells what is awaited";
        for (cells, namespace, expected) in [
            (&[["a", "RUNNING", "STABLE"], ["b", "FINISHED", "SUSPENDED"]] as &[[&str; 3]], "team", None),
            (&[["a", "RECONCILING", "DEPLOYED"], ["b", "RUNNING", "DEPLOYED"]], "team", Some(one)),
            (&[["a", "", ""]], "team", Some(one)),
            (
                &[["a", "RECONCILING", "UPGRADING"], ["b", "FAILED", "FAILED"]],
                "default",
                Some("`a` and 1 more are not as asked for yet; `kobel explain a -n team` tells what is awaited"),
            ),
            (&[], "team", None),
        ] {
            assert_eq!(unfinished(&table(cells), namespace).as_deref(), expected, "{cells:?}");
        }
        let secrets = json!({"kind": "Table", "columnDefinitions": [{"name": "Name"}], "rows": [{"cells": ["a"]}]});
        assert_eq!(unfinished(&Table::read(&secrets), "team"), None);
    }
}
