"""The image, built twice and unpacked once."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from stack.programs import BUILD  # noqa: E402

EPOCH = 1_700_000_000
PROGRAMS = ("ampari-forwarder", "ampari-gateway")


class Image:
    """What script/image wrote, and what it said."""

    def __init__(self, output, programs, said):
        self.output, self.programs, self.said = output, programs, said
        self.layout = output / "oci"
        self.digest = (output / "digest").read_text().strip()

    def blob(self, digest):
        return (self.layout / "blobs" / digest.replace(":", "/")).read_bytes()


def copy_programs(directory):
    directory.mkdir(parents=True)
    for name in PROGRAMS:
        shutil.copyfile(BUILD / name.removeprefix("ampari-") / name, directory / name)
        (directory / name).chmod(0o755)
    return directory


def run_script(script, programs, *arguments, **environment):
    """What script/image prints."""
    done = subprocess.run([script, "--programs", programs, *arguments], capture_output=True, text=True,
                          env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout


def build(script, programs, output, **environment):
    said = run_script(script, programs, "--output", output, "--revision", "0123abcd", "--label", "licenses=MIT", **environment)
    return Image(output, programs, said)


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
