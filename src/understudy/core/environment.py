"""What a run ran on: versions and platform, from an allow-list, never the whole environment."""

import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

LIBRARIES = ("torch", "timm", "lightning-fabric", "numpy", "pillow", "onnxruntime")


@cache
def code_version() -> str:
    """The package's version, with the commit where it runs from a checkout.

    `0.1.0+g1a2b3c4`, with `.changed` behind it where files differ from the commit.
    """
    version = metadata.version("understudy")
    commit = _git("rev-parse", "--short=7", "HEAD")
    if not commit:
        return version
    changed = ".changed" if _git("status", "--porcelain", "--untracked-files=no", "--", ".") else ""
    return f"{version}+g{commit}{changed}"


def environment() -> dict[str, Any]:
    """Versions and platform, for environment.json.

    Not the words that the process was called with: from Python they are those of any program, and
    may hold a password.
    """
    return {
        "understudy": code_version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
    }


def _git(*words: str) -> str:
    here = Path(__file__).resolve().parents[1]
    if not (here.parents[1] / ".git").exists():
        return ""
    try:
        answer = subprocess.run(
            ["git", *words], cwd=here, capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
