"""The managed backend: which server a run or a test uses, and its limits."""

from __future__ import annotations

import pytest

from tests.helpers.pytest_process import TALK
from tests.temporaltest.conftest import Suite
from tests.temporaltest.isolation.test_session import addresses


@pytest.fixture
def suite(own_suite: Suite) -> Suite:
    """A suite that starts its own server."""
    return own_suite


def test_version_of_a_test(suite: Suite) -> None:
    """A test that requires a version runs on a private server of that version."""
    suite.file(
        "test_it.py",
        """
        import pytest

        @pytest.mark.temporal(version="1.9.1")
        def test_version(temporal):
            assert temporal._case.endpoint.managed.version == "1.9.1"
        """,
    )
    suite.passes(passed=1)


def test_unknown_version(suite: Suite) -> None:
    """Tests that require it fail, and the error says where it was looked for."""
    suite.file("test_it.py", "def test_it(temporal):\n    pass\n")
    result = suite.run("--temporal-version=0.0.1")
    result.assert_outcomes(errors=1)
    assert "0.0.1" in result.stdout.str()
    assert "hint: " in result.stdout.str()


def test_dynamic_configuration_of_a_test(suite: Suite) -> None:
    """A test that sets dynamic configuration has a server with it."""
    suite.tests(
        """
        from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

        def pauses(temporal):
            request = DescribeNamespaceRequest(namespace=temporal.namespace)
            found = temporal.run(temporal.client.workflow_service.describe_namespace(request))
            return found.namespace_info.capabilities.workflow_pause

        @pytest.mark.temporal(dynamic_config={"frontend.WorkflowPauseEnabled": False})
        def test_own(temporal):
            assert not pauses(temporal)

        def test_usual(temporal):
            assert pauses(temporal)
        """
    )
    suite.passes(passed=2)


def test_time_skipping_tests_are_skipped_without_it(suite: Suite) -> None:
    """The stock tuning has no time skipping: tests that need it are skipped with a reason, others run."""
    suite.tests(
        """
        @pytest.mark.temporal(time_skipping=True)
        def test_skips(temporal):
            pass

        @pytest.mark.temporal(time_skipping=True, dynamic_config={"frontend.WorkflowTimeSkippingEnabled": True})
        def test_own(temporal):
            pass

        def test_real(temporal):
            pass
        """
    )
    result = suite.run("--temporal-tuning=stock")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * no time skipping here: the server runs without frontend.Workflow*fast*"])


def test_projects_with_other_settings_have_other_servers(suite: Suite) -> None:
    """Projects with different executables never share a server."""
    suite.file("test_it.py", f"{TALK}\ndef test_it(temporal):\n    report(address=temporal.address)\n")
    suite.passes("--temporal-linger=60", passed=1)
    suite.file("pyproject.toml", '[tool.devserver]\nsource = "installed"\n')
    suite.passes(passed=1)
    assert len(addresses(suite)) == 2
    from devserver import DevServer, Paths

    for record in Paths.default().instances.glob("pytest-*/record.json"):
        server = DevServer.attach(record.parent.name) if "ready" in record.read_text() else None
        if server is not None:
            server.stop()
