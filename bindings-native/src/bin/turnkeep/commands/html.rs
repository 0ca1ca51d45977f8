//! A page with one session in it: the form `html` of `turnkeep export`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use turnkeep::core::store::Part;
use turnkeep::{Error, ErrorKind, Key, SessionId};

use crate::page::Page;
use crate::sealed::Sealed;
use crate::target::Target;
use crate::{Failure, Outcome};

/// Largest archive that a page takes: it stands in it as text, which the browser holds whole.
const ARCHIVE_BYTES_MAX: usize = 64 << 20;
/// Where the page wants it, or else before what.
const PLACES: [&[u8]; 2] = [b"<!-- session -->", b"</body>"];

/// Puts a session's archive into the page.
pub(super) fn page_with(page: &Page, sealed: &Sealed, name: &str) -> Outcome<Vec<u8>> {
    let bytes = sealed.archive.len();
    if bytes > ARCHIVE_BYTES_MAX {
        let message =
            format!("its archive has {bytes} bytes, and a page takes {ARCHIVE_BYTES_MAX}");
        return Err(too_large(Error::new(ErrorKind::TooLarge, message).into()));
    }
    let place = PLACES.iter().find_map(|place| last_of(&page.html, place));
    let Some(place) = place else {
        let message = "the page has no place for a session: neither <!-- session --> nor </body>";
        return Err(Error::new(ErrorKind::NotSupported, message).into());
    };
    let (before, after) = page.html.split_at(place);
    let block = block(sealed, name);
    Ok([before, block.as_bytes(), after].concat())
}

/// With what to do about a session that is too large.
pub(super) fn too_large(failure: Failure) -> Failure {
    match &failure {
        Failure::Failed(failed) if failed.error.kind() == ErrorKind::TooLarge => failure.with_hint(
            "Send its file, and the page beside it: `turnkeep view` shows sessions of any size.",
        ),
        _ => failure,
    }
}

/// What the archive is called in the page.
pub(super) fn name_of(target: &Target, id: &SessionId) -> String {
    match target {
        Target::Id(_) => Key::of(id, Part::Archive).as_str().to_owned(),
        Target::File(path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(".gz") { name.into_owned() } else { format!("{name}.gz") }
        }
    }
}

/// Data, which no browser runs, whatever its policy. Base64 cannot end it.
fn block(sealed: &Sealed, name: &str) -> String {
    let name = escaped(name);
    let open = format!(
        "<script type=\"application/octet-stream\" id=\"turnkeep-session\" data-name=\"{name}\">"
    );
    let mut block = open;
    STANDARD.encode_string(&sealed.archive, &mut block);
    block + "</script>\n"
}

/// Text in an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            char => escaped.push(char),
        }
    }
    escaped
}

/// Where something stands for the last time: scripts before it may hold the same text.
fn last_of(html: &[u8], wanted: &[u8]) -> Option<usize> {
    html.windows(wanted.len()).rposition(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use turnkeep::Hash;

    use super::*;

    fn page(html: &str) -> Page {
        Page { html: html.into(), gzipped: None }
    }

    fn sealed(bytes: usize) -> Sealed {
        let head = turnkeep::Head { seq: 2, hash: Hash::from_bytes([1; 32]), bytes: 9 };
        Sealed { archive: vec![0; bytes], head, torn: None }
    }

    fn written(html: &str) -> Outcome<String> {
        page_with(&page(html), &sealed(3), "a\"<&'>.gz")
            .map(|page| String::from_utf8(page).unwrap())
    }

    #[test]
    fn the_session_stands_where_the_page_wants_it() {
        let block = "<script type=\"application/octet-stream\" id=\"turnkeep-session\" \
             data-name=\"a&quot;&lt;&amp;&#39;&gt;.gz\">AAAA</script>\n";
        for (before, after) in [
            ("<body>", "<!-- session --><script></script></body>"),
            ("<body><script>'</body>'</script>", "</body></html>"),
        ] {
            let html = written(&format!("{before}{after}")).unwrap();
            assert_eq!(html, format!("{before}{block}{after}"));
        }
    }

    #[test]
    fn what_has_no_room_is_told() {
        assert!(written("<p>").is_err());
        let large = page_with(&page("</body>"), &sealed(ARCHIVE_BYTES_MAX + 1), "a");
        let Err(Failure::Failed(failed)) = large else { panic!() };
        assert_eq!(failed.error.kind(), ErrorKind::TooLarge);
        assert!(failed.text().contains("turnkeep view"), "{}", failed.text());
    }
}
