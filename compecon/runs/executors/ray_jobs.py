"""Ray's job server over its documented HTTP interface: the few requests that runs need, each with a time limit.

Ray's own client has no time limit, so that a frozen head would freeze every page that lists runs; it also loads 70 MB
and takes more than a second. This module needs no Ray on the machine that submits, and follows no redirect and no
proxy, because it sends a token.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from compecon.errors import RunError
from compecon.files.safe_reader import parse_json

ENDED = ("SUCCEEDED", "FAILED", "STOPPED")
_MAX_BYTES = 64_000_000
_SUBMIT_S = 30.0


class NoAnswerError(RunError):
    """The job server could not be reached or gave no usable answer: nothing follows from that."""


@final
@dataclass(frozen=True)
class JobServer:
    """The job server of a Ray cluster at a checked address, with seconds to wait for an answer."""

    address: str
    timeout_s: float = 3.0

    def version(self) -> str:
        """Version of Ray on the cluster."""
        return str(self._asked("GET", "/api/version").get("ray_version", "unknown"))

    def submit(self, job: Mapping[str, Any]) -> None:
        """Submit a job; a second one with the same "submission_id" is ignored."""
        try:
            self._asked("POST", "/api/jobs/", job, timeout_s=_SUBMIT_S)
        except NoAnswerError:
            raise
        except RunError:  # Ray answers 500 to a second one
            if str(job["submission_id"]) not in self.statuses():
                raise

    def statuses(self) -> dict[str, str]:
        """Ray's status of every job that it knows, by submission."""
        jobs = self._asked("GET", "/api/jobs/").get("", [])
        return {
            str(job["submission_id"]): str(job.get("status"))
            for job in jobs
            if isinstance(job, dict) and job.get("submission_id")
        }

    def stop(self, submission: str) -> None:
        """Ask a job's process to end; Ray kills it three seconds later."""
        self._asked("POST", f"/api/jobs/{urllib.parse.quote(submission, safe='')}/stop")

    def _asked(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout_s: float | None = None
    ) -> dict[str, Any]:
        """The answer, an object; a list comes under the name ""."""
        parts = urllib.parse.urlsplit(self.address)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=timeout_s or self.timeout_s)
        headers = {"Content-Type": "application/json", **_authorization()}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            raw = answer.read(_MAX_BYTES)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            told = getattr(error, "strerror", None) or error or type(error).__name__
            raise NoAnswerError(f"Ray at {self.address} cannot be reached: {told}. Is its head running?") from error
        finally:
            connection.close()
        return self._understood(answer.status, raw)

    def _understood(self, status: int, raw: bytes) -> dict[str, Any]:
        if status in (401, 403):
            raise NoAnswerError(
                f"Ray at {self.address} rejects the token. Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or "
                "RAY_AUTH_TOKEN_PATH to that of the cluster."
            )
        if status != http.client.OK:
            told = raw.decode("utf-8", errors="replace").strip().splitlines()
            raise RunError(f"Ray at {self.address} refused ({status}): {told[-1][:300] if told else 'no reason given'}")
        try:
            value = parse_json(raw, "Ray's answer")
        except (ValueError, RecursionError) as error:
            raise NoAnswerError(
                f"{self.address} does not answer like Ray. Is it the address of its job server?"
            ) from error
        return value if isinstance(value, dict) else {"": value if isinstance(value, list) else []}


def checked_address(address: str, *, without_token: bool = False) -> str:
    """An address that jobs may be sent to. Anyone who can reach Ray's job server can run programs there.

    Args:
        address: Like "http://127.0.0.1:8265", with nothing after the port.
        without_token: Whether another machine may be addressed without a token, on a network where everyone is trusted.
    """
    try:
        parts = urllib.parse.urlsplit(address)
        is_plain = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username or parts.password)
        port = parts.port
    except ValueError:
        parts, is_plain, port = urllib.parse.urlsplit(""), False, None
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise RunError(f"the address of a Ray cluster is like http://127.0.0.1:8265, got {address[:100]!r}.")
    if not (is_loopback(parts.hostname) or without_token or _token()):
        raise RunError(
            f"{parts.hostname} is another machine, and without a token anyone who can reach its Ray can run programs "
            "there. Start its head with RAY_AUTH_MODE=token and set the same here, or use a tunnel: "
            f"`ssh -L {port or 8265}:localhost:{port or 8265} {parts.hostname}`. If everyone there is trusted, "
            "set COMPECON_RAY_WITHOUT_TOKEN=1."
        )
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, whatever its name server says."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _authorization() -> dict[str, str]:
    token = _token()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _token() -> str:
    """The token, from where Ray itself reads it; "" unless `RAY_AUTH_MODE` says that there is one."""
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
        return ""
    if token := os.environ.get("RAY_AUTH_TOKEN", "").strip():
        return token
    path = os.environ.get("RAY_AUTH_TOKEN_PATH")
    try:
        return (Path(path) if path else Path.home() / ".ray" / "auth_token").read_text(encoding="utf-8").strip()
    except (OSError, RuntimeError, UnicodeError):
        return ""
