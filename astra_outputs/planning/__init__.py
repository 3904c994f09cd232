"""How large the tables become, how long they take to fill, and when one machine is not enough."""

from astra_outputs.planning.plan import Plan, Wanted, plan

__all__ = ["Plan", "Wanted", "plan"]
