"""The checks of the truth table, by subject, in the order in which they are shown."""

from __future__ import annotations

from pipelines.demo.checks.account import ACCOUNT
from pipelines.demo.checks.care import CARE
from pipelines.demo.checks.check import Check
from pipelines.demo.checks.feeds import FEEDS
from pipelines.demo.checks.money import MONEY
from pipelines.demo.checks.northgate import NORTHGATE
from pipelines.demo.checks.people import PEOPLE

CHECKS: tuple[Check, ...] = (*PEOPLE, *CARE, *MONEY, *ACCOUNT, *NORTHGATE, *FEEDS)
