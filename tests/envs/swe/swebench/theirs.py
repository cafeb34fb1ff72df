"""swebench's own grader behind a pipe. Run by the interpreter of its virtual environment; imports nothing of ours.

Reads one JSON object from standard input, answers with one: {"grade": [...], "parse": [...], "check": [...]}.
With --whole the package is imported as it is, else without `swebench.harness`'s own imports (docker, modal, datasets),
which grading does not use: the modules that grade and parse are the installed ones either way.
"""

import json
import os
import sys
import tempfile
import types


def harness(whole):
    if not whole:
        import swebench

        package = types.ModuleType("swebench.harness")
        package.__path__ = [os.path.join(swebench.__path__[0], "harness")]
        sys.modules["swebench.harness"] = package
    from swebench.harness import grading

    return grading


def spec_of(instance, whole):
    if whole:
        from swebench.harness.utils import make_test_spec

        return make_test_spec(instance)
    from swebench.types import TestSpec

    lists = {name: json.loads(instance[name]) for name in ("FAIL_TO_PASS", "PASS_TO_PASS")}
    plain = {name: instance[name] for name in ("instance_id", "image", "repo", "version", "log_parser", "eval_type")}
    return TestSpec(eval_script_list=[], **plain, **lists)


def grade(grading, instance, prediction, log, whole):
    with tempfile.NamedTemporaryFile("w", suffix=".txt", newline="", encoding="utf-8") as file:
        file.write(log)
        file.flush()
        try:
            spec = spec_of(instance, whole)
            report = grading.get_eval_report(spec, prediction, file.name, True)
            return {"report": report[prediction["instance_id"]], "script": spec.eval_script if whole else None}
        except Exception as error:
            return {"error": repr(error)}


def parse(parser, log):
    from swebench.harness.log_parsers import PARSER_REGISTRY

    try:
        return {"statuses": list(PARSER_REGISTRY[parser](log, None).items())}
    except Exception as error:
        return {"error": repr(error)}


def check(folder):
    from swebench.task.checks import check_task_repo
    from swebench.task.repo import load_task_repo

    return {"problems": [str(each) for each in check_task_repo(folder)], "instances": load_task_repo(folder)}


if __name__ == "__main__":
    asked, whole = json.load(sys.stdin), "--whole" in sys.argv
    grading = harness(whole)
    answer = {
        "grade": [grade(grading, *each, whole) for each in asked.get("grade", [])],
        "parse": [parse(*each) for each in asked.get("parse", [])],
        "check": [check(each) for each in asked.get("check", [])],
    }
    json.dump(answer, sys.stdout)
