"""script/image: what it holds, that it is the same each time, and that its programs run in it with nothing else."""

import json
import os
import pathlib
import re
import shlex
import shutil
import ssl
import stat
import subprocess

import pytest
import yaml
from image_build import PROGRAMS, ROOT, run_script
from stack.process import PATIENCE, Process, fetch, free_port, wait_until
from stack.programs import BUILD, Region

MAX_PACKED_MB = 32
USER = 65532


def files_of(rootfs):
    return sorted(p for p in rootfs.rglob("*"))


def test_two_builds_have_one_digest(image, image_from_elsewhere):
    assert image.digest == image_from_elsewhere.digest and re.fullmatch(r"sha256:[0-9a-f]{64}", image.digest)
    assert (image.output / "ampari.tar").read_bytes() == (image_from_elsewhere.output / "ampari.tar").read_bytes()


def test_the_configuration(image):
    (manifest,) = json.loads((image.layout / "index.json").read_text())["manifests"]
    assert manifest["digest"] == image.digest and manifest["platform"]["os"] == "linux"
    described = json.loads(image.blob(image.digest))
    config = json.loads(image.blob(described["config"]["digest"]))
    assert config["config"]["User"] == f"{USER}:{USER}" and config["created"] == "2023-11-14T22:13:20Z"
    assert config["config"]["Env"] == ["PATH=/usr/bin"] and not {"Entrypoint", "Cmd"} & set(config["config"])
    version = re.search(r"project\(ampari VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in config["config"]["Labels"].items()}
    assert labels["title"] == "Ampari" and (labels["version"], labels["revision"], labels["licenses"]) == (version, "0123abcd", "MIT")
    assert len(config["rootfs"]["diff_ids"]) == len(described["layers"]) == 2


def test_size(image):
    packed = sum(f.stat().st_size for f in (image.layout / "blobs").rglob("*") if f.is_file()) / 1e6
    print(image.said)
    assert packed < MAX_PACKED_MB, f"{packed:.1f} MB"


def test_nothing_but_the_programs_can_be_run(rootfs):
    assert sorted(p.name for p in (rootfs / "usr/bin").iterdir()) == list(PROGRAMS)
    names = {p.name for p in files_of(rootfs) if not p.is_dir()}
    assert not names & {"sh", "bash", "dash", "ash", "busybox", "env", "perl", "python3", "apt", "dpkg-query", "curl", "openssl"}
    elf = [p for p in files_of(rootfs) if p.is_file() and not p.is_symlink() and p.read_bytes()[:4] == b"\x7fELF"]
    loaders = [p for p in elf if p.name not in PROGRAMS and ".so" not in p.name]
    assert len(elf) > 20 and not loaders, loaders


def test_owners_and_modes(rootfs):
    writable = {"tmp": 0o1777, "var/tmp": 0o1777}
    own = {"home/nonroot", "var/lib/ampari"}
    for path in files_of(rootfs):
        name, status = str(path.relative_to(rootfs)), path.lstat()
        assert not status.st_mode & (stat.S_ISUID | stat.S_ISGID), f"{name}: {status.st_mode:o}"
        if path.is_symlink():
            target = path.resolve()
            assert not os.readlink(path).startswith("/") and target.exists() and target.is_relative_to(rootfs), name
            continue
        assert stat.S_IMODE(status.st_mode) == writable[name] if name in writable else not status.st_mode & 0o022, name
        if os.geteuid() == 0:
            assert status.st_uid == status.st_gid == (USER if name in own else 0), name


def test_no_trace_of_where_it_was_built(rootfs):
    folders = ("build", "common", "forwarder", "gateway", "proto")  # the root itself may be as short as /src
    traces = [*(f"{ROOT}/{folder}/".encode() for folder in folders), str(BUILD).encode(),
              str(pathlib.Path.home()).encode() + b"/.c", b"ccache"]
    for path in files_of(rootfs):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        found = [t for t in traces if t in content and not (path.name not in PROGRAMS and t == b"ccache")]
        assert not found, f"{path.relative_to(rootfs)}: {found}"
    for name in PROGRAMS:
        sections = subprocess.run(["readelf", "-SdW", rootfs / "usr/bin" / name], capture_output=True, text=True, check=True).stdout
        assert not re.search(r"\.debug_|\.symtab|build-id|RPATH|RUNPATH", sections), name


def test_objects_do_not_depend_on_the_directory(tmp_path):
    """One source compiled as the release build does it, in two places: the same bytes, debug information and all."""
    source = "forwarder/shipping/ring.cc"
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    (command,) = [c["command"] for c in commands if c["file"] == str(ROOT / source)]
    assert "-ffile-prefix-map=" in command, "configure it anew: cmake --preset release"
    place = tmp_path / "another/place"
    for folder in ("common", "forwarder"):
        shutil.copytree(ROOT / folder, place / folder)
    objects = []
    for root, build in ((ROOT, BUILD), (place, place / BUILD.relative_to(ROOT))):
        build.mkdir(parents=True, exist_ok=True)
        arguments = [a for a in shlex.split(command.replace(str(ROOT), str(root))) if not a.endswith("ccache")]
        objects.append(tmp_path / f"{len(objects)}.o")
        arguments[arguments.index("-o") + 1] = str(objects[-1])
        subprocess.run(arguments, cwd=build, check=True)
    first, second = (o.read_bytes() for o in objects)
    assert str(ROOT).encode() not in first and first == second


def test_licences_and_versions_travel_along(rootfs):
    packages = sorted(p.name for p in (rootfs / "var/lib/dpkg/status.d").iterdir())
    assert {"libc6", "libstdc++6", "libgrpc++1.51", "librocksdb7.8", "ca-certificates"} <= set(packages)
    for package in packages:
        assert (rootfs / f"usr/share/doc/{package}/copyright").read_text(errors="replace").strip(), package
        paragraph = (rootfs / f"var/lib/dpkg/status.d/{package}").read_text()
        assert f"Package: {package}\n" in paragraph and "\nVersion: " in paragraph


def test_certificate_authorities(rootfs):
    bundle = rootfs / "etc/ssl/certs/ca-certificates.crt"
    assert ssl.create_default_context(cafile=bundle).cert_store_stats()["x509_ca"] > 100
    packaged = [p for p in pathlib.Path("/usr/share/ca-certificates/mozilla").glob("*.crt")]
    assert bundle.read_text().count("BEGIN CERTIFICATE") == len(packaged), "this machine's own authorities are not in it"


def test_the_files_for_a_dockerfile_are_those_of_the_image(image, rootfs, tmp_path):
    run_script(ROOT / "script/image", image.programs, "--rootfs", tmp_path / "rootfs")
    def listed(root):
        rows = {}
        for path in files_of(root):
            status = path.lstat()
            content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
            rows[str(path.relative_to(root))] = (oct(status.st_mode), status.st_uid, int(status.st_mtime), content)
        return rows
    expected, found = listed(rootfs), listed(tmp_path / "rootfs")
    assert {name: row[:3] for name, row in found.items()} == {name: row[:3] for name, row in expected.items()}
    assert found == expected


def test_dockerfile_names_the_packages_of_bootstrap():
    bootstrap = (ROOT / "script/bootstrap").read_text()
    group = bootstrap.split("the Dockerfile names the same\n", 1)[1].split("#", 1)[0]
    dockerfile = (ROOT / "Dockerfile").read_text()
    install = dockerfile.split("--no-install-recommends", 1)[1].split("\nWORKDIR", 1)[0].replace("\\", " ")
    assert sorted(install.split()) == sorted(group.split()) and len(group.split()) > 20
    assert "script/image --rootfs /rootfs" in dockerfile and f"\nUSER {USER}:{USER}\n" in dockerfile
    assert re.findall(r"^FROM (\S+)", dockerfile, re.M) == ["debian:12-slim", "scratch"]


# --- running

ENTER = """
set -e
root=$1 config=$2 store=$3
shift 3
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
mount --bind "$config" "$root/etc/ampari"
mount --bind "$store" "$root/var/lib/ampari"
mount -t tmpfs tmpfs "$root/tmp"
mount -o remount,ro,bind "$root"
exec env -i PATH=/usr/bin HOSTNAME=pod /usr/sbin/chroot --userspec=65532:65532 --groups=65532 "$root" "$@"
"""


class Container:
    """The image's files, read-only, as its user; a namespace of mounts is all that is needed for it."""

    def __init__(self, rootfs, directory):
        self.rootfs, self.directory = rootfs, directory
        self.config, self.store = directory / "config", directory / "store"
        for folder in (self.config, self.store):
            folder.mkdir()
        os.chown(self.store, USER, USER)

    def argv(self, *command):
        return ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", ENTER, "enter", self.rootfs, self.config,
                self.store, *command]

    def run(self, *command):
        done = subprocess.run([str(a) for a in self.argv(*command)], capture_output=True, text=True, timeout=PATIENCE)
        return done.returncode, done.stdout, done.stderr

    def write(self, name, value):
        path = self.config / name
        path.write_text(yaml.safe_dump(value))
        path.chmod(0o644)


@pytest.fixture
def container(rootfs, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("another user and read-only mounts need root")
    made = Container(rootfs, tmp_path)
    code, _, errors = made.run("/usr/bin/ampari-gateway", "--version")
    if code and ("mount" in errors or errors.startswith("unshare:")):  # so in a chroot that is no mount of its own
        pytest.skip(f"no mounts here: {errors.strip()}")
    return made


def test_versions_and_configurations(container):
    container.write("gateway.yaml", {"storage": {"directory": "/var/lib/ampari/store"}, "grpc": {"insecure": True},
                                     "remote_write": [{"name": "region", "url": "https://region.example/api/v1/push"}]})
    container.write("forwarder.yaml", {"gateway": {"address": "gateway:4750", "insecure": True}})
    for name in PROGRAMS:
        code, output, errors = container.run(name, "--version")
        assert code == 0 and output.startswith(f"{name} "), (output, errors)
        file = f"/etc/ampari/{name.removeprefix('ampari-')}.yaml"
        code, output, errors = container.run(name, f"--config.file={file}", "check-config")
        assert code == 0 and "valid" in output, (output, errors)
    container.write("gateway.yaml", {"nonsense": 1})
    assert container.run("ampari-gateway", "--config.file=/etc/ampari/gateway.yaml", "check-config")[0] == 3


def test_a_metric_goes_the_whole_way(container, tmp_path):
    grpc, http = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    region = Region(tmp_path).start()
    try:
        container.write("gateway.yaml", {
            "storage": {"directory": "/var/lib/ampari/store", "max_bytes": "512MiB"}, "http": {"listen_address": http},
            "grpc": {"listen_address": grpc, "insecure": True}, "remote_write": [{"name": "region", "url": region.url}]})
        container.write("forwarder.yaml", {"gateway": {"address": grpc, "name": "node-1", "insecure": True}})
        gateway = Process("gateway", container.argv("ampari-gateway", "--config.file=/etc/ampari/gateway.yaml"), tmp_path).start()
        try:
            wait_until(lambda: fetch(f"http://{http}/-/ready")[0] == 200, "the gateway is ready", process=gateway)
            status = pathlib.Path(f"/proc/{gateway.child.pid}/status").read_text()
            assert re.search(rf"^Uid:\t{USER}\t{USER}\t{USER}\t{USER}$", status, re.M), status
            assert re.search(r"^CapEff:\t0+$", status, re.M), status
            code, output, errors = container.run("ampari-forwarder", "--config.file=/etc/ampari/forwarder.yaml", "canary",
                                                 f"--gateway-status=http://{http}", "--timeout=120s")
            assert code == 0, (output, errors)
        finally:
            stopped = gateway.stop()
        assert stopped == 0, gateway.tail()
        assert any("ampari_canary_timestamp_seconds" in series for series in region.samples())
    finally:
        region.process.stop(2)
    assert any(container.store.rglob("CURRENT")), "the store is on the volume"
