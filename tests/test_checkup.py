import importlib.metadata

from packaging.requirements import Requirement
from test_environment import PROJECT

from vgglab.checkup import NEWEST, OLDEST, PACKAGES, check_setup


def asked(**changed):
    """Versions as they are installed, but for some."""

    def version(name):
        found = changed.get(name, importlib.metadata.version(name))
        if found is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return found

    return check_setup(version)


def test_this_machine_is_fine():
    found = check_setup()
    assert [point.what for point in found if point.mend and point.what != "processor cores"] == []


def test_what_is_missing_old_or_broken_is_named_with_a_remedy():
    for changed, what in (
        (dict(seaborn=None), "seaborn: missing"),
        (dict(keras="2.15.0"), "keras: 2.15.0"),
        (dict(ipykernel="7.0.1"), "ipykernel: 7.0.1"),
    ):
        found = asked(**changed)
        assert not found.fine and f"✗ {what}" in repr(found) and "pip install" in repr(found)


def test_it_asks_for_what_the_project_asks_for():
    versions = {each.name: each.specifier for each in map(Requirement, PROJECT["dependencies"])}
    for name, oldest in PACKAGES.items():
        assert any(clause.operator == ">=" and clause.version == oldest for clause in versions[name])
    python = Requirement(f"python{PROJECT['requires-python']}").specifier
    for edge, inside in (
        (OLDEST, True),
        (NEWEST, True),
        ((3, OLDEST[1] - 1), False),
        ((3, NEWEST[1] + 1), False),
    ):
        assert (f"{edge[0]}.{edge[1]}" in python) == inside
