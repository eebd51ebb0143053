"""The two servers: the course in JupyterLab, and the dashboard alone. Each runs in the process of its command."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vgglab.errors import InputError
from vgglab.files import readable, why_not
from vgglab.serving.guard import HEADERS, check_closed
from vgglab.share.shelf import runs_folder

SET_HOME = "Set HOME to a folder that may be written to."
SETTINGS = Path(__file__).parent / "settings"  # of JupyterLab, where nobody has set another
DASHBOARD = Path(__file__).parent.parent / "panel" / "app.ipynb"


def lab(options: list[str], folder: Path, notebook: str) -> None:
    """Serve a folder and open a notebook in it, until the command is ended.

    `options` are those of `jupyter lab` and outweigh what is set here. `InputError` where the server finds no place for
    its files, and where other machines could use it without a token.
    """
    server = {
        "ip": "127.0.0.1",
        "root_dir": str(folder.absolute()),
        "answer_yes": True,  # Ctrl-C ends it without a question
        # Jupyter refuses to run as root, which is who one is in most containers.
        "allow_root": hasattr(os, "geteuid") and os.geteuid() == 0,
        "tornado_settings": {"headers": HEADERS},
    }
    page = {
        "default_url": f"/lab/tree/{notebook}",
        # Nothing is asked of the network that the user did not ask for.
        "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "news_url": None,
        # Nor is anybody asked whether they would like news; what people have set themselves is left alone.
        "app_settings_dir": str(SETTINGS),
    }
    with _serving("JupyterLab"):
        from jupyterlab.labapp import LabApp
        from traitlets.config import Config

        started = LabApp.initialize_server(argv=options, config=Config(ServerApp=server, LabApp=page))
        check_closed(started.ip, started.identity_provider)
        started.start()


def dashboard(options: list[str], pages: int, cache_memory: float) -> None:
    """Serve the dashboard until the command is ended; `options` are those of Voilà and outweigh what is set here.

    `pages` may be open at a time, each with a kernel of its own, which keeps up to `cache_memory` GB of features in
    memory. All of them keep their runs in one folder: $VGGLAB_RUNS, or "runs" in the present folder. `InputError` for
    an option that Voilà does not have, and where other machines could use it without a token.
    """
    if pages < 1:
        raise InputError(f"`--pages` must be 1 or more. Received: {pages}.")
    if not 0 <= cache_memory < float("inf"):
        raise InputError(f"`--cache-memory` must be a number of GB, 0 or more. Received: {cache_memory}.")
    # The kernels inherit these.
    os.environ["VGGLAB_RUNS"] = str(runs_folder().absolute())  # the page lies elsewhere
    os.environ["VGGLAB_CACHE_MEMORY"] = str(int(cache_memory * 1024**3))
    with _serving("The dashboard"):
        from vgglab.serving.pages import serve

        serve(DASHBOARD, options, pages)


@contextmanager
def _serving(what: str) -> Iterator[None]:
    """A server runs within: Ctrl-C ends it, a closed terminal does as SIGTERM would, and errors are one sentence."""
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as `nohup` sets it
        signal.signal(signal.SIGHUP, lambda *given: signal.raise_signal(signal.SIGTERM))
    try:
        _make_room_for_files(what)
        yield
    except KeyboardInterrupt:
        pass
    except OSError as error:
        if error.filename is None:
            raise InputError(f"{what} cannot be served: {why_not(error)}.") from error
        raise InputError(
            f"{what} cannot keep its files in {readable(error.filename)}: {why_not(error)}. {SET_HOME}"
        ) from error


def _make_room_for_files(what: str) -> None:
    """Make Jupyter's folder in the home folder; Voilà would find out with its first page only that it cannot."""
    from jupyter_core.paths import jupyter_data_dir

    try:
        Path(jupyter_data_dir()).mkdir(mode=0o700, parents=True, exist_ok=True)
    except RuntimeError as error:  # of `Path.expanduser`
        raise InputError(f"{what} keeps files in a home folder, and there is none. {SET_HOME}") from error
