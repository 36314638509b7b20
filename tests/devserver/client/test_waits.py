"""Stack traces of workflows, as the workers of each SDK write them: the lines of the user's code."""

from __future__ import annotations

import pytest

from devserver.client.waits import stacks_of

GO = """coroutine root [blocked on chan-2.Receive]:
go.temporal.io/sdk/internal.(*futureImpl).Get(0x2352, {0xf5}, {0x0, 0x0})
\t/root/go/pkg/mod/go.temporal.io/sdk@v1.44.0/internal/internal_workflow.go:360 +0x72
go.temporal.io/sdk/workflow.Sleep(...)
\t/root/go/pkg/mod/go.temporal.io/sdk@v1.44.0/workflow/deterministic_wrappers.go:215
shop/orders.(*Desk).waits({0xf58078, 0x2352})
\t/src/shop/desk.go:31 +0x145
shop/orders.Order({0xf58078, 0x2352})
\t/src/shop/order.go:89 +0x145
reflect.Value.call({0xcd4a80?}, {0xeb9cb0, 0x4})
\t/usr/local/go/src/reflect/value.go:586 +0xf0c

coroutine 7 [blocked on selector-1.Select]:
shop/orders.Order.func1({0xf58078})
\t/src/shop/order.go:70 +0x40
"""
JAVA = """workflow-method-order-1-01a2: (BLOCKED on await)
io.temporal.internal.sync.WorkflowThreadContext.yield(WorkflowThreadContext.java:83)
io.temporal.workflow.Workflow.await(Workflow.java:660)
com.shop.OrderImpl$Desk.pause(OrderImpl.java:11)
com.shop.OrderImpl.run(OrderImpl.java:10)
java.base@17/jdk.internal.reflect.DirectMethodHandleAccessor.invoke(DirectMethodHandleAccessor.java:103)
"""
TYPESCRIPT = """    at Condition (/app/node_modules/@temporalio/workflow/src/workflow.ts:900:5)
    at waitForApproval (/app/src/workflows.ts:7:12)
    at async Promise.all (index 0)
    at async order (/app/src/workflows.ts:11:3)

    at async order (/app/src/workflows.ts:12:3)"""
PYTHON = """Stack for <Task pending name='run (workflow: Order)'> (most recent call last):
  File "/app/.venv/lib/python3.12/site-packages/temporalio/worker/_workflow_instance.py", line 2846, in _run
    await coro

  File "/app/orders.py", line 40, in run
    await self.pause()

  File "/app/orders.py", line 60, in pause
    await workflow.wait_condition(lambda: self.approved)
"""


@pytest.mark.parametrize(
    ("text", "stacks"),
    [
        (
            GO,
            [
                ["/src/shop/desk.go:31 in shop/orders.(*Desk).waits", "/src/shop/order.go:89 in shop/orders.Order"],
                ["/src/shop/order.go:70 in shop/orders.Order.func1"],
            ],
        ),
        (JAVA, [["OrderImpl.java:11 in com.shop.OrderImpl$Desk.pause", "OrderImpl.java:10 in com.shop.OrderImpl.run"]]),
        (
            TYPESCRIPT,
            [
                ["/app/src/workflows.ts:7 in waitForApproval", "/app/src/workflows.ts:11 in order"],
                ["/app/src/workflows.ts:12 in order"],
            ],
        ),
        (PYTHON, [["/app/orders.py:60 in pause", "/app/orders.py:40 in run"]]),
        ("Workflow is closed.", []),
        ("", []),
    ],
)
def test_the_users_lines_of_a_stack(text: str, stacks: list[list[str]]) -> None:
    """Lines of the SDK and of the language's library are left out; the innermost line of each coroutine is first."""
    assert [[str(frame) for frame in stack] for stack in stacks_of(text)] == stacks
