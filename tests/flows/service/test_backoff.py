"""The pauses before what failed is tried again."""

from flows.service.backoff import Backoff


def test_pauses_double_up_to_five_minutes() -> None:
    pause, seconds = Backoff(), list[float]()
    for _ in range(9):
        seconds.append(pause.seconds)
        pause = pause.longer()
    assert seconds == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert pause == Backoff(300)
