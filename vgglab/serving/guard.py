"""Who may use a server and what its pages may load: nobody without its token, and nothing from another machine."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

from vgglab.errors import InputError, shown

# For every page, file and answer (https://www.w3.org/TR/CSP3/). Notebooks are made of scripts and styles within the
# page, widgets load theirs from a blob, and JupyterLab compiles its schemas of settings with `eval`.
POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ]
)
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
OPEN = (
    "This server can be reached from other machines. Whoever has its token or password can run programs here in your "
    "name, and nothing that is sent is encrypted."
)


def is_own(address: str) -> bool:
    """Whether only this machine can reach an address that a server listens at."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:  # "" and "*" are all addresses of the machine; another name may be any
        return False


def check_closed(address: str, identity: Any) -> None:
    """Say it when other machines can reach a server; `InputError` where they would need neither token nor password.

    `identity` is the `IdentityProvider` of a Jupyter server.
    """
    if is_own(address):
        return
    if not identity.auth_enabled:
        raise InputError(
            f"A server that other machines can reach needs a token or a password. Received: {shown(address)} as its "
            "address, and an empty token. Leave the token out, and one is made."
        )
    print(f"vgglab: {OPEN}", file=sys.stderr)
