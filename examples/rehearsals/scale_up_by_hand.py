"""The legacy script that scales up a ring: `python scale_up_by_hand.py NODE...`.

It records its effects like the runbook, and its last line is its result, so that the two can be compared.
"""

import sys

from ring import Ring

from devserver.rehearsal import ledger

ring = Ring.here()
for node in sys.argv[1:]:
    if node not in ring.nodes:
        ring.join(node)
        ledger.effect("add_node", key=node)
print(len(ring.nodes))
