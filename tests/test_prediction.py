import pytest

from vgglab import GuessChoice, GuessNumber
from vgglab.panel import prediction


@pytest.fixture(autouse=True)
def nothing_guessed(monkeypatch):
    monkeypatch.setattr(prediction, "_KEPT", {})


def test_a_guess_is_shown_against_the_outcome():
    guess = GuessNumber("How often is it right?")
    guess.control.value = 60
    assert "Your guess: 60 %" in guess.line.value
    text = guess.reveal(47.25)
    assert text == "Your guess: 60 %. It came out as 47.2 %: 12.8 points lower."
    assert text in guess.line.value and guess.control.disabled


def test_who_does_not_guess_is_not_made_to():
    guess = GuessNumber("How many?", 0, 10, unit="images")
    assert guess.reveal(4) == "It came out as 4 images."
    assert GuessChoice("Which?", ["up", "down"]).reveal("up") == "It came out as: up."


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
