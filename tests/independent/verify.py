#!/usr/bin/env python3
"""An independent reader, checker and (small) writer of the turnkeep format, version 1.

Written from docs/format.md alone, with Python 3.11's standard library alone. The § signs name that
document's sections, and the parts of this file follow its order.

    verify.py vectors DIR              check every vector of DIR (§12); closes with "N passed, M failed"
    verify.py log FILE                 verify a log; prints a report, exits 0 ok, 20 damaged, 21 torn tail
    verify.py archive FILE [--last N]  read an archive whole and by its index, or print its last N lines
    verify.py bundle FILE              read a bundle whole
    verify.py write OUT.jsonl          write a small log
"""
import base64
import hashlib
import io
import json
import pathlib
import re
import sys
import zlib
from typing import NamedTuple

# ---- §8 Limits -------------------------------------------------------------------------------------------

LINE_BYTES_MAX = 33_554_432
BATCH_ENTRIES_MAX = 4_096
BATCH_BYTES_MAX = 67_108_864
DEPTH_MAX = 64
INTEGER_MAX = 9_007_199_254_740_991
ID_BYTES_MAX = 128
KEY_BYTES_MAX = 200
ITEM_ID_BYTES_MAX = 512
INDEX_BYTES_MAX = 65_531
RATIO_MAX = 200
RATIO_FREE_BYTES = 1_048_576


class Fault(Exception):
    """A code of §9, with the place it belongs to (line, offset, seq; or batch, index)."""

    def __init__(self, code, **place):
        super().__init__(code)
        self.code, self.place = code, place


def need(condition, code):
    if not condition:
        raise Fault(code)


# ---- §1 Notation: JSON as slices -------------------------------------------------------------------------
# Nothing here is parsed and printed again: a value is the slice of bytes it stands in. The patterns are
# possessive ("*+"), so they run in one pass, and they take runs of scalars and flat containers at once.

_WS = rb"[ \t]*+"  # no raw line break (§4, check 1)
_CHARS = rb'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+'
_STRING = rb'"' + _CHARS + rb'"'
_NUMBER = rb"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+"
_SCALAR = rb"(?:" + _STRING + rb"|" + _NUMBER + rb"|true|false|null)"
_INT = rb"(?:0|[1-9][0-9]{0,15})"
_HEX64 = rb"[0-9a-f]{64}"
_SALT = rb"[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]"

WS = re.compile(_WS)
SCALAR = re.compile(_SCALAR)
KEY = re.compile(_WS + rb'"(' + _CHARS + rb')"' + _WS + rb":" + _WS)
_ELEMENT = _WS + _SCALAR + _WS
_MEMBER = _WS + _STRING + _WS + rb":" + _ELEMENT
_FLAT = (rb"(?:" + _SCALAR + rb"|\[(?:" + _ELEMENT + rb"(?:," + _ELEMENT + rb")*+|" + _WS + rb")\]|\{(?:"
         + _MEMBER + rb"(?:," + _MEMBER + rb")*+|" + _WS + rb")\})" + _WS + rb",")
ARRAY_RUN = re.compile(rb"(?:" + _WS + _FLAT + rb")*+")
OBJECT_RUN = re.compile(rb"(?:" + _WS + _STRING + _WS + rb":" + _WS + _FLAT + rb")*+")
CLOSE = {b"{": b"}", b"[": b"]"}


def skip(text, at):
    return WS.match(text, at).end()


def next_value(text, at, stack, room):
    """Where the next value that needs a look starts; `at` is after the opener of `stack[-1]` or a comma in it."""
    array = stack[-1] == b"["
    if room:  # for one container more: a run of flat values can be taken at once
        at = (ARRAY_RUN if array else OBJECT_RUN).match(text, at).end()
    start = (WS if array else KEY).match(text, at)
    need(start, "bad_json")
    return start.end()


def value_end(text, at, depth):
    """The end of the JSON value that starts at `at`, inside `depth` open containers (§4, checks 1 and 2)."""
    stack = []
    while True:
        opener = text[at:at + 1]
        if opener in CLOSE:
            need(depth + len(stack) < DEPTH_MAX, "too_deep")
            at = skip(text, at + 1)
            if text[at:at + 1] != CLOSE[opener]:
                stack.append(opener)
                at = next_value(text, at, stack, depth + len(stack) < DEPTH_MAX)
                continue
            at += 1
        else:
            scalar = SCALAR.match(text, at)
            need(scalar, "bad_json")
            at = scalar.end()
        while stack:
            at = skip(text, at)
            mark = text[at:at + 1]
            if mark == b",":
                at = next_value(text, at + 1, stack, depth + len(stack) < DEPTH_MAX)
                break
            need(mark == CLOSE[stack.pop()], "bad_json")
            at += 1
        else:
            return at


def children(text, opener):
    """The members (opener `{`) or elements (`[`) of a whole JSON text, as (key, value) slices."""
    at = skip(text, 0)
    need(text[at:at + 1] == opener, "bad_json")
    at = skip(text, at + 1)
    found = []
    if text[at:at + 1] == CLOSE[opener]:
        at += 1
    else:
        while True:
            start = (KEY if opener == b"{" else WS).match(text, at)
            need(start, "bad_json")
            end = value_end(text, start.end(), 1)
            found.append((start[1] if opener == b"{" else None, text[start.end():end]))
            at = skip(text, end) + 1
            mark = text[at - 1:at]
            if mark == CLOSE[opener]:
                break
            need(mark == b",", "bad_json")
    need(skip(text, at) == len(text), "bad_json")
    return found


def quote(text):
    """A string as JSON: only `"`, `\\` and what is below 0x20 is escaped."""
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return re.sub(r'["\\\x00-\x1f]', lambda m: short.get(m[0]) or f"\\u{ord(m[0]):04x}", text).encode()


# ---- §7 Keys ---------------------------------------------------------------------------------------------

RESERVED_NAMES = {b"con", b"prn", b"aux", b"nul"} | {b"%s%d" % (n, i) for n in (b"com", b"lpt") for i in range(1, 10)}


def encode_id(raw):
    """The encoded form of an id, given as bytes or text."""
    try:
        raw = raw.encode() if isinstance(raw, str) else raw
        text = raw.decode()
    except UnicodeError:
        raise Fault("invalid_id") from None
    need(1 <= len(raw) <= ID_BYTES_MAX and not re.search("[\x00-\x1f\x7f-\x9f]", text), "invalid_id")
    form = re.sub(rb"[^a-z0-9_-]", lambda m: b"%%%02x" % ord(m[0]), raw)
    if form in RESERVED_NAMES:
        form = b"%%%02x" % form[0] + form[1:]
    need(len(form) <= KEY_BYTES_MAX, "invalid_id")
    return form.decode()


def decode_key(form):
    """The id of an encoded form; only what encoding gives is accepted."""
    raw = re.sub(rb"%([0-9a-f]{2})", lambda m: bytes.fromhex(m[1].decode()), form.encode("utf-8", "replace"))
    need(encode_id(raw) == form, "invalid_id")
    return raw.decode()


def is_id(text):
    try:
        return text is not None and bool(encode_id(text))
    except Fault:
        return False


# ---- §4 Entries ------------------------------------------------------------------------------------------
# A type takes the slice of a value and gives what it decodes to, or None where the value is not of the type.

def value(raw):
    return raw


def text(raw):
    if not raw.startswith(b'"'):
        return None
    decoded = json.loads(raw)
    return None if re.search("[\ud800-\udfff]", decoded) else decoded


def count(raw):
    return int(raw) if re.fullmatch(_INT, raw) and int(raw) <= INTEGER_MAX else None


def items(raw):
    return [element for _, element in children(raw, b"[")] if raw.startswith(b"[") else None


def identifier(raw):
    return text(raw) if is_id(text(raw)) else None


def item_id(raw):
    decoded = text(raw)
    return decoded if decoded is not None and len(decoded.encode()) <= ITEM_ID_BYTES_MAX else None


def result(raw):
    return text(raw) if text(raw) in ("finished", "paused", "limit_reached", "yielded") else None


def point(raw):
    """`session`, `seq`, `hash`, as JSON in this order."""
    fields = children(raw, b"{") if raw.startswith(b"{") else []
    if sorted(key for key, _ in fields) != [b"hash", b"seq", b"session"]:
        return None
    fields = dict(fields)
    session, seq, digest = identifier(fields[b"session"]), count(fields[b"seq"]), text(fields[b"hash"])
    if session is None or seq is None or not re.fullmatch(_HEX64.decode(), digest or ""):
        return None
    return point_json(session, seq, digest.encode())


def point_json(session, seq, digest):
    return b'{"session":%s,"seq":%d,"hash":"%s"}' % (b'"' + quote(session) + b'"', seq, digest)


USAGE = ("history_len", "input_total_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
ITEM = ({"item": value}, {"id": item_id, "parent": item_id})
KINDS = {  # kind: (required, optional)
    "session_start": ({}, {"system_prompt": text, "config": value, "history": items,
                           "turns": count, "state": value, "forked_from": point, "compacted_from": point}),
    "user_input": ITEM, "assistant_item": ITEM, "tool_result": ITEM, "system_item": ITEM,
    "turn_end": ({"turn": count}, {}),
    "run_started": ({}, {"run": text}),
    "run_completed": ({"result": result}, {"run": text}),
    "run_errored": ({"message": text}, {"run": text}),
    "config_changed": ({"config": value}, {}),
    "llm_usage": ({}, dict.fromkeys(USAGE, count)),
    "extension": ({"domain": text, "payload": value}, {}),
    "state": ({"state": value}, {}),
    "truncated": ({"keep": count}, {}),
    "replaced": ({"history": items}, {}),
    "compaction": ({"summary": items, "keep_last": count},
                   {"system_prompt": text, "config": value, "turns": count, "run": text, "state": value}),
    "fork": ({"session": identifier, "parent": point}, {}),
}
RESERVED_FIELDS = {b"hash", b"prev_hash", b"seq", b"ts", b"fork", b"salt", b"more", b"format", b"digest"}


def fields_of(kind, values):
    """Check 5: the fields of a known kind, decoded; None where absent."""
    fields = {}
    for required, types in zip((True, False), KINDS.get(kind, ({}, {}))):
        for name, type_ in types.items():
            raw = values.get(name.encode())
            absent = raw is None or (not required and raw == b"null")
            fields[name] = None if absent else type_(raw)
            need(fields[name] is not None or (absent and not required), "bad_entry")
    return fields


def check_entry(kind, rest):
    """The entry checks; gives the decoded fields. The chain checks have seen the envelope already."""
    members = children(b"{" + rest, b"{")  # 1, 2
    keys = [key for key, _ in members]
    need(not any(b"\\" in key for key in keys), "bad_entry")  # 3
    fields = set(keys[envelope_size(kind, rest):])
    need(len(set(keys)) == len(keys) and not RESERVED_FIELDS & fields, "duplicate_key")  # 4
    return fields_of(kind, dict(members))  # 5


# ---- §3 The log ------------------------------------------------------------------------------------------

PREFIX = re.compile(rb'\{"hash":"(' + _HEX64 + rb')","prev_hash":(?:null|"(' + _HEX64 + rb')"),')
VERSION = re.compile(rb'"kind":"session_start","seq":0,"format":(' + _INT + rb")(?![0-9])")
REDACTED = re.compile(rb'"kind":"redacted","digest":"(' + _HEX64 + rb')"\}')
# A `fork`, `salt` or `more` at its place is the envelope's, well spelled or not. After the envelope: `}` and the end,
# or `,`.
_TS = rb',"ts":(?P<ts>' + _INT + rb")"
_FORK = rb'(?:,"fork":(?P<fork>' + _INT + rb')|(?!,"fork":))'
_TAIL = (rb'(?:,"salt":"(?P<salt>' + _SALT + rb')"|(?!,"salt":))'
         rb'(?:,"more":(?P<more>' + _INT + rb')|(?!,"more":))(?:\}\Z|,)')
FIRST = re.compile(rb'"kind":"(?P<kind>session_start)","seq":(?P<seq>0),"format":1,"session":(?P<session>'
                   + _STRING + rb")" + _TS + _TAIL)
OTHER = re.compile(rb'"kind":"(?P<kind>[a-z][a-z0-9_]{0,31})","seq":(?P<seq>' + _INT + rb")" + _TS + _FORK + _TAIL)


def envelope_size(kind, rest):
    """How many members the envelope has (§3.2)."""
    if kind == "redacted":
        return 2
    envelope = (FIRST if kind == "session_start" else OTHER).match(rest)
    members = [member for member in envelope.groupdict().values() if member is not None]
    return len(members) + (kind == "session_start")  # `format` is in no group


class Entry(NamedTuple):
    seq: int
    kind: str
    ts: int | None
    start: int  # of REST in the log
    end: int    # of the line, without its \n


def hash_of(prev, rest):
    """§3.1 (and §3.4: a redacted entry brings its digest along). `prev` is the hash in hex, or None."""
    redacted = REDACTED.fullmatch(rest)
    digest = bytes.fromhex(redacted[1].decode()) if redacted else hashlib.sha256(b"{" + rest).digest()
    prev = bytes.fromhex(prev.decode()) if prev else bytes(32)
    return hashlib.sha256(b"turnkeep/1\n" + prev + digest).hexdigest().encode()


class Log:
    """§3.7: the chain checks. `fault` is the first line that fails; what is here describes the part up to `head`.

    Lines from the middle of a log start at another `line`; their first link, whose log it is, and which `fork` entry
    was the last are taken as given.
    """

    def __init__(self, data, line=1):
        self.data, self.fault, self.head, self.torn, self.session = data, None, None, None, None
        self.entries, self.hashes, self.withheld = [], [], 0
        self.more, self.prev = 0, None  # of the line before; `more` is what must still follow in its batch
        self.batch_session = None  # whose log it is, with the open batch
        self.last_fork = None if line == 1 else "unknown"  # `seq` of the last fork entry; None where there is none
        batch, offset = [], 0
        if line > 1 and (prefix := PREFIX.match(data)):
            self.prev = prefix[2]
        try:
            while (end := data.find(b"\n", offset)) >= 0:
                entry = self.check_line(line, offset, end)
                batch.append(entry)
                self.hashes.append(self.prev)
                offset, line = end + 1, line + 1
                if not self.more:  # §3.3: the batch is complete
                    self.entries += batch
                    self.withheld += sum(entry.kind == "redacted" for entry in batch)
                    self.session = self.batch_session
                    self.head = {"seq": entry.seq, "hash": self.prev.decode(), "bytes": offset}
                    batch = []
            need(len(data) - offset <= LINE_BYTES_MAX, "line_too_long")
        except Fault as fault:
            self.fault = Fault(fault.code, line=line, offset=offset, seq=line - 1)
            return
        whole = self.head["bytes"] if self.head else 0
        if whole < len(data):
            self.torn = {"offset": whole, "bytes": len(data) - whole}

    def check_line(self, line, start, end):
        need(end - start <= LINE_BYTES_MAX, "line_too_long")  # 1
        prefix = PREFIX.match(self.data, start, end)
        need(prefix and end - prefix.end() >= 2 and self.data[end - 1:end] == b"}", "bad_line")  # 2
        rest = self.data[prefix.end():end]
        version = VERSION.match(rest) if line == 1 else None
        need(not version or not 1 < int(version[1]) <= INTEGER_MAX, "unsupported_version")  # 3
        need(prefix[2] == self.prev, "broken_link")  # 4
        need(prefix[1] == hash_of(self.prev, rest), "bad_hash")  # 5
        try:
            rest.decode()  # 6
        except UnicodeDecodeError:
            raise Fault("invalid_utf8") from None
        self.prev = prefix[1]
        if line > 1 and REDACTED.fullmatch(rest):
            self.more = max(self.more - 1, 0)
            return Entry(line - 1, "redacted", None, prefix.end(), end)
        envelope = (FIRST if line == 1 else OTHER).match(rest)  # 7
        need(envelope and int(envelope["ts"]) <= INTEGER_MAX, "bad_entry")
        need(line == 1 or envelope["kind"] not in (b"session_start", b"redacted"), "bad_entry")
        need(int(envelope["seq"]) <= INTEGER_MAX, "bad_entry")
        session = identifier(envelope["session"]) if line == 1 else None
        need(line > 1 or session is not None, "bad_entry")
        more = int(envelope["more"]) if envelope["more"] else 0
        need(more < BATCH_ENTRIES_MAX and envelope["more"] != b"0", "bad_entry")
        need(not self.more or more == self.more - 1 or envelope["kind"] == b"fork", "bad_entry")  # §3.3
        fork = envelope.groupdict().get("fork")
        fork = None if fork is None else int(fork)
        need(self.last_fork in ("unknown", fork) and (fork or 0) <= INTEGER_MAX, "bad_entry")
        self.more = more
        need(int(envelope["seq"]) == line - 1, "bad_seq")  # 8
        entry = Entry(line - 1, envelope["kind"].decode(), int(envelope["ts"]), prefix.end(), end)
        if entry.kind == "fork":  # 9, §3.5
            session = self.check_fork(entry, rest, prefix[2])
        self.last_fork = entry.seq if entry.kind == "fork" else fork
        self.batch_session = session or self.batch_session
        return entry

    def check_fork(self, entry, rest, prev):
        """The session that a fork starts; its parent is the entry before it, of the log so far."""
        fields = check_entry("fork", rest)
        session = self.batch_session
        before = point_json(session, entry.seq - 1, prev) if session is not None else fields["parent"]
        need(fields["parent"] == before, "bad_entry")
        return fields["session"]

    def verdict(self, expect=None):
        """The chain check that fails first, those at the end of the input included; None where all hold."""
        expect = expect or {}
        if self.fault:
            return self.fault
        if not self.head:  # 10
            return Fault("empty_log")
        if expect.get("session") is not None and expect["session"] != self.session:  # 11
            return Fault("wrong_session")
        if want := expect.get("head"):  # 12; what is torn is not in the log
            hashes = self.hashes[:len(self.entries)]
            if not 0 <= want["seq"] < len(hashes) or hashes[want["seq"]].decode() != want["hash"]:
                return Fault("head_mismatch")
        return None

    def lines(self):
        """Every entry with its decoded fields, as the entry checks of §4 give them."""
        for entry in self.entries:
            try:
                yield entry, check_entry(entry.kind, self.data[entry.start:entry.end])
            except Fault as fault:
                raise Fault(fault.code, seq=entry.seq) from None


# ---- §5 The fold -----------------------------------------------------------------------------------------

def json_text(decoded):
    return b"null" if decoded is None else b'"' + quote(decoded) + b'"'


def json_count(number):
    return b"null" if number is None else b"%d" % number


class State:
    def __init__(self, log):
        self.log, self.history, self.usage, self.extensions = log, [], [], []
        self.system_prompt = self.config = self.run = self.slice = self.forked_from = self.compacted_from = None
        self.turns = self.withheld = 0
        for entry, fields in log.lines():
            self.step(entry.kind, entry.seq, fields)

    def step(self, kind, seq, f):
        if kind == "session_start":
            self.system_prompt, self.config = f["system_prompt"], f["config"]
            self.forked_from, self.compacted_from = f["forked_from"], f["compacted_from"]
            self.history = [("initial", 0, None, None, item) for item in f["history"] or []]
            self.turns, self.slice = f["turns"] or 0, f["state"]
        elif KINDS.get(kind) is ITEM:
            self.history.append((kind, seq, f["id"], f["parent"], f["item"]))
        elif kind == "turn_end":
            self.turns = f["turn"]
        elif kind == "run_started":
            self.run = "running"
        elif kind == "run_completed":
            self.run = f["result"]
        elif kind == "run_errored":
            self.run = "errored"
        elif kind == "config_changed":
            self.config = f["config"]
        elif kind == "llm_usage":
            self.usage.append((seq, f))
        elif kind == "extension":
            self.extensions.append((seq, f["domain"], f["payload"]))
        elif kind == "state":
            self.slice = f["state"]
        elif kind == "truncated":
            self.history = self.history[:self.kept(f["keep"], seq)]
        elif kind == "replaced":
            self.history = [("replaced", seq, None, None, item) for item in f["history"]]
        elif kind == "compaction":
            kept = self.history[len(self.history) - self.kept(f["keep_last"], seq):]
            self.history = [("summary", seq, None, None, item) for item in f["summary"]] + kept
            again = {"system_prompt": "system_prompt", "config": "config", "turns": "turns", "run": "run",
                     "slice": "state"}
            for member, field in again.items():
                if f[field] is not None:
                    setattr(self, member, f[field])
        elif kind == "fork":
            self.forked_from = f["parent"]
        elif kind == "redacted":
            self.withheld += 1

    def kept(self, number, seq):
        """How many items that keeps; once an item may be missing, all there are will do."""
        if number > len(self.history) and not self.withheld:
            raise Fault("bad_entry", seq=seq)
        return min(number, len(self.history))

    def json(self):
        """The exact JSON text of §5, payloads verbatim."""
        head = self.log.head
        history = (b'{"kind":"%s","seq":%d,"id":%s,"parent":%s,"item":%s}'
                   % (kind.encode(), seq, json_text(id_), json_text(parent), item)
                   for kind, seq, id_, parent, item in self.history)
        usage = (b'{"seq":%d,' % seq + b",".join(b'"%s":%s' % (n.encode(), json_count(f[n])) for n in USAGE) + b"}"
                 for seq, f in self.usage)
        extensions = (b'{"seq":%d,"domain":%s,"payload":%s}' % (seq, json_text(domain), payload)
                      for seq, domain, payload in self.extensions)
        members = {
            b"session": json_text(self.log.session),
            b"head": b'{"seq":%d,"hash":"%s","bytes":%d}' % (head["seq"], head["hash"].encode(), head["bytes"]),
            b"system_prompt": json_text(self.system_prompt), b"config": self.config or b"null",
            b"history": b"[" + b",".join(history) + b"]",
            b"turns": b"%d" % self.turns, b"run": json_text(self.run),
            b"usage": b"[" + b",".join(usage) + b"]",
            b"extensions": b"[" + b",".join(extensions) + b"]", b"slice": self.slice or b"null",
            b"forked_from": self.forked_from or b"null", b"compacted_from": self.compacted_from or b"null",
            b"withheld": b"%d" % self.withheld,
        }
        return b"{" + b",".join(b'"%s":%s' % member for member in members.items()) + b"}"


# ---- §3, §4 Writing: drafts ------------------------------------------------------------------------------

def texts(members, *names):
    """The text of those members that are text (§4.2)."""
    found = (text(members[name]) for name in map(str.encode, names) if name in members)
    return [decoded for decoded in found if decoded is not None]


def members_of(raw):
    """An object's members, of each name the first; None of another value."""
    return dict(reversed(children(raw, b"{"))) if raw.startswith(b"{") else None


def tag_and_role(members):
    return (texts(members, "type", "kind") or [""])[0], (texts(members, "role") or [""])[0]


RESULT_ROLES = ("tool", "toolResult", "function")


def brings_result(members):
    tag, role = tag_and_role(members)
    named = tag in ("tool_result", "tool-result", "tool") or tag.endswith("_call_output") or role in RESULT_ROLES
    return named and bool(texts(members, "call_id", "tool_call_id", "tool_use_id", "toolCallId"))


def is_call(members):
    tag, _ = tag_and_role(members)
    named = b"function" in members or tag in ("function", "function_call", "custom_tool_call", "tool_use", "tool-call",
                                              "toolCall", "tool_call")
    return named and bool(texts(members, "call_id", "toolCallId", "id"))


def kind_of(item):
    """§4.2: the kind that an item tells."""
    members = members_of(item)
    if members is None:  # 1
        return "system_item"
    tag, role = tag_and_role(members)
    parts = map(members_of, items(members.get(b"content", b"")) or [])
    if any(brings_result(part) for part in [members, *parts] if part is not None):  # 2
        return "tool_result"
    if role in ("user", "human") or (not role and tag == "human"):  # 3
        return "user_input"
    if role in ("assistant", "ai", "model") or (not role and tag in ("ai", "reasoning")):  # 4
        return "assistant_item"
    if role in RESULT_ROLES or (not role and (tag == "tool" or tag.endswith("_output"))):  # 5
        return "tool_result"
    return "assistant_item" if not role and (tag.endswith("_call") or is_call(members)) else "system_item"  # 6, 7


def check_draft(draft, first):
    """The checks of §4 on a draft; gives its kind, its own ts or None, and its fields as `,"key":value…`."""
    members = children(draft, b"{")  # 1, 2
    keys = [key for key, _ in members]
    need(not any(b"\\" in key for key in keys), "bad_entry")  # 3
    values = dict(members)
    if b"kind" not in values and b"item" in values:
        kind = kind_of(values[b"item"])
    else:
        kind = re.fullmatch(rb'"([a-z][a-z0-9_]{0,31})"', values.get(b"kind", b""))
        kind = kind and kind[1].decode()
    reserved = RESERVED_FIELDS - {b"ts"} | ({b"session"} if kind == "session_start" else set())
    need(len(values) == len(keys) and not reserved & set(keys), "duplicate_key")  # 4
    need(kind and kind not in ("redacted", "fork") and (first or kind != "session_start"), "bad_entry")  # 5
    need(b"ts" not in values or count(values[b"ts"]) is not None, "bad_entry")
    fields_of(kind, values)
    rest = b"".join(b',"%s":%s' % member for member in members if member[0] not in (b"kind", b"ts"))
    return kind, count(values.get(b"ts", b"")), rest


def write_log(session, ts, salts, batches):
    """The bytes of a log. Batches are lists of draft texts; salts are used in order, one an entry, or none."""
    need(is_id(session), "invalid_id")
    salts = iter(salts) if salts is not None else None
    log, seq, prev = bytearray(), 0, None

    def line(kind, own_ts, more, rest):
        nonlocal seq, prev
        body = b'"kind":"%s","seq":%d' % (kind.encode(), seq)
        if seq == 0:
            body += b',"format":1,"session":' + json_text(session)
        body += b',"ts":%d' % (ts if own_ts is None else own_ts)
        if salts is not None:
            body += b',"salt":"%s"' % re.fullmatch(_SALT.decode(), next(salts))[0].encode()
        body += (b',"more":%d' % more if more else b"") + rest + b"}"
        link = b'"%s"' % prev if prev else b"null"
        seq, prev = seq + 1, hash_of(prev, body)
        return b'{"hash":"%s","prev_hash":%s,%s\n' % (prev, link, body)

    for i, batch in enumerate(batches):
        batch_bytes = 0
        for j, draft in enumerate(batch):
            try:
                kind, own_ts, rest = check_draft(draft.encode(), i == j == 0)
                if seq == 0 and kind != "session_start":
                    log += line("session_start", None, 0, b"")
                need(j < BATCH_ENTRIES_MAX, "too_large")
                written = line(kind, own_ts, len(batch) - 1 - j, rest)
                batch_bytes += len(written)
                need(len(written) - 1 <= LINE_BYTES_MAX and batch_bytes <= BATCH_BYTES_MAX, "too_large")
            except Fault as fault:
                raise Fault(fault.code, batch=i, index=j) from None
            log += written
    return bytes(log) if log else line("session_start", None, 0, b"")


# ---- §6.3, §6.4 Any gzip file ----------------------------------------------------------------------------

MAGIC = b"\x1f\x8b\x08"


def member_header(data, at, other):
    """Skips the header of the gzip member at `at` (RFC 1952); `other` is the code of bytes that are none."""
    start, magic = at, data[at:at + 3]
    need(MAGIC.startswith(magic), other)
    need(len(data) >= at + 10, "gzip_truncated")
    flags = data[at + 3]
    need(not flags & 0xE0, "gzip_corrupt")
    at += 10
    if flags & 4:
        need(at + 2 <= len(data), "gzip_truncated")
        at += 2 + int.from_bytes(data[at:at + 2], "little")
    for bit in (8, 16):  # name, comment
        if flags & bit:
            end = data.find(b"\0", at)
            need(end >= 0, "gzip_truncated")
            at = end + 1
    if flags & 2:
        need(at + 2 <= len(data), "gzip_truncated")
        crc = zlib.crc32(data[start:at]) & 0xFFFF
        need(crc == int.from_bytes(data[at:at + 2], "little"), "gzip_corrupt")
        at += 2
    need(at <= len(data), "gzip_truncated")
    return at


def gunzip(data, output_max=INTEGER_MAX):
    """The output of a whole gzip file. A good index bounds its member, else the ratio to the length of the file does."""
    limit = min(index_bound(data) or ratio_bound(data), output_max)
    output, at = bytearray(), 0
    while at < len(data) or not at:
        at = member_header(data, at, "trailing_data" if at else "not_gzip")
        inflate, start = zlib.decompressobj(-15), len(output)
        while not inflate.eof:
            piece = data[at:at + 65_536]
            need(piece, "gzip_truncated")
            try:
                output += inflate.decompress(piece, max(limit - len(output), 0) + 1)
            except zlib.error:
                raise Fault("gzip_corrupt") from None
            need(len(output) <= limit, "output_limit")
            at += len(piece) - len(inflate.unused_data)
        need(at + 8 <= len(data), "gzip_truncated")
        with memoryview(output) as view:
            need(data[at:at + 8] == trailer(view[start:]), "gzip_checksum")
        at, limit = at + 8, min(ratio_bound(data), output_max)
    return bytes(output)


def ratio_bound(data):
    return max(RATIO_FREE_BYTES, RATIO_MAX * len(data))


def index_bound(data):
    """The log bytes of an index that holds by itself, whatever the length of the file."""
    archive, _ = attempt(Index, data[:HEADER_MAX])
    return archive and archive.head["bytes"]


def trailer(data):
    return zlib.crc32(data).to_bytes(4, "little") + (len(data) % 2**32).to_bytes(4, "little")


# ---- §6 The archive --------------------------------------------------------------------------------------

KIND_BITS = ("user_input assistant_item tool_result turn_end llm_usage run_started run_completed system_item "
             "run_errored config_changed extension state truncated replaced compaction fork session_start "
             "redacted").split()


def kind_bit(kind):
    return 1 << (KIND_BITS.index(kind) if kind in KIND_BITS else 18)


class Span(NamedTuple):
    offset: int  # in the file
    compressed: int
    raw: int
    entries: int
    seq: int     # of its first entry
    earliest: int
    latest: int
    kinds: int


def varint(read):
    number = 0
    for shift in range(0, 70, 7):
        byte = read(1)[0]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            need((byte or not shift) and number < 2**64, "bad_index")
            return number
    raise Fault("bad_index")


def zigzag(number):
    return number >> 1 ^ -(number & 1)


HEADER_MAX = 16 + INDEX_BYTES_MAX


def find_index(header):
    """Where the index starts and ends in a member's header, which starts with `header`."""
    end = member_header(header, 0, "not_gzip")
    need(header[3] & 4, "no_index")
    at, extra_end = 12, 12 + int.from_bytes(header[10:12], "little")
    while at + 4 <= extra_end:  # the subfields
        length = int.from_bytes(header[at + 2:at + 4], "little")
        if header[at:at + 2] == b"TK" and at + 4 + length <= extra_end:
            plain = header[:10] == bytes.fromhex("1f8b08040000000000ff")
            need(plain and at == 12 and at + 4 + length == end, "bad_index")
            return at + 4, end
        at += 4 + length
    raise Fault("no_index")


class Index:
    """§6.2: an index, which holds by itself; the file is not looked at."""

    def __init__(self, header):
        start, self.end = find_index(header)  # `end` becomes where the spans end
        index = header[start:self.end]
        need(index, "bad_index")
        need(index[0] <= 1, "unsupported_version")
        need(index[0] == 1 and int.from_bytes(index[1:5], "little") == zlib.crc32(index[5:]), "bad_index")
        self.parse(io.BytesIO(index[5:]))

    def parse(self, index):
        def read(length):
            got = index.read(length)
            need(len(got) == length, "bad_index")
            return got

        seq, digest = varint(read), read(32).hex()
        self.head = {"seq": seq, "hash": digest, "bytes": varint(read)}
        seq, spans = varint(read), varint(read)
        need(seq == 0 and spans >= 1, "bad_index")
        self.spans, earliest, raw_sum = [], 0, 0
        for _ in range(spans):
            compressed, raw, entries = varint(read), varint(read), varint(read)
            earliest += zigzag(varint(read))
            span = Span(self.end, compressed, raw, entries, seq, earliest, earliest + varint(read), varint(read))
            need(span.entries >= 1 and earliest >= 0, "bad_index")
            self.spans.append(span)
            seq, raw_sum, self.end = seq + span.entries, raw_sum + span.raw, self.end + span.compressed
        need(not index.read(1) and raw_sum == self.head["bytes"] and seq == self.head["seq"] + 1, "bad_index")


class Archive(Index):
    """An archive opened by its index: reads the header only, and later the spans that are asked for."""

    def __init__(self, file):
        self.file, size = file, file.seek(0, io.SEEK_END)
        super().__init__(self.read(0, HEADER_MAX))
        need(self.end + 10 <= size, "gzip_truncated")
        need(self.end + 10 == size, "bad_index")

    def read(self, offset, length):
        self.file.seek(offset)
        return self.file.read(length)

    def inflate(self, span):
        """§6.1, §6.3: a span's lines, from its own bytes alone."""
        packed = self.read(span.offset, span.compressed)
        need(packed.endswith(b"\x00\x00\xff\xff"), "gzip_corrupt")
        inflate = zlib.decompressobj(-15)
        try:
            raw = inflate.decompress(packed, span.raw + 1)
            need(len(raw) == span.raw and not inflate.eof and not inflate.unconsumed_tail, "gzip_corrupt")
            need(not inflate.decompress(b"\x03\x00", 1) and inflate.eof and not inflate.unused_data, "gzip_corrupt")
        except zlib.error:
            raise Fault("gzip_corrupt") from None
        need(raw.endswith(b"\n") and raw.count(b"\n") == span.entries, "gzip_corrupt")
        prefix, rest = PREFIX.match(raw), raw[:raw.find(b"\n")]
        envelope = prefix and (FIRST.match(rest, prefix.end()) or OTHER.match(rest, prefix.end()))
        need(not envelope or int(envelope["seq"]) == span.seq, "gzip_corrupt")  # a redacted entry does not say
        return raw

    def walk(self):
        """Every span, and the chain of the joined bytes. Gives the verified log."""
        log = Log(b"".join(map(self.inflate, self.spans)))
        if fault := log.verdict():
            raise fault
        need(log.head == self.head, "bad_index")
        return log

    def covers(self, log):
        """Whether times and kinds cover what is in each span. They are no evidence, and readers do not check them."""
        for span in self.spans:
            entries = log.entries[span.seq:span.seq + span.entries]
            if any(entry.ts is not None and not span.earliest * 1000 <= entry.ts <= span.latest * 1000
                   or not kind_bit(entry.kind) & span.kinds for entry in entries):
                return False
        return True

    def last(self, number):
        """The last entries' first seq and lines, from the spans that hold them; the chain of the lines is checked."""
        first = max(self.head["seq"] + 1 - number, 0)
        spans = [span for span in self.spans if span.seq + span.entries > first]
        lines = re.findall(rb"[^\n]*+\n", b"".join(map(self.inflate, spans)))
        lines = lines[first - spans[0].seq:] if spans else []
        log = Log(b"".join(lines), first + 1)
        if log.fault:
            raise log.fault
        need(not lines or log.hashes[-1].decode() == self.head["hash"], "bad_index")
        return first, lines


# ---- §7.5 Bundles ----------------------------------------------------------------------------------------

END_BYTES = 384
STORED_END = b"\x01\x80\x01\x7f\xfe"
TAIL_BYTES = len(STORED_END) + END_BYTES + 8


class Bundle:
    """A bundle, read and checked whole: its sessions (ids with their logs) and how many values it holds."""

    def __init__(self, data):
        need(data[:3] == b"\x1f\x8b\x08"[:len(data[:3])], "not_gzip")
        self.check_version(data)
        need(len(data) >= TAIL_BYTES and data[-TAIL_BYTES:].startswith(STORED_END), "bad_bundle")
        line = data[-TAIL_BYTES + len(STORED_END):-8]
        self.end = self.read_end(line)
        content = self.inflate(data)
        need(zlib.crc32(data[:-TAIL_BYTES]) == self.end["packed_crc"], "gzip_checksum")
        need(len(content) == self.end["bytes"] + END_BYTES and content.endswith(line), "bad_bundle")
        self.sessions, self.cache, self.entries = {}, 0, 0
        self.walk(content[:-END_BYTES])
        counts = {"sessions": len(self.sessions), "entries": self.entries, "cache": self.cache}
        need(counts.items() <= self.end.items(), "bad_bundle")
        need(hashlib.sha256(content[:-END_BYTES]).hexdigest() == self.end["digest"], "bad_bundle")

    @staticmethod
    def check_version(data):
        try:
            start = zlib.decompressobj(-15).decompress(data[10:4096], 4096)
        except zlib.error:
            return  # reading it whole tells
        if b"\n" in start:
            header = bundle_line(start[:start.find(b"\n")])
            version = header.get("bundle") if header else None
            need(type(version) is int, "bad_bundle")
            need(version == 1, "unsupported_version")

    @staticmethod
    def read_end(line):
        end = bundle_line(line.rstrip(b" \n"))
        need(end and line.endswith(b"\n") and list(end) == [
            "kind", "sessions", "entries", "cache", "bytes", "index", "packed_crc", "digest"], "bad_bundle")
        need(json.dumps(end, separators=(",", ":")).encode().ljust(END_BYTES - 1) + b"\n" == line, "bad_bundle")
        need(end["kind"] == "end" and re.fullmatch("[0-9a-f]{64}", end["digest"]), "bad_bundle")
        return end

    def inflate(self, data):
        inflate, limit = zlib.decompressobj(-15), self.end["bytes"] + END_BYTES + 1
        need(data[3] == 0, "bad_bundle")
        try:
            content = inflate.decompress(data[10:], limit)
        except zlib.error:
            raise Fault("gzip_corrupt") from None
        need(inflate.eof and len(content) < limit and len(inflate.unused_data) == 8, "bad_bundle")
        sums = int.from_bytes(inflate.unused_data[:4], "little"), int.from_bytes(inflate.unused_data[4:], "little")
        need(sums == (zlib.crc32(content), len(content) & 0xFFFFFFFF), "gzip_checksum")
        return content

    def walk(self, content):
        at, stage = content.find(b"\n") + 1, "session"
        while at < len(content):
            end = content.find(b"\n", at)
            line = bundle_line(content[at:end]) if end >= 0 else None
            need(line, "bad_bundle")
            at = end + 1
            kind = line.get("kind")
            order = ["session", "cache", "index"]
            need(kind in order and order.index(kind) >= order.index(stage), "bad_bundle")
            stage = kind
            if kind == "session":
                at = self.session(line, content, at)
            self.cache += kind == "cache" and self.check_value(line)

    def session(self, record, content, at):
        head, name, trace = record.get("head"), record.get("id"), record.get("trace_bytes", 0)
        need(isinstance(name, str) and is_id(name) and name not in self.sessions, "bad_bundle")
        need(isinstance(head, dict) and isinstance(trace, int) and head["bytes"] > head["seq"], "bad_bundle")
        need(at + head["bytes"] + trace <= len(content), "bad_bundle")
        log = Log(content[at:at + head["bytes"]])
        if log.fault:
            raise log.fault
        need(log.session == name, "wrong_session")
        need(log.head == head and not log.torn, "head_mismatch")
        self.sessions[name] = log
        self.entries += head["seq"] + 1
        return at + head["bytes"] + trace

    @staticmethod
    def check_value(line):
        need(isinstance(line.get("key"), str) and ("value" in line) != ("bytes" in line), "bad_bundle")
        need(len(line) == 3 + ("expires" in line), "bad_bundle")
        expires = line.get("expires", 0)
        need(type(expires) is int and 0 <= expires <= INTEGER_MAX, "bad_bundle")
        try:
            base64.b64decode(line.get("bytes", ""), validate=True)
        except (ValueError, TypeError):
            raise Fault("bad_bundle") from None
        return True


def bundle_line(line):
    """The JSON object that a line is, or None."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


# ---- §12 Vectors -----------------------------------------------------------------------------------------

def attempt(call, *arguments):
    """What a call gives and None, or None and its fault."""
    try:
        return call(*arguments), None
    except Fault as fault:
        return None, fault


def code_of(fault):
    return {"code": fault.code if fault else None, **(fault.place if fault else {})}


def summary(data):
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def read_log(data, expected):
    log = Log(data)
    state, fault = attempt(State, log)
    return {"expect": expected.get("expect"), "verify": code_of(log.verdict(expected.get("expect"))),
            "head": log.head, "torn": log.torn, "session": log.session, "withheld": log.withheld,
            "entries": code_of(fault)}


def read_state(data, _expected):
    log = Log(data)
    state, fault = attempt(State, log)
    answer = code_of(log.verdict() or fault)
    return answer | {"state": state.json().decode()} if state and log.head else answer


def read_draft(data, _expected):
    draft = json.loads(data)
    log, fault = attempt(write_log, draft["session"], draft["ts"], draft["salts"], draft["batches"])
    if fault:
        return code_of(fault)
    need(not Log(log).verdict(), "what was written does not verify")
    return {"code": None, "log": log.decode()}


def last_entries(data, number):
    """The last entries' first seq and lines; without an index all of the file is read (§6.4)."""
    archive, fault = attempt(Archive, io.BytesIO(data))
    if archive:
        return archive.last(number)
    need(fault.code == "no_index", fault.code)
    whole = gunzip(data)
    if fault := Log(whole).verdict():
        raise fault
    lines = re.findall(rb"[^\n]*+\n", whole)
    first = max(len(lines) - number, 0)
    return first, lines[first:]


def read_archive(data, expected):
    whole, fault = attempt(gunzip, data)
    answer = code_of(fault) | ({} if fault else summary(whole))
    index, log = report_archive(io.BytesIO(data))
    need(not log or whole is None or log.data == whole, "the spans are not what the whole reading gives")
    answer |= {"index": index, "reads": []}
    for read in expected.get("reads", []):
        got, fault = attempt(last_entries, data, read["last"])
        answer["reads"].append({"last": read["last"], **code_of(fault)} | ({} if fault else {
            "first_seq": got[0], "lines": len(got[1]), "sha256": hashlib.sha256(b"".join(got[1])).hexdigest()}))
    return answer


def report_archive(file):
    """What walking an archive by its index shows (the first failure), and its log where there is none."""
    archive, fault = attempt(Archive, file)
    log, fault = attempt(archive.walk) if archive else (None, fault)
    opened = {"head": archive.head, "spans": len(archive.spans)} if archive else {}
    opened |= {"covers": archive.covers(log)} if log else {}
    return {"code": fault.code if fault else None, **opened}, log


def read_gzip(data, expected):
    output, fault = attempt(gunzip, data, expected["output_max"])
    return {"output_max": expected["output_max"], **code_of(fault), **({} if fault else summary(output))}


def read_key(data, _expected):
    vector = json.loads(data)
    if "key" in vector:
        got, fault = attempt(decode_key, vector["key"])
        return code_of(fault) if fault else {"code": None, "id": got}
    got, fault = attempt(encode_id, bytes.fromhex(vector["id_hex"]) if "id_hex" in vector else vector["id"])
    return code_of(fault) if fault else {"code": None, "key": got}


def read_bundle(data, _expected):
    bundle, fault = attempt(Bundle, data)
    if fault:
        return code_of(fault)
    sessions = [{"id": name, "head": log.head} for name, log in bundle.sessions.items()]
    return {"code": None, "sessions": sessions, "cache": bundle.cache}


AREAS = {  # area: (suffixes of the input, reader, members of which an expectation holds one or more)
    "log": ((".jsonl", ".recipe.json"), read_log, {"verify"}),
    "state": ((".jsonl",), read_state, {"state", "code"}),
    "draft": ((".json",), read_draft, {"log", "code"}),
    "archive": ((".jsonl.gz",), read_archive, {"code"}),
    "bundle": ((".bundle",), read_bundle, {"code"}),
    "gzip": ((".gz", ".recipe.json"), read_gzip, {"code"}),
    "key": ((".json",), read_key, {"key", "id", "code"}),
}


def join_recipe(recipe):
    pieces = []
    for piece in json.loads(recipe):
        if len(piece) != 1 + ("repeat" in piece):
            raise ValueError(f"unknown piece {piece}")
        data = piece["text"].encode() if "text" in piece else bytes.fromhex(piece["hex"])
        pieces.append(data * piece.get("repeat", 1))
    return b"".join(pieces)


def differences(expected, got, path=""):
    """Where `got` is not as expected. Members that are not expected are not compared."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for name, want in expected.items():
            yield from differences(want, got.get(name, "(absent)"), f"{path}.{name}" if path else name)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for i, pair in enumerate(zip(expected, got)):
            yield from differences(*pair, f"{path}[{i}]")
    elif type(expected) is not type(got) or expected != got:
        yield f"{path}: expected {expected!r}, got {got!r}"


def check_vector(area, name, inputs, expectation):
    """The mismatches of one vector, as texts."""
    suffixes, reader, members = AREAS[area]
    try:
        expected = json.loads(expectation.read_bytes())
        if not members & expected.keys():
            return ["the expectation says nothing"]
        data = inputs.read_bytes()
        got = reader(join_recipe(data) if inputs.name.endswith(".recipe.json") else data, expected)
        return list(differences(expected, got))
    except Exception as error:  # whatever it is, the vector was not read
        return [f"unreadable: {type(error).__name__}: {error}"]


def check_area(folder):
    """The vectors of one folder: how many pass, and the failures."""
    if folder.name not in AREAS or not folder.is_dir():
        return 0, [f"{folder.name}: nobody reads this"]
    unread, passed, failures = {path.name: path for path in sorted(folder.iterdir())}, 0, []
    for expectation in [name for name in unread if name.endswith(".expected.json")]:
        name = expectation.removesuffix(".expected.json")
        path = unread.pop(expectation)
        inputs = next(filter(None, (unread.pop(name + suffix, None) for suffix in AREAS[folder.name][0])), None)
        found = check_vector(folder.name, name, inputs, path) if inputs else ["has no input"]
        passed += not found
        if found:
            failures.append(f"{folder.name}/{name}: " + "; ".join(found))
    return passed, failures + [f"{folder.name}/{name}: nobody reads this" for name in unread]


def check_vectors(root):
    passed = failed = 0
    root = pathlib.Path(root)
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        good, failures = check_area(folder)
        for failure in failures:
            print("FAIL", failure)
        print(f"{folder.name}: {good} passed, {len(failures)} failed")
        passed, failed = passed + good, failed + len(failures)
    if not passed + failed:
        print("no vectors found")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


# ---- Command line ----------------------------------------------------------------------------------------

SAMPLE = (1_760_000_000_000, ["AAAAAAAAAA" + last for last in "AEIMQU"], [
    ['{"kind":"session_start","system_prompt":"Be brief.","config":{"model":"any","top":18446744073709551615}}'],
    ['{"kind":"run_started","run":"r1"}', '{"kind":"user_input","id":"u1","item":{"role":"user","content":"Hi \\u2028"}}',
     '{"kind":"assistant_item","id":"a1","parent":"u1","item":{"content":"Hello","role":"assistant"}}'],
    ['{"kind":"turn_end","turn":1}', '{"kind":"run_completed","result":"finished","ts":1760000001234,"run":"r1"}'],
])


def main(arguments):
    match arguments:
        case ["vectors", root]:
            return check_vectors(root)
        case ["log", path]:
            report = read_log(pathlib.Path(path).read_bytes(), {})
        case ["archive", path]:
            data = pathlib.Path(path).read_bytes()
            (index, log), (_, fault) = report_archive(io.BytesIO(data)), attempt(gunzip, data)
            report = {"gzip": code_of(fault), "index": index, **(read_log(log.data, {}) if log else {})}
        case ["archive", path, "--last", number]:
            with open(path, "rb") as file:
                got, fault = attempt(lambda: Archive(file).last(int(number)))
            if got:
                sys.stdout.buffer.write(b"".join(got[1]))
                return 0
            report = {"index": code_of(fault)}
        case ["bundle", path]:
            report = {"index": read_bundle(pathlib.Path(path).read_bytes(), {})}
        case ["write", path]:
            pathlib.Path(path).write_bytes(write_log("independent", *SAMPLE))
            return 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    report.pop("expect", None)
    print(json.dumps(report, indent=2))
    damaged = any(report.get(part, {}).get("code") for part in ("gzip", "index", "verify", "entries"))
    damaged = damaged or report.get("index", {}).get("covers") is False
    return 20 if damaged else 21 if report.get("torn") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
