"""Skips, by name, what needs a Helm that is not here."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import chart  # noqa: E402


@pytest.fixture
def helm():
    return chart.need("helm")
