"""`images.toml`: its keys and values, and its faults, all reported together."""

from __future__ import annotations

import pytest

from refresh.domain.images.publishing import Publishing
from refresh.domain.images.spec import check_spec, find_spec, read_specs
from tests.support.worlds.builders import DEFINITION_ID, GALLERY, GROUP, make_definition

KEY = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/des"
LEAST = """
[images.ubuntu]
location = "westeurope"
publisher = "contoso"
offer = "ubuntu"
sku = "22_04"
os_type = "linux"
os_state = "Specialized"
generation = "V2"
"""
FULL = f"""{LEAST}
architecture = "Arm64"
security_type = "TrustedLaunchSupported"
features = {{ DiskControllerTypes = "SCSI, NVMe" }}
plan = {{ name = "n", publisher = "p", product = "q" }}
tags = {{ RefreshSource = "recipe", AutoRefresh = "false" }}

[images.ubuntu.publish]
regions = ["UK South"]
replicas = 2
storage = "Standard_ZRS"
storage_in = {{ westus = "Standard_LRS" }}
encryption = {{ westeurope = "{KEY}" }}
end_of_life_days = 90
proof = false
via_managed_image = true
"""


def test_a_minimal_description_of_an_image_is_enough() -> None:
    """The only configured gallery is used, Standard is sent, and the image is in the monthly build."""
    specs, faults = read_specs(LEAST, (GALLERY,))
    assert (len(specs), faults) == (1, ())
    assert specs[0].definition.id == DEFINITION_ID
    assert specs[0].publishing == Publishing()
    assert specs[0].body == {
        "location": "westeurope",
        "tags": {"AutoRefresh": "true"},
        "properties": {
            "osType": "Linux",
            "osState": "Specialized",
            "hyperVGeneration": "V2",
            "architecture": "x64",
            "identifier": {"publisher": "contoso", "offer": "ubuntu", "sku": "22_04"},
            "features": [{"name": "SecurityType", "value": "Standard"}],
        },
    }
    assert find_spec(specs, DEFINITION_ID.upper()) == specs[0]
    assert find_spec(specs, f"{GALLERY}/images/other") is None


def test_an_image_can_have_every_key() -> None:
    """Features, plan, tags and publishing are read as they are written."""
    ((spec,), faults) = read_specs(FULL, (GALLERY,))
    assert faults == ()
    assert spec.body["properties"]["features"] == [
        {"name": "SecurityType", "value": "TrustedLaunchSupported"},
        {"name": "DiskControllerTypes", "value": "SCSI, NVMe"},
    ]
    assert spec.body["properties"]["purchasePlan"] == {"name": "n", "publisher": "p", "product": "q"}
    assert spec.definition.tags == {"AutoRefresh": "false", "RefreshSource": "recipe"}
    assert spec.publishing == Publishing(
        regions=("UK South",),
        replicas=2,
        storage="Standard_ZRS",
        storage_in={"westus": "Standard_LRS"},
        encryption={"westeurope": KEY},
        end_of_life_days=90,
        proof=False,
        via_image=True,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[images", ("not TOML",)),
        ("images = 1", ("must be tables",)),
        ("[image.ubuntu]", ("images.toml has 'image'",)),
        (LEAST.replace("images.ubuntu", "images.'-x/y'"), ("must be named like",)),
        (
            "[images.ubuntu]\nos_type = 'BSD'\nstate = 1\n[images.ubuntu.publish]\nreplicas = 200\nproof = 'yes'",
            ("location", "publisher", "os_type must be one of", "generation", "'state'", "1 to 100", "true or false"),
        ),
        (f"{LEAST}[images.ubuntu.publish]\nstorage_in = {{ westus = 'ZRS' }}", ("storage_in.westus",)),
        (f"{LEAST}[images.ubuntu.publish]\nencryption = {{ westus = 'key' }}", ("disk encryption set",)),
        (f"{LEAST}[images.ubuntu.publish]\nregions = 'westus'", ("list of regions",)),
        (f"{LEAST}plan = {{ name = 'n' }}", ("name, publisher, product",)),
    ],
)
def test_every_fault_is_reported_at_once(text: str, expected: tuple[str, ...]) -> None:
    """Each fault names its table, its key and the accepted values."""
    _, faults = read_specs(text, (GALLERY,))
    for part in expected:
        assert any(part in fault for fault in faults), (part, faults)


def test_with_several_galleries_an_image_names_its_own() -> None:
    """The image must name one of the configured galleries by its full id."""
    other = f"{GALLERY}2"
    _, faults = read_specs(LEAST, (GALLERY, other))
    assert any("gallery must be one of" in fault for fault in faults)
    specs, faults = read_specs(LEAST.replace("location", f'gallery = "{other}"\nlocation'), (GALLERY, other))
    assert (specs[0].definition.id, faults) == (f"{other}/images/ubuntu", ())


def test_a_definition_that_differs_from_the_file_is_refused() -> None:
    """Azure never changes these properties of a definition, so nothing is built into it."""
    ((spec,), _) = read_specs(LEAST, (GALLERY,))
    assert check_spec(spec, make_definition(architecture=None)) is None
    found = check_spec(spec, make_definition(generation="V1", security_type="TrustedLaunch"))
    assert found is not None
    assert found.reason == "definition-differs"
    assert "generation is V1, not V2" in found.message
    assert "security_type is TrustedLaunch, not Standard" in found.message
