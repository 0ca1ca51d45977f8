//! Calls of tools that have no result, and a history in which they have.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Item, State};
use crate::item::{self, Call};
use crate::kind::Kind;

/// A call of a tool whose result is not in the history: the run was interrupted, or goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCall {
    /// Which item of the history makes it, counted from 0.
    pub index: u64,
    /// The number of that item's entry.
    pub seq: u64,
    /// The call's id.
    pub call_id: String,
    /// The tool's name.
    pub name: String,
}

impl State {
    /// The calls that have no result, in order.
    #[must_use]
    pub fn open_calls(&self) -> Vec<OpenCall> {
        let open = |(index, item, call): (usize, &Item, Call)| OpenCall {
            index: index as u64,
            seq: item.seq,
            call_id: call.id,
            name: call.name,
        };
        self.unanswered().into_iter().map(open).collect()
    }

    /// The same state with a history that model providers accept: every open call is answered, in
    /// the shape of its framework, with the words that it was interrupted; results of calls that
    /// are not in the history (any more) are left out. The log is not touched.
    #[must_use]
    pub fn with_calls_closed(mut self) -> Self {
        let open: Vec<(usize, Call)> =
            self.unanswered().into_iter().map(|(index, _, call)| (index, call)).collect();
        let mut open = open.into_iter().peekable();
        let called = self.called();
        let mut closed: Vec<Item> = Vec::with_capacity(self.history.len());
        let mut pending: Vec<Call> = Vec::new();
        let (mut pending_seq, mut is_within) = (0, false);
        for (index, mut item) in core::mem::take(&mut self.history).into_iter().enumerate() {
            let mut results = item::results(&item.item);
            let is_gone = |call: &str| !called.contains(call);
            if results.iter().any(|result| is_gone(&result.call)) {
                // What else is in the item was said all the same.
                let Some(rest) = item::without_results(&item.item, is_gone) else { continue };
                item.item = rest;
                results.retain(|result| !is_gone(&result.call));
            }
            // The answers follow the results that came with the same message.
            if !pending.is_empty() {
                // Not one look at each of them for each result: there may be many of both.
                let within = || item::close_within(&item.item, &pending);
                if let Some(with_answers) = is_within.then(within).flatten() {
                    item.item = with_answers;
                    pending.clear();
                } else if results.is_empty() {
                    closed.extend(answers(&core::mem::take(&mut pending), pending_seq));
                }
            }
            pending_seq = item.seq;
            closed.push(item);
            while let Some((_, call)) = open.next_if(|(at, _)| *at == index) {
                is_within = call.is_closed_within() && (pending.is_empty() || is_within);
                pending.push(call);
            }
        }
        closed.extend(answers(&pending, pending_seq));
        self.history = closed;
        self
    }

    fn called(&self) -> BTreeSet<String> {
        self.history.iter().flat_map(|item| item::calls(&item.item)).map(|call| call.id).collect()
    }

    fn unanswered(&self) -> Vec<(usize, &Item, Call)> {
        let results = self.history.iter().flat_map(|item| item::results(&item.item));
        let answered: BTreeSet<String> = results.map(|result| result.call).collect();
        let calls = self.history.iter().enumerate().flat_map(|(index, item)| {
            item::calls(&item.item).into_iter().map(move |call| (index, item, call))
        });
        calls.filter(|(_, _, call)| !answered.contains(&call.id)).collect()
    }
}

fn answers(calls: &[Call], seq: u64) -> Vec<Item> {
    let kind = Kind::ToolResult.name();
    let item = |item: String| Item { kind, seq, id: None, parent: None, item };
    item::closing(calls).into_iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec;

    fn state(items: &[&str]) -> State {
        let item = |(seq, item): (u64, &&str)| Item {
            kind: item::kind_of(item).name(),
            seq,
            id: None,
            parent: None,
            item: (*item).into(),
        };
        State { history: (0..).zip(items).map(item).collect(), ..State::default() }
    }

    fn call(id: &str) -> String {
        format!(r#"{{"type":"function_call","call_id":"{id}","name":"f","arguments":"{{}}"}}"#)
    }

    fn result(id: &str) -> String {
        format!(r#"{{"type":"function_call_output","call_id":"{id}","output":"x"}}"#)
    }

    fn closed(items: &[&str]) -> Vec<String> {
        state(items).with_calls_closed().history.into_iter().map(|item| item.item).collect()
    }

    #[test]
    fn a_history_without_open_calls_stays_as_it_is() {
        let items = [r#"{"role":"user","content":"Hi"}"#, &call("a"), &result("a")];
        assert_eq!(state(&items).open_calls(), vec![]);
        assert_eq!(closed(&items), items);
    }

    #[test]
    fn open_calls_are_told_and_closed_where_they_were_made() {
        let user = r#"{"role":"user","content":"Go on"}"#;
        let items = [&*call("a"), &*call("b"), &*result("a"), user];
        let open = state(&items).open_calls();
        assert_eq!((open.len(), open[0].index, &*open[0].call_id), (1, 1, "b"));
        let closed = closed(&items);
        assert_eq!(closed.len(), 5);
        assert!(closed[3].contains("interrupted") && closed[3].contains(r#""call_id":"b""#));
        assert_eq!(closed[4], user);
    }

    #[test]
    fn a_call_at_the_end_is_closed() {
        let closed = closed(&[&call("a")]);
        assert!(closed.len() == 2 && closed[1].contains("interrupted"));
    }

    #[test]
    fn answers_join_a_message_that_has_some() {
        let message = r#"{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"f","input":{}}]}"#;
        let partly =
            r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"x"}]}"#;
        let closed = closed(&[message, partly]);
        assert_eq!(closed.len(), 2);
        assert_eq!(item::results(&closed[1]).len(), 2);
    }

    #[test]
    fn results_whose_call_was_dropped_are_left_out() {
        assert_eq!(closed(&[&result("gone"), &call("a"), &result("a")]), [call("a"), result("a")]);
    }

    #[test]
    fn what_was_said_beside_a_result_whose_call_was_dropped_is_kept() {
        let block =
            |id: &str| format!(r#"{{"type":"tool_result","tool_use_id":"{id}", "content":"x"}}"#);
        let message = |blocks: &[&str]| {
            let blocks = blocks.join(",");
            format!(r#"{{ "role":"user","content":[{blocks}],"id": "m" }}"#)
        };
        let said = r#"{"type":"text", "text":"Stop"}"#;
        let use_a = r#"{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f"}]}"#;
        let gone = message(&[&block("gone"), said]);
        assert_eq!(closed(&[&gone]), [message(&[said])]);
        let mixed = message(&[&block("gone"), &block("a"), said]);
        assert_eq!(closed(&[use_a, &mixed]), [use_a, &message(&[&block("a"), said])]);
        assert_eq!(closed(&[&message(&[&block("gone")]), use_a, &gone]).len(), 3);
        assert!(closed(&[&message(&[&block("gone"), &block("gone")])]).is_empty());
    }
}
