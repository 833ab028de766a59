"""Access to DynamoDB: one client, retries within the request's deadline, the base of the stored items, their keys."""
