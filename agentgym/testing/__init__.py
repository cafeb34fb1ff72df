"""For authors of environments: the release gate (`agentgym audit` is the same) and the checks that it is made of."""

from agentgym.testing.audit import check_environment as check_environment
from agentgym.testing.report import AuditReport as AuditReport
from agentgym.testing.report import Tally as Tally

__all__ = ["AuditReport", "Tally", "check_environment"]
