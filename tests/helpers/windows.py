"""What Windows lacks, taken away from an interpreter: `simulate()` in a process of its own, before it imports ours.

The standard library and the packages that we use are imported before, because they would look for their parts for
Windows. What the simulation shows is whether our own modules use at import time what Windows does not have.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import socket
import sys

MISSING = ("fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "syslog")
FIRST = (
    *("asyncio", "concurrent.futures", "ctypes", "getpass", "http.server", "logging.handlers", "multiprocessing"),
    *("multiprocessing.connection", "multiprocessing.shared_memory", "pathlib", "pdb", "platform", "shutil", "sqlite3"),
    *("ssl", "subprocess", "sysconfig", "tempfile", "threading", "urllib.request", "venv", "webbrowser", "xml.etree"),
    *("click", "filelock", "httpx", "jinja2", "packaging.version", "platformdirs", "prometheus_client", "psutil"),
    *("pytest", "_pytest.pytester", "rich.console", "rich.progress", "temporalio.client", "temporalio.worker"),
    *("temporalio.testing", "temporalio.envconfig", "temporalio.contrib.opentelemetry", "truststore", "watchfiles"),
    *("opentelemetry.sdk.trace", "docstring_parser", "click.testing", "click.shell_completion", "nturl2path"),
)
OS = (
    *("fork", "forkpty", "getuid", "geteuid", "getgid", "getpgid", "setpgid", "setsid", "getpgrp", "killpg", "uname"),
    *(
        "register_at_fork",
        "sched_getaffinity",
        "wait3",
        "wait4",
        "waitid",
        "WNOHANG",
        "posix_spawn",
        "statvfs",
        "chown",
    ),
    *("O_NOFOLLOW", "O_CLOEXEC", "O_DIRECTORY", "O_NONBLOCK", "pread", "pwrite", "mkfifo", "getloadavg", "fchmod"),
)
SIGNALS = (
    *("SIGKILL", "SIGSTOP", "SIGCONT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGALRM", "SIGPIPE"),
    *("SIGWINCH", "SIGTSTP", "pause", "pthread_sigmask", "sigwait", "alarm", "setitimer", "set_wakeup_fd_"),
)


def simulate() -> None:
    """Make this interpreter look like one on Windows to modules that are imported from now on."""
    import sysconfig

    for name in FIRST:
        importlib.import_module(name)
    sysconfig.get_config_vars()
    for name in MISSING:
        sys.modules[name] = None  # type: ignore[assignment]
    for module, names in ((os, OS), (signal, SIGNALS), (socket, ("AF_UNIX",)), (select, ("poll", "epoll"))):
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    sys.platform = "win32"
