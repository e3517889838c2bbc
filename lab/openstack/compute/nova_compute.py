#!/usr/bin/python3
"""nova-compute that also finds lab_driver: Nova loads drivers from its own package `nova.virt` only."""
import pathlib
import sys

import nova.cmd  # noqa: F401  patches the standard library first, as the packaged program does
import nova.virt

nova.virt.__path__.append(str(pathlib.Path(__file__).parent))
from nova.cmd.compute import main  # noqa: E402

sys.exit(main())
