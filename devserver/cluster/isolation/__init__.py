"""A network of the cluster's own: a namespace whose packets can be dropped, and the ports that lead into it."""
