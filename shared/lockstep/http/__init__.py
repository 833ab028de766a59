"""Turn an API Gateway event into a validated path, query and body, and a result into a reply."""
