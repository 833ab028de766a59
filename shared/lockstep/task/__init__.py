"""Tasks and the resources they ask for: binding them."""
