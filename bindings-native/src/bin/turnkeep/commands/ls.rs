//! `turnkeep ls`

use clap::ValueEnum;
use turnkeep::Recent;

use crate::Outcome;
use crate::exit::Exit;
use crate::json::{Object, form_name};
use crate::location::{Found, sessions};
use crate::output::Context;
use crate::time::rfc3339;
use crate::visible::visible;

/// List the store's sessions
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also tell form, bytes in the store, and time of the last write
    #[arg(short, long)]
    long: bool,
    /// By id, or the last written or the largest first
    #[arg(long, value_name = "KEY", default_value = "id")]
    sort: Sort,
    /// The last written first, with title and tags (JSON: also kind)
    #[arg(long, conflicts_with_all = ["long", "sort"])]
    recent: bool,
    /// With --recent: only those with this tag
    #[arg(long, requires = "recent")]
    tag: Option<String>,
}

/// Sessions that are looked into at once.
const PAGE: u32 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    Id,
    Modified,
    Bytes,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Outcome<Exit> {
    if args.recent {
        return recent(args, context);
    }
    let mut sessions = sessions(&*context.globals.store()?)?;
    match args.sort {
        Sort::Id => {}
        Sort::Modified => sessions.sort_by_key(|listed| std::cmp::Reverse(listed.modified_ms)),
        Sort::Bytes => sessions.sort_by_key(|listed| std::cmp::Reverse(listed.stored_bytes)),
    }
    if context.globals.json {
        let document = Object::document().list("sessions", sessions.iter().map(object));
        context.out.json(document)?;
        return Ok(Exit::Ok);
    }
    for listed in &sessions {
        let line = if args.long { long(listed) } else { String::new() };
        context.out.text(&format!("{line}{}\n", visible(listed.id.as_str())))?;
    }
    Ok(Exit::Ok)
}

fn recent(args: &Args, context: &mut Context) -> Outcome<Exit> {
    let store = context.globals.file_store()?;
    let (mut sessions, mut after) = (Vec::new(), None);
    loop {
        let page = turnkeep::recent(&*store, after, PAGE, args.tag.as_deref())?;
        sessions.extend(page.sessions);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if context.globals.json {
        let sessions = sessions.into_iter().map(|recent| {
            let object = object(&recent.listed.into()).put("title", recent.title.as_deref());
            object.put("kind", recent.kind.as_deref()).put("tags", recent.tags)
        });
        context.out.json(Object::document().list("sessions", sessions))?;
        return Ok(Exit::Ok);
    }
    for Recent { listed, title, tags, .. } in &sessions {
        let modified = listed.modified_ms.map_or_else(|| "-".to_owned(), rfc3339);
        let tags: String = tags.iter().map(|tag| format!("  #{tag}")).collect();
        let about = format!("{}{tags}", title.as_deref().unwrap_or("-"));
        let (id, about) = (visible(listed.id.as_str()), visible(&about));
        context.out.text(&format!("{modified:24}  {id}  {about}\n"))?;
    }
    Ok(Exit::Ok)
}

fn object(listed: &Found) -> Object {
    Object::new()
        .put("session", listed.id.as_str())
        .put("form", form_name(listed.form))
        .put("stored_bytes", listed.stored_bytes)
        .put("modified", listed.modified_ms.map(rfc3339))
}

fn long(listed: &Found) -> String {
    let modified = listed.modified_ms.map_or_else(|| "-".to_owned(), rfc3339);
    format!("{:8}  {:>12}  {modified:24}  ", form_name(listed.form), listed.stored_bytes)
}
