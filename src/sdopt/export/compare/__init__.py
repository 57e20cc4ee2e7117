"""Two or more results beside each other: what differs in the inputs, the allocation and the return."""
