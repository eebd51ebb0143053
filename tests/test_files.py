import pytest

from vgglab.files import written_whole


def test_a_file_takes_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "run.keras"
    path.write_text("before")
    with written_whole(path) as beside:
        assert beside.suffix == ".keras" and beside.parent == tmp_path
        beside.write_text("after")
        assert path.read_text() == "before"
    assert path.read_text() == "after" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["mini.weights.h5", "run", ".hidden.csv"])
def test_the_file_beside_has_all_the_suffixes(tmp_path, name):
    """Keras refuses weights whose name does not end in .weights.h5."""
    with written_whole(tmp_path / name) as beside:
        assert beside.name != name and beside.name.endswith(name.partition(".")[2])
        beside.touch()
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "run.csv"
    path.write_text("before")
    with pytest.raises(OSError, match="full"), written_whole(path) as beside:
        beside.write_text("half")
        raise OSError("full")
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]
