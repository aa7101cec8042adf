"""Skips, by name, what needs a Helm or an API server that is not here."""

import itertools
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "bench"), str(HERE.parent / "e2e"), str(HERE.parent / "support")]

import chart  # noqa: E402
from certificates import Authority  # noqa: E402
from release import Release  # noqa: E402
from stack.control_plane import ControlPlane, unavailable_reason  # noqa: E402

NUMBERS = itertools.count()


@pytest.fixture
def helm():
    return chart.need("helm")


@pytest.fixture(scope="session")
def api(tmp_path_factory):
    chart.need("helm")
    missing = unavailable_reason()
    if missing:
        pytest.skip(missing)
    directory = tmp_path_factory.mktemp("api")
    authority = Authority(directory)
    issued = authority.issue("api")
    control = ControlPlane(directory, (issued.cert, issued.key), authority.ca)
    control.start()
    control.kubeconfig(directory / "kubeconfig")
    yield control
    control.stop()


@pytest.fixture
def release(api):
    release = Release(api, f"test-{next(NUMBERS)}")
    yield release
    subprocess.run([chart.need("helm"), "--kubeconfig", f"{api.directory}/kubeconfig", "-n", release.namespace, "uninstall", "ampari"], capture_output=True)
