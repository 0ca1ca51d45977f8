#!/usr/bin/env python3
"""Self test of verify.py: every case here is derived from docs/format.md.   python3 tests/independent/selftest.py"""
import contextlib
import gzip
import hashlib
import io
import json
import pathlib
import random
import re
import sys
import tempfile
import unittest
import unittest.mock
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import verify
from verify import Archive, Fault, Log, State, hash_of

TS = 1_760_000_000_000
SALTS = [f"{i:010d}A" for i in range(5000)]
HEX = "ab" * 32
POINT = '{"session":"demo","seq":1,"hash":"%s"}' % HEX


def user(text="Hi", extra=""):
    return '{"kind":"user_input",%s"item":{"role":"user","content":"%s"}}' % (extra, text)


def write(*batches, session="demo", salts=SALTS, ts=TS):
    return verify.write_log(session, ts, salts, batches)


def chain(*rests):
    """A log of these RESTs with right hashes, whatever they say."""
    log, prev = b"", None
    for rest in rests:
        rest = rest.encode() if isinstance(rest, str) else rest
        own = hash_of(prev, rest)
        log += b'{"hash":"%s","prev_hash":%s,%s\n' % (own, b'"%s"' % prev if prev else b"null", rest)
        prev = own
    return log


def rests(log):
    return [line[92 if i == 0 else 154:] for i, line in enumerate(log.splitlines())]


def redact(log, *numbers):
    lines = log.splitlines(keepends=True)
    for number in numbers:
        prefix, rest = lines[number][:154], lines[number][154:-1]
        digest = hashlib.sha256(b"{" + rest).hexdigest().encode()
        lines[number] = prefix + b'"kind":"redacted","digest":"%s"}\n' % digest
    return b"".join(lines)


START = '"kind":"session_start","seq":0,"format":1,"session":"demo","ts":5}'
AFTER_START = '{"session":"demo","seq":0,"hash":"%s"}' % hash_of(None, START.encode()).decode()


def answer(log, **expect):
    return verify.read_log(log, {"expect": expect})


class Base(unittest.TestCase):
    def fails(self, code, call, *arguments, **place):
        with self.assertRaises(Fault) as caught:
            call(*arguments)
        self.assertEqual((caught.exception.code, caught.exception.place), (code, place))

    def verdict(self, log, code, line=None, **expect):
        got = answer(log, **expect)["verify"]
        self.assertEqual(got["code"], code, got)
        if line:
            offset = sum(map(len, log.split(b"\n")[:line - 1])) + line - 1
            self.assertEqual(got, {"code": code, "line": line, "offset": offset, "seq": line - 1})

    def entry(self, rest, code, start=START):
        """The entry check that fails on this second line."""
        got = answer(chain(start, rest))
        self.assertEqual(got["verify"]["code"], None, rest)
        self.assertEqual(got["entries"], {"code": code, "seq": 1} if code else {"code": None}, rest)


class Json(Base):
    def test_scanner_agrees_with_json_loads(self):
        rng = random.Random(1)
        pieces = ['{', '}', '[', ']', ',', ':', ' ', '\t', '"a"', '"b\\n"', '"\\ud800"', '1', '-0', '0', '1.5e+3', '.',
                  'true', 'null', 'false', 'e', '-', '"', '\\', '{}', '[]', '"k":', '[1,2', '{"a":1,', '\u2028', '\x7f']
        good = 0
        for _ in range(150_000):
            text = "".join(rng.choices(pieces, k=rng.randint(1, 8)))
            try:
                json.loads(text)
                valid = text.strip()[:1] in ("{", "[")
            except ValueError:
                valid = False
            try:
                verify.children(text.encode(), text.strip()[:1].encode() if text.strip()[:1] in ("{", "[") else b"{")
                got = True
            except Fault:
                got = False
            self.assertEqual(got, valid, text)
            good += got
        self.assertGreater(good, 500)

    def test_scanner_on_mutated_documents(self):
        rng = random.Random(2)

        def make(depth):
            kind = rng.randint(0, 6 if depth < 4 else 3)
            if kind < 4:
                return rng.choice([1, -2.5e-7, "x\n\"", "é", True, None, ""])
            if kind < 5:
                return [make(depth + 1) for _ in range(rng.randint(0, 4))]
            return {rng.choice("abcdef"): make(depth + 1) for _ in range(rng.randint(0, 4))}
        for _ in range(30_000):
            text = json.dumps({"x": make(0), "y": make(0)}, separators=rng.choice([(",", ":"), (" , ", " : ")]))
            if rng.random() < .7:
                at = rng.randrange(len(text))
                text = text[:at] + rng.choice(['', ',', '}', ']', '"', '1', ':', '{']) + text[at + rng.randint(0, 1):]
            try:
                valid = isinstance(json.loads(text), dict)
            except ValueError:
                valid = False
            try:
                pairs = verify.children(text.encode(), b"{")
                self.assertEqual({json.loads(b'"' + k + b'"'): json.loads(v) for k, v in pairs}, json.loads(text))
                got = True
            except Fault:
                got = False
            self.assertEqual(got, valid, text)

    def test_depth_and_which_fault_is_first(self):
        """Against a plain recursive reader, with a small DEPTH_MAX: the first fault in the bytes is the one reported."""
        scalar = re.compile(r'"[a-z]*"|-?\d+|true')

        def read(text, at, depth):
            mark = text[at:at + 1]
            if mark and mark in "[{":
                need(depth < 3, "too_deep")
                at, close = at + 1, "]}"["[{".index(mark)]
                if text[at:at + 1] == close:
                    return at + 1
                while True:
                    if mark == "{":
                        key = re.compile('"[a-z]*":').match(text, at)
                        need(key, "bad_json")
                        at = key.end()
                    at = read(text, at, depth + 1) + 1
                    if text[at - 1:at] == close:
                        return at
                    need(text[at - 1:at] == ",", "bad_json")
            found = scalar.match(text, at)
            need(found, "bad_json")
            return found.end()

        def outcome(call):
            fault = verify.attempt(call)[1]
            return fault and fault.code
        rng, seen, need = random.Random(4), {}, verify.need
        pieces = ["{", "}", "[", "]", ",", '"a":', "1", '"b"', "[]", "{}", "[1],", '{"a":1},', '"c":[2],', '"d":{"e":3},', "[[1]],"]
        with unittest.mock.patch.object(verify, "DEPTH_MAX", 3):
            for _ in range(200_000):
                text = '{"x":' + "".join(rng.choices(pieces, k=rng.randint(1, 9)))
                text += rng.choice(["", "}", "]}", "]]}", "}}", "]}}"])
                want = outcome(lambda: need(read(text, 0, 0) == len(text), "bad_json"))
                self.assertEqual(outcome(lambda: verify.children(text.encode(), b"{")), want, text)
                seen[want] = seen.get(want, 0) + 1
        self.assertGreater(min(seen[None], seen["too_deep"]), 1000, seen)

    def test_serde_escapes(self):
        self.assertEqual(verify.quote('a"\\/\b\f\n\r\t\x00\x1f\x7f\u2028é'),
                         'a\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\u2028é'.encode())


class WorkedExample(Base):
    def test_worked_example(self):
        # The second entry's ts is the first's + 1, so it is the draft's own.
        log = write(['{"ts":1760000000001,"kind":"user_input","item":{"role":"user","content":"Hi"}}'],
                    salts=["AAAAAAAAAAA", "AAAAAAAAAAE"])
        self.assertEqual(len(log), 453)
        self.assertEqual(hashlib.sha256(log).hexdigest(), "1e85d613de1a95c0070b716a014cd481dae5971fe720e72240abc4c9869cff2c")
        text = pathlib.Path(__file__, "../../../docs/format.md").resolve().read_text()
        for line in log.decode().splitlines():
            self.assertIn(line, text)
        self.assertEqual(answer(log), {
            "expect": {}, "verify": {"code": None}, "torn": None, "session": "demo", "withheld": 0, "entries": {"code": None},
            "head": {"seq": 1, "bytes": 453, "hash": "bfe5f5d7e0090b9c11c476c4bd42fe253dce99181192c22fc52b98dab9ef2cce"}})


class Chain(Base):
    log = write([user("a")], [user("b"), user("c"), user("d")], [user("e")])

    def test_1_line_too_long(self):
        filler = b"x" * verify.LINE_BYTES_MAX
        fits = chain(START, b'"kind":"a","seq":1,"ts":1,"x":"' + filler[154 + 33:] + b'"}')
        self.assertEqual(len(fits.splitlines()[1]), verify.LINE_BYTES_MAX)
        self.verdict(fits, None)
        self.assertEqual(answer(fits)["entries"], {"code": None})
        self.verdict(fits.replace(b"xx", b"xxx", 1), "line_too_long", 2)
        self.verdict(self.log + filler, None)
        self.verdict(self.log + filler + b"x", "line_too_long", 7)
        self.assertEqual(answer(self.log + filler + b"x")["torn"], None)

    def test_2_bad_line(self):
        for old, new in [(b'{"hash"', b'{ "hash"'), (b'"prev_hash"', b'"prev-hash"'), (b"}\n", b"}\r\n"), (b"}\n", b"} \n"),
                         (b"{", b"\n{")]:
            self.verdict(self.log.replace(old, new, 1), "bad_line", 1)
        second = self.log.splitlines()[1]
        for bad in (second[:155], second[:154] + b"}", second[:154], b"", second.replace(second[9:73], second[9:73].upper())):
            if bad != second:
                self.verdict(self.log.replace(second, bad), "bad_line", 2)
        self.verdict(b"\n", "bad_line", 1)

    def test_3_unsupported_version(self):
        for version in ("2", "17", "9007199254740991"):
            self.verdict(self.log.replace(b'"format":1', b'"format":' + version.encode(), 1), "unsupported_version", 1)
        for version in ("0", "01", "1.5", "-2", "9007199254740992", "99999999999999999999"):
            self.verdict(self.log.replace(b'"format":1', b'"format":' + version.encode(), 1), "bad_hash", 1)
            self.verdict(chain(START.replace('"format":1', '"format":' + version)), "bad_entry", 1)
        self.verdict(chain(START, START.replace('"format":1', '"format":2')), "bad_entry", 2)

    def test_4_broken_link(self):
        lines = self.log.splitlines(keepends=True)
        self.verdict(b"".join(lines[1:]), "broken_link", 1)
        self.verdict(lines[0] + b"".join(lines[2:]), "broken_link", 2)
        self.verdict(lines[0] + lines[0], "broken_link", 2)
        self.verdict(lines[0] + lines[2] + lines[1], "broken_link", 2)

    def test_5_bad_hash(self):
        self.verdict(self.log.replace(b'"content":"c"', b'"content":"x"'), "bad_hash", 4)
        self.verdict(self.log.replace(b'"seq":2', b'"seq":9'), "bad_hash", 3)
        redacted = redact(self.log, 2)
        digest = redacted.split(b'"digest":"')[1][:64]
        self.verdict(redacted.replace(digest, HEX.encode()), "bad_hash", 3)

    def test_6_invalid_utf8(self):
        for bad in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"):
            self.verdict(chain(START, b'"kind":"a","seq":1,"ts":1,"x":"' + bad + b'"}'), "invalid_utf8", 2)
        self.verdict(chain(START, b'"kind":"A\xff"}'), "invalid_utf8", 2)

    def test_7_bad_entry(self):
        for bad in ('"kind":"session_start","seq":0,"session":"demo","format":1,"ts":5}', START.replace("demo", ""),
                    START.replace("demo", "a\\u0000"), START.replace("demo", "\\ud800"), START.replace("demo", "A" * 67),
                    START.replace('"demo"', "1"), START.replace('"seq":0', '"seq":1'), START[:-1] + " }",
                    '"kind":"redacted","digest":"%s"}' % HEX, '"kind":"user_input","seq":0,"ts":1}'):
            self.verdict(chain(bad), "bad_entry", 1)
        for good in (START.replace("demo", "\\u0064emo"), START.replace("demo", "A" * 66), START[:-1] + ', "x" : 1}'):
            self.verdict(chain(good), None)
        for bad in ('"kind":"Bad","seq":1,"ts":1}', '"kind":"%s","seq":1,"ts":1}' % ("a" * 33), '"kind":"a","ts":1,"seq":1}',
                    '"kind":"a","seq":01,"ts":1}', '"kind":"a","seq":1,"ts":1.0}', '"kind":"a","seq":1,"ts":-1}',
                    '"kind":"a", "seq":1,"ts":1}', '"kind":"a","seq":1,"ts":9007199254740992}', START,
                    '"kind":"redacted","seq":1,"ts":1}', '"kind":"redacted","digest":"%s","x":1}' % HEX,
                    '"kind":"a","seq":1,"ts":1}}', '"kind":"a","seq":1,"ts":1,"salt":"AAAAAAAAAAB"}',
                    '"kind":"a","seq":1,"ts":1,"salt":"AAA"}', '"kind":"a","seq":1,"ts":1,"more":0}',
                    '"kind":"a","seq":1,"ts":1,"more":4096}', '"kind":"a","seq":1,"ts":1,"more":"x"}'):
            self.verdict(chain(START, bad), "bad_entry", 2)
        self.verdict(chain(START, '"kind":"a","seq":1,"ts":9007199254740991,"more":4095}'), None)

    def test_8_bad_seq(self):
        self.verdict(chain(START, '"kind":"a","seq":2,"ts":1}'), "bad_seq", 2)
        self.verdict(chain(START, '"kind":"a","seq":9007199254740992,"ts":1}'), "bad_entry", 2)

    def test_9_fork(self):
        fork = '"kind":"fork","seq":1,"ts":1,"session":%s,"parent":%s}'
        point = AFTER_START
        self.assertEqual(answer(chain(START, fork % ('"two"', point)))["session"], "two")
        for bad in (fork % ("1", point), fork % ('""', point), fork % ('"two"', "{}"), fork % ('"two"', point[:-1] + ',"x":1}'),
                    fork % ('"two"', point.upper()), fork % ('"two"', point.replace('"seq":0', '"seq":0.0')),
                    '"kind":"fork","seq":1,"ts":1}'):
            self.verdict(chain(START, bad), "bad_entry", 2)
        for other in (POINT, point.replace("demo", "two"), point.replace('"seq":0', '"seq":1')):  # it is not the entry before
            self.verdict(chain(START, fork % ('"two"', other)), "bad_entry", 2)
        self.verdict(chain(START, fork % ('"two"', point + ",")), "bad_json", 2)
        self.verdict(chain(START, (fork % ('"two"', point))[:-1] + ',"session":"x"}'), "duplicate_key", 2)
        again = chain(START, fork % ('"two"', point)).splitlines()[1][9:73].decode()
        fork = [START, fork % ('"two"', point), '"kind":"fork","seq":2,"ts":1,"fork":1,"session":"three","parent":{"session":"%s","seq":1,"hash":"' + again + '"}}']
        self.verdict(chain(*fork[:2], fork[2] % "two"), None)
        self.verdict(chain(*fork[:2], fork[2] % "demo"), "bad_entry", 3)

    def test_10_empty_log(self):
        for log, torn in [(b"", None), (b"x", {"offset": 0, "bytes": 1}), (self.log[:100], {"offset": 0, "bytes": 100})]:
            self.verdict(log, "empty_log")
            self.assertEqual((answer(log)["torn"], answer(log)["head"], answer(log)["session"]), (torn, None, None))
        self.verdict(write(['{"kind":"session_start"}', user()]).splitlines(keepends=True)[0], "empty_log")

    def test_11_12_expectations(self):
        head = answer(self.log)["head"]
        self.verdict(self.log, None, session="demo", head=head)
        self.verdict(self.log, "wrong_session", session="other", head=head | {"hash": HEX})
        self.verdict(self.log, "head_mismatch", head=head | {"hash": HEX})
        self.verdict(self.log, "head_mismatch", head=head | {"seq": 6})
        cut = self.log[:-1]
        self.verdict(cut, "head_mismatch", head=head)
        self.verdict(self.log + chain(START), "broken_link", 7, session="other")
        first = hashlib.sha256(b"").hexdigest()
        self.verdict(self.log, "head_mismatch", head={"seq": 0, "hash": first})
        self.verdict(self.log, None, head={"seq": 0, "hash": self.log[9:73].decode()})

    def test_13_torn_everywhere(self):
        lines = self.log.splitlines(keepends=True)
        ends = [sum(map(len, lines[:n])) for n in (1, 2, 5, 6)]
        for size in range(len(self.log) + 1):
            got = answer(self.log[:size])
            whole = max([end for end in ends if end <= size], default=0)
            self.assertEqual(got["verify"]["code"], None if whole else "empty_log")
            self.assertEqual(got["head"] and got["head"]["bytes"], whole or None)
            self.assertEqual(got["torn"], {"offset": whole, "bytes": size - whole} if size > whole else None)

    def test_every_changed_byte_is_found(self):
        rng = random.Random(3)
        for at in range(len(self.log)):
            changed = bytearray(self.log)
            changed[at] ^= 1 << rng.randrange(8)
            got = answer(bytes(changed))
            self.assertTrue(got["verify"]["code"] or got["torn"], at)

    def test_bad_line_keeps_what_precedes(self):
        bad = self.log.replace(b'"content":"d"', b'"content":"x"')
        got = answer(bad)
        self.assertEqual((got["verify"]["line"], got["head"]["seq"], got["torn"]), (5, 1, None))


class Batches(Base):
    def rest(self, seq, more=None):
        return '"kind":"a","seq":%d,"ts":1%s}' % (seq, f',"more":{more}' if more is not None else "")

    def test_count_down(self):
        self.verdict(chain(START, self.rest(1, 2), self.rest(2, 1), self.rest(3), self.rest(4)), None)
        self.verdict(chain(START, self.rest(1, 2), self.rest(2)), "bad_entry", 3)
        self.verdict(chain(START, self.rest(1, 2), self.rest(2, 2)), "bad_entry", 3)
        self.verdict(chain(START, self.rest(1, 1), self.rest(2, 1)), "bad_entry", 3)
        torn = chain(START, self.rest(1), self.rest(2, 2), self.rest(3, 1))
        self.assertEqual((answer(torn)["head"]["seq"], answer(torn)["verify"]["code"]), (1, None))
        self.assertEqual(answer(torn)["torn"]["offset"], answer(torn)["head"]["bytes"])

    def test_redacted_in_a_batch(self):
        log = write([user("a")], [user("b"), user("c"), user("d")], [user("e")])
        for numbers in [(1,), (2,), (3,), (4,), (5,), (2, 3), (3, 4), (2, 3, 4), (1, 2, 3, 4, 5)]:
            got = answer(redact(log, *numbers))
            self.assertEqual((got["verify"]["code"], got["withheld"], got["entries"]["code"]), (None, len(numbers), None))
            self.assertEqual(got["head"]["hash"], answer(log)["head"]["hash"])
        lines = redact(log, 2).splitlines(keepends=True)
        self.assertEqual(answer(b"".join(lines[:3]))["head"]["seq"], 2)  # counts as 0 after an entry without `more`
        self.assertEqual(answer(b"".join(lines[:4]))["head"]["seq"], 2)
        self.verdict(redact(log, 5, 1), None)

    def test_redacted_first_or_fork(self):
        log = write(['{"kind":"session_start"}'], [user()])
        first = log.splitlines()[0]
        digest = hashlib.sha256(b"{" + first[92:]).hexdigest().encode()
        self.verdict(log.replace(first[92:], b'"kind":"redacted","digest":"%s"}' % digest), "bad_entry", 1)


class Forks(Base):
    def grow(self, log, kind, *fields, fork=None, more=0):
        """A log and one entry more."""
        numbers = (f',"fork":{fork}' if fork is not None else "") + (f',"more":{more}' if more else "")
        rest = '"kind":"%s","seq":%d,"ts":1%s}' % (kind, len(rests(log)), numbers + "".join(fields))
        prev = log.splitlines()[-1][9:73]
        return log + b'{"hash":"%s","prev_hash":"%s",%s\n' % (hash_of(prev, rest.encode()), prev, rest.encode())

    def fork(self, log, of, into, **envelope):
        parent = '{"session":"%s","seq":%d,"hash":"%s"}' % (of, len(rests(log)) - 1, log.splitlines()[-1][9:73].decode())
        return self.grow(log, "fork", f',"session":"{into}","parent":{parent}', **envelope)

    def test_number(self):
        child = self.fork(chain(START), "demo", "child")
        good = self.grow(self.grow(child, "a", fork=1, more=1), "a", fork=1)
        grand = self.grow(self.fork(good, "child", "grand", fork=1), "a", fork=4)
        self.verdict(grand, None, session="grand")
        for numbers in [(2,), (3,), (2, 3), (5,), (2, 3, 5)]:
            self.verdict(redact(grand, *numbers), None, session="grand")
        for log, right in [(child, 1), (grand, 4), (chain(START), None)]:
            for number in (None, 0, 1, 2, 4, 6, "null", "04", '"1"', "1.0", -1, verify.INTEGER_MAX + 1):
                self.verdict(self.grow(log, "a", fork=number), None if number == right else "bad_entry", len(rests(log)) + 1 if number != right else 0)
        self.verdict(self.grow(redact(self.grow(child, "a", fork=1), 2), "a"), "bad_entry", 4)
        self.verdict(redact(good, 1), "bad_entry", 3)  # what follows tells that it was a fork
        self.assertEqual(answer(redact(child, 1))["session"], "demo")
        for first in range(1, 6):  # lines from the middle: the number is taken as given, and then has to go on
            lines = grand.splitlines(keepends=True)[first:]
            self.assertEqual((Log(b"".join(lines), first + 1).fault, Log(lines[0], first + 1).fault), (None, None))
        lines = self.grow(grand, "a", fork=1).splitlines(keepends=True)
        self.assertEqual(Log(b"".join(lines[5:]), 6).fault.code, "bad_entry")
        self.entry('"kind":"a","seq":1,"ts":1,"x":1,"fork":0}', "duplicate_key")
        self.entry('"kind":"a","seq":1,"ts":1,"salt":"AAAAAAAAAAA","fork":0}', "duplicate_key")
        first = chain(START[:-1] + ',"fork":0}')
        self.assertEqual(answer(first)["entries"], {"code": "duplicate_key", "seq": 0})

    def test_ancestors_are_found_from_the_end(self):
        """§3.5: from the last envelope's number to the fork before it, and so on."""
        log, sessions = chain(START), ["demo"]
        for into in "abc":
            log = self.grow(self.fork(log, sessions[-1], into, fork=verify.OTHER.match(rests(log)[-1])["fork"].decode()
                                      if len(sessions) > 1 else None), "x", fork=len(rests(log)))
            sessions.append(into)
        log = redact(log, len(rests(log)) - 1)
        envelopes = [verify.OTHER.match(rest) for rest in rests(log)]
        at, found = max(i for i, envelope in enumerate(envelopes) if envelope), []
        at = at if envelopes[at]["kind"] == b"fork" else int(envelopes[at]["fork"])
        while at is not None:
            found.append(verify.check_entry("fork", rests(log)[at])["session"])
            at = int(envelopes[at]["fork"]) if envelopes[at]["fork"] else None
        self.assertEqual([*reversed(found)], sessions[1:])
        self.verdict(log, None, session="c")

    def test_within_a_batch(self):
        """§3.3: a fork may cut a batch short, which is complete with it."""
        open_ = self.grow(self.grow(chain(START), "a", more=3), "a", more=2)
        for log in (open_, redact(open_, 2)):
            fork = self.fork(log, "demo", "child")
            self.assertEqual((answer(log)["head"]["seq"], answer(fork)["head"]["seq"], answer(fork)["torn"]), (0, 3, None))
            self.verdict(self.grow(fork, "a", fork=3), None, session="child")
            longer = self.fork(log, "demo", "child", more=5)
            self.assertEqual((answer(longer)["head"]["seq"], answer(longer)["session"]), (0, "demo"))
            self.verdict(self.grow(longer, "a", fork=3, more=1), "bad_entry", 5)
        for more in (0, 2, 3):
            self.verdict(self.grow(open_, "a", more=more), "bad_entry", 4)
        self.verdict(self.grow(self.grow(open_, "a", more=1), "a"), None)

    def test_fork(self):
        parent = write([user("a")], [user("b")])
        prev = Log(parent).hashes[-1]
        point = b'{"session":"demo","seq":2,"hash":"%s"}' % prev
        rest = b'"kind":"fork","seq":3,"ts":9,"session":"child","parent":%s}' % point
        fork = parent + b'{"hash":"%s","prev_hash":"%s",%s\n' % (hash_of(prev, rest), prev, rest)
        self.assertEqual((answer(parent)["session"], answer(fork)["session"]), ("demo", "child"))
        self.verdict(fork, "wrong_session", session="demo")
        state = json.loads(State(Log(fork)).json())
        self.assertEqual((state["session"], state["forked_from"]), ("child", json.loads(point)))
        self.assertEqual(answer(fork[:-1])["session"], "demo")


class Entries(Base):
    def rest(self, kind, *fields):
        return ",".join(['"kind":"%s","seq":1,"ts":1' % kind, *fields]) + "}"

    def test_checks_in_order(self):
        deep = lambda n: '"x":' + "[" * n + "]" * n
        self.entry(self.rest("a", deep(63)), None)
        self.entry(self.rest("a", deep(64)), "too_deep")
        self.entry(self.rest("a", deep(64), "x"), "too_deep")
        self.entry(self.rest("a", "x", deep(64)), "bad_json")
        self.entry(self.rest("a", '"x":' + '{"a":' * 63 + "1" + "}" * 63), None)
        self.entry(self.rest("a", '"x":' + '{"a":' * 64 + "1" + "}" * 64), "too_deep")
        for bad in ('"x":01', '"x":1.', '"x":+1', '"x":NaN', '"x":"\t"', '"x":"\\x"', '"x":"\\u12g4"', '"x":[1,]', '"x"', '"x":\r1',
                    '"x":1}', '"x":"\x00"', "'x':1", '"x":tru', "", '"x":1,'):
            self.entry(self.rest("a", bad), "bad_json")
        for good in ('"x":-0', '"x" :\t[ 1 , 2e5 ]', '"x":"\\ud800"', '"x":"\u2028\x7f"', '"x":{"a":1,"a":2,"\\u0061":3}', '"session":1'):
            self.entry(self.rest("a", good), None)
        self.entry(self.rest("a", '"\\u0061":1', '"b":1', '"b":1'), "bad_entry")
        self.entry(self.rest("a", '"b":1', '"b":1'), "duplicate_key")
        for name in ("hash", "prev_hash", "kind", "seq", "ts", "format", "digest"):
            self.entry(self.rest("a", '"%s":1' % name), "duplicate_key")
        self.entry('"kind":"a","seq":1,"ts":1,"salt":"AAAAAAAAAAA","salt":"AAAAAAAAAAA"}', "duplicate_key")
        self.entry(self.rest("a", '"x":1', '"salt":"AAAAAAAAAAA"'), "duplicate_key")
        self.entry(self.rest("a", '"x":1', '"more":1'), "duplicate_key")
        self.entry('"kind":"a","seq":1,"ts":1, "salt":"AAAAAAAAAAA"}', "duplicate_key")  # not the envelope's spelling
        self.entry(self.rest("user_input", '"id":1', '"id":1'), "duplicate_key")
        self.assertEqual(answer(chain(START[:-1] + ',"session":"x"}'))["entries"], {"code": "duplicate_key", "seq": 0})
        self.assertEqual(answer(chain(START[:-1] + ',"history":{}}'))["entries"], {"code": "bad_entry", "seq": 0})

    def test_types(self):
        item_id = lambda n: '"id":"%s"' % ("é" * n)
        good = [("user_input", '"item":null'), ("user_input", '"item":1', item_id(256)), ("user_input", '"id":null', '"item":1'),
                ("turn_end", '"turn":0'), ("run_started",), ("run_completed", '"result":"yielded"'), ("run_errored", '"message":""'),
                ("config_changed", '"config":null'), ("llm_usage", '"output_tokens":null'), ("extension", '"payload":1', '"domain":"d"'),
                ("state", '"state":[]'), ("replaced", '"history":[]'), ("compaction", '"summary":[1]', '"keep_last":0'),
                ("fork", '"session":"s"', '"parent":' + AFTER_START), ("truncated", '"keep":0'), ("unknown", '"item":1')]
        bad = [("user_input",), ("user_input", '"item":1', '"id":1'), ("tool_result", '"item":1', item_id(257)),
               ("tool_result", '"item":1', '"parent":"\\ud800"'), ("turn_end", '"turn":-1'), ("turn_end", '"turn":null'),
               ("turn_end", '"turn":1e3'), ("turn_end", '"turn":9007199254740992'), ("run_started", '"run":1'),
               ("run_completed", '"result":"done"'), ("run_errored",), ("llm_usage", '"output_tokens":"1"'), ("extension", '"domain":"d"'),
               ("replaced", '"history":{}'), ("compaction", '"summary":[]'), ("truncated", '"keep":1'),
               ("compaction", '"summary":[]', '"keep_last":1')]
        for kind, *fields in good:
            self.entry(self.rest(kind, *fields), None)
        for kind, *fields in bad:
            self.entry(self.rest(kind, *fields), "bad_entry")


class Fold(Base):
    def test_state(self):
        log = write(['{"kind":"session_start","history":[ 1 , {"a" : 2}],"system_prompt":"\\u00e9\\n","config":{"b": 1e400}}'], [
            user("a", '"id":"i\\u0001",'), '{"kind":"llm_usage","output_tokens":7,"history_len":null}', '{"kind":"turn_end","turn":3}',
            '{"kind":"extension","payload":"\u2028","domain":"d"}', '{"kind":"state","state":18446744073709551615}'],
            ['{"kind":"compaction","summary":["s"],"keep_last":2}', '{"kind":"unknown","x":1}', '{"kind":"run_errored","message":"m"}'])
        head = Log(log).head
        self.assertEqual(State(Log(log)).json().decode(), (
            '{"session":"demo","head":{"seq":8,"hash":"%s","bytes":%d},"system_prompt":"é\\n","config":{"b": 1e400},"history":['
            '{"kind":"summary","seq":6,"id":null,"parent":null,"item":"s"},{"kind":"initial","seq":0,"id":null,"parent":null,"item":{"a" : 2}},'
            '{"kind":"user_input","seq":1,"id":"i\\u0001","parent":null,"item":{"role":"user","content":"a"}}],"turns":3,"run":"errored",'
            '"usage":[{"seq":2,"history_len":null,"input_total_tokens":null,"cache_read_tokens":null,"cache_write_tokens":null,'
            '"output_tokens":7}],"extensions":[{"seq":4,"domain":"d","payload":"\u2028"}],"slice":18446744073709551615,'
            '"forked_from":null,"compacted_from":null,"withheld":0}') % (head["hash"], head["bytes"]))

    def test_truncated_and_replaced(self):
        log = write([user("a"), user("b"), user("c")], ['{"kind":"truncated","keep":1}'], ['{"kind":"run_completed","result":"paused"}'])
        state = json.loads(State(Log(log)).json())
        self.assertEqual([(h["seq"], h["item"]["content"]) for h in state["history"]], [(1, "a")])
        self.assertEqual(state["run"], "paused")
        log = write([user("a")], ['{"kind":"replaced","history":[1,2]}'], ['{"kind":"compaction","summary":[],"keep_last":0}'])
        self.assertEqual(json.loads(State(Log(log)).json())["history"], [])
        log = write([user("a")], ['{"kind":"truncated","keep":2}'])
        self.assertEqual(answer(log)["entries"], {"code": "bad_entry", "seq": 2})

    def test_partial_history(self):
        """§5: once an entry was redacted, there may be fewer items than were counted."""
        items = [user("a"), user("b")]
        for cut, left in [('{"kind":"truncated","keep":2}', ["b"]), ('{"kind":"truncated","keep":9}', ["b"]),
                          ('{"kind":"compaction","summary":[],"keep_last":2}', ["b"])]:
            state = json.loads(State(Log(redact(write(items, [cut]), 1))).json())
            self.assertEqual(([h["item"]["content"] for h in state["history"]], state["withheld"]), (left, 1))
        log = write(items, ['{"kind":"truncated","keep":3}'], [user("c")])
        self.assertEqual(answer(redact(log, 4))["entries"], {"code": "bad_entry", "seq": 3})  # redacted after it

    def test_restated(self):
        """What a start and a compaction say beside the history; null counts as absent."""
        start = '{"kind":"session_start","system_prompt":"a","config":1,"turns":2,"state":{ }}'

        def state(fields):
            state = json.loads(State(Log(write([start], ['{"kind":"compaction","summary":[],"keep_last":0%s}' % fields]))).json())
            return [state[name] for name in ("system_prompt", "config", "turns", "slice")]
        self.assertEqual(state(""), ["a", 1, 2, {}])
        self.assertEqual(state(',"system_prompt":null,"config":null,"turns":null,"state":null'), ["a", 1, 2, {}])
        self.assertEqual(state(',"system_prompt":"","config":false,"turns":0,"state":0'), ["", False, 0, 0])
        for bad in ('"turns":"1"', '"turns":-1', '"turns":1.0', '"system_prompt":1', '"system_prompt":"\\ud800"'):
            self.entry('"kind":"compaction","seq":1,"ts":1,"summary":[],"keep_last":0,%s}' % bad, "bad_entry")
            self.assertEqual(answer(chain(START[:-1] + ",%s}" % bad))["entries"], {"code": "bad_entry", "seq": 0})


class Drafts(Base):
    def test_written(self):
        log = write(['{ "config" : { "a" : 1 } , "kind":"session_start", "ts" : 7}', user()], ['{"z":1,"kind":"x","y":"\\u0041"}'])
        self.assertEqual(rests(log)[0], b'"kind":"session_start","seq":0,"format":1,"session":"demo","ts":7,"salt":"0000000000A","more":1,'
                                        b'"config":{ "a" : 1 }}')
        self.assertEqual(rests(log)[2], b'"kind":"x","seq":2,"ts":1760000000000,"salt":"0000000002A","z":1,"y":"\\u0041"}')
        log = write([user(), user(), user()], salts=None)
        self.assertEqual(len(rests(log)), 4)
        self.assertTrue(rests(log)[1].startswith(b'"kind":"user_input","seq":1,"ts":1760000000000,"more":2,"item"'))
        self.assertEqual(answer(write(session='a"é b'))["session"], 'a"é b')

    def test_refused(self):
        cases = [("[1]", "bad_json"), ('{"kind":"x"', "bad_json"), ('{"kind":"x"}\n', "bad_json"),
                 ('{"kind":"x","v":%s}' % ("[" * 64), "too_deep"), ('{"kind":"x","\\u0061":1}', "bad_entry"), ('{"kind":"x","a":1,"a":1}', "duplicate_key"),
                 ('{"kind":"x","kind":"x"}', "duplicate_key"), ("{}", "bad_entry"), ('{"kind":"X"}', "bad_entry"), ('{"kind":1}', "bad_entry"),
                 ('{"kind":"redacted"}', "bad_entry"), ('{"kind":"session_start"}', "bad_entry"), ('{"kind":"session_start","session":"a"}', "duplicate_key"),
                 ('{"kind":"x","ts":1.5}', "bad_entry"), ('{"kind":"turn_end"}', "bad_entry"), ('{"kind":"fork","session":"","parent":1}', "bad_entry"),
                 ('{"kind":"fork","session":"x","parent":%s}' % POINT, "bad_entry"), ('{"kind":null,"item":{"role":"user"}}', "bad_entry"),
                 ('{"item":1,"item":1}', "duplicate_key"), ('{"item":1,"id":1}', "bad_entry"), ('{"items":[]}', "bad_entry")]
        cases += [('{"kind":"x","%s":1}' % name, "duplicate_key") for name in
                  ("hash", "prev_hash", "seq", "fork", "salt", "more", "format", "digest")]
        for draft, code in cases:
            self.fails(code, write, [user()], [user(), draft], batch=1, index=1)
        with self.assertRaises(Fault) as caught:
            write(session="\n")
        self.assertEqual((caught.exception.code, caught.exception.place), ("invalid_id", {}))
        self.fails("too_large", write, [user()], [user()] * 4097, batch=1, index=4096)
        self.verdict(write([user()], [user()] * 4096), None)

    def test_items_tell_their_kind(self):
        """§4.2, rule by rule."""
        log = write(['{ "id":"x", "item" : {"role":"user"} , "ts":7}'])
        self.assertEqual(rests(log)[1], b'"kind":"user_input","seq":1,"ts":7,"salt":"0000000001A","id":"x","item":{"role":"user"}}')
        told = {
            "system_item": ['null', '"user"', '[{"role":"user"}]', '{}', '{"role":"system","type":"human"}', '{"type":"user"}', '{"type":"tool_use"}',
                            '{"role":"developer","type":"x_call"}', '{"function":{}}', '{"type":"tool_result"}', '{"type":"tool_use","id":1}',
                            '{"r\\u006fle":"user"}', '{"type":"","kind":"human"}', '{"content":[{"type":"tool_use","id":"c"}]}'],
            "tool_result": ['{"role":"user","content":[0,{"type":"tool_result","tool_use_id":""}]}', '{"role":"tool","content":0}', '{"kind":"tool"}',
                            '{"type":"x_call_output","call_id":"c","role":"system"}', '{"role":"assistant","content":[{"role":"tool","toolCallId":"c"}]}',
                            '{"type":"x_output"}', '{"role":"function"}', '{"role":"assistant","type":"tool-result","tool_call_id":"c"}'],
            "user_input": ['{"role":"user"}', '{"role":"human","type":"ai"}', '{"type":"human"}', '{"type":null,"kind":"human"}', '{"role":"","type":"human"}',
                           '{"role":"\\u0075ser","role":"ai"}', '{"role":"user","type":"tool_result","call_id":1}', '{"role":[],"type":"human"}',
                           '{"role":"user","content":{"type":"tool_result","call_id":"c"}}', '{"role":"user","content":[[{"type":"tool","call_id":"c"}]]}'],
            "assistant_item": ['{"role":"assistant"}', '{"role":"ai"}', '{"role":"model"}', '{"type":"ai"}', '{"kind":"reasoning"}', '{"type":"x_call"}',
                               '{"id":"","function":null}', '{"type":"toolCall","id":"c"}', '{"type":"tool-call","toolCallId":"c"}',
                               '{"type":"function","call_id":1,"id":"c"}'],
        }
        for kind, items in told.items():
            for item in items:
                self.assertEqual(verify.check_draft(b'{"item":%s}' % item.encode(), False)[0], kind, item)
                self.assertEqual(verify.check_draft(b'{"item":%s,"kind":"later"}' % item.encode(), False)[0], "later")


def index_of(spans, head, first_seq=0, version=1):
    """§6.2 from (compressed, raw, entries, earliest, latest, kinds)."""
    def varint(number):
        return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)
    body = varint(head["seq"]) + bytes.fromhex(head["hash"]) + varint(head["bytes"]) + varint(first_seq) + varint(len(spans))
    before = 0
    for compressed, raw, entries, earliest, latest, kinds in spans:
        delta = earliest - before
        body += varint(compressed) + varint(raw) + varint(entries) + varint(delta << 1 if delta >= 0 else (-delta << 1) - 1)
        body += varint(latest - earliest) + varint(kinds)
        before = earliest
    return bytes([version]) + zlib.crc32(body).to_bytes(4, "little") + body


def merge(spans):
    merged = []
    for i in range(0, len(spans), 2):
        pair = spans[i:i + 2]
        sums = [sum(span[field] for span in pair) for field in range(3)]
        merged.append((*sums, min(s[3] for s in pair), max(s[4] for s in pair), pair[0][5] | pair[-1][5]))
    return merged


def archive(log, block=262_144, index_max=verify.INDEX_BYTES_MAX, merges=0, change=lambda spans: spans, **index_options):
    """§6: an archive made by Python. A small `block` gives many spans."""
    parsed, deflated, spans, at = Log(log), b"", [], 0
    while at < len(parsed.entries):
        entries, raw, start = [], b"", parsed.entries[at].start
        begin = log.rfind(b"\n", 0, start) + 1
        while at < len(parsed.entries) and len(raw) < block:
            entries.append(parsed.entries[at])
            raw = log[begin:entries[-1].end + 1]
            at += 1
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = deflate.compress(raw) + deflate.flush(zlib.Z_FULL_FLUSH)
        times = [e.ts for e in entries if e.ts is not None]
        earliest = min(times) // 1000 if times else spans[-1][3] if spans else 0
        latest = -(-max(times) // 1000) if times else earliest
        kinds = 0
        for e in entries:
            kinds |= verify.kind_bit(e.kind)
        spans.append((len(packed), len(raw), len(entries), earliest, latest, kinds))
        deflated += packed
    while merges or len(index_of(spans, parsed.head)) > index_max:
        spans, merges = merge(spans), max(merges - 1, 0)
    index = index_of(change(spans), parsed.head, **index_options)
    header = bytes.fromhex("1f8b08040000000000ff") + (len(index) + 4).to_bytes(2, "little") + b"TK" + len(index).to_bytes(2, "little")
    return header + index + deflated + b"\x03\x00" + verify.trailer(log[:parsed.head["bytes"]])


class Archives(Base):
    log = write(*[[user("text %d " % i * (i % 7), '"ts":%d,' % (TS + i * 777))] * (1 + i % 3) for i in range(60)])

    def read(self, packed, last=()):
        return verify.read_archive(packed, {"reads": [{"last": n} for n in last]})

    def index_code(self, packed):
        return self.read(packed)["index"]["code"]

    def test_round_trip(self):
        lines = self.log.splitlines(keepends=True)
        for options in ({}, {"block": 1}, {"block": 900}, {"block": 900, "merges": 1}, {"block": 900, "merges": 9}, {"block": 1, "index_max": 500}):
            packed = archive(self.log, **options)
            self.assertEqual(gzip.decompress(packed), self.log)
            lasts = (0, 1, 2, 50, len(lines), 10_000)
            got = self.read(packed, lasts)
            self.assertEqual((got["code"], got["bytes"], got["index"]["code"], got["index"]["head"]), (None, len(self.log), None, Log(self.log).head))
            for n, read in zip(lasts, got["reads"]):
                tail = lines[max(len(lines) - n, 0):]
                self.assertEqual(read, {"last": n, "code": None, "first_seq": len(lines) - len(tail), "lines": len(tail),
                                        "sha256": hashlib.sha256(b"".join(tail)).hexdigest()})
        self.assertEqual(self.read(archive(self.log, block=1))["index"]["spans"], len(lines))
        self.assertEqual(self.read(archive(self.log, block=1, merges=1))["index"]["spans"], (len(lines) + 1) // 2)
        self.assertEqual(self.read(archive(self.log, merges=3))["index"]["spans"], 1)

    def test_last_reads_only_what_it_needs(self):
        packed = archive(self.log, block=1)
        read = []

        class Spy(io.BytesIO):
            def read(self, size=-1):
                read.append(size)
                return super().read(size)
        Archive(Spy(packed)).last(3)
        self.assertEqual(len(read), 1 + 3)
        spoiled = bytearray(packed)
        spoiled[Archive(io.BytesIO(packed)).spans[0].offset + 9] ^= 255
        got = self.read(bytes(spoiled), (3, 10_000))
        self.assertEqual((got["code"] in ("gzip_corrupt", "gzip_checksum"), got["index"]["code"]), (True, "gzip_corrupt"))
        self.assertEqual((got["reads"][0]["code"], got["reads"][1]["code"]), (None, "gzip_corrupt"))

    def test_big_index_merges(self):
        log = write([user()], *[[user(str(i))] for i in range(9000)], salts=None)
        packed = archive(log, block=1)
        got = Archive(io.BytesIO(packed))
        self.assertIn(len(got.spans), (4501, 2251))
        self.assertLessEqual(int.from_bytes(packed[14:16], "little"), verify.INDEX_BYTES_MAX)
        self.assertEqual(self.index_code(packed), None)

    def test_redacted_spans_have_no_time(self):
        log = redact(self.log, *range(20, 40))
        packed = archive(log, block=1)
        spans = Archive(io.BytesIO(packed)).spans
        self.assertEqual((spans[25].earliest, spans[25].latest, spans[25].kinds), (spans[19].earliest, spans[19].earliest, 1 << 17))
        for merges in range(4):
            self.assertEqual(self.index_code(archive(log, block=1, merges=merges)), None)

    def test_index_lies(self):
        def changed(field, by, at=1):
            def change(spans):
                return [tuple(v + by * (i == at and f == field) for f, v in enumerate(span)) for i, span in enumerate(spans)]
            return self.index_code(archive(self.log, block=900, change=change))
        self.assertEqual([changed(field, 1) for field in (0, 1, 2)], ["gzip_truncated", "bad_index", "bad_index"])
        self.assertEqual([changed(field, -1) for field in (0, 1, 2)], ["bad_index"] * 3)
        self.assertEqual((changed(5, 1 << 18), changed(4, 1), changed(4, -1)), (None, None, None))  # no evidence
        for field, by, covers in [(5, 1 << 18, True), (4, 1, True), (4, -1, False), (5, -1, False)]:
            lie = lambda spans: [tuple(v + by * (f == field) for f, v in enumerate(span)) for span in spans]
            self.assertEqual(self.read(archive(self.log, block=900, change=lie))["index"]["covers"], covers)

        def swap(field):
            return lambda spans: [s[:field] + (s[field] + (1, -1)[i],) + s[field + 1:] if i < 2 else s for i, s in enumerate(spans)]
        for field in (0, 1, 2):  # sums agree, the streams do not
            got = self.read(archive(self.log, block=900, change=swap(field)))
            self.assertEqual((got["code"], got["index"]["code"]), (None, "gzip_corrupt"))
        self.assertEqual(self.index_code(archive(self.log, first_seq=1)), "bad_index")
        self.assertEqual(self.index_code(archive(self.log, version=2)), "unsupported_version")
        self.assertEqual(self.index_code(archive(self.log, version=0)), "bad_index")
        packed = bytearray(archive(self.log))
        packed[30] ^= 1
        got = self.read(bytes(packed))
        self.assertEqual((got["code"], got["index"]), (None, {"code": "bad_index"}))

    def test_damage(self):
        packed, harmless = archive(self.log, block=2000), 0
        for at in range(len(packed)):
            spoiled = bytearray(packed)
            spoiled[at] ^= 1 << (at % 8)
            got = self.read(bytes(spoiled))  # padding bits of deflate may change: then the log is still the log
            found = got["code"] or got["index"]["code"]
            self.assertTrue(found or got["sha256"] == hashlib.sha256(self.log).hexdigest(), at)
            harmless += not found
        self.assertLess(harmless, 20)
        for size in range(0, len(packed), 7):
            got = self.read(packed[:size])
            self.assertEqual((got["code"], got["index"]["code"]), ("gzip_truncated", "gzip_truncated"))
        self.assertEqual(self.index_code(gzip.compress(self.log)), "no_index")

    def test_header_spelling(self):
        packed = archive(self.log, block=2000)
        index_end = 16 + int.from_bytes(packed[14:16], "little")
        tail, field = packed[index_end:], packed[12:index_end]

        def code(start, extra):
            got = self.read(bytes.fromhex(start) + len(extra).to_bytes(2, "little") + extra + tail)
            self.assertEqual((got["code"], got["sha256"]), (None, hashlib.sha256(self.log).hexdigest()))
            return got["index"]["code"]
        ours, other = "1f8b08040000000000ff", b"ZZ\3\0abc"
        self.assertEqual(code(ours, field), None)
        for start in ("1f8b08050000000000ff", "1f8b08040100000000ff", "1f8b08040000000002ff", "1f8b0804000000000003"):
            self.assertEqual(code(start, field), "bad_index")
        for extra in (other + field, field + other, field + b"\0", b"TK\0\0"):
            self.assertEqual(code(ours, extra), "bad_index")
        for extra in (b"", other, b"tk" + field[2:], b"TK\xff\xff"):
            self.assertEqual(code(ours, extra), "no_index")
        self.assertEqual(self.index_code(packed + b"\0"), "bad_index")
        self.assertEqual(self.read(packed + b"\0")["code"], "trailing_data")
        got = self.read(packed[:-1] + b"\x77")  # the checksum belongs to no span
        self.assertEqual((got["code"], got["index"]["code"]), ("gzip_checksum", None))

    def test_log_inside_must_verify(self):
        bad = self.log.replace(b"text 1", b"text x", 1)
        good = archive(self.log)
        spoiled = bytearray(archive(bad)) if Log(bad).fault is None else None
        self.assertIsNone(spoiled)  # the chain finds it already
        self.assertEqual(self.index_code(good), None)
        at = good.index(bytes.fromhex(Log(self.log).head["hash"]))
        index_end = 16 + int.from_bytes(good[14:16], "little")
        index = bytearray(good[16:index_end])
        index[at - 16] ^= 1
        index[1:5] = zlib.crc32(index[5:]).to_bytes(4, "little")
        self.assertEqual(self.index_code(good[:16] + bytes(index) + good[index_end:]), "bad_index")


class Gzip(Base):
    def test_foreign(self):
        raw = b"some lines\n" * 100
        member = gzip.compress(raw)
        body = member[10:]
        self.assertEqual(verify.gunzip(member * 3), raw * 3)
        head = bytes([0x1F, 0x8B, 8, 4 | 8 | 16 | 2, 1, 2, 3, 4, 0, 3]) + b"\x03\0abc" + b"name\0" + b"comment\0"
        full = head + (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little") + body
        self.assertEqual(verify.gunzip(full), raw)
        self.fails("gzip_corrupt", verify.gunzip, head + b"\0\0" + body)
        self.fails("gzip_corrupt", verify.gunzip, member[:3] + b"\x20" + member[4:])
        for size in range(3, len(full)):
            self.fails("gzip_truncated", verify.gunzip, full[:size])
        for bad in (b"P", b"\x1f\x8c", b"PK\3\4", b"\x1f\x8b\7" + member[3:]):
            self.fails("not_gzip", verify.gunzip, bad)
            self.fails("trailing_data", verify.gunzip, member + bad)
        for start in (b"\x1f", b"\x1f\x8b", b"\x1f\x8b\x08"):  # they may go on
            self.fails("gzip_truncated", verify.gunzip, start)
            self.fails("gzip_truncated", verify.gunzip, member + start)
        self.fails("gzip_truncated", verify.gunzip, b"")
        self.fails("trailing_data", verify.gunzip, member + b"\0")
        self.fails("gzip_checksum", verify.gunzip, member[:-1] + b"\1")
        self.fails("gzip_checksum", verify.gunzip, member[:-5] + b"\1" + member[-4:])
        self.fails("gzip_corrupt", verify.gunzip, member[:10] + b"\xff" + member[11:])

    def test_limits(self):
        member = gzip.compress(b"x" * 1000)
        self.assertEqual(len(verify.gunzip(member, 1000)), 1000)
        self.fails("output_limit", verify.gunzip, member, 999)
        self.assertEqual(len(verify.gunzip(gzip.compress(bytes(1 << 20)), 1 << 30)), 1 << 20)
        self.fails("output_limit", verify.gunzip, gzip.compress(bytes((1 << 20) + 1)), 1 << 30)
        self.fails("output_limit", verify.gunzip, gzip.compress(bytes(1000)) + b"junk", 999)  # the limit comes first
        log = write([user("x" * 3_000_000)])
        self.assertEqual(verify.gunzip(archive(log)), log)  # bounded by its index instead
        self.fails("trailing_data", verify.gunzip, archive(log) + b"x")  # whatever the file's length
        self.fails("gzip_truncated", verify.gunzip, archive(log)[:-1])
        self.fails("output_limit", verify.gunzip, archive(log) + archive(log))
        self.fails("output_limit", verify.gunzip, gzip.compress(log))


class Keys(Base):
    def test_keys(self):
        for raw, form in [("demo", "demo"), ("A b", "%41%20b"), ("é", "%c3%a9"), ("a/../b", "a%2f%2e%2e%2fb"), ("con", "%63on"), ("CON", "%43%4f%4e"),
                          ("com0", "com0"), ("lpt9", "%6cpt9"), ("con-", "con-"), ("%", "%25"), ("x" * 128, "x" * 128), ("é" * 33, "%c3%a9" * 33)]:
            self.assertEqual((verify.encode_id(raw), verify.decode_key(form)), (form, raw))
        for raw in ("", "a\n", "\x7f", "\x85", "x" * 129, "é" * 34, "\ud800", b"\xff", b"\xed\xa0\x80"):
            self.fails("invalid_id", verify.encode_id, raw)
        for form in ("", "con", "A", "%41%", "%4", "%4A", "%61", "é", "%ff", "%63om", "a.jsonl", "%0a", "%c3", "\ud800", "x" * 129):
            self.fails("invalid_id", verify.decode_key, form)


class Runner(Base):
    def run_vectors(self, files):
        with tempfile.TemporaryDirectory() as root:
            for name, content in files.items():
                path = pathlib.Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
            with contextlib.redirect_stdout(io.StringIO()) as out:
                code = verify.main(["vectors", root])
            return code, out.getvalue().splitlines()

    def test_all_areas(self):
        log = Chain.log
        packed = archive(log, block=500)
        drafts = {"session": "demo", "ts": TS, "salts": SALTS[:3], "batches": [[user("a"), user("b")]]}
        files = {
            "log/a.jsonl": log, "log/a.expected.json": answer(log), "log/b.recipe.json": [{"hex": "0a", "repeat": 2}, {"text": "x"}],
            "log/b.expected.json": {"verify": {"code": "bad_line", "line": 1, "offset": 0, "seq": 0}, "head": None, "torn": None},
            "state/a.jsonl": log, "state/a.expected.json": {"state": State(Log(log)).json().decode()},
            "draft/a.json": drafts, "draft/a.expected.json": {"log": write([user("a"), user("b")]).decode()},
            "draft/b.json": drafts | {"batches": [["{}"]]}, "draft/b.expected.json": {"code": "bad_entry", "batch": 0, "index": 0},
            "archive/a.jsonl.gz": packed, "archive/a.expected.json": Archives().read(packed, (1, 3)),
            "gzip/a.gz": gzip.compress(b"abc"), "gzip/a.expected.json": {"output_max": 2, "code": "output_limit"},
            "key/a.json": {"id": "A"}, "key/a.expected.json": {"key": "%41"}, "key/b.json": {"id_hex": "ff"},
            "key/b.expected.json": {"code": "invalid_id"}, "key/c.json": {"key": "%41"}, "key/c.expected.json": {"id": "A"}}
        code, out = self.run_vectors(files)
        self.assertEqual((code, out[-1], len(out)), (0, "10 passed, 0 failed", 7), out)
        for change in ({"key/a.expected.json": {"key": "%42"}}, {"key/x.json": {"id": "A"}}, {"key/x.expected.json": {"code": None}}, {"odd/x": {}},
                       {"README.md": {}}, {"key/a.expected.json": {}}, {"log/a.expected.json": b"{"}, {"key/a.json": b"{"},
                       {"log/a.recipe.json": []}, {"key/sub/a.json": {}}, {"key/a.expected.json": {"key": "%41", "colour": 1}},
                       {"log/a.expected.json": {"verify": {"code": None, "line": 1}}}):
            code, out = self.run_vectors(files | change)
            self.assertEqual((code, out[-1][-8:]), (1, "1 failed"), change)
        self.assertEqual(self.run_vectors({})[0], 1)

    def test_commands(self):
        with tempfile.TemporaryDirectory() as root, contextlib.redirect_stdout(io.StringIO()):
            path, packed = pathlib.Path(root, "x.jsonl"), pathlib.Path(root, "x.jsonl.gz")
            self.assertEqual(verify.main(["write", str(path)]), 0)
            log = path.read_bytes()
            self.assertEqual(verify.main(["log", str(path)]), 0)
            path.write_bytes(log[:-1])
            self.assertEqual(verify.main(["log", str(path)]), 21)
            path.write_bytes(log.replace(b"Hello", b"hello"))
            self.assertEqual(verify.main(["log", str(path)]), 20)
            packed.write_bytes(archive(log))
            self.assertEqual(verify.main(["archive", str(packed)]), 0)
            packed.write_bytes(archive(log)[:-3])
            self.assertEqual(verify.main(["archive", str(packed)]), 20)


if __name__ == "__main__":
    unittest.main()
