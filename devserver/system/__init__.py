"""The operating system: files, locks, processes, ports, paths and platforms. Nothing here knows Temporal."""
