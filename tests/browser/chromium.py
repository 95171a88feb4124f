"""A page in headless Chromium, by the DevTools protocol over a pipe.

No port is opened and no driver is needed: messages are JSON, each ended by a zero byte, on the
browser's file descriptors 3 (to it) and 4 (from it), as `--remote-debugging-pipe` asks for.
"""

import base64
import json
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import F_DUPFD_CLOEXEC, fcntl
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds for one answer; a loaded machine draws a page in 5
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe"),
)


class PageError(Exception):
    """A script of ours failed inside the page, or the browser did not answer."""


class Chromium:
    """One tab. Everything that the page logs, throws or asks the network for is kept."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, back
        self._rest, self._last, self._session = b"", 0, ""
        self.complaints: list[str] = []
        """Errors and warnings of the console, exceptions, and refusals by the page's policy."""
        self.requests: list[str] = []
        """Every address asked for, in order."""

    def open(
        self, page: Path, *, width: int, height: int = 900, dark: bool = False, at: str = ""
    ) -> None:
        """Opens a file of this machine in a window of that size and waits until it is loaded.

        `at` is the address's fragment, with its #.
        """
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.call("Emulation.setDeviceMetricsOverride", **size, mobile=width < 600)
        self.prefer(dark=dark)
        self.call("Page.navigate", url="about:blank")  # else a new fragment alone opens nothing
        self.wait_for("location.protocol === 'about:'")
        self.complaints.clear()
        self.requests.clear()
        self.call("Page.navigate", url=page.resolve().as_uri() + at)
        self.wait_for("document.readyState === 'complete' && location.protocol === 'file:'")

    def prefer(self, *, dark: bool) -> None:
        """What the person at the screen prefers; nothing moves while a test points at it."""
        wanted = {"color-scheme": "dark" if dark else "light", "reduced-motion": "reduce"}
        features = [{"name": f"prefers-{name}", "value": value} for name, value in wanted.items()]
        self.call("Emulation.setEmulatedMedia", media="", features=features)

    def __call__(self, script: str) -> Any:
        """The value of an expression in the page."""
        told = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in told:
            raise PageError(f"{script}: {told['exceptionDetails']}")
        return told["result"].get("value")

    def wait_for(self, script: str) -> None:
        """Waits until an expression holds in the page."""
        end = time.monotonic() + PATIENCE
        while not self(script):
            if time.monotonic() > end:
                raise PageError(f"Never true: {script}")
            time.sleep(0.05)

    def click(self, selector: str, *, at: int = 0) -> None:
        """Presses and releases the mouse on the middle of the `at`-th element."""
        place = self(
            f"(() => {{ const one = document.querySelectorAll({json.dumps(selector)})[{at}];"
            " one.scrollIntoView({block: 'center', behavior: 'instant'});"
            " const box = one.getBoundingClientRect();"
            " return [box.left + box.width / 2, box.top + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=place[0],
                y=place[1],
                button="left",
                clickCount=1,
            )

    def type(self, text: str) -> None:
        """Types into what has the focus."""
        self.call("Input.insertText", text=text)

    def press(self, key: str, *, text: str = "") -> None:
        """Presses a key on what has the focus; " " and Enter also type the text they stand for."""
        codes = {"Tab": 9, "Enter": 13, " ": 32, "ArrowUp": 38, "ArrowDown": 40}
        told = {"key": key, "windowsVirtualKeyCode": codes[key]}
        self.call("Input.dispatchKeyEvent", type="keyDown", **told, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """Writes a PNG of the page."""
        told = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(told["data"]))

    def pdf(self, path: Path) -> None:
        """Prints the page."""
        told = self.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        path.write_bytes(base64.b64decode(told["data"]))

    def attach(self) -> None:
        """Takes hold of a tab and listens to all that it does."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        told = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = told["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its answer."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        for told in self._messages():
            if told.get("id") == self._last:
                if "error" in told:
                    raise PageError(f"{method}: {told['error']}")
                result: dict[str, Any] = told["result"]
                return result
            self._note(told)
        raise PageError(f"{method}: the browser is gone.")

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            while b"\0" not in self._rest:
                if not select.select([self._back], [], [], PATIENCE)[0]:
                    raise PageError(f"The browser said nothing for {PATIENCE} s.")
                more = os.read(self._back, 1 << 16)
                if not more:
                    return
                self._rest += more
            one, self._rest = self._rest.split(b"\0", 1)
            yield json.loads(one)

    def _note(self, event: dict[str, Any]) -> None:
        method, told = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.complaints.append(str(told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.complaints.append(told["entry"]["text"])


@contextmanager
def chromium(program: str, profile: Path) -> Iterator[Chromium]:
    """Starts Chromium with a profile of its own, and ends it with all its processes."""
    ends = [*os.pipe(), *os.pipe()]
    down, to, back, up = (fcntl(end, F_DUPFD_CLOEXEC, 10) for end in ends)  # off 3 and 4
    for end in ends:
        os.close(end)
    words = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    quiet = [(os.POSIX_SPAWN_OPEN, end, os.devnull, os.O_RDWR, 0) for end in (1, 2)]
    pipes = [(os.POSIX_SPAWN_DUP2, down, 3), (os.POSIX_SPAWN_DUP2, up, 4)]
    process = os.posix_spawn(program, words, os.environ, file_actions=[*quiet, *pipes], setpgroup=0)
    os.close(down)
    os.close(up)
    try:
        tab = Chromium(to, back)
        tab.attach()
        yield tab
    finally:
        os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(to)
        os.close(back)
