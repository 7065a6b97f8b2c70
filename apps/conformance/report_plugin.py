# A pytest plugin: one line of JSON per test, written as each ends, to the file that DRYDOCK_REPORT names.
import json
import os

_worst = {}


def pytest_runtest_logreport(report):
    outcome = _worst.get(report.nodeid, ("passed", ""))
    if report.outcome == "skipped":
        # (file, line, reason) of a skip; an expected failure has its reason elsewhere.
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else getattr(report, "wasxfail", "")
        outcome = ("skipped", reason)
    elif report.outcome == "failed":
        crash = getattr(report.longrepr, "reprcrash", None)
        outcome = ("failed", f"{report.when}: {crash.message if crash else report.longrepr}")
    _worst[report.nodeid] = outcome
    if report.when == "teardown":
        with open(os.environ["DRYDOCK_REPORT"], "a") as out:
            line = {"id": report.nodeid, "outcome": outcome[0], "detail": str(outcome[1])[:2000]}
            out.write(json.dumps(line) + "\n")
