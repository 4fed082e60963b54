//! Rows for spreadsheets: RFC 4180, and safe to open. A cell that a spreadsheet would take for a formula begins with an
//! apostrophe, as one does who types it.

use std::borrow::Cow;
use std::io;

use csv::{Terminator, WriterBuilder};

use super::http::response::{Body, Response};

/// What makes a spreadsheet reckon with a cell instead of showing it.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The heads and the rows, as one document; in UTF-8, each line ended by CR and LF.
pub fn document(
    heads: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> io::Result<Vec<u8>> {
    let heads = heads.iter().map(|head| (*head).to_owned()).collect();
    lines(std::iter::once(heads).chain(rows))
}

/// Rows alone, for a document that is made piece by piece.
pub fn lines(rows: impl IntoIterator<Item = Vec<String>>) -> io::Result<Vec<u8>> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .flexible(true)
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|cell| guarded(cell).into_owned()))?;
    }
    writer.into_inner().map_err(|error| error.into_error())
}

/// The cell, with an apostrophe before what would be a formula.
fn guarded(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(FORMULA) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// The document as a file of this name, to be saved and not shown. Names are of our making: letters, digits, `-` and `.`.
#[must_use]
pub fn response(name: &str, document: Vec<u8>) -> Response {
    download(name, "text/csv; charset=utf-8", Body::Made(document))
}

/// Anything as a file of this name, to be saved and not shown.
#[must_use]
pub fn download(name: &str, kind: &'static str, body: Body) -> Response {
    Response::new(200)
        .typed(kind, body)
        .with(
            "Content-Disposition",
            &format!("attachment; filename=\"{name}\""),
        )
        .with("Cache-Control", "no-store")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(cells: &[&str]) -> String {
        let row = cells.iter().map(|cell| (*cell).to_owned()).collect();
        String::from_utf8(document(&["Name", "Amount"], [row]).unwrap()).unwrap()
    }

    #[test]
    fn lines_end_as_the_rfc_wants_and_only_what_must_be_is_quoted() {
        assert_eq!(
            written(&["web-1", "41.30"]),
            "Name,Amount\r\nweb-1,41.30\r\n"
        );
        assert_eq!(
            written(&["a \"b\", c\nd", "€"]),
            "Name,Amount\r\n\"a \"\"b\"\", c\nd\",€\r\n"
        );
        let heads_alone = document(&["Name"], []).unwrap();
        assert_eq!(heads_alone, b"Name\r\n");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, safe) in [
            ("=1+1", "'=1+1"),
            ("+47 22", "'+47 22"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("1-1", "1-1"),
            ("a=b", "a=b"),
            ("'=1", "'=1"),
        ] {
            assert_eq!(
                written(&[cell, ""]),
                format!("Name,Amount\r\n{safe},\r\n"),
                "{cell}"
            );
        }
        assert_eq!(written(&["\r=1", ""]), "Name,Amount\r\n\"'\r=1\",\r\n");
    }

    #[test]
    fn it_is_saved_and_kept_nowhere_else() {
        let answer = response("resources.csv", b"Name\r\n".to_vec());
        assert_eq!(
            answer.header("Content-Type"),
            Some("text/csv; charset=utf-8")
        );
        assert_eq!(
            answer.header("Content-Disposition"),
            Some("attachment; filename=\"resources.csv\"")
        );
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        assert_eq!(answer.body.bytes(), b"Name\r\n");
    }
}
