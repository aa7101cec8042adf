"""Builds of the image for its tests."""

import os
import pathlib
import shutil
import subprocess

from stack.programs import BUILD

ROOT = pathlib.Path(__file__).resolve().parents[2]
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
