"""Makes `.venv` and installs the locks in it; run by `./dev` with any Python from 3.11 on.

It needs the standard library alone. uv installs, because it downloads and unpacks in parallel.
Where uv is not available or fails, pip installs the same locks. Both obey pip's configuration.
"""

import ast
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"
INSTALLER = VENV / "installer"
LOCKS = {"demo": ("demo.lock",), "development": ("demo.lock", "development.lock")}
"""For each environment, the locks that it installs."""

UV_VARIABLES = {
    "index_url": "UV_DEFAULT_INDEX",
    "extra_index_url": "UV_INDEX",
    "find_links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "client_cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "trusted_host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "default_timeout": "UV_HTTP_TIMEOUT",
    "retries": "UV_HTTP_RETRIES",
}
"""pip's settings, by the variable through which uv takes the same."""

NEEDLESS_SETTINGS = frozenset(
    {
        "break_system_packages",
        "cache_dir",
        "constraint",  # The locks name every version.
        "disable_pip_version_check",
        "no_cache_dir",
        "no_color",
        "no_input",
        "progress_bar",
        "quiet",
        "require_virtualenv",
        "root_user_action",
        "verbose",
    }
)
"""pip's settings that do not change what is installed from where."""


class SetupError(Exception):
    """The environment cannot be made; the message says why and what to do."""


class CommandError(Exception):
    """A program failed; the message is what it printed."""


def main(arguments: Sequence[str]) -> None:
    """Install the environment that the only argument names."""
    (name,) = arguments
    try:
        if not _environment_works():
            make_environment()
        install(name)
    except OSError as error:
        sys.exit(explain(str(error)))
    except SetupError as error:
        sys.exit(str(error))


def make_environment() -> None:
    """A new, empty `.venv`, without pip: it takes most of the time, and another pip will do."""
    try:
        _run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV))
    except CommandError as error:
        raise SetupError(explain(str(error))) from error


def install(name: str) -> None:
    """Install the locks of an environment, and the project itself as it lies there."""
    locks = [FOLDER / lock for lock in LOCKS[name]]
    LOG.write_text("")
    try:
        pip = find_pip()
        if not _install_with_uv(pip, locks):
            _log("uv did not install it; pip does.")
            _install_with_pip(pip, locks)
    except CommandError as error:
        raise SetupError(explain(str(error))) from error


@dataclass(frozen=True, slots=True)
class Pip:
    """A pip that installs into `.venv`.

    Attributes:
        command: runs it.
        settings: its configuration, by the names of its options.

    """

    command: tuple[str, ...]
    settings: Mapping[str, str]

    def install(self, *arguments: str) -> None:
        """Install what the arguments name.

        Raises:
            CommandError: pip failed.

        """
        _run(*self.command, "install", "--no-deps", "--no-compile", *arguments)


def find_pip() -> Pip:
    """The pip of the Python that runs this, else the one that comes with Python.

    Raises:
        CommandError: there is neither.

    """
    quiet = ("--disable-pip-version-check", "--no-input")
    command: tuple[str, ...] = (sys.executable, "-m", "pip", *quiet, "--python", str(PYTHON))
    try:
        listed = _run(*command, "config", "list")
    except CommandError:
        # This Python has no pip, or one that is older than the option `--python`.
        _run(str(PYTHON), "-m", "ensurepip")
        command = (str(PYTHON), "-m", "pip", *quiet)
        listed = _run(*command, "config", "list")
    return Pip(command, pip_settings(listed))


def fetch_uv(pip: Pip) -> Path:
    """The program uv, of the version that its lock names.

    Raises:
        CommandError: the package index does not have it for this machine, or is out of reach.

    """
    lock = FOLDER / "installer.lock"
    stamp = INSTALLER / lock.name
    if not stamp.exists() or stamp.read_text() != lock.read_text():
        pip.install("--target", str(INSTALLER), "--upgrade", *_HASHED, "-r", str(lock))
        stamp.write_text(lock.read_text())
    return INSTALLER / "bin" / "uv"


def uv_environment(settings: Mapping[str, str]) -> dict[str, str] | None:
    """The configuration of pip as variables of uv; None if uv has no such setting."""
    if not settings.keys() <= UV_VARIABLES.keys() | NEEDLESS_SETTINGS:
        return None
    variables = {
        UV_VARIABLES[name]: _joined(name, value)
        for name, value in settings.items()
        if name in UV_VARIABLES
    }
    # pip considers every index too; the hashes say which file is meant.
    return {**os.environ, **variables, "UV_INDEX_STRATEGY": "unsafe-best-match"}


def pip_settings(listed: str) -> dict[str, str]:
    """The settings that hold for `pip install`, of what `pip config list` printed.

    pip lets those of a command override the global ones, and variables override both.
    """
    settings: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in listed.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(f"{section}."):
                name = key.removeprefix(f"{section}.").replace("-", "_")
                settings[name] = str(ast.literal_eval(value))
    return settings


def explain(output: str) -> str:
    """One sentence for a failure that the user can mend, else the last lines of the output."""
    for signs, sentence in _EXPLANATIONS.items():
        if any(sign in output for sign in signs):
            return sentence.format(root=ROOT, python=sys.executable)
    return "\n".join([*output.splitlines()[-5:], "Setting up failed; these lines say why."])


_HASHED = ("--require-hashes", "--retries", "2")
_EXPLANATIONS = {
    ("No space left on device", "Disk quota exceeded"): (
        "The disk is full: setting up needs about 500 MB in {root} and room for temporary files."
    ),
    ("ensurepip", "No module named venv"): (
        "{python} has no venv module; install it (on Debian and Ubuntu: apt install python3-venv)."
    ),
    ("DO NOT MATCH",): (
        "A downloaded package is not the one that the lock names; it was not installed."
    ),
    ("Retrying", "No matching distribution", "Could not fetch", "onnection"): (
        "The package index cannot be reached; check the network and pip's configuration."
    ),
}


def _install_with_uv(pip: Pip, locks: Sequence[Path]) -> bool:
    """Whether uv could be had and installed everything."""
    try:
        variables = uv_environment(pip.settings)
        if variables is None:
            return False
        into = ("pip", "install", "--python", str(PYTHON), "--no-deps", "--no-progress")
        uv = str(fetch_uv(pip))
        _run(uv, *into, "--require-hashes", *_files(locks), variables=variables)
        _run(uv, *into, "--no-build-isolation", "--offline", "-e", str(ROOT), variables=variables)
    except (CommandError, OSError) as error:
        _log(str(error))
        return False
    return True


def _install_with_pip(pip: Pip, locks: Sequence[Path]) -> None:
    pip.install(*_HASHED, *_files(locks))
    pip.install("--no-build-isolation", "--no-index", "-e", str(ROOT))


def _files(locks: Sequence[Path]) -> list[str]:
    return [part for lock in locks for part in ("-r", str(lock))]


def _joined(name: str, value: str) -> str:
    """A list, which pip separates by blanks, as the variable wants it."""
    return (",".join if name == "find_links" else " ".join)(value.split())


def _environment_works() -> bool:
    """Whether `.venv` has a Python and was made where it lies: its programs name that place."""
    try:
        made_at = _run(str(PYTHON), "-c", "import sys; print(sys.prefix)").strip()
        activated = (VENV / "bin" / "activate").read_text()
    except (CommandError, OSError):
        return False
    return made_at == str(VENV) and str(VENV) in activated


def _run(*command: str, variables: Mapping[str, str] | None = None) -> str:
    """The output of the program.

    Raises:
        CommandError: it failed.

    """
    started = time.monotonic()
    finished = subprocess.run(  # noqa: S603 - commands of this file
        command,
        check=False,
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    _log(f"{time.monotonic() - started:.1f} s: {' '.join(command)}\n{finished.stdout}")
    if finished.returncode:
        raise CommandError(finished.stdout)
    return finished.stdout


def _log(text: str) -> None:
    if VENV.is_dir():
        with LOG.open("a") as log:
            log.write(f"{text}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
