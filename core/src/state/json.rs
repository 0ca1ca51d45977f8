//! The state as JSON (`docs/format.md` §5).

use alloc::string::{String, ToString};

use super::{State, USAGE};
use crate::SessionId;
use crate::field::Point;
use crate::json::push_text;
use crate::log::Head;

impl State {
    /// The state as JSON, in the spelling of `docs/format.md` §5: the same bytes on every host.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Json(String::new());
        json.raw("{\"session\":").text(self.session.as_ref().map(SessionId::as_str));
        json.raw(",\"head\":").head(self.head);
        json.raw(",\"system_prompt\":").text(self.system_prompt.as_deref());
        json.raw(",\"config\":").value(self.config.as_deref());
        json.raw(",\"history\":").list(&self.history, |json, item| {
            json.raw("{\"kind\":").text(Some(item.kind)).raw(",\"seq\":").number(Some(item.seq));
            json.raw(",\"id\":").text(item.id.as_deref());
            json.raw(",\"parent\":").text(item.parent.as_deref());
            json.raw(",\"item\":").raw(&item.item).raw("}");
        });
        json.raw(",\"turns\":").number(Some(self.turns));
        json.raw(",\"run\":").text(self.run.as_deref());
        json.raw(",\"usage\":").list(&self.usage, |json, usage| {
            json.raw("{\"seq\":").number(Some(usage.seq));
            for (name, count) in USAGE.iter().zip(usage.counts) {
                json.raw(",\"").raw(name).raw("\":").number(count);
            }
            json.raw("}");
        });
        json.raw(",\"extensions\":").list(&self.extensions, |json, extension| {
            json.raw("{\"seq\":").number(Some(extension.seq));
            json.raw(",\"domain\":").text(Some(&extension.domain));
            json.raw(",\"payload\":").raw(&extension.payload).raw("}");
        });
        json.raw(",\"slice\":").value(self.slice.as_deref());
        json.raw(",\"forked_from\":").point(self.forked_from.as_ref());
        json.raw(",\"compacted_from\":").point(self.compacted_from.as_ref());
        json.raw(",\"withheld\":").number(Some(self.withheld)).raw("}");
        json.0
    }
}

struct Json(String);

impl Json {
    fn raw(&mut self, json: &str) -> &mut Self {
        self.0.push_str(json);
        self
    }

    fn value(&mut self, json: Option<&str>) -> &mut Self {
        self.raw(json.unwrap_or("null"))
    }

    fn text(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => push_text(&mut self.0, text),
            None => self.0.push_str("null"),
        }
        self
    }

    fn number(&mut self, number: Option<u64>) -> &mut Self {
        match number {
            Some(number) => self.raw(&number.to_string()),
            None => self.raw("null"),
        }
    }

    fn head(&mut self, head: Option<Head>) -> &mut Self {
        let Some(head) = head else { return self.raw("null") };
        self.raw("{\"seq\":").number(Some(head.seq));
        self.raw(",\"hash\":\"").raw(&head.hash.to_string());
        self.raw("\",\"bytes\":").number(Some(head.bytes)).raw("}")
    }

    fn point(&mut self, point: Option<&Point>) -> &mut Self {
        let Some(point) = point else { return self.raw("null") };
        self.raw("{\"session\":").text(Some(point.session.as_str()));
        self.raw(",\"seq\":").number(Some(point.seq));
        self.raw(",\"hash\":\"").raw(&point.hash.to_string()).raw("\"}")
    }

    fn list<T>(&mut self, items: &[T], each: impl Fn(&mut Self, &T)) -> &mut Self {
        self.raw("[");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.raw(",");
            }
            each(self, item);
        }
        self.raw("]")
    }
}
