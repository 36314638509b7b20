"""Named servers: their lifecycle, supervisor, leases, records and clean-up; `DevServer` is the way in from Python."""
