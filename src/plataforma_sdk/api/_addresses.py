"""Which network addresses an external call may reach: global unicast, and nothing that stands for another address.

`ipaddress.is_global` alone is not enough: it differs between Python 3.11, 3.12.4 and 3.13, and it calls global what
only carries another address (NAT64, 6to4, Teredo) or belongs to a cloud's own wiring.

**Source:** IANA special-purpose registries (RFC 6890 and its updates), OWASP SSRF prevention, CVE-2024-4032.
"""

from __future__ import annotations

import ipaddress
from typing import Final

__all__ = ["is_public_address"]

_REFUSED_V4: Final = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT, RFC 6598; Alibaba's metadata lives there
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's wire server: a public number, reachable from inside alone
            "169.254.0.0/16",  # link local: the metadata service of most clouds
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",  # 6to4 relays, RFC 7526
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)

_GLOBAL_V6: Final = ipaddress.IPv6Network("2000::/3")
"""All that IANA has given out as global unicast; mapped, compatible, NAT64 and local addresses lie outside."""

_REFUSED_V6: Final = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo and ORCHID among them
            "2001:db8::/32",
            "2002::/16",  # 6to4 carries an IPv4 address
            "3fff::/20",  # documentation, RFC 9637
        ),
    )
)


def is_public_address(text: str) -> bool:
    """Tell whether `text` is the canonical form of an address on the public internet.

    >>> is_public_address("93.184.215.14"), is_public_address("::ffff:127.0.0.1"), is_public_address("0177.0.0.1")
    (True, False, False)
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not any(address in network for network in _REFUSED_V4)
    if address.scope_id is not None or address not in _GLOBAL_V6:
        return False
    return address.is_global and not any(address in network for network in _REFUSED_V6)
