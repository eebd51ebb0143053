"""The served dashboard: Voilà with few kernels, which end with their pages, and with nothing from another machine."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError, RequestHandler
from traitlets import Float, Integer, default
from traitlets.config import Config
from voila.app import Voila
from voila.tornado.handler import TornadoVoilaHandler

from vgglab.errors import InputError, shown, unknown
from vgglab.serving.guard import HEADERS, check_closed

TEMPLATES = Path(__file__).parent / "jupyter"
FULL = (
    "The server has as many open pages as it allows, {limit}. A place is free as soon as somebody closes theirs; "
    "whoever started the server can allow more with `--pages`."
)
RETRY = 60  # seconds after which a page that found no place asks again: as often as culling looks


class Full(HTTPError):
    """There are as many pages as are allowed: 503, and when to ask again."""

    retry_after = RETRY

    def __init__(self, limit: int) -> None:
        super().__init__(503, FULL.format(limit=limit))


class PageHandler(TornadoVoilaHandler):
    """What answers for the dashboard's address."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = (kwargs.get("exc_info") or (None, None))[1]
        if isinstance(error, Full):
            self.set_header("Retry-After", str(error.retry_after))
        super().write_error(status_code, **kwargs)


class Pages(AsyncMappingKernelManager):
    """The kernels of the open pages, one a page: no more than `limit`, and none for long without its page.

    A page that is closed ends its kernel. Where it could not say so, the kernel goes once it has been quiet and without
    a page for `cull_idle_timeout` seconds; one that trains is not quiet, and goes `cull_unseen_timeout` seconds
    after its page. Culling looks every `cull_interval` seconds. A start beyond the limit is an HTTP error 503.
    """

    limit = Integer(8, min=1, help="Pages that may be open at a time.").tag(config=True)
    cull_unseen_timeout = Float(3600, help="Seconds that a training may go on without its page.").tag(
        config=True
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._taken: set[str] = set()  # from the moment that a start is asked for to that of the end
        self._unseen_since: dict[str, float] = {}

    @default("cull_idle_timeout")
    def _five_minutes(self) -> int:
        return 300

    @default("cull_interval")
    def _every_minute(self) -> int:
        return 60

    async def start_kernel(self, *, kernel_id: str | None = None, **options: Any) -> str:  # type: ignore[override]
        if len(self._taken) >= self.limit:
            raise Full(self.limit)
        kernel_id = kernel_id or self.new_kernel_id()
        self._taken.add(kernel_id)
        self._unseen_since[kernel_id] = monotonic()
        try:
            return await super().start_kernel(kernel_id=kernel_id, **options)
        except BaseException:
            self._forget(kernel_id)
            raise

    async def shutdown_kernel(self, kernel_id: str, *args: Any, **options: Any) -> None:  # type: ignore[override]
        self._forget(kernel_id)  # at once: a page that is loaded again asks for its new kernel now
        await super().shutdown_kernel(kernel_id, *args, **options)

    def remove_kernel(self, kernel_id: str) -> Any:
        self._forget(kernel_id)
        return super().remove_kernel(kernel_id)

    def _forget(self, kernel_id: str) -> None:
        self._taken.discard(kernel_id)
        self._unseen_since.pop(kernel_id, None)

    def notify_connect(self, kernel_id: str) -> None:
        super().notify_connect(kernel_id)
        self._unseen_since.pop(kernel_id, None)

    def notify_disconnect(self, kernel_id: str) -> None:
        super().notify_disconnect(kernel_id)
        if kernel_id in self and not self.kernel_model(kernel_id)["connections"]:
            self._unseen_since[kernel_id] = monotonic()

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        # A page that is open keeps its kernel, however long nobody touches it: `cull_connected` is off.
        unseen = monotonic() - self._unseen_since.get(kernel_id, monotonic())
        if unseen > self.cull_unseen_timeout:
            self.log.warning("Kernel %s went on for %.0f seconds without its page.", kernel_id, unseen)
            await self.shutdown_kernel(kernel_id)
        elif unseen > self.cull_idle_timeout:
            # What a page would be told on its return; in an hour of training that is more than the training takes.
            self.stop_buffering(kernel_id)
            await super().cull_kernel_if_idle(kernel_id)


def with_cookie(handler: JupyterHandler, **given: Any) -> None:
    """Set the cookie of a page that its script sends back when the page is closed.

    Voilà's script has that word in it, and its server refuses the message without; but its page sets no cookie
    (github.com/voila-dashboards/voila/issues/1458). Asking for the token does.
    """
    _ = handler.xsrf_token


def guarded(handler: type[RequestHandler]) -> type[RequestHandler]:
    """A handler whose answers have our headers; those of Voilà's own files are none of Jupyter's, which have them."""
    if issubclass(handler, JupyterHandler):
        return handler

    def set_default_headers(self: RequestHandler) -> None:
        for name, value in {"X-Content-Type-Options": "nosniff", **HEADERS}.items():
            self.set_header(name, value)

    return type(handler.__name__, (handler,), {"set_default_headers": set_default_headers})


class DashboardServer(Voila):
    """Voilà with the option `--ip`, and with a sentence for an option that it does not have."""

    aliases: ClassVar = {**Voila.aliases, "ip": "Voila.ip"}
    classes: ClassVar = [*Voila.classes, Pages]

    def init_settings(self) -> Any:
        settings = super().init_settings()
        check_closed(self.ip, self.identity_provider)
        return settings

    def init_handlers(self) -> list[Any]:
        return [
            (pattern, PageHandler if handler is TornadoVoilaHandler else guarded(handler), *rest)
            for pattern, handler, *rest in super().init_handlers()
        ]

    def parse_command_line(self, argv: list[str]) -> None:
        takes_value, known = False, {f"--{name}" for name in [*self.aliases, *self.flags]}
        for option in argv[1:]:
            name, equals, _ = option.partition("=")
            if name.startswith("-") and "." not in name and name not in known:
                raise unknown("option of `vgglab dashboard`", name, sorted(known))
            if not name.startswith("-") and not takes_value:
                raise InputError(f"`vgglab dashboard` serves no other notebook. Received: {shown(option)}.")
            takes_value = not equals and ("." in name or name.removeprefix("--") in self.aliases)
        super().parse_command_line(argv)


def serve(notebook: Path, options: list[str], limit: int) -> None:
    """Serve a notebook as pages until the process is told to end; `options` outweigh what is set here."""
    # Voilà finds templates below these folders.
    paths = [str(TEMPLATES), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(paths)
    config = Config(
        # Without a token every program of this machine could run code through the page.
        Voila=dict(ip="127.0.0.1", auto_token=True, tornado_settings=dict(headers=HEADERS)),
        VoilaConfiguration=dict(
            template="vgglab",
            # What stands behind the "?" of an address are settings of the dashboard, and nothing else.
            allow_template_override="NO",
            allow_theme_override="NO",
            multi_kernel_manager_class=Pages,
            prelaunch_hook=with_cookie,
        ),
        Pages=dict(limit=limit),
    )
    server = DashboardServer.instance(config=config)
    server.initialize([str(notebook), *options])
    server.start()
