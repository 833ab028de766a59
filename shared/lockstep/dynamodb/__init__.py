"""The way to DynamoDB: one client, retries within the request's deadline, the stored items and their keys."""
