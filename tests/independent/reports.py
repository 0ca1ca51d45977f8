#!/usr/bin/env python3
"""What verify.py says of many files, one line of JSON for each:   reports.py (log | gzip | archive) FOLDER"""
import io
import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import verify
from verify import attempt


def gzip(data):
    content, fault = attempt(verify.gunzip, data)
    return {"code": fault.code} if fault else {"code": None, "sha256": verify.summary(content)["sha256"]}


def archive(data):
    """Sound: its index and each span hold, its log verifies up to the index's head, and any reader gets the same."""
    index, log = verify.report_archive(io.BytesIO(data))
    whole, fault = attempt(verify.gunzip, data)
    is_sound = log and not index["code"] and not fault and log.data == whole and not log.verdict()
    if not is_sound or log.torn or log.head != index["head"]:
        return {"code": "unsound"}
    return {"code": None, "sha256": verify.summary(log.data)["sha256"]}


SORTS = {"log": lambda data: verify.read_log(data, {}), "gzip": gzip, "archive": archive}


def main(sort, folder):
    for path in sorted(pathlib.Path(folder).iterdir()):
        print(json.dumps(SORTS[sort](path.read_bytes())))


if __name__ == "__main__":
    main(*sys.argv[1:])
