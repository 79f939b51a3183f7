"""Who may reach the server: under which names, from which pages, and whether a token is required."""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

from compecon.errors import CompeconError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MAKE_TOKEN = "auto"  # noqa: S105 - the word that asks for a new one
MIN_TOKEN = 16
_TOKEN = re.compile(rf"[!-~]{{{MIN_TOKEN},200}}")  # what a header, a form and an address carry alike
_IPV6_PREFIX = 64
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?")
_HOST_HEADER = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?")
_WHY = (
    "Set one in the environment variable COMPECON_TOKEN (16 characters or more), or generate one: --token auto. "
    "Streamlit's own login ([auth] in secrets.toml) does not replace it."
)


@final
@dataclass(frozen=True)
class Access:
    """Who may talk to the server.

    Attributes:
        hosts: Names and addresses that a request may ask for, in lower case, without port and brackets.
        token: What a visitor must know, or "" if none is required.
        proxies: Addresses and networks whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed.
    """

    hosts: frozenset[str] = LOOPBACK
    token: str = field(default="", repr=False)
    proxies: frozenset[str] = frozenset()

    def admits_host(self, header: str) -> bool:
        """Whether a ``Host`` header names this server: a foreign name is another site that points its DNS here."""
        name = host_name(header)
        return name is not None and name in self.hosts

    def is_proxy(self, address: str) -> bool:
        """Whether a connection from an address is a named proxy's, behind which are others."""
        found = _parsed(address)
        return found is not None and any(found in ipaddress.ip_network(proxy) for proxy in self.proxies)


def host_name(header: str) -> str | None:
    """The name or address in a ``Host`` header, or None if it is neither: ``[::1]:8501`` gives ``::1``."""
    match = _HOST_HEADER.fullmatch(header.lower())
    if match is None:
        return None
    try:
        return ipaddress.IPv6Address(match[1]).compressed if match[1] else match[2]
    except ValueError:
        return None


def is_same_origin(origin: str, host: str) -> bool:
    """Whether a page's ``Origin`` is the server that it asks, port included; TLS may end at a proxy before us."""
    return origin in (f"http://{host}", f"https://{host}")


def is_loopback(host: str) -> bool:
    """Whether a host as ``checked_host`` gives it can be reached from this machine alone."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def is_wildcard(host: str) -> bool:
    """Whether a host means every address of this machine."""
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified


def checked_host(given: str, option: str = "--host") -> str:
    """A host as it is compared: lower case, an address in its short form.

    Args:
        given: Name, IPv4 or IPv6 address, the latter with or without brackets.
        option: What to name in the refusal.

    Raises:
        CompeconError: If it is neither a name nor an address.
    """
    host = given.lower()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if _is_address(host):
        return ipaddress.ip_address(host).compressed
    looks_like_an_address = not re.search("[a-z]", host) or host.startswith("0x")  # 127.1, 0: the system reads them too
    if looks_like_an_address or not _NAME.fullmatch(host):
        raise CompeconError(f"{option} must be a host name or an IP address without a port, got {given!r}.")
    return host


def plain_address(address: str) -> str:
    """An address in the form in which addresses are compared: ``::ffff:10.0.0.1`` is ``10.0.0.1``.

    Returns:
        The short form, without an interface's name; anything else is returned as it is.
    """
    found = _parsed(address)
    return address if found is None else found.compressed


def network_of(address: str) -> str:
    """The visitor behind an address: an IPv4 address itself, for an IPv6 address its network of 64 bits.

    A provider assigns at least 64 bits to one customer. Anything that is not an address gives "".
    """
    found = _parsed(address)
    if found is None:
        return ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(ipaddress.IPv6Network((found, _IPV6_PREFIX), strict=False))


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def checked_proxy(given: str) -> str:
    """The address or network of a proxy, as ``Access.proxies`` holds it.

    Raises:
        CompeconError: If it is neither, or if it means every address.
    """
    try:
        network = ipaddress.ip_network(plain_address(given.strip("[]")))
    except ValueError:
        network = None
    if network is None or network.prefixlen == 0:
        raise CompeconError(
            f"--trust-proxy must be the proxy's own IP address or a network such as 10.0.0.0/24, got {given!r}."
        )
    return str(network)


def grant(host: str, token: str | None, allow_hosts: Sequence[str] = (), trust_proxies: Sequence[str] = ()) -> Access:
    """What the command line asks for, or a refusal.

    Args:
        host: Where the server listens, as ``checked_host`` gives it.
        token: What visitors must know, "auto" for a new one, or None.
        allow_hosts: More names that requests may use for this server: of a proxy, or behind a wildcard address.
        trust_proxies: Addresses or networks of proxies that say for whom they ask.

    Raises:
        CompeconError: If others could reach the server and no token is set, if the token is too short, or if a proxy is
            no address.
    """
    names = [checked_host(name, "--allow-host") for name in allow_hosts]
    for option, name in [("--host", host), *(("--allow-host", name) for name in names)]:
        if token is None and not is_loopback(name):
            raise CompeconError(
                f"{option} {name} makes the dashboard reachable from other machines, so a token is required. {_WHY}"
            )
    known = secrets.token_urlsafe(24) if token == MAKE_TOKEN else token or ""
    if token is not None and not _TOKEN.fullmatch(known):
        raise CompeconError(
            f"The token must have {MIN_TOKEN} to 200 characters, without spaces or accents, got {len(known)}. "
            "Choose a longer one, or generate one: --token auto."
        )
    served = LOOPBACK | {name for name in (host, *names) if not is_wildcard(name)}
    return Access(served, known, frozenset(map(checked_proxy, trust_proxies)))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # an interface's own address: no browser can name it
