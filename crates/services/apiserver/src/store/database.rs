//! The SQLite file: what it looks like, who may open it, and how a batch gets into it.
//!
//! It is in WAL mode with `synchronous=FULL`: when [`Database::save`] returns, the batch is on the disk. The revision
//! is saved with every batch, so it never goes back, even when the newest objects are deleted and the process restarts.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use kobel_model::{Error, ErrorKind, Result};
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior};
use serde_json::Value;

use super::batch::Batch;
use super::committed::Committed;
use super::history::History;
use super::index::Index;
use super::key::{Key, Stored};
use super::private;
use super::records::Records;

/// `KobR`: marks the file as ours.
const APPLICATION_ID: i32 = 0x4b6f_6252;
/// Version of the tables.
const FORMAT: i32 = 1;
/// How long to wait for another program that reads or copies the file.
const PATIENCE: Duration = Duration::from_secs(30);
/// The revision of a store that nothing was written to. It is not 0, which means "any" to clients.
const FIRST_REVISION: u64 = 1;

/// Rows of the audit that are kept at most.
const AUDIT_ROWS: u64 = 1_000_000;
/// How long a row of the audit is kept.
const AUDIT_AGE: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Rows of the audit that are forgotten at once, so that writes do not wait long behind it.
pub const AUDIT_STEP: usize = 5_000;

const TABLES: &str = "
    CREATE TABLE objects (
        resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
        uid TEXT NOT NULL, revision INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (resource, namespace, name)
    );
    CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE audit (id INTEGER PRIMARY KEY, at TEXT NOT NULL, record TEXT NOT NULL);
    CREATE TABLE records (
        tbl TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tbl, key)
    ) WITHOUT ROWID;
";

/// Which rows of the audit are kept.
#[derive(Debug, Clone, Copy)]
pub struct AuditBounds {
    /// So many at most, the newest.
    pub rows: u64,
    /// None from before this.
    pub oldest: Timestamp,
}

impl AuditBounds {
    /// The bounds that count now.
    pub fn at(now: Timestamp) -> Self {
        Self { rows: AUDIT_ROWS, oldest: now.checked_sub(AUDIT_AGE).unwrap_or(Timestamp::MIN) }
    }
}

/// The open file. It is locked against other processes for as long as this lives.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    /// What errors call the store.
    name: String,
    /// Given up after the connection is closed, because it stands after it.
    lock: Option<File>,
}

impl Database {
    /// Opens the file, or makes it. Only its owner can read it afterwards, whatever was before.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        private::secure_directory(path)?;
        private::refuse_link(path)?;
        private::refuse_link(&beside(path, ".lock"))?;
        let lock = lock(path)?;
        create(path)?;
        let opened = Connection::open(path).map_err(|error| failure(&name, "open", error))?;
        let database = Self { connection: opened, name, lock: Some(lock) };
        // A file of another program is refused here, and keeps its permissions.
        database.prepare()?;
        for suffix in ["", "-wal", "-shm", ".lock"] {
            private::secure_file(&beside(path, suffix))?;
        }
        Ok(database)
    }

    /// Makes a database that lives in memory only.
    pub fn in_memory() -> Result<Self> {
        let name = "the store in memory".to_owned();
        let opened = Connection::open_in_memory().map_err(|error| failure(&name, "open", error))?;
        let database = Self { connection: opened, name, lock: None };
        database.prepare().map(|()| database)
    }

    /// Reads everything that readers see.
    pub fn load(&self) -> Result<Committed> {
        let unreadable = |error| failure(&self.name, "read", error);
        let (index, newest) = self.load_objects()?;
        let saved: Option<u64> = self
            .connection
            .query_row("SELECT value FROM meta WHERE key = 'revision'", [], |row| unsigned(row, 0))
            .optional()
            .map_err(unreadable)?;
        let history = History::from(saved.unwrap_or(FIRST_REVISION).max(newest));
        let records = self.load_records().map_err(unreadable)?;
        Ok(Committed { index, records, history })
    }

    /// Saves a batch: all of it, or nothing when this fails.
    pub fn save(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        save_objects(&transaction, batch)?;
        save_records(&transaction, batch)?;
        save_audits(&transaction, batch)?;
        transaction.commit()
    }

    /// Rows of the audit with an id above `after`, oldest first.
    pub fn audit_since(&self, after: u64, limit: usize) -> rusqlite::Result<Vec<(u64, Value)>> {
        let (after, limit) = (signed(after), i64::try_from(limit).unwrap_or(i64::MAX));
        let mut select =
            self.connection.prepare_cached("SELECT id, record FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2")?;
        let rows = select.query_map([after, limit], |row| {
            let record: String = row.get(1)?;
            Ok((unsigned(row, 0)?, serde_json::from_str(&record).unwrap_or(Value::String(record))))
        })?;
        rows.collect()
    }

    /// Forgets the oldest rows of the audit beyond the bounds, at most [`AUDIT_STEP`], and tells how many.
    pub fn trim_audit(&self, bounds: AuditBounds) -> rusqlite::Result<usize> {
        let step = i64::try_from(AUDIT_STEP).unwrap_or(i64::MAX);
        // The newest row always stays: ids count on from it, and readers of the audit count on the ids.
        let mut delete = self.connection.prepare_cached(
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit ORDER BY id LIMIT ?1)
             AND id < (SELECT max(id) FROM audit)
             AND (id <= (SELECT max(id) FROM audit) - ?2 OR at < ?3)",
        )?;
        delete.execute((step, signed(bounds.rows), bounds.oldest.to_string()))
    }

    /// What errors call the store.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Closes the file, which brings everything from the write-ahead log into it, and lets others open it.
    pub fn close(self) {
        let Self { connection, name, lock } = self;
        if let Err((_, error)) = connection.close() {
            tracing::warn!(target: "kobel.store", store = name, %error, "cannot close the store; nothing is lost");
        }
        drop(lock);
    }

    /// Looks whose file it is before anything is written to it, then sets it up.
    fn prepare(&self) -> Result<()> {
        let unreadable = |error| failure(&self.name, "open", error);
        self.connection.busy_timeout(PATIENCE).map_err(unreadable)?;
        let is_new = self.check_owner()?;
        self.connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).map_err(unreadable)?;
        self.connection.pragma_update(None, "synchronous", "FULL").map_err(unreadable)?;
        if is_new {
            let setup = format!(
                "BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; \
                 INSERT INTO meta VALUES ('revision', {FIRST_REVISION}); COMMIT;"
            );
            self.connection.execute_batch(&setup).map_err(|error| failure(&self.name, "set up", error))?;
        }
        Ok(())
    }

    /// Refuses files of other programs and of newer versions; tells whether the file is new.
    fn check_owner(&self) -> Result<bool> {
        let unreadable = |error| failure(&self.name, "open", error);
        let pragma = |name: &str| -> Result<i32> {
            self.connection.pragma_query_value(None, name, |row| row.get(0)).map_err(unreadable)
        };
        let (application, format) = (pragma("application_id")?, pragma("user_version")?);
        let tables: i64 = self
            .connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(unreadable)?;
        match (application, format) {
            (APPLICATION_ID, FORMAT) => Ok(false),
            (APPLICATION_ID, newer) if newer > FORMAT => {
                let message = format!(
                    "`{}` was written by a newer version: its format is {newer}, this version reads up to {FORMAT}",
                    self.name
                );
                Err(Error::unsupported(message).with_hint("use the version that wrote it, or a newer one"))
            }
            (APPLICATION_ID, other) => {
                Err(Error::corrupt(format!("`{}` has the unknown format {other}", self.name)).with_hint(RESTORE))
            }
            (0, 0) if tables == 0 => Ok(true),
            _ => {
                let message = format!("`{}` is an SQLite file of another program", self.name);
                Err(Error::invalid(message).with_hint("name a file of its own for the resource store"))
            }
        }
    }

    fn load_objects(&self) -> Result<(Index, u64)> {
        let unreadable = |error| failure(&self.name, "read", error);
        let (mut index, mut newest, mut texts) = (Index::default(), 0_u64, Texts::default());
        // Without an order the rows come as they lie in the file, which reads it once from front to end.
        let mut select = self
            .connection
            .prepare("SELECT resource, namespace, name, revision, body FROM objects")
            .map_err(unreadable)?;
        let mut rows = select.query([]).map_err(unreadable)?;
        while let Some(row) = rows.next().map_err(unreadable)? {
            let (key, revision, body) = read_row(row, &mut texts).map_err(unreadable)?;
            let object = Stored::load(key.clone(), revision, body).map_err(|error| {
                let message = format!("`{}` is damaged: the object `{key}` is not JSON", self.name);
                Error::corrupt(message).with_hint(RESTORE).with_source(error)
            })?;
            newest = newest.max(revision);
            index.insert(Arc::new(object));
        }
        Ok((index, newest))
    }

    fn load_records(&self) -> rusqlite::Result<Records> {
        let mut records = Records::default();
        let mut select = self.connection.prepare("SELECT tbl, key, value FROM records")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let table: String = row.get(0)?;
            records.insert(&table, row.get(1)?, row.get(2)?);
        }
        Ok(records)
    }
}

/// Advice for damaged files.
const RESTORE: &str = "restore the file from a backup";

/// Resource and namespace names that many keys share.
#[derive(Default)]
struct Texts {
    known: HashSet<Arc<str>>,
}

impl Texts {
    fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = Arc::from(text);
        self.known.insert(Arc::clone(&text));
        text
    }
}

fn read_row(row: &rusqlite::Row<'_>, texts: &mut Texts) -> rusqlite::Result<(Key, u64, Bytes)> {
    let resource = texts.share(row.get_ref(0)?.as_str()?);
    let namespace = texts.share(row.get_ref(1)?.as_str()?);
    let name = Arc::from(row.get_ref(2)?.as_str()?);
    let body = Bytes::copy_from_slice(row.get_ref(4)?.as_bytes()?);
    Ok((Key { resource, namespace, name }, unsigned(row, 3)?, body))
}

fn save_objects(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO objects (resource, namespace, name, uid, revision, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (resource, namespace, name)
         DO UPDATE SET uid = excluded.uid, revision = excluded.revision, body = excluded.body",
    )?;
    let mut delete =
        connection.prepare_cached("DELETE FROM objects WHERE resource = ?1 AND namespace = ?2 AND name = ?3")?;
    for (key, state) in batch.states() {
        let (resource, namespace, name): (&str, &str, &str) = (&key.resource, &key.namespace, &key.name);
        match state {
            Some(object) => {
                let (uid, revision, body): (&str, i64, &[u8]) = (&object.uid, signed(object.revision), &object.body);
                put.execute((resource, namespace, name, uid, revision, body))?;
            }
            None => {
                delete.execute((resource, namespace, name))?;
            }
        }
    }
    let mut set = connection.prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'revision'")?;
    set.execute([signed(batch.revision())])?;
    Ok(())
}

fn save_records(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    for change in batch.records() {
        let (table, key) = (change.table, change.key.as_str());
        match &change.value {
            Some(value) => connection
                .prepare_cached("INSERT OR REPLACE INTO records (tbl, key, value) VALUES (?1, ?2, ?3)")?
                .execute((table, key, value.as_str()))?,
            None => {
                connection.prepare_cached("DELETE FROM records WHERE tbl = ?1 AND key = ?2")?.execute((table, key))?
            }
        };
    }
    Ok(())
}

fn save_audits(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    if batch.audits().is_empty() {
        return Ok(());
    }
    let now = Timestamp::now().to_string();
    let mut insert = connection.prepare_cached("INSERT INTO audit (at, record) VALUES (?1, ?2)")?;
    for record in batch.audits() {
        insert.execute((now.as_str(), record.as_str()))?;
    }
    Ok(())
}

/// Keeps other processes away: two writers would each give out the same revisions.
fn lock(path: &Path) -> Result<File> {
    let lock_path = beside(path, ".lock");
    let failed = |error| Error::io(format!("cannot lock `{}`", lock_path.display()), error);
    let file = private::options().create(true).truncate(false).open(&lock_path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(error)) => Err(failed(error)),
        Err(TryLockError::WouldBlock) => {
            let directory = path.parent().unwrap_or(path).display();
            let message =
                format!("another process uses the data directory `{directory}`: it holds `{}`", lock_path.display());
            Err(Error::new(ErrorKind::Conflict, message).with_hint("stop it first, or name another directory"))
        }
    }
}

/// Makes an empty file that only its owner can read, because Secrets will be in it. SQLite gives the files that it
/// puts beside it the same permissions.
fn create(path: &Path) -> Result<()> {
    let failed = |error| Error::io(format!("cannot create `{}`", path.display()), error);
    match private::options().create_new(true).open(path) {
        Ok(_) => sync_directory(path).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Saves the name of a new file: without this a power failure could lose the whole file.
fn sync_directory(path: &Path) -> std::io::Result<()> {
    File::open(private::directory_of(path))?.sync_all()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Says what could not be done with the file, and classifies why.
fn failure(name: &str, action: &str, error: rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            let message = format!("`{name}` is damaged or not an SQLite file");
            return Error::corrupt(message).with_hint(RESTORE).with_source(error);
        }
        None | Some(ErrorCode::DatabaseCorrupt | ErrorCode::TypeMismatch | ErrorCode::Unknown) => {
            return Error::corrupt(format!("`{name}` is damaged")).with_hint(RESTORE).with_source(error);
        }
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => ErrorKind::Denied,
        Some(ErrorCode::CannotOpen) => ErrorKind::Missing,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorKind::Conflict,
        Some(_) => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("cannot {action} `{name}`")).with_source(error)
}

/// SQLite counts with signed numbers; no revision comes near their end.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}
