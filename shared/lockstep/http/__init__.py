"""From an API Gateway event to a validated path, query and body, and from a result to a reply."""
