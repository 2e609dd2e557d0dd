"""How `.venv` is set up: whose configuration holds, and how a failure is explained."""

import pytest

from environment.install import explain, pip_settings, uv_environment


def test_a_variable_overrides_the_command_and_the_command_overrides_the_rest() -> None:
    listed = (
        ":env:.index-url='https://c/simple'\n"
        "global.cert='/a'\n"
        "global.index-url='https://a/simple'\n"
        "install.cert='/b'\n"
        "download.index-url='https://d/simple'\n"
    )

    assert pip_settings(listed) == {"index_url": "https://c/simple", "cert": "/b"}


def test_uv_obeys_the_configuration_of_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    settings = {
        "index_url": "https://mirror/simple",
        "extra_index_url": "https://a/simple\nhttps://b/simple",
        "find_links": "/wheels /more",
        "trusted_host": "mirror other",
        "disable_pip_version_check": "1",
    }

    variables = uv_environment(settings)

    assert variables is not None
    assert variables["UV_DEFAULT_INDEX"] == "https://mirror/simple"
    assert variables["UV_INDEX"] == "https://a/simple https://b/simple"
    assert variables["UV_FIND_LINKS"] == "/wheels,/more"
    assert variables["UV_INSECURE_HOST"] == "mirror other"
    assert variables["LANG"] == "C.UTF-8"


def test_a_setting_that_uv_does_not_know_leaves_it_to_pip() -> None:
    assert uv_environment({"index_url": "https://mirror/simple", "platform": "linux"}) is None


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full: "),
        ("/usr/bin/python3: No module named ensurepip", "has no venv module; install it "),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that the lock names"),
        ("WARNING: Retrying (Retry(total=1))", "The package index cannot be reached; "),
    ],
)
def test_a_failure_that_can_be_mended_is_one_sentence(output: str, sentence: str) -> None:
    assert sentence in explain(output)
    assert "\n" not in explain(output)


def test_any_other_failure_shows_the_last_lines() -> None:
    printed = explain("\n".join(f"line {number}" for number in range(9)))

    assert printed.startswith("line 4\n")
    assert printed.endswith("line 8\nSetting up failed; these lines say why.")
