//! Pages of keyed state in files: Arrow IPC streams one after the other, each with its own checksum.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use kobel_model::snapshot::PageRef;
use kobel_model::{Error, Result};

use crate::file;

/// A page to write: the table it belongs to, its number there, and its content.
pub struct PageContent<'a> {
    /// See [`PageRef::table`].
    pub table: i64,
    /// See [`PageRef::page`].
    pub page: u32,
    /// Key and state columns.
    pub content: &'a RecordBatch,
}

/// Writes pages to one new file and waits for the disk; `name` is what the references call the file.
///
/// # Errors
/// Denied or Unavailable if the file cannot be written.
pub fn write(path: &Path, name: &str, pages: &[PageContent<'_>]) -> Result<Vec<PageRef>> {
    let (mut bytes, mut refs) = (Vec::new(), Vec::with_capacity(pages.len()));
    for page in pages {
        let offset = bytes.len();
        encode(page.content, &mut bytes)?;
        refs.push(PageRef {
            table: page.table,
            page: page.page,
            file: name.to_owned(),
            offset: offset as u64,
            length: (bytes.len() - offset) as u64,
            crc32: crc32fast::hash(&bytes[offset..]),
        });
    }
    file::write_durably(path, &bytes)?;
    Ok(refs)
}

fn encode(content: &RecordBatch, bytes: &mut Vec<u8>) -> Result<()> {
    let failed = |error| Error::bug("cannot encode a state page").with_source(error);
    let mut writer = StreamWriter::try_new(bytes, &content.schema()).map_err(failed)?;
    writer.write(content).map_err(failed)?;
    writer.finish().map_err(failed)
}

/// Reads the bytes of a page whose manifest lies in `directory` and checks them.
fn read_bytes(directory: &Path, page: &PageRef) -> Result<Vec<u8>> {
    let path = directory.join(&page.file);
    let failed = |error| Error::io(format!("cannot read state file `{}`", path.display()), error);
    let damaged = |why: &str| Error::corrupt(format!("state file `{}` is damaged: {why}", path.display()));
    let mut file = File::open(&path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    if page.offset.checked_add(page.length).is_none_or(|end| end > length) {
        return Err(damaged("it is shorter than its manifest says"));
    }
    file.seek(SeekFrom::Start(page.offset)).map_err(failed)?;
    let mut bytes = vec![0; page.length as usize];
    file.read_exact(&mut bytes).map_err(failed)?;
    if crc32fast::hash(&bytes) != page.crc32 {
        return Err(damaged(&format!("the checksum of the page at byte {} does not match", page.offset)));
    }
    Ok(bytes)
}

/// Checks that a page is there and unchanged.
///
/// # Errors
/// Missing or Corrupt if it is not.
pub fn verify(directory: &Path, page: &PageRef) -> Result<()> {
    read_bytes(directory, page).map(|_| ())
}

/// Reads a page whose manifest lies in `directory`.
///
/// # Errors
/// Missing or Corrupt if it is not there, changed, or no page.
pub fn read(directory: &Path, page: &PageRef) -> Result<RecordBatch> {
    let bytes = read_bytes(directory, page)?;
    let failed = |error| Error::corrupt(format!("a page of `{}` cannot be decoded", page.file)).with_source(error);
    let mut reader = StreamReader::try_new(Cursor::new(bytes), None).map_err(failed)?;
    let content = reader.next().ok_or_else(|| Error::corrupt(format!("a page of `{}` is empty", page.file)))?;
    content.map_err(failed)
}
