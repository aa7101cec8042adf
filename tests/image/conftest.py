"""The image, built twice and unpacked once."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "bench")]

from image_build import ROOT, build, copy_programs  # noqa: E402


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    directory = tmp_path_factory.mktemp("image")
    return build(ROOT / "script/image", copy_programs(directory / "programs"), directory / "output")


@pytest.fixture(scope="session")
def image_from_elsewhere(tmp_path_factory):
    """The same sources and programs at other paths, made later, by somebody with other habits."""
    directory = tmp_path_factory.mktemp("elsewhere")
    (directory / "tree/script").mkdir(parents=True)
    shutil.copy(ROOT / "script/image", directory / "tree/script/image")
    shutil.copyfile(ROOT / "CMakeLists.txt", directory / "tree/CMakeLists.txt")
    before = os.umask(0o077)
    try:
        return build(directory / "tree/script/image", copy_programs(directory / "a/b/c"), directory / "out/put",
                     TZ="Pacific/Auckland", LC_ALL="C.UTF-8", HOME="/nowhere")
    finally:
        os.umask(before)


@pytest.fixture(scope="session")
def rootfs(image, tmp_path_factory):
    """Unpacked by a program that is not ours."""
    if shutil.which("umoci") is None:
        pytest.skip("umoci is not installed: script/bootstrap does it")
    bundle = tmp_path_factory.mktemp("bundle") / "bundle"
    rootless = [] if os.geteuid() == 0 else ["--rootless"]
    tag = image.said.split("oci:", 1)[1].split()[0]
    done = subprocess.run(["umoci", "unpack", *rootless, "--image", f"{image.layout}:{tag}", bundle], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return bundle / "rootfs"
