"""What Coq's programs are called, by version."""

from agentgym.envs.prover.coq.programs import chosen

DEBIAN = "coqc\ncoqchk\ncoqidetop\ncoqidetop.opt\ncoqtop\n\n8.16.1 4.13.1\n"
ROCQ = "coqidetop\nrocq\nrocqchk\n\n9.0.0 4.14.1\n"


def test_names():
    coq, rocq = chosen(DEBIAN), chosen(ROCQ)
    assert (coq.ide, coq.top, coq.compile, coq.check) == (("coqidetop.opt",), ("coqtop",), ("coqc",), ("coqchk",))
    assert (rocq.ide, rocq.top, rocq.compile) == (("coqidetop",), ("rocq", "top"), ("rocq", "compile"))
    assert rocq.check == ("rocqchk",) and (coq.version, rocq.version) == ("8.16.1", "9.0.0")


def test_nothing_there():
    assert chosen("\n\n") is None and chosen("coqc\n\n8.16.1") is None and chosen("") is None
