import pytest

from vgglab import GuessChoice, GuessNumber
from vgglab.panel import prediction


@pytest.fixture(autouse=True)
def nothing_guessed(monkeypatch):
    monkeypatch.setattr(prediction, "_KEPT", {})
    monkeypatch.setattr(prediction, "_REVEALED", set())


def test_a_guess_is_shown_against_the_outcome():
    guess = GuessNumber("How often is it right?")
    guess.control.value = 60
    assert "Your guess: 60 %" in guess.line.value
    text = guess.reveal(47.25)
    assert text == "Your guess: 60 %. It came out as 47.2 %: 12.8 points lower."
    assert text in guess.line.value and guess.control.disabled


@pytest.mark.parametrize(
    ("low", "high", "unit", "shown"),
    [(0, 100, "%", "50 %"), (0, 10, "times", "5 times"), (5, 50, "images", "27.5 images")],
)
def test_the_slider_shows_its_unit_and_no_decimals_that_it_does_not_have(low, high, unit, shown):
    slider = GuessNumber("How many?", low, high, unit).control
    assert slider.labels[slider.index] == shown and len(slider.labels) == 101
    slider.index += 1  # as an arrow key does
    assert slider.value == pytest.approx((low + high) / 2 + (high - low) / 100)


def test_a_long_outcome_is_printed_in_lines_that_a_notebook_does_not_break():
    options = [
        "it rises, and the gap between train and validation becomes narrower by more than five points",
        "no",
    ]
    guess = GuessChoice("What happens?", options)
    guess.control.value = "no"
    text = guess.reveal(options[0])
    assert max(map(len, text.splitlines())) <= 100
    assert " ".join(text.split()) == f"It came out as: {options[0]}, not as you said (no)."


def test_who_does_not_guess_is_not_made_to():
    guess = GuessNumber("How many?", 0, 10, unit="images")
    assert guess.reveal(4) == "You made no guess. It came out as 4 images."
    assert GuessChoice("Which?", ["up", "down"]).reveal("up") == "You made no guess. It came out as: up."


def test_what_is_said_after_the_outcome_is_no_guess():
    """As when all cells are run at once, and the slider is moved while they run or when they are done."""
    guess = GuessNumber("How many?", 0, 10, unit="images")
    guess.reveal(4)
    guess.control.value = 4.0
    assert guess.reveal(4) == "You made no guess. It came out as 4 images."
    again = GuessNumber("How many?", 0, 10, unit="images")  # its cell once more
    assert again.control.disabled and "restart the kernel" in again.line.value
    again.control.value = 4.0
    assert again.reveal(4).startswith("You made no guess.")


def test_a_guess_is_not_mended_after_the_outcome():
    GuessChoice("Which?", ["up", "down"]).control.value = "down"
    assert "not as you said (down)" in GuessChoice("Which?", ["up", "down"]).reveal("up")
    again = GuessChoice("Which?", ["up", "down"])
    again.control.value = "up"
    assert again.reveal("up") == "It came out as: up, not as you said (down)."


def test_the_same_number_is_as_said():
    guess = GuessNumber("How many?", 0, 10, unit="")
    guess.control.value = 4.0
    assert guess.reveal(4.001).endswith("as you said.")


def test_a_choice():
    guess = GuessChoice("Which way?", ["up", "down"])
    guess.control.value = "down"
    assert guess.reveal("up") == "It came out as: up, not as you said (down)."
    with pytest.raises(ValueError, match="must be one of 'up', 'down'. Received: 'left'"):
        guess.reveal("left")


def test_a_page_without_widgets_still_has_the_question():
    assert repr(GuessNumber("How often?")) == "Predict: How often?"


def test_questions_are_text_not_markup():
    guess = GuessNumber("Is 1 < 2?")
    assert "1 &lt; 2" in guess.children[0].value


def test_a_cell_that_is_run_again_keeps_the_guess():
    GuessNumber("How often?").control.value = 70
    again = GuessNumber("How often?")
    assert again.control.value == 70 and "Your guess: 70 %" in again.line.value
    assert again.reveal(70) == "Your guess: 70 %. It came out as 70 %: as you said."
    GuessChoice("Which?", ["up", "down"]).control.value = "down"
    assert GuessChoice("Which?", ["up", "down"]).guess == "down"
    assert GuessNumber("How often now?").guess is None
