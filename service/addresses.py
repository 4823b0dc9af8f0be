"""Which addresses a URL from a stranger may lead to: public ones, and no others."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# IANA's special-purpose registries, written out: what Python calls global changes between its
# versions, and includes multicast and addresses that carry others inside.
_NOT_PUBLIC_4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # behind a carrier's NAT
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local, and the metadata server
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",  # multicast, reserved, broadcast
            "168.63.129.16/32",  # Azure's metadata
        ),
    )
)
_GLOBAL_6 = ip_network("2000::/3")  # all else is local, multicast, reserved, or IPv4 in IPv6
_NOT_PUBLIC_6 = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # Teredo and other protocols
            "2001:db8::/32",
            "2002::/16",  # 6to4
            "3fff::/20",
        ),
    )
)
_NEVER = tuple(map(ip_network, ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "0.0.0.0/8")))


def is_public(text: str) -> bool:
    """Whether an address is one that everyone on the Internet reaches the same host by."""
    address = _parsed(text)
    if address is None:
        return False
    if isinstance(address, IPv6Address):
        return address in _GLOBAL_6 and not any(address in net for net in _NOT_PUBLIC_6)
    return not any(address in net for net in _NOT_PUBLIC_4)


def may_be_allowed(text: str) -> bool:
    """Whether an operator may allow an address: any but those of metadata servers."""
    address = _parsed(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return may_be_allowed(str(address.ipv4_mapped))
    return address is not None and not any(
        address in net for net in _NEVER if net.version == address.version
    )


def is_address(text: str) -> bool:
    return _parsed(text) is not None


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    scoped = isinstance(address, IPv6Address) and address.scope_id is not None
    return None if scoped else address
