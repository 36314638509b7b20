"""Runs the same order with workers of four SDKs on one server, and shows each as `devserver trace` sees it.

make demo-sdks
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from devserver import DevServer
from examples.sdks.workers import SDKS, BuildFailed, Sdk, build, start, stop

SECONDS = 120
ITEM = {"item": "tea", "count": 2}


@contextlib.contextmanager
def workers(sdks: Sequence[Sdk], folder: Path, address: str) -> Iterator[None]:
    """Run the workers, which are built below `folder`."""
    with contextlib.ExitStack() as stack:
        for sdk in sdks:
            stack.callback(stop, start(sdk, folder / sdk.name, address))
        yield


async def start_order(client: Client, sdk: Sdk, workflow_id: str) -> WorkflowHandle[object, object]:
    """Start an order with a worker of an SDK, and wait until it waits for its approval."""
    handle = await client.start_workflow("Order", ITEM, id=workflow_id, task_queue=sdk.name, result_type=str)
    while await _state(handle) != "waits for approval":
        await asyncio.sleep(0.1)
    return handle


async def _state(handle: WorkflowHandle[object, object]) -> object:
    with contextlib.suppress(RPCError):  # its worker is starting
        return await handle.query("state")
    return None


async def approve_order(handle: WorkflowHandle[object, object]) -> object:
    """Change the order, approve it and return its result."""
    await handle.execute_update("change", 3)
    await handle.signal("approve", "ann")
    return await handle.result()


def show(*words: str) -> None:
    """Run a devserver command and show it with its output."""
    print(f"\n$ devserver {' '.join(words)}", flush=True)
    subprocess.run([sys.executable, "-m", "devserver", *words], check=False)


async def run_orders(sdks: Sequence[Sdk], address: str) -> None:
    """Run an order with each SDK, and show it while it is open and once it is closed."""
    client = await Client.connect(address)
    where = ("--address", address)
    for sdk in sdks:
        workflow_id = f"{sdk.name}-order"
        handle = await asyncio.wait_for(start_order(client, sdk, workflow_id), SECONDS)
        await asyncio.to_thread(show, "trace", workflow_id, "--waits", *where)
        await asyncio.wait_for(approve_order(handle), SECONDS)
        await asyncio.to_thread(show, "trace", workflow_id, *where)
        await client.start_workflow("Broken", "tea", id=f"{sdk.name}-broken", task_queue=sdk.name)
    await asyncio.sleep(5)
    await asyncio.to_thread(show, "stuck", *where)


def main() -> None:
    """Build the workers of the SDKs whose tools are here, and run them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".sdks"), help="folder to build the workers in")
    folder = parser.parse_args().folder.resolve()
    sdks = []
    for sdk in SDKS:
        if sdk.missing:
            print(f"{sdk.name} is left out: this machine has no {' and no '.join(sdk.missing)}")
            continue
        print(f"building the worker of {sdk.name} ...", flush=True)
        try:
            build(sdk, folder)
        except BuildFailed as error:
            sys.exit(str(error))
        sdks.append(sdk)
    with (
        DevServer.start(ui=False, search_attributes={"Shop": "Keyword"}) as server,
        workers(sdks, folder, server.address),
    ):
        asyncio.run(run_orders(sdks, server.address))


if __name__ == "__main__":
    main()
