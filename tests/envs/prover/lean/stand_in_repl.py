#!/usr/bin/env python3
"""A stand-in for the Lean REPL, which no registry here has. It is not Lean: it knows conjunctions of True and four tactics.

It speaks the REPL's protocol (commands with environments, proof states that never change, messages, sorries) for one
language: `theorem NAME : True ∧ True := by`, proved by `constructor`, `trivial`, `exact h`, `skip`; `cheat` closes any goal
by an axiom, `forget` leaves a sorry.  Some words do what a real Lean may: `loop`, `die`, `babble`.
"""

import json
import os
import re
import sys
import time

THEOREM = re.compile(r"theorem (\S+) : (.+?) := by\s*(.*)\Z", re.DOTALL)
environments, states = [], []


def goals_of(statement):
    return [f"h : True\n⊢ {statement}"]


def run(goals, tactic, notes):
    """The goals after one tactic, or an error."""
    if not goals:
        raise ValueError("no goals to be proved")
    head, rest = goals[0], goals[1:]
    conclusion = head.rpartition("⊢ ")[2]
    if tactic == "constructor" and "∧" in conclusion:
        return [
            f"case {side}\nh : True\n⊢ {part}"
            for side, part in zip(("left", "right"), conclusion.split(" ∧ ", 1), strict=True)
        ] + rest
    if tactic in ("trivial", "exact h") and conclusion == "True":
        return rest
    if tactic == "skip":
        return goals
    if tactic == "cheat":
        notes["axioms"].add("cheating")
        return rest
    if tactic == "choose":
        notes["axioms"].add("Classical.choice")
        return rest
    if tactic == "forget":
        notes["sorries"].append(head)
        return rest
    if tactic == "loop":
        while True:
            pass
    if tactic == "die":
        os._exit(3)
    if tactic == "babble":
        sys.stdout.write("{this is no JSON\n\n")
        sys.stdout.flush()
        time.sleep(60)
    raise ValueError(f"tactic '{tactic.splitlines()[0]}' failed, nested error:\n{conclusion}")


def message(severity, data):
    return {"severity": severity, "pos": {"line": 1, "column": 0}, "endPos": None, "data": data}


def command(text, env):
    known = dict(environments[env]) if env is not None else {}
    messages, sorries = [], []
    for line in [line for line in text.splitlines() if line.startswith("import ")]:
        if line != "import Mathlib":
            messages.append(message("error", f"unknown module prefix '{line[7:]}'"))
    if printed := re.fullmatch(r"#print axioms (\S+)", text.strip()):
        axioms = known.get(printed[1])
        if axioms is None:
            messages.append(message("error", f"unknown constant '{printed[1]}'"))
        else:
            rests = f"depends on axioms: [{', '.join(sorted(axioms))}]" if axioms else "does not depend on any axioms"
            messages.append(message("info", f"'{printed[1]}' {rests}"))
    elif found := THEOREM.search(text):
        name, statement, body = found.groups()
        goals, notes = goals_of(statement), {"axioms": set(), "sorries": []}
        if body.strip() == "sorry":
            states.append(goals)
            sorries.append({"pos": {"line": 1, "column": 0}, "goal": goals[0], "proofState": len(states) - 1})
        else:
            try:
                for tactic in body.strip().split("\n  "):
                    goals = run(goals, tactic.strip(), notes)
                if goals:
                    messages.append(message("error", "unsolved goals\n" + "\n".join(goals)))
            except ValueError as error:
                messages.append(message("error", str(error)))
            sorries += [{"pos": None, "goal": each} for each in notes["sorries"]]
        known[name] = set() if messages else notes["axioms"]  # as Lean does: what failed rests on nothing
    elif "nonsense" in text:
        messages.append(message("error", "unexpected identifier; expected command"))
    environments.append(known)
    return {"env": len(environments) - 1, "messages": messages, "sorries": sorries}


def tactic(text, number):
    if not 0 <= number < len(states):
        return {"message": "Unknown proof state."}
    notes = {"axioms": set(), "sorries": []}
    try:
        goals = run(states[number], text, notes)
    except ValueError as error:
        return {"message": f"Lean error:\n{error}"}
    states.append(goals)
    status = (
        "Incomplete: contains sorry" if notes["sorries"] else "Incomplete: open goals remain" if goals else "Completed"
    )
    return {"proofState": len(states) - 1, "goals": goals, "proofStatus": status}


def main():
    asked = ""
    for line in sys.stdin:
        if line.strip():
            asked += line
            continue
        request, asked = json.loads(asked), ""
        if "tactic" in request:
            answer = tactic(request["tactic"], request["proofState"])
        else:
            answer = command(request["cmd"], request.get("env"))
        print(json.dumps(answer, ensure_ascii=False) + "\n", flush=True)


if __name__ == "__main__":
    main()
