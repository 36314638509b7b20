"""What the activities of `devserver.rehearsal.cluster` do: look at a cluster, and repair a rehearsal's patient."""
