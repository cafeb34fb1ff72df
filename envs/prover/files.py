"""Problems from files that the user has, one .v a problem: miniF2F and PutnamBench in Coq form. Ships none of them.

A file is imports and definitions, then `Theorem name : statement. Proof. Admitted.`: the last theorem without a proof is
the problem, all before it the header.  Whether Coq has the libraries that a header requires is seen when it is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agentgym.envs.prover.coq.library import STATED
from agentgym.envs.prover.sentences import split
from agentgym.envs.prover.tasks import ENV
from agentgym.errors import TaskError
from agentgym.tasks import SPLITS, Task, TaskList

CLASSICAL = (
    *("classic", "Classical_Prop.classic", "functional_extensionality_dep"),
    *("FunctionalExtensionality.functional_extensionality_dep", "ClassicalDedekindReals.sig_forall_dec"),
    *("ClassicalDedekindReals.sig_not_dec", "propositional_extensionality", "proof_irrelevance"),
)
"""What a proof about the reals may rest on, as Coq names it: the axioms of the library's own classical reals."""
_OPEN_ENDS = ("Admitted.", "Abort.")


def load(folder: Path, split_name: str = "test", allowed: Sequence[str] = CLASSICAL) -> TaskList:
    """A task for every .v file of `folder`, by its name. Raises TaskError naming the file that holds no problem."""
    if split_name not in SPLITS:
        raise TaskError(f"no split {split_name!r}: there are {', '.join(SPLITS)}")
    paths = sorted(folder.glob("*.v"))
    if not paths:
        raise TaskError(f"{folder} holds no .v files")
    return TaskList([_task(path, split_name, allowed) for path in paths], version="files")


def _task(path: Path, split_name: str, allowed: Sequence[str]) -> Task:
    try:
        text = path.read_text("utf-8")
        sentences = split(text)
    except (OSError, ValueError) as error:
        raise TaskError(f"{path}: {error}") from None
    texts = [sentence.text for sentence in sentences]
    for number in range(len(texts) - 1, -1, -1):
        stated = STATED.match(texts[number])
        after = [text for text in texts[number + 1 :] if text != "Proof."]
        if stated and after[:1] and after[0] in _OPEN_ENDS:
            payload = {
                "module": f"Problems.{stated[1]}",
                "name": stated[1],
                "header": text[: sentences[number].start],
                "statement": texts[number],
            }
            return Task(path.stem, ENV, payload, {"assumptions": list(allowed)}, split_name, ("file",))
    raise TaskError(f"{path}: no theorem that ends with {' or '.join(_OPEN_ENDS)} after its statement")
