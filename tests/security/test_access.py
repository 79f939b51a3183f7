"""Which hosts, origins and tokens are taken, as words alone: nothing is served here."""

# ruff: noqa: S104 - nothing is bound here

from __future__ import annotations

import ipaddress

import hypothesis
import pytest
from hypothesis import strategies as st

from app.server.access import (
    LOOPBACK,
    MIN_TOKEN,
    Access,
    checked_host,
    checked_proxy,
    grant,
    host_name,
    is_loopback,
    is_same_origin,
    is_wildcard,
    network_of,
    plain_address,
)
from compecon.errors import CompeconError

TOKEN = "t" * MIN_TOKEN


# ---- what --host may say


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("localhost", "localhost"), ("LOCALHOST", "localhost"), ("127.0.0.1", "127.0.0.1"), ("::1", "::1"),
        ("[::1]", "::1"), ("0:0:0:0:0:0:0:1", "::1"), ("Box.LAN", "box.lan"), ("10.0.0.7", "10.0.0.7"),
        ("0.0.0.0", "0.0.0.0"), ("::", "::"), ("my_box", "my_box"), ("2001:DB8::1", "2001:db8::1"),
    ],
)  # fmt: skip
def test_a_host_is_written_one_way(given: str, host: str) -> None:
    assert checked_host(given) == host


@pytest.mark.parametrize(
    "given",
    [
        "", " ", "127.1", "0", "2130706433", "0x7f000001", "0177.0.0.1", "1.2.3.4.5", "256.1.1.1", "localhost:8501",
        "127.0.0.1:80", "http://localhost", "user@localhost", "a/b", "unix:///tmp/s", "a b", "box\n", "-box", "box-",
        "*", "*.lan", "fe80::1%eth0", "[::1", "[]", "ｌocalhost", "a" * 300, "@", "local\0host",
    ],
)  # fmt: skip
def test_what_is_no_host_is_refused_in_one_line(given: str) -> None:
    with pytest.raises(CompeconError, match="--host must be a host name or an IP address") as refused:
        checked_host(given)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.2", "127.255.255.254", "::1"])
def test_this_machines_own_addresses_need_no_token(host: str) -> None:
    assert is_loopback(host)
    assert grant(host, None).token == ""
    assert host in grant(host, None).hosts


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "box", "lvh.me", "localhost.evil.example", "fe80::1"])
def test_every_other_host_needs_a_token(host: str) -> None:
    with pytest.raises(CompeconError, match=r"token.*COMPECON_TOKEN.*--token auto"):
        grant(host, None)
    with pytest.raises(CompeconError, match=r"--allow-host .* token"):
        grant("127.0.0.1", None, [host])
    assert grant(host, TOKEN).token == TOKEN


def test_the_refusal_says_that_streamlits_login_is_no_substitute() -> None:
    with pytest.raises(CompeconError, match=r"\[auth\]"):
        grant("0.0.0.0", None)


@pytest.mark.parametrize(
    "token", ["", "short", "t" * (MIN_TOKEN - 1), "t" * 201, "t t" * 10, "é" * 20, "t" * 20 + "\n"]
)
def test_a_token_that_is_too_short_or_cannot_travel_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(CompeconError, match=f"{MIN_TOKEN} to 200 characters") as refused:
        grant("127.0.0.1", token)
    assert not token.strip() or token not in str(refused.value)


def test_a_token_made_here_is_long_and_never_the_same() -> None:
    made = {grant("0.0.0.0", "auto").token for _ in range(20)}
    assert len(made) == 20
    assert all(len(token) >= 32 for token in made)


def test_a_token_does_not_show_in_what_is_printed_of_it() -> None:
    assert TOKEN not in repr(Access(token=TOKEN))


# ---- what a request may ask for


@pytest.mark.parametrize("header", ["localhost", "LocalHost:8501", "127.0.0.1:1", "[::1]:8501", "[0:0::1]", "[::1]"])
def test_loopback_names_are_answered_whatever_the_port(header: str) -> None:
    assert Access().admits_host(header)


@pytest.mark.parametrize(
    "header",
    [
        "", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:8501", "192.168.0.7",
        "0.0.0.0", "[::]", "localhost:", "localhost:8501:1", "localhost:x", "localhost:123456", "user@localhost",
        "localhost/", "localhost, evil.example", "localhost evil", "::1", "[::1", "[localhost]", "2130706433", "127.1",
        "local\thost", "localhost\0", "[::ffff:127.0.0.1]", "localhost.",
    ],
)  # fmt: skip
def test_every_other_host_header_is_refused(header: str) -> None:
    assert not Access().admits_host(header)


def test_a_granted_host_is_answered_beside_the_loopback_names() -> None:
    access = grant("0.0.0.0", TOKEN, ["Box.lan", "[2001:DB8:0::5]"])
    assert access.hosts == LOOPBACK | {"box.lan", "2001:db8::5"}
    assert all(map(access.admits_host, ["box.lan:8501", "BOX.lan", "[2001:db8::5]:80", "localhost"]))
    assert not any(map(access.admits_host, ["box", "x.box.lan", "0.0.0.0"]))


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_every_address_is_no_name(host: str) -> None:
    assert is_wildcard(host)
    assert grant(host, TOKEN).hosts == LOOPBACK


@pytest.mark.parametrize(("header", "name"), [("a:1", "a"), ("[::1]:1", "::1"), ("A.b", "a.b"), ("[::x]", None)])
def test_the_name_in_a_host_header(header: str, name: str | None) -> None:
    assert host_name(header) == name


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://localhost:8501", "localhost:8501", True),
        ("https://box.lan", "box.lan", True),
        ("http://localhost:9999", "localhost:8501", False),
        ("http://127.0.0.1:8501", "localhost:8501", False),
        ("http://localhost", "localhost:8501", False),
        ("null", "localhost:8501", False),
        ("", "localhost:8501", False),
        ("http://localhost:8501.evil.example", "localhost:8501", False),
        ("http://evil.example/localhost:8501", "localhost:8501", False),
        ("http://user@localhost:8501", "localhost:8501", False),
        ("chrome-extension://localhost:8501", "localhost:8501", False),
        ("file://", "localhost:8501", False),
    ],
)
def test_an_origin_is_ours_with_its_port_or_not_at_all(origin: str, host: str, *, same: bool) -> None:
    assert is_same_origin(origin, host) is same


# ---- whom an address stands for


@hypothesis.given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_one_visitor_however_it_is_written(address: ipaddress.IPv4Address) -> None:
    assert network_of(f"::ffff:{address}") == network_of(str(address)) == str(address) == plain_address(str(address))
    assert plain_address(f"::ffff:{address}") == str(address)


@hypothesis.given(st.integers(1, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.booleans())
def test_an_ipv6_visitor_is_its_first_64_bits(network: int, one: int, other: int, is_long: bool) -> None:
    def written(high: int, low: int) -> str:
        found = ipaddress.IPv6Address(high << 64 | low)
        return found.exploded if is_long else found.compressed

    assert network_of(written(network, one)) == network_of(written(network, other))
    assert network_of(written(network, one)) != network_of(written(network ^ 1, one))


@pytest.mark.parametrize("words", ["", "unknown", "_hidden", "10.0.0.256", "a" * 5000, "10.0.0.1, 10.0.0.2", "::g"])
def test_what_is_no_address_is_one_visitor(words: str) -> None:
    assert network_of(words) == ""


def test_a_short_address_is_no_text_to_cut() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8:0:0:5::1")
    assert network_of("2001:db8::1") != network_of("2001:db8:0:5::1")


# ---- proxies


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("10.0.0.7", "10.0.0.7/32"), ("10.0.0.0/24", "10.0.0.0/24"), ("::1", "::1/128"), ("[::1]", "::1/128"),
        ("::ffff:10.0.0.7", "10.0.0.7/32"), ("2001:DB8::/32", "2001:db8::/32"),
    ],
)  # fmt: skip
def test_a_proxy_is_an_address_or_a_network(given: str, kept: str) -> None:
    assert checked_proxy(given) == kept


@pytest.mark.parametrize("given", ["", "*", "proxy.lan", "10.0.0.0/0", "::/0", "10.0.0.7:80", "10.0.0.1/24", "all"])
def test_a_proxy_that_could_be_anybody_is_refused(given: str) -> None:
    with pytest.raises(CompeconError, match="--trust-proxy must be"):
        grant("127.0.0.1", None, (), [given])


def test_only_a_named_proxy_is_one() -> None:
    access = grant("127.0.0.1", None, (), ["10.0.0.0/24"])
    assert access.is_proxy("10.0.0.9")
    assert access.is_proxy("::ffff:10.0.0.9")
    assert not any(map(access.is_proxy, ["10.0.1.9", "127.0.0.1", "::1", "", "10.0.0.9, 10.0.0.9"]))
    assert not Access().is_proxy("127.0.0.1")
