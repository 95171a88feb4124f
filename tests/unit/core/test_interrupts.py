import os
import signal
import subprocess
import sys
import threading

import pytest

from understudy.core.errors import InterruptedRunError
from understudy.core.interrupts import Interrupts, leave_work


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_outside_the_loop_leaves_at_once_with_its_exit_code(
    number: signal.Signals, code: int
) -> None:
    interrupts = Interrupts()

    with interrupts.listening(), pytest.raises(InterruptedRunError) as caught:
        os.kill(os.getpid(), number)

    assert caught.value.exit_code == code
    assert number.name in str(caught.value)


def test_work_that_takes_any_exception_for_its_own_fault_does_not_take_a_signal_for_one() -> None:
    """As the exporter of ONNX, readers of images and downloads do."""
    with Interrupts().listening(), pytest.raises(InterruptedRunError):
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except Exception as error:
            raise ValueError("this model cannot be exported") from error


def test_a_signal_inside_the_loop_waits_until_it_is_asked_for() -> None:
    interrupts = Interrupts()

    with interrupts.listening(), interrupts.deferred():
        os.kill(os.getpid(), signal.SIGTERM)

        assert interrupts.received == signal.SIGTERM


def test_the_handlers_before_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with Interrupts().listening():
        inside = signal.getsignal(signal.SIGTERM)

    assert inside != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_second_signal_leaves_even_a_loop_that_does_not_ask() -> None:
    program = (
        "import os, signal\n"
        "from understudy.core.interrupts import Interrupts\n"
        "interrupts = Interrupts()\n"
        "with interrupts.listening(), interrupts.deferred():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('still here')\n"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ended.returncode == 143
    assert "still here" not in ended.stdout


def test_in_another_thread_no_handler_is_touched() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def work() -> None:
        with Interrupts().listening():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [before]


def test_a_second_signal_may_leave_the_work_alone() -> None:
    interrupts = Interrupts(insisted=leave_work)

    with interrupts.listening(), interrupts.deferred(), pytest.raises(InterruptedRunError):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("the second one was ignored")
