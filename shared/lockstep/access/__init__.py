"""Authentication and authorization: scopes, tokens, signing keys, the authorizer."""
