"""azd's hooks: their steps end with the first that fails, and the pause ends with every deployment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.infra.scripted_cli import Cli
from tools import hooks
from tools.providers import FLEET, OWN

ROOT = Path(__file__).parents[3]
NO_GROUP = "refused ERROR: (ResourceGroupNotFound) Resource group 'rg-vm-refresh-test' could not be found."


def test_the_last_step_runs_after_a_failure() -> None:
    """The exit code is the first that is not 0, and no step follows one that failed."""
    done: list[str] = []

    def step(name: str, code: int) -> hooks.Step:
        def run() -> int:
            done.append(name)
            return code

        return run

    assert hooks.run_hook((step("a", 0), step("b", 3), step("c", 0)), step("last", 1)) == 3
    assert done == ["a", "b", "last"]
    assert hooks.run_hook((step("a", 0),), step("last", 1)) == 1
    assert hooks.run_hook((step("a", 0),), None) == 0


@pytest.mark.parametrize("system", ["posix", "windows"])
def test_azd_runs_every_hook_on_every_system(system: str) -> None:
    """azure.yaml has each hook once, with the same command on every system."""
    text = (ROOT / "azure.yaml").read_text().partition("\nhooks:\n")[2]
    python = "python3" if system == "posix" else "python"
    named = re.findall(rf"^  (\w+):\n(?:    .*\n)*?    {system}:\n(?:      .*\n)*?      run: (.*)$", text, re.MULTILINE)
    assert named == [(name, f"{python} -m tools.hooks {name}") for name in hooks.HOOKS]


def test_a_hook_that_azd_does_not_have_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A typo in azure.yaml is an error instead of a hook without steps."""
    with pytest.raises(SystemExit) as end:
        hooks.main(["predeployment"])
    assert end.value.code == 2
    assert "predeploy" in capsys.readouterr().err


def test_the_first_provisioning_registers_and_pauses_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before there is an app: its registration in Entra, the resource providers, and no request to an app."""
    for name, value in {"AZURE_ENV_NAME": "test", "AZURE_SUBSCRIPTION_ID": "app-sub", "API_AUTH": "key"}.items():
        monkeypatch.setenv(name, value)
    registered = [{"namespace": each, "state": "Registered"} for each in (*OWN, *FLEET)]
    cli.answers({"provider list": registered, "functionapp list": NO_GROUP})
    assert hooks.main(["preprovision"]) == 0
    assert hooks.main(["postprovision"]) == 0
    assert len(cli.calls("provider list")) == 1
    assert len(cli.calls("functionapp list")) == 2
