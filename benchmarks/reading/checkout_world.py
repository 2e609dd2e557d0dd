"""Opens the world of another checkout, prints its address and waits until its input ends.

The other checkout's interpreter runs this text in the other checkout's directory. It uses only the
function that opens the world and the attributes that every version of the world has.
"""

import asyncio
import json
import sys

from benchmarks.reading import world as other

# The function's name before and after the rename.
_OPEN = getattr(other, "open_world", None) or getattr(other, "world")  # noqa: B009 - mypy knows no `world`


def _show(line: str) -> None:
    sys.stderr.write(f"the other checkout: {line}\n")


async def _main(enterprises: int) -> None:
    async with _OPEN(enterprises, _show) as world:
        address = {
            "database": world.application(),
            "directory": str(world.cluster.directory),
            "postmaster": world.postmaster,
            "ids": [str(id) for id in world.ids],
        }
        sys.stdout.write(json.dumps(address) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
