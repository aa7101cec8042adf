"""A real API server for the tests that ask one."""

import itertools
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "bench"), str(HERE.parent / "e2e"), str(HERE.parent / "support")]

import chart  # noqa: E402
from certificates import Authority  # noqa: E402
from stack.control_plane import ControlPlane  # noqa: E402

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def api(tmp_path_factory):
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
    from release import Release  # skips what needs it where there is no API server
    release = Release(api, f"test-{next(NUMBERS)}")
    yield release
    subprocess.run([chart.need("helm"), "--kubeconfig", f"{api.directory}/kubeconfig", "-n", release.namespace, "uninstall", "ampari"], capture_output=True)
