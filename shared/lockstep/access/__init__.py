"""Who calls, and what they may call: scopes, tokens, signing keys, the authorizer."""
